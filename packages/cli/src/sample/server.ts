import type { IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import { openLoopbackServer } from "../base/loopback.ts";
import { byOffset } from "./paging.ts";
import type { SampleRecord } from "./records.ts";
import { seededRandom } from "./seeded-random.ts";
import { type Collection, type SampleSystem, sampleSystems } from "./systems.ts";

/** Sample systems with separate origins. */
export interface SampleApi {
  /** Origins by source. */
  origins: Record<string, string>;
  /** Secrets by source, with the names that the source's config uses. */
  secrets: Record<string, Record<string, string>>;
  /** The number of records, by `source.resource`. */
  counts(): Record<string, number>;
  /** Begins a new round with changed and added records, and counts both. */
  change(): { changed: number; added: number };
  close(): Promise<void>;
}

/** The present state of a collection. */
interface CollectionState {
  collection: Collection;
  records: SampleRecord[];
  random: () => number;
  /** The number of pages requested in the present round. */
  requestCount: number;
}

interface Reply {
  status: number;
  headers?: Record<string, string>;
  body: unknown;
}

/** The time of a round's changes. All first versions of records are older. */
const changeTime = (round: number) => new Date(Date.UTC(2026, 0, round)).toISOString();

export async function openSampleApi({
  tokenSeconds = 3600,
  systems = sampleSystems,
} = {}): Promise<SampleApi> {
  const hosts = await Promise.all(
    systems.map(async (system, systemIndex) => {
      const states = system.collections.map((collection, index) =>
        createRecords(collection, systemIndex * 10 + index),
      );
      const tokens = new TokenIssuer(system, tokenSeconds);
      const { url, close } = await openLoopbackServer(async (request, response) => {
        const reply = await replyTo(request, { system, states, tokens });
        response.writeHead(reply.status, { ...reply.headers, "content-type": "application/json" });
        response.end(toJson(reply.body));
      });
      return { source: system.source, secrets: system.secrets, states, url, close };
    }),
  );
  const bySource = <T>(pick: (host: (typeof hosts)[number]) => T) =>
    Object.fromEntries(hosts.map((host) => [host.source, pick(host)]));
  let round = 0;

  return {
    origins: bySource(({ url }) => url),
    secrets: bySource(({ secrets }) => secrets),
    counts: () =>
      Object.fromEntries(
        hosts.flatMap(({ source, states }) =>
          states.map(({ collection, records }) => {
            return [`${source}.${collection.resource}`, records.length];
          }),
        ),
      ),
    change() {
      round += 1;
      const changes = hosts.flatMap(({ states }) =>
        states.map((state) => changeRecords(state, round)),
      );
      return {
        changed: changes.reduce((sum, { changed }) => sum + changed, 0),
        added: changes.reduce((sum, { added }) => sum + added, 0),
      };
    },
    async close() {
      await Promise.all(hosts.map((host) => host.close()));
    },
  };
}

function createRecords(collection: Collection, seed: number): CollectionState {
  const random = seededRandom(seed);
  const records = Array.from({ length: collection.size }, (_, n) => {
    return collection.makeRecord(n, random);
  });
  return { collection, records, random, requestCount: 0 };
}

/** Gives every thirtieth record a new status and date, and appends a few records. */
function changeRecords(state: CollectionState, round: number): { changed: number; added: number } {
  const { collection, records, random } = state;
  const previousCount = records.length;
  let changed = 0;
  for (let n = round; n < previousCount; n += 30) {
    const { status } = collection.makeRecord(n, random);
    records[n] = { ...records[n], status, updated_at: changeTime(round) };
    changed += 1;
  }
  const added = 3 + Math.floor(random() * 5);
  for (let n = previousCount; n < previousCount + added; n += 1) {
    records.push({ ...collection.makeRecord(n, random), updated_at: changeTime(round) });
  }
  state.requestCount = 0;
  return { changed, added };
}

async function replyTo(
  request: IncomingMessage,
  host: { system: SampleSystem; states: CollectionState[]; tokens: TokenIssuer },
): Promise<Reply> {
  const url = new URL(request.url ?? "/", `http://${request.headers.host}`);
  const { system, states, tokens } = host;
  const body = await text(request);
  if (system.auth === "oauth2" && `${request.method} ${url.pathname}` === "POST /oauth/token") {
    return tokens.issue(new URLSearchParams(body));
  }
  for (const state of states) {
    const { method = "GET", path } = state.collection;
    const parameters = request.method === method ? matchPath(path, url.pathname) : undefined;
    if (!parameters) continue;
    const { authorization } = request.headers;
    if (!isAuthorized(system, url, authorization, tokens)) {
      return refusal(401, "the credentials are not valid");
    }
    return pageReply(state, { url, body }, parameters);
  }
  return refusal(404, "there is nothing here");
}

/** The values of a path's parameters, like `/topics/{topic_id}`. Undefined for a different path. */
function matchPath(path: string, pathname: string): Record<string, string> | undefined {
  const pattern = path.replace(/\{(\w+)\}/g, "(?<$1>[^/]+)");
  const match = RegExp(`^${pattern}$`).exec(pathname);
  return match ? { ...match.groups } : undefined;
}

function isAuthorized(
  system: SampleSystem,
  url: URL,
  authorization = "",
  tokens: TokenIssuer,
): boolean {
  const { token, api_key, username, password } = system.secrets;
  if (system.auth === "oauth2") return tokens.accepts(authorization);
  if (system.auth === "bearer") return authorization === `Bearer ${token}`;
  if (system.auth === "api_key") return url.searchParams.get("api_key") === api_key;
  return authorization === `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}

function pageReply(
  state: CollectionState,
  request: { url: URL; body: string },
  parameters: Record<string, string>,
): Reply {
  const { member, paging = byOffset, hasTotal = false, failures } = state.collection;
  state.requestCount += 1;
  const failure = failures?.[state.requestCount];
  if (failure === 429) return refusal(429, "too many requests", { "retry-after": "1" });
  if (failure) return refusal(failure, "down for a moment");

  const records = state.records.filter((record) =>
    Object.entries(parameters).every(([name, value]) => String(record[name]) === value),
  );
  const page = paging({ ...request, records, member, hasTotal });
  return page ? { status: 200, ...page } : refusal(400, "there is no such page");
}

/** Issues tokens by OAuth 2.0 client credentials. A token is valid for a limited time. */
class TokenIssuer {
  readonly #secrets: Record<string, string>;
  readonly #seconds: number;
  /** The end of each token's life in epoch milliseconds, by authorization header. */
  readonly #expiries = new Map<string, number>();

  constructor({ secrets }: SampleSystem, seconds: number) {
    this.#secrets = secrets;
    this.#seconds = seconds;
  }

  issue(form: URLSearchParams): Reply {
    if (form.get("grant_type") !== "client_credentials") {
      return { status: 400, body: { error: "unsupported_grant_type" } };
    }
    const isValidClient = ["client_id", "client_secret"].every(
      (name) => form.get(name) === this.#secrets[name],
    );
    if (!isValidClient) return { status: 401, body: { error: "invalid_client" } };
    const token = `sample-token-${this.#expiries.size + 1}`;
    this.#expiries.set(`Bearer ${token}`, Date.now() + this.#seconds * 1000);
    return {
      status: 200,
      body: { access_token: token, token_type: "Bearer", expires_in: this.#seconds },
    };
  }

  accepts(authorization: string): boolean {
    return Date.now() < (this.#expiries.get(authorization) ?? 0);
  }
}

function refusal(status: number, message: string, headers: Record<string, string> = {}): Reply {
  return { status, headers, body: { error: { status, message } } };
}

/** Writes JSON with bigints as marked strings first, because JSON.stringify refuses bigints. */
function toJson(body: unknown): string {
  const markBigints = (_key: string, value: unknown) =>
    typeof value === "bigint" ? `\u0000${value}` : value;
  return JSON.stringify(body, markBigints).replace(/"\\u0000(\d+)"/g, "$1");
}
