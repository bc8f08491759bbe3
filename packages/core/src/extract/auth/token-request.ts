import { isDeepStrictEqual } from "node:util";
import { ConfigError, RequestError } from "../../base/errors.ts";
import { limits } from "../../base/limits.ts";
import { TOKEN_MARGIN_MS } from "../../base/timing.ts";
import type { TokenPlan } from "../../config/plan-types.ts";
import type { Redactor } from "../../secrets/redact.ts";
import type { Secret, SecretValues } from "../../secrets/reference.ts";
import type { SecretStore } from "../../secrets/store.ts";
import { isObject, type JsonObject } from "../../values/json.ts";
import { type Authenticator, fetchJson, type RequestContext } from "../http/request.ts";
import { describeRequest, type HttpRequest } from "../http/transport.ts";

/** The context of token requests. They have a meter of their own: reports count requests for pages. */
export type TokenContext = Omit<RequestContext, "auth" | "meter">;

export interface TokenDeps {
  secrets: SecretStore;
  redactor: Redactor;
  refusedHint: string;
  context: TokenContext;
}

export interface Token {
  value: string;
  /** On the monotonic clock. */
  validUntil: number;
}

export type TokenForm = Record<string, Secret | string>;

/** Many token endpoints answer 400 to a wrong client secret or refresh token, as RFC 6749 has it. */
const REFUSAL_STATUSES: ReadonlySet<number> = new Set([400, 401, 403]);

export interface TokenAnswer {
  request: HttpRequest;
  members: JsonObject;
}

/** Asks the token endpoint for a token, with the form of a grant. */
export async function requestToken(
  plan: TokenPlan,
  form: (values: SecretValues) => TokenForm,
  { secrets, redactor, refusedHint, context }: TokenDeps,
): Promise<TokenAnswer> {
  const request: HttpRequest = {
    method: "POST",
    url: tokenUrl(plan, await secrets.read()),
    headers: { "content-type": "application/x-www-form-urlencoded" },
  };
  const sign = (target: HttpRequest, values: SecretValues) =>
    signTokenRequest(target, plan, { form: form(values), values, redactor });
  let lastSigned: HttpRequest | undefined;
  // Retries and the replay after a refusal work as for pages, with the form's own credentials.
  const auth: Authenticator = {
    apply: async (target) => {
      lastSigned = sign(target, await secrets.read());
      return lastSigned;
    },
    renew: async () => !isDeepStrictEqual(lastSigned, sign(request, await secrets.refresh())),
    refusalStatuses: REFUSAL_STATUSES,
    refusedHint,
    // An answer of a token endpoint may contain a token.
    quote: () => "",
  };
  const meter = { requests: 0, retries: 0, waited_ms: 0 };
  const { body } = await fetchJson(request, { ...context, auth, meter });
  return { request, members: isObject(body) ? body : {} };
}

/** The client's credentials go into the form or into a header, as `client_auth_method` says. */
function signTokenRequest(
  request: HttpRequest,
  plan: TokenPlan,
  { form, values, redactor }: { form: TokenForm; values: SecretValues; redactor: Redactor },
): HttpRequest {
  const reveal = (value: Secret | string) =>
    typeof value === "string" ? value : redactor.addSecret(value.reveal(values));
  const id = reveal(plan.clientId);
  const secret = plan.clientSecret && reveal(plan.clientSecret);
  const isInForm = plan.clientAuthMethod === "client_secret_post";
  const client = { client_id: id, ...(secret === undefined ? {} : { client_secret: secret }) };
  const fields = { ...(isInForm ? client : {}), ...form, ...plan.requestData };
  const pairs = Object.entries(fields).map(([name, value]): [string, string] => [
    name,
    reveal(value),
  ]);
  const basic = redactor.addSecret(`${encodeForForm(id)}:${encodeForForm(secret ?? "")}`);
  const authorization = `Basic ${Buffer.from(basic).toString("base64")}`;
  return {
    ...request,
    headers: { ...request.headers, ...(isInForm ? {} : { authorization }) },
    body: new URLSearchParams(pairs).toString(),
  };
}

/** RFC 6749 encodes id and secret before a colon joins them. */
const encodeForForm = (text: string): string =>
  new URLSearchParams([["", text]]).toString().slice(1);

function tokenUrl({ accessTokenUrl }: TokenPlan, values: SecretValues): string {
  if (typeof accessTokenUrl === "string") return accessTokenUrl;
  const url = accessTokenUrl.reveal(values);
  if (URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)) return url;
  throw new ConfigError({
    code: "secrets.shape",
    message: `the secret "${accessTokenUrl.names.join('" and "')}" is no http or https URL`,
    hint: "it is the access_token_url, like https://api.example.com/oauth/token",
  });
}

/** The token of an answer. A margin, at most 10 % of its life, is taken off its end. */
export function readToken(
  { request, members }: TokenAnswer,
  { defaultTokenExpiration }: TokenPlan,
  { context }: TokenDeps,
): Token {
  const { access_token: value, expires_in: expiresIn } = members;
  if (typeof value !== "string" || value === "") {
    throw new RequestError({
      code: "extract.token",
      message: `${describeRequest(request)} answered without an access_token`,
      hint: "check access_token_url, and whether the API knows this grant",
      retryable: false,
    });
  }
  assertTokenLength(value, "access_token", request);
  const isSeconds = /^\d+(\.\d+)?$/.test(String(expiresIn));
  const lifeMs = (isSeconds ? Number(expiresIn) : defaultTokenExpiration) * 1000;
  const marginMs = Math.min(TOKEN_MARGIN_MS, lifeMs / 10);
  return { value, validUntil: context.world.clock.monotonic() + lifeMs - marginMs };
}

/** No API takes a longer one in a header, and each copy of it would take memory. */
export function assertTokenLength(value: string, member: string, request: HttpRequest): void {
  if (value.length <= limits.storedCharacters) return;
  throw new RequestError({
    code: "extract.token",
    message: `${describeRequest(request)} answered with ${member} of more than ${limits.storedCharacters} characters`,
    hint: "check access_token_url: it has to be a token endpoint",
    retryable: false,
  });
}
