import { isDeepStrictEqual } from "node:util";
import { ConfigError, RequestError } from "../../base/errors.ts";
import type { AuthPlan, TokenPlan } from "../../config/plan-types.ts";
import type { Redactor } from "../../secrets/redact.ts";
import type { Secret, SecretValues } from "../../secrets/reference.ts";
import type { SecretStore } from "../../secrets/store.ts";
import { isObject, type JsonObject } from "../../values/json.ts";
import { type Authenticator, type Caller, fetchJson } from "../http/request.ts";
import { type HttpRequest, shown } from "../http/transport.ts";

export type OAuthPlan = Extract<AuthPlan, { type: `oauth2_${string}` }>;

type RefreshPlan = Extract<OAuthPlan, { type: "oauth2_refresh_token" }>;

/** How a token request is made. It counts for itself: reports count the requests for pages. */
export type TokenCaller = Omit<Caller, "auth" | "meter">;

interface TokenDeps {
  secrets: SecretStore;
  redactor: Redactor;
  refusedHint: string;
  caller: TokenCaller;
}

interface Token {
  value: string;
  /** On the monotonic clock. */
  goodUntil: number;
}

/** What a grant has of tokens. */
interface Held {
  token?: Token | undefined;
  pending?: Promise<Token> | undefined;
}

/** Many token endpoints answer 400 to a wrong client secret or refresh token, as RFC 6749 has it. */
const REFUSALS: ReadonlySet<number> = new Set([400, 401, 403]);

/** A token is renewed this long before its end, or at 90 % of a short life: a request takes time. */
const MARGIN_MS = 60_000;

/** Gives a token that is good, and fetches one when none is. */
export function tokenSource(plan: OAuthPlan, deps: TokenDeps) {
  const { clock } = deps.caller.world;
  const held = plan.type === "oauth2_refresh_token" ? heldByContainer(plan, deps.caller) : {};
  let preset = plan.type === "oauth2_client_credentials" ? plan.accessToken : undefined;

  const obtain = async (): Promise<Token> => {
    if (plan.type === "oauth2_refresh_token") return refreshed(plan, deps);
    if (!preset) return readToken(await ask(plan, clientForm, deps), plan, deps);
    const value = preset.reveal(await deps.secrets.read());
    preset = undefined;
    return { value, goodUntil: clock.monotonic() + plan.defaultTokenExpiration * 1000 };
  };

  return {
    async get(): Promise<string> {
      if (held.token && clock.monotonic() < held.token.goodUntil) return held.token.value;
      held.pending ??= obtain().finally(() => {
        held.pending = undefined;
      });
      held.token = await held.pending;
      return held.token.value;
    },
    /** Of a token that was refused; another one may have taken its place already. */
    drop(value: string | undefined): void {
      if (held.token?.value === value) held.token = undefined;
    },
  };
}

/**
 * The resources of a source that run in one process share the token of a refresh: each refresh may
 * cost the refresh token.
 */
function heldByContainer(plan: RefreshPlan, { world, place }: TokenCaller): Held {
  const ofContainer = containers.get(world.http) ?? new Map<string, Held>();
  containers.set(world.http, ofContainer);
  const key = `${place.source} ${plan.accessTokenUrl} ${plan.clientId} ${plan.refreshToken}`;
  const held = ofContainer.get(key) ?? {};
  ofContainer.set(key, held);
  return held;
}

const containers = new WeakMap<TokenCaller["world"]["http"], Map<string, Held>>();

type Form = Record<string, Secret | string>;

const clientForm = (): Form => ({ grant_type: "client_credentials" });

/**
 * A token for the refresh token that the secret has now. When the answer brings the next one, that
 * is written back first of all: from here on it may be the only one that is good.
 */
function refreshed(plan: RefreshPlan, deps: TokenDeps): Promise<Token> {
  const { secrets, redactor } = deps;
  const member = String(plan.refreshToken.name);
  return secrets.alone(async (until) => {
    // Whoever was in here before has written a newer one.
    await secrets.refresh();
    let sent = "";
    const form = (values: SecretValues): Form => {
      sent = plan.refreshToken.reveal(values);
      return { grant_type: "refresh_token", refresh_token: redactor.learn(sent) };
    };
    // A request that the API has answered must not be called off, or its answer would be lost.
    const world = {
      ...deps.caller.world,
      signal: new AbortController().signal,
      deadline: until,
    };
    const answer = await ask(plan, form, { ...deps, caller: { ...deps.caller, world } });
    const { refresh_token: next } = answer.members;
    if (typeof next === "string" && next !== "" && next !== sent) {
      await secrets.write({ [member]: redactor.learn(next) });
    }
    return readToken(answer, plan, deps);
  });
}

interface TokenAnswer {
  request: HttpRequest;
  members: JsonObject;
}

/** One request to the token endpoint, with the form that a grant asks for. */
async function ask(
  plan: TokenPlan,
  form: (values: SecretValues) => Form,
  { secrets, redactor, refusedHint, caller }: TokenDeps,
): Promise<TokenAnswer> {
  const signed = (request: HttpRequest, values: SecretValues): HttpRequest => {
    const reveal = (value: Secret | string) =>
      typeof value === "string" ? value : redactor.learn(value.reveal(values));
    const id = reveal(plan.clientId);
    const secret = plan.clientSecret && reveal(plan.clientSecret);
    const inForm = plan.clientAuthMethod === "client_secret_post";
    const client = { client_id: id, ...(secret === undefined ? {} : { client_secret: secret }) };
    const fields = { ...(inForm ? client : {}), ...form(values), ...plan.requestData };
    const pairs = Object.entries(fields).map(([name, value]): [string, string] => [
      name,
      reveal(value),
    ]);
    const basic = redactor.learn(`${encoded(id)}:${encoded(secret ?? "")}`);
    const authorization = `Basic ${Buffer.from(basic).toString("base64")}`;
    return {
      ...request,
      headers: { ...request.headers, ...(inForm ? {} : { authorization }) },
      body: new URLSearchParams(pairs).toString(),
    };
  };
  let last: HttpRequest | undefined;
  // A token request carries its own credentials; otherwise it is a request like any other, with its
  // own replay after a refusal.
  const auth: Authenticator = {
    apply: async (request) => {
      last = signed(request, await secrets.read());
      return last;
    },
    renew: async () => {
      return !isDeepStrictEqual(last, signed(request, await secrets.refresh()));
    },
    refusals: REFUSALS,
    refusedHint,
    // What a token endpoint says may be a token.
    quote: () => "",
  };
  const request: HttpRequest = {
    method: "POST",
    url: tokenUrl(plan, await secrets.read()),
    headers: { "content-type": "application/x-www-form-urlencoded" },
  };
  const meter = { requests: 0, retries: 0, waited_ms: 0 };
  const { body } = await fetchJson(request, { ...caller, auth, meter });
  return { request, members: isObject(body) ? body : {} };
}

/** As RFC 6749 wants it, before the two are joined by a colon. */
const encoded = (text: string): string => new URLSearchParams([["", text]]).toString().slice(1);

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

function readToken(
  { request, members }: TokenAnswer,
  { defaultTokenExpiration }: TokenPlan,
  { caller }: TokenDeps,
): Token {
  const { access_token: value, expires_in: expires } = members;
  if (typeof value !== "string" || value === "") {
    throw new RequestError({
      code: "extract.token",
      message: `${shown(request)} answered without an access_token`,
      hint: "check access_token_url, and whether the API knows this grant",
      retryable: false,
    });
  }
  const named = /^\d+(\.\d+)?$/.test(String(expires)) ? Number(expires) : undefined;
  const life = (named ?? defaultTokenExpiration) * 1000;
  const goodUntil = caller.world.clock.monotonic() + life - Math.min(MARGIN_MS, life / 10);
  return { value, goodUntil };
}
