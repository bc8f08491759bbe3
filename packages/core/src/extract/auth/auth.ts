import { ConfigError, RequestError } from "../../base/errors.ts";
import { credentialNames, requestSecretNames } from "../../config/auth.ts";
import type { AuthPlan, RequestPlan, ResourcePlan } from "../../config/plan-types.ts";
import { openRedactor, type Redactor } from "../../secrets/redact.ts";
import type { Secret, SecretValues } from "../../secrets/reference.ts";
import type { SecretStore } from "../../secrets/store.ts";
import type { Authenticator } from "../http/request.ts";
import { describeRequest, type HttpRequest } from "../http/transport.ts";
import { type OAuthPlan, TokenSource } from "./oauth.ts";
import { dropSealedHeaders, unsealRequest } from "./sealed.ts";
import type { TokenContext } from "./token-request.ts";

const REFUSAL_STATUSES: ReadonlySet<number> = new Set([
  401 /* Unauthorized */, 403 /* Forbidden */,
]);

interface AuthDeps {
  secrets: SecretStore;
  /** The context of requests for tokens. */
  context: TokenContext;
}

interface SignerDeps extends AuthDeps {
  redactor: Redactor;
  refusedHint: string;
}

/** The part of an authenticator that differs between the types of auth. */
type Signer = Pick<Authenticator, "apply" | "renew">;

/**
 * Puts a resource's credentials on a copy of each request: the credentials of auth, and the secrets
 * in headers, parameters and body. No other origin than base_url's and the allowed ones gets them.
 */
export function createAuthenticator(
  { source, auth, request: plan }: Pick<ResourcePlan, "source" | "auth" | "request">,
  deps: AuthDeps,
): Authenticator {
  const { secrets } = deps;
  const redactor = openRedactor();
  const sealedNames = requestSecretNames(plan);
  const names = [...(auth ? credentialNames(auth) : []), ...sealedNames];
  const refusedHint = hintAfterRefusal(auth, [...new Set(names)], source);
  const signer = createSigner(auth, { ...deps, redactor, refusedHint });
  const trustedOrigins = [plan.origin, ...plan.allowedOrigins];
  const pathOrigin = originOf(plan.url);

  const unseal = async (request: HttpRequest): Promise<HttpRequest> => {
    if (sealedNames.length === 0) return request;
    const values = await secrets.read();
    const unsealed = unsealRequest(request, (name) => redactor.addSecret(values.get(name)));
    for (const [name, value] of Object.entries(unsealed.headers)) assertSendable(name, value);
    return unsealed;
  };

  return {
    apply: async (request) => {
      const { origin } = new URL(request.url);
      if (trustedOrigins.includes(origin)) return signer.apply(await unseal(request));
      const bareRequest = origin === pathOrigin && !auth ? dropSealedHeaders(request) : undefined;
      if (bareRequest) return bareRequest;
      throw originError(request, origin, trustedOrigins);
    },
    renew: async () => {
      if (await signer.renew()) return true;
      if (names.length === 0) return false;
      await secrets.refresh();
      return true;
    },
    refusalStatuses: REFUSAL_STATUSES,
    refusedHint,
    quote: redactor.quoteText,
  };
}

function createSigner(plan: AuthPlan | undefined, deps: SignerDeps): Signer {
  if (!plan) return { apply: async (request) => request, renew: async () => false };
  switch (plan.type) {
    case "oauth2_client_credentials":
    case "oauth2_refresh_token":
      return createOAuthSigner(plan, deps);
    default:
      return createFixedSigner(plan, deps);
  }
}

function createOAuthSigner(plan: OAuthPlan, deps: SignerDeps): Signer {
  const tokens = new TokenSource(plan, deps);
  let usedToken: string | undefined;
  return {
    apply: async (request) => {
      usedToken = deps.redactor.addSecret(await tokens.get());
      return withHeader(request, "authorization", `Bearer ${usedToken}`);
    },
    renew: async () => {
      tokens.drop(usedToken);
      await deps.secrets.refresh();
      return true;
    },
  };
}

/** Sends credentials unchanged from the secret. Only a fresh read of the secret renews them. */
function createFixedSigner(
  plan: Exclude<AuthPlan, OAuthPlan>,
  { secrets, redactor }: Pick<SignerDeps, "secrets" | "redactor">,
): Signer {
  return {
    apply: async (request) => signRequest(request, plan, await secrets.read(), redactor),
    renew: async () => false,
  };
}

function signRequest(
  request: HttpRequest,
  plan: Exclude<AuthPlan, OAuthPlan>,
  values: SecretValues,
  redactor: Redactor,
): HttpRequest {
  const reveal = (secret: Secret) => {
    for (const name of secret.names) redactor.addSecret(values.get(name));
    return redactor.addSecret(secret.reveal(values));
  };
  switch (plan.type) {
    case "bearer":
      return withHeader(request, "authorization", `Bearer ${reveal(plan.token)}`);
    case "http_basic": {
      const pair = redactor.addSecret(`${reveal(plan.username)}:${reveal(plan.password)}`);
      const encoded = Buffer.from(pair).toString("base64");
      return withHeader(request, "authorization", `Basic ${encoded}`);
    }
    case "api_key": {
      const key = reveal(plan.apiKey);
      if (plan.location === "query") return withParam(request, plan.name, key);
      if (plan.location === "cookie") return withCookie(request, `${plan.name}=${key}`);
      return withHeader(request, plan.name.toLowerCase(), key);
    }
  }
}

function withParam(request: HttpRequest, name: string, value: string): HttpRequest {
  const url = new URL(request.url);
  if (url.searchParams.has(name)) url.searchParams.set(name, value);
  // searchParams would rewrite the whole query in its own encoding.
  else url.search = `${url.search}${url.search ? "&" : ""}${new URLSearchParams([[name, value]])}`;
  return { ...request, url: url.href };
}

function withCookie(request: HttpRequest, cookie: string): HttpRequest {
  const { cookie: configured } = request.headers;
  return withHeader(request, "cookie", configured ? `${configured}; ${cookie}` : cookie);
}

function withHeader(request: HttpRequest, name: string, value: string): HttpRequest {
  assertSendable(name, value);
  return { ...request, headers: { ...request.headers, [name]: value } };
}

function assertSendable(name: string, value: string): void {
  if (!/[^\t\x20-\x7e\x80-\xff]/.test(value)) return;
  throw new ConfigError({
    code: "secrets.shape",
    message: `the credential for the header "${name}" has a character that headers cannot carry`,
    hint: "was it pasted with a line break?",
  });
}

function hintAfterRefusal(
  plan: AuthPlan | undefined,
  names: readonly string[],
  source: string,
): string {
  if (names.length > 0) {
    const secrets = names.length === 1 ? "secret" : "secrets";
    const list = names.map((name) => `"${name}"`).join(" and ");
    return `check the ${secrets} ${list} (tidetable check ${source})`;
  }
  return plan
    ? "check the credentials in the config"
    : "the config names no auth for this resource: does the API need one?";
}

/** The origin of the resource's URL; undefined where a template stands in its place. */
function originOf(url: RequestPlan["url"]): string | undefined {
  const start = typeof url === "string" ? `${url}/` : url.parts[0];
  const [origin] = (typeof start === "string" && /^https?:\/\/[^/?#]+(?=[/?#])/i.exec(start)) || [];
  return origin === undefined ? undefined : new URL(origin).origin;
}

function originError(
  request: HttpRequest,
  origin: string,
  trustedOrigins: readonly string[],
): RequestError {
  return new RequestError({
    code: "extract.origin",
    message: `${describeRequest(request)} leads to ${origin}, and the credentials are for ${trustedOrigins.join(" and ")} only`,
    hint: "a page of another origin is not followed; if it is the API's own, add it to client.allowed_origins",
    retryable: false,
  });
}
