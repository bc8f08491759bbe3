import type { AuthPlan } from "../config/plan-types.ts";
import { ConfigError, RequestError } from "../errors.ts";
import { Secret, type SecretValues } from "../secret.ts";
import type { SecretStore } from "../secrets.ts";
import { type OAuthPlan, type TokenCaller, tokenSource } from "./oauth.ts";
import { openRedactor, type Redactor } from "./redact.ts";
import type { Authenticator } from "./request.ts";
import { type HttpRequest, shown } from "./transport.ts";

const REFUSALS: ReadonlySet<number> = new Set([401 /* Unauthorized */, 403 /* Forbidden */]);

interface AuthDeps {
  source: string;
  /** The one origin that gets the credentials. */
  origin: string;
  secrets: SecretStore;
  /** How a token is fetched. */
  caller: TokenCaller;
}

/** The part that differs from type to type. */
type Signer = Pick<Authenticator, "apply" | "renew">;

/** Puts the credentials of a plan on a copy of each request, and only on those to `origin`. */
export function authenticator(plan: AuthPlan | undefined, deps: AuthDeps): Authenticator {
  const redactor = openRedactor();
  const refusedHint = hintFor(plan, deps.source);
  const signer = signerFor(plan, { ...deps, redactor, refusedHint });
  return {
    apply: async (request) => {
      const { origin } = new URL(request.url);
      if (origin !== deps.origin) throw elsewhere(request, origin, deps.origin);
      return signer.apply(request);
    },
    renew: signer.renew,
    refusals: REFUSALS,
    refusedHint,
    quote: redactor.quote,
  };
}

function signerFor(
  plan: AuthPlan | undefined,
  deps: AuthDeps & { redactor: Redactor; refusedHint: string },
): Signer {
  if (!plan) return { apply: async (request) => request, renew: async () => false };
  return plan.type === "oauth2_client_credentials" ? oauth(plan, deps) : fixed(plan, deps);
}

function oauth(
  plan: OAuthPlan,
  deps: AuthDeps & { redactor: Redactor; refusedHint: string },
): Signer {
  const tokens = tokenSource(plan, deps);
  return {
    apply: async (request) => {
      const token = deps.redactor.learn(await tokens.get());
      return withHeader(request, "authorization", `Bearer ${token}`);
    },
    renew: async () => {
      tokens.drop();
      await deps.secrets.refresh();
      return true;
    },
  };
}

/** Credentials that are sent as they are in the secret. */
function fixed(
  plan: Exclude<AuthPlan, OAuthPlan>,
  { secrets, redactor }: { secrets: SecretStore; redactor: Redactor },
): Signer {
  return {
    apply: async (request) => sign(request, plan, await secrets.read(), redactor),
    renew: async () => {
      if (namesIn(plan).length === 0) return false;
      await secrets.refresh();
      return true;
    },
  };
}

function sign(
  request: HttpRequest,
  plan: Exclude<AuthPlan, OAuthPlan>,
  values: SecretValues,
  redactor: Redactor,
): HttpRequest {
  const reveal = (secret: Secret) => redactor.learn(secret.reveal(values));
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
      if (plan.location === "cookie") return withHeader(request, "cookie", `${plan.name}=${key}`);
      return withHeader(request, plan.name.toLowerCase(), key);
    }
  }
}

function withParam(request: HttpRequest, name: string, value: string): HttpRequest {
  const url = new URL(request.url);
  url.searchParams.set(name, value);
  return { ...request, url: url.href };
}

function withHeader(request: HttpRequest, name: string, value: string): HttpRequest {
  if (/[^\t\x20-\x7e\x80-\xff]/.test(value)) {
    throw new ConfigError({
      code: "secrets.shape",
      message: `the credential for the header "${name}" has a character that headers can not carry`,
      hint: "was it pasted with a line break?",
    });
  }
  return { ...request, headers: { ...request.headers, [name]: value } };
}

/** The members of the source's secret that a plan refers to. */
function namesIn(plan: AuthPlan): string[] {
  const data = plan.type === "oauth2_client_credentials" ? Object.values(plan.requestData) : [];
  return [...Object.values(plan), ...data].flatMap((value) =>
    value instanceof Secret && value.name !== undefined ? [value.name] : [],
  );
}

function hintFor(plan: AuthPlan | undefined, source: string): string {
  if (!plan) return "the config names no auth for this resource: does the API need one?";
  const names = namesIn(plan).map((name) => `"${name}"`);
  if (names.length === 0) return "check the credentials in the config";
  const secrets = names.length === 1 ? "secret" : "secrets";
  return `check the ${secrets} ${names.join(" and ")} (tidetable check ${source})`;
}

function elsewhere(request: HttpRequest, target: string, origin: string): RequestError {
  return new RequestError({
    code: "extract.origin",
    message: `${shown(request)} leads to ${target}, and the credentials are for ${origin} only`,
    hint: "a page of another origin is not followed",
    retryable: false,
  });
}
