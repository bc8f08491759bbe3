import { Secret } from "../secrets/reference.ts";
import type { Credential } from "./endpoint-types.ts";
import type { AuthPlan, ResourcePlan, TokenPlan } from "./plan-types.ts";
import type { SettledAuth } from "./settle.ts";
import { templateReferences } from "./templates.ts";

export function planAuth(auth: SettledAuth): AuthPlan {
  switch (auth.type) {
    case "bearer":
      return { type: "bearer", token: planSecret(auth.token, "token") };
    case "api_key":
      return {
        type: "api_key",
        name: auth.name ?? "Authorization",
        apiKey: planSecret(auth.api_key, "api_key"),
        location: auth.location === "param" ? "query" : (auth.location ?? "header"),
      };
    case "http_basic":
      return {
        type: "http_basic",
        username: planSecret(auth.username, "username"),
        password: planSecret(auth.password, "password"),
      };
    case "oauth2_client_credentials":
      return {
        type: "oauth2_client_credentials",
        ...planToken(auth),
        // Optional: without an access_token the first token is fetched.
        accessToken:
          auth.access_token === undefined ? undefined : planSecret(auth.access_token, ""),
      };
    case "oauth2_refresh_token":
      return {
        type: "oauth2_refresh_token",
        ...planToken(auth),
        refreshToken: planSecret(auth.refresh_token, "refresh_token"),
      };
  }
}

type TokenAuth = Extract<SettledAuth, { type: `oauth2_${string}` }>;

function planToken(auth: TokenAuth): TokenPlan {
  return {
    accessTokenUrl: planTokenUrl(auth.access_token_url),
    clientId: planSecret(auth.client_id, "client_id"),
    clientSecret:
      auth.client_secret === "" ? undefined : planSecret(auth.client_secret, "client_secret"),
    clientAuthMethod: auth.client_auth_method ?? "client_secret_post",
    requestData: planRequestData(auth.access_token_request_data ?? {}),
    defaultTokenExpiration: auth.default_token_expiration ?? 3600,
  };
}

/** As in dlt, a credential that is left out is the secret's member of the key's name. */
function planSecret(credential: Credential, keyName: string): Secret {
  if (credential === undefined) return Secret.fromName(keyName);
  return typeof credential === "string" ? Secret.fromText(credential) : credential;
}

function planTokenUrl(url: Credential): string | Secret {
  const secret = planSecret(url, "access_token_url");
  return typeof url === "string" && secret.names.length === 0 ? url : secret;
}

function planRequestData(
  data: NonNullable<TokenAuth["access_token_request_data"]>,
): Record<string, Secret> {
  const fields = Object.entries(data).filter(([, value]) => value != null);
  return Object.fromEntries(
    fields.map(([name, value]) => [
      name,
      value instanceof Secret ? value : Secret.fromText(String(value)),
    ]),
  );
}

/** The members that the source's secret must have, sorted. */
export function secretNames(resources: Pick<ResourcePlan, "auth" | "request">[]): string[] {
  const names = resources.flatMap(({ auth, request }) => [
    ...(auth ? credentialNames(auth) : []),
    ...requestSecretNames(request),
  ]);
  return [...new Set(names)].sort();
}

export function credentialNames(auth: AuthPlan): string[] {
  const requestData = "requestData" in auth ? Object.values(auth.requestData) : [];
  return [...Object.values(auth), ...requestData].flatMap((value) =>
    value instanceof Secret ? value.names : [],
  );
}

/** The secrets that headers, parameters and bodies name. */
export function requestSecretNames(request: unknown): string[] {
  return [...templateReferences(request)].flatMap((reference) =>
    reference.of === "secret" ? [reference.name] : [],
  );
}
