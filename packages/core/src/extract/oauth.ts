import type { AuthPlan } from "../config/plan-types.ts";
import { RequestError } from "../errors.ts";
import type { SecretStore } from "../secrets.ts";
import type { Answer } from "./answer.ts";
import type { Redactor } from "./redact.ts";
import { type Authenticator, type Caller, fetchJson } from "./request.ts";
import { isObject } from "./select.ts";
import { type HttpRequest, shown } from "./transport.ts";

export type OAuthPlan = Extract<AuthPlan, { type: "oauth2_client_credentials" }>;

/** How a token request is made. It counts for itself: reports count the requests for pages. */
export type TokenCaller = Omit<Caller, "auth" | "meter">;

interface Token {
  value: string;
  /** On the monotonic clock. */
  goodUntil: number;
}

/** Many token endpoints answer 400 to a wrong client secret, as RFC 6749 has it. */
const REFUSALS: ReadonlySet<number> = new Set([400, 401, 403]);

/** A token is renewed this long before its end, or at 90 % of a short life: a request takes time. */
const MARGIN_MS = 60_000;

/** The client-credentials grant: a token that is fetched when none is good. */
export function tokenSource(
  plan: OAuthPlan,
  deps: {
    secrets: SecretStore;
    redactor: Redactor;
    refusedHint: string;
    caller: TokenCaller;
  },
) {
  const { secrets, redactor, caller } = deps;
  const { clock } = caller.world;
  let token: Token | undefined;
  let pending: Promise<Token> | undefined;

  // The credentials of a token request are client_id and client_secret; otherwise it is a request
  // like any other, with its own replay after a refusal.
  const auth: Authenticator = {
    apply: async (request) => {
      const values = await secrets.read();
      const form = {
        client_id: plan.clientId,
        client_secret: plan.clientSecret,
        grant_type: "client_credentials",
        ...plan.requestData,
      };
      const pairs = Object.entries(form).map(([name, value]): [string, string] => [
        name,
        typeof value === "string" ? value : redactor.learn(value.reveal(values)),
      ]);
      return { ...request, body: new URLSearchParams(pairs).toString() };
    },
    renew: async () => {
      await secrets.refresh();
      return true;
    },
    refusals: REFUSALS,
    refusedHint: deps.refusedHint,
    // What a token endpoint says may be a token.
    quote: () => "",
  };

  const fetchToken = async (): Promise<Token> => {
    const request: HttpRequest = {
      method: "POST",
      url: plan.accessTokenUrl,
      headers: { "content-type": "application/x-www-form-urlencoded" },
    };
    const meter = { requests: 0, retries: 0, waited_ms: 0 };
    const answer = await fetchJson(request, { ...caller, auth, meter });
    return readToken(request, answer, plan, clock.monotonic());
  };

  return {
    async get(): Promise<string> {
      if (token && clock.monotonic() < token.goodUntil) return token.value;
      pending ??= fetchToken().finally(() => {
        pending = undefined;
      });
      token = await pending;
      return token.value;
    },
    drop(): void {
      token = undefined;
    },
  };
}

function readToken(request: HttpRequest, { body }: Answer, plan: OAuthPlan, now: number): Token {
  const members = isObject(body) ? body : {};
  const value = members.access_token;
  if (typeof value !== "string" || value === "") {
    throw new RequestError({
      code: "extract.token",
      message: `${shown(request)} answered without an access_token`,
      hint: "check access_token_url: it has to answer a client-credentials request",
      retryable: false,
    });
  }
  const seconds = Number(members.expires_in ?? plan.defaultTokenExpiration);
  const life = (Number.isNaN(seconds) ? plan.defaultTokenExpiration : seconds) * 1000;
  return { value, goodUntil: now + life - Math.min(MARGIN_MS, life / 10) };
}
