import { Secret } from "../secrets/reference.ts";
import type { Credential } from "./endpoint-types.ts";
import type { AuthPlan, ResourcePlan, TokenPlan } from "./plan-types.ts";
import type { SettledAuth } from "./settle.ts";
import { references } from "./templates.ts";

export function planAuth(auth: SettledAuth): AuthPlan {
  switch (auth.type) {
    case "bearer":
      return { type: "bearer", token: secret(auth.token, "token") };
    case "api_key":
      return {
        type: "api_key",
        name: auth.name ?? "Authorization",
        apiKey: secret(auth.api_key, "api_key"),
        location: auth.location === "param" ? "query" : (auth.location ?? "header"),
      };
    case "http_basic":
      return {
        type: "http_basic",
        username: secret(auth.username, "username"),
        password: secret(auth.password, "password"),
      };
    case "oauth2_client_credentials":
      return {
        type: "oauth2_client_credentials",
        ...planToken(auth),
        // The one credential that is optional.
        accessToken: auth.access_token === undefined ? undefined : secret(auth.access_token, ""),
      };
    case "oauth2_refresh_token":
      return {
        type: "oauth2_refresh_token",
        ...planToken(auth),
        refreshToken: secret(auth.refresh_token, "refresh_token"),
      };
  }
}

type TokenAuth = Extract<SettledAuth, { type: `oauth2_${string}` }>;

function planToken(auth: TokenAuth): TokenPlan {
  return {
    accessTokenUrl: planUrl(auth.access_token_url),
    clientId: secret(auth.client_id, "client_id"),
    clientSecret:
      auth.client_secret === "" ? undefined : secret(auth.client_secret, "client_secret"),
    clientAuthMethod: auth.client_auth_method ?? "client_secret_post",
    requestData: requestData(auth.access_token_request_data ?? {}),
    defaultTokenExpiration: auth.default_token_expiration ?? 3600,
  };
}

// As in dlt, a credential that is left out is looked up under its own name.
function secret(credential: Credential, name: string): Secret {
  if (credential === undefined) return Secret.named(name);
  return typeof credential === "string" ? Secret.of(credential) : credential;
}

function planUrl(url: Credential): string | Secret {
  const found = secret(url, "access_token_url");
  return typeof url === "string" && found.names.length === 0 ? url : found;
}

function requestData(
  data: NonNullable<TokenAuth["access_token_request_data"]>,
): Record<string, Secret> {
  const given = Object.entries(data).filter(([, value]) => value != null);
  return Object.fromEntries(
    given.map(([name, value]) => [
      name,
      value instanceof Secret ? value : Secret.of(String(value)),
    ]),
  );
}

/** The members that a source's secret must have for these. */
export function secretNames(resources: Pick<ResourcePlan, "auth" | "request">[]): string[] {
  const names = resources.flatMap(({ auth, request }) => [
    ...(auth ? credentialNames(auth) : []),
    ...requestSecrets(request),
  ]);
  return [...new Set(names)].sort();
}

export function credentialNames(auth: AuthPlan): string[] {
  const data = "requestData" in auth ? Object.values(auth.requestData) : [];
  return [...Object.values(auth), ...data].flatMap((value) =>
    value instanceof Secret ? value.names : [],
  );
}

/** Those that stand in headers, parameters and bodies. */
export function requestSecrets(request: unknown): string[] {
  return [...references(request)].flatMap((one) => (one.of === "secret" ? [one.name] : []));
}
