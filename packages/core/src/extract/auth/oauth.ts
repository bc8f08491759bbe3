import type { AuthPlan } from "../../config/plan-types.ts";
import type { Secret, SecretValues } from "../../secrets/reference.ts";
import type { LockNote } from "../../secrets/store.ts";
import { openToken, type SharedToken, sealToken } from "./shared-token.ts";
import {
  assertTokenLength,
  readToken,
  requestToken,
  type Token,
  type TokenContext,
  type TokenDeps,
  type TokenForm,
} from "./token-request.ts";

export type OAuthPlan = Extract<AuthPlan, { type: `oauth2_${string}` }>;

type RefreshPlan = Extract<OAuthPlan, { type: "oauth2_refresh_token" }>;

interface TokenCache {
  token?: Token | undefined;
  /** The last token that the API refused. Another worker may still share it. */
  refused?: string | undefined;
  /** The request for the next token, which all callers wait for. */
  pending?: Promise<Token> | undefined;
}

/** Keeps a valid token, and fetches the next when it ends. */
export class TokenSource {
  readonly #plan: OAuthPlan;
  readonly #deps: TokenDeps;
  readonly #cache: TokenCache;
  /** The access_token of the config, until it has been used once. */
  #configuredToken: Secret | undefined;

  constructor(plan: OAuthPlan, deps: TokenDeps) {
    this.#plan = plan;
    this.#deps = deps;
    this.#cache = plan.type === "oauth2_refresh_token" ? sharedCache(plan, deps.context) : {};
    this.#configuredToken =
      plan.type === "oauth2_client_credentials" ? plan.accessToken : undefined;
  }

  async get(): Promise<string> {
    const cache = this.#cache;
    const { clock } = this.#deps.context.world;
    if (cache.token && clock.monotonic() < cache.token.validUntil) return cache.token.value;
    cache.pending ??= this.#fetch().finally(() => {
      cache.pending = undefined;
    });
    cache.token = await cache.pending;
    return cache.token.value;
  }

  /** Drops a refused token, unless a newer token has replaced it. */
  drop(value: string | undefined): void {
    if (this.#cache.token?.value !== value) return;
    this.#cache.refused = value;
    this.#cache.token = undefined;
  }

  async #fetch(): Promise<Token> {
    const [plan, deps] = [this.#plan, this.#deps];
    if (plan.type === "oauth2_refresh_token") {
      return refreshToken(plan, deps, this.#cache.refused);
    }
    if (this.#configuredToken) {
      const value = this.#configuredToken.reveal(await deps.secrets.read());
      this.#configuredToken = undefined;
      const lifeMs = plan.defaultTokenExpiration * 1000;
      return { value, validUntil: deps.context.world.clock.monotonic() + lifeMs };
    }
    const form = (): TokenForm => ({ grant_type: "client_credentials" });
    return readToken(await requestToken(plan, form, deps), plan, deps);
  }
}

/** Per container: an invocation finds the tokens of the invocation before it. */
const cachesByContainer = new WeakMap<TokenContext["world"]["http"], Map<string, TokenCache>>();

/**
 * Within a process, the resources of a source share the token of a refresh: many APIs accept a refresh
 * token only once.
 */
function sharedCache(plan: RefreshPlan, { world, resourceRef }: TokenContext): TokenCache {
  const caches = cachesByContainer.get(world.http) ?? new Map<string, TokenCache>();
  cachesByContainer.set(world.http, caches);
  const key = `${resourceRef.source} ${plan.accessTokenUrl} ${plan.clientId} ${plan.refreshToken}`;
  const cache = caches.get(key) ?? {};
  caches.set(key, cache);
  return cache;
}

/**
 * Exchanges the secret's refresh token for a token. A new refresh token in the answer is stored at
 * once, because the API may have revoked the old one. The other workers of the source take the token
 * that came with it: so the secret is written once for as long as a token is valid, not by each.
 */
function refreshToken(
  plan: RefreshPlan,
  deps: TokenDeps,
  refused: string | undefined,
): Promise<Token> {
  const { secrets, redactor, context } = deps;
  const member = String(plan.refreshToken.name);
  return secrets.withLock(async (until, note) => {
    // The worker that held the lock before may have stored a newer refresh token.
    const stored = plan.refreshToken.reveal(await secrets.refresh());
    const shared = note && (await readShared(note, stored, deps));
    if (shared && shared.value !== refused) return shared;
    let sentToken = "";
    const form = (values: SecretValues): TokenForm => {
      sentToken = plan.refreshToken.reveal(values);
      return { grant_type: "refresh_token", refresh_token: redactor.addSecret(sentToken) };
    };
    // An interrupt must not end this request: the API may have answered with the next refresh token.
    const world = { ...context.world, signal: new AbortController().signal, deadline: until };
    const answer = await requestToken(plan, form, { ...deps, context: { ...context, world } });
    const { refresh_token: nextToken } = answer.members;
    if (typeof nextToken !== "string" || nextToken === "" || nextToken === sentToken) {
      return readToken(answer, plan, deps);
    }
    assertTokenLength(nextToken, "refresh_token", answer.request);
    await secrets.write({ [member]: redactor.addSecret(nextToken) });
    const token = readToken(answer, plan, deps);
    await note?.write(sealToken(withWallClock(token, deps), nextToken)).catch(() => {});
    return token;
  });
}

/** The token that another worker has shared; undefined where there is none, or it is about to end. */
async function readShared(
  note: LockNote,
  refreshTokenValue: string,
  { redactor, context }: TokenDeps,
): Promise<Token | undefined> {
  const { clock } = context.world;
  const text = await note.read().catch(() => undefined);
  const shared = text === undefined ? undefined : openToken(text, refreshTokenValue);
  if (!shared || shared.validUntil <= clock.now()) return undefined;
  const validUntil = clock.monotonic() + shared.validUntil - clock.now();
  return { value: redactor.addSecret(shared.value), validUntil };
}

/** Each container has a monotonic clock of its own. */
const withWallClock = ({ value, validUntil }: Token, { context }: TokenDeps): SharedToken => {
  const { clock } = context.world;
  return { value, validUntil: clock.now() + validUntil - clock.monotonic() };
};
