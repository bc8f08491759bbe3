import { Secret } from "../secret.ts";
import type { Credential } from "./endpoint-types.ts";
import type { AuthPlan } from "./plan-types.ts";
import type { SettledAuth } from "./settle.ts";

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
        accessTokenUrl: auth.access_token_url as string,
        clientId: secret(auth.client_id, "client_id"),
        clientSecret: secret(auth.client_secret, "client_secret"),
        requestData: requestData(auth.access_token_request_data ?? {}),
        defaultTokenExpiration: auth.default_token_expiration ?? 3600,
      };
  }
}

// As in dlt, a credential that is left out is looked up under its own name.
function secret(credential: Credential, name: string): Secret {
  if (credential === undefined) return Secret.named(name);
  return typeof credential === "string" ? Secret.literal(credential) : credential;
}

function requestData(data: Record<string, Credential>): Record<string, string | Secret> {
  const given = Object.entries(data).filter(
    (field): field is [string, string | Secret] => field[1] != null,
  );
  return Object.fromEntries(given);
}

/** The members that a source's secret must have for these. */
export function secretNames(auths: (AuthPlan | undefined)[]): string[] {
  const names = auths.flatMap((auth) => (auth ? references(auth) : []));
  return [...new Set(names)].sort();
}

function references(auth: AuthPlan): string[] {
  const data = auth.type === "oauth2_client_credentials" ? Object.values(auth.requestData) : [];
  return [...Object.values(auth), ...data].flatMap((value) =>
    value instanceof Secret && value.name !== undefined ? [value.name] : [],
  );
}
