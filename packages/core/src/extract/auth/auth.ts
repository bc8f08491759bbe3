import { ConfigError, RequestError } from "../../base/errors.ts";
import { credentialNames, requestSecrets } from "../../config/auth.ts";
import type { AuthPlan, RequestPlan, ResourcePlan } from "../../config/plan-types.ts";
import { openRedactor, type Redactor } from "../../secrets/redact.ts";
import type { Secret, SecretValues } from "../../secrets/reference.ts";
import type { SecretStore } from "../../secrets/store.ts";
import type { Authenticator } from "../http/request.ts";
import { type HttpRequest, shown } from "../http/transport.ts";
import { type OAuthPlan, type TokenCaller, tokenSource } from "./oauth.ts";
import { unsealed, withoutSecrets } from "./sealed.ts";

const REFUSALS: ReadonlySet<number> = new Set([401 /* Unauthorized */, 403 /* Forbidden */]);

interface AuthDeps {
  secrets: SecretStore;
  /** How a token is fetched. */
  caller: TokenCaller;
}

interface SignerDeps extends AuthDeps {
  redactor: Redactor;
  refusedHint: string;
}

/** The part that differs from type to type. */
type Signer = Pick<Authenticator, "apply" | "renew">;

/**
 * Puts a resource's credentials on a copy of each request: those of its auth, and the secrets in its
 * headers, parameters and body. Only for the origins that they are meant for.
 */
export function authenticator(
  { source, auth, request: plan }: Pick<ResourcePlan, "source" | "auth" | "request">,
  deps: AuthDeps,
): Authenticator {
  const { secrets } = deps;
  const redactor = openRedactor();
  const sealedNames = requestSecrets(plan);
  const names = [...(auth ? credentialNames(auth) : []), ...sealedNames];
  const refusedHint = hintFor(auth, [...new Set(names)], source);
  const signer = signerFor(auth, { ...deps, redactor, refusedHint });
  const trusted = [plan.origin, ...plan.allowedOrigins];
  const own = originOf(plan.url);

  const open = async (request: HttpRequest): Promise<HttpRequest> => {
    if (sealedNames.length === 0) return request;
    const values = await secrets.read();
    const opened = unsealed(request, (name) => redactor.learn(values.get(name)));
    for (const [name, value] of Object.entries(opened.headers)) assertSendable(name, value);
    return opened;
  };

  return {
    apply: async (request) => {
      const { origin } = new URL(request.url);
      if (trusted.includes(origin)) return signer.apply(await open(request));
      const bare = origin === own && !auth ? withoutSecrets(request) : undefined;
      if (bare) return bare;
      throw elsewhere(request, origin, trusted);
    },
    renew: async () => {
      if (await signer.renew()) return true;
      if (names.length === 0) return false;
      await secrets.refresh();
      return true;
    },
    refusals: REFUSALS,
    refusedHint,
    quote: redactor.quote,
  };
}

function signerFor(plan: AuthPlan | undefined, deps: SignerDeps): Signer {
  if (!plan) return { apply: async (request) => request, renew: async () => false };
  switch (plan.type) {
    case "oauth2_client_credentials":
    case "oauth2_refresh_token":
      return oauth(plan, deps);
    default:
      return fixed(plan, deps);
  }
}

function oauth(plan: OAuthPlan, deps: SignerDeps): Signer {
  const tokens = tokenSource(plan, deps);
  let used: string | undefined;
  return {
    apply: async (request) => {
      used = deps.redactor.learn(await tokens.get());
      return withHeader(request, "authorization", `Bearer ${used}`);
    },
    renew: async () => {
      tokens.drop(used);
      await deps.secrets.refresh();
      return true;
    },
  };
}

/** Credentials that are sent as they are in the secret. There is nothing of its own to renew. */
function fixed(
  plan: Exclude<AuthPlan, OAuthPlan>,
  { secrets, redactor }: Pick<SignerDeps, "secrets" | "redactor">,
): Signer {
  return {
    apply: async (request) => sign(request, plan, await secrets.read(), redactor),
    renew: async () => false,
  };
}

function sign(
  request: HttpRequest,
  plan: Exclude<AuthPlan, OAuthPlan>,
  values: SecretValues,
  redactor: Redactor,
): HttpRequest {
  const reveal = (secret: Secret) => {
    for (const name of secret.names) redactor.learn(values.get(name));
    return redactor.learn(secret.reveal(values));
  };
  switch (plan.type) {
    case "bearer":
      return withHeader(request, "authorization", `Bearer ${reveal(plan.token)}`);
    case "http_basic": {
      const pair = redactor.learn(`${reveal(plan.username)}:${reveal(plan.password)}`);
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
  // By hand: searchParams would write the others anew, in its own encoding.
  else url.search = `${url.search}${url.search ? "&" : ""}${new URLSearchParams([[name, value]])}`;
  return { ...request, url: url.href };
}

function withCookie(request: HttpRequest, cookie: string): HttpRequest {
  const { cookie: others } = request.headers;
  return withHeader(request, "cookie", others ? `${others}; ${cookie}` : cookie);
}

function withHeader(request: HttpRequest, name: string, value: string): HttpRequest {
  assertSendable(name, value);
  return { ...request, headers: { ...request.headers, [name]: value } };
}

function assertSendable(name: string, value: string): void {
  if (!/[^\t\x20-\x7e\x80-\xff]/.test(value)) return;
  throw new ConfigError({
    code: "secrets.shape",
    message: `the credential for the header "${name}" has a character that headers can not carry`,
    hint: "was it pasted with a line break?",
  });
}

function hintFor(plan: AuthPlan | undefined, names: readonly string[], source: string): string {
  if (names.length > 0) {
    const secrets = names.length === 1 ? "secret" : "secrets";
    const list = names.map((name) => `"${name}"`).join(" and ");
    return `check the ${secrets} ${list} (tidetable check ${source})`;
  }
  return plan
    ? "check the credentials in the config"
    : "the config names no auth for this resource: does the API need one?";
}

/** Of a path that is a whole URL; of base_url otherwise. */
function originOf(url: RequestPlan["url"]): string | undefined {
  const start = typeof url === "string" ? `${url}/` : url.parts[0];
  const [origin] = (typeof start === "string" && /^https?:\/\/[^/?#]+(?=[/?#])/i.exec(start)) || [];
  return origin === undefined ? undefined : new URL(origin).origin;
}

function elsewhere(request: HttpRequest, target: string, trusted: readonly string[]): RequestError {
  return new RequestError({
    code: "extract.origin",
    message: `${shown(request)} leads to ${target}, and the credentials are for ${trusted.join(" and ")} only`,
    hint: "a page of another origin is not followed; if it is the API's own, add it to client.allowed_origins",
    retryable: false,
  });
}
