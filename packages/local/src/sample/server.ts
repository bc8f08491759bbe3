import type { IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import { openLoopbackServer } from "../base/loopback.ts";
import { byOffset } from "./paging.ts";
import type { SampleRecord } from "./records.ts";
import { seededRandom } from "./seeded-random.ts";
import { type Collection, type System, sampleSystems } from "./systems.ts";

/** The systems behind some sources, each on an origin of its own. */
export interface SampleApi {
  /** By source. */
  origins: Record<string, string>;
  /** By source: what its config refers to. */
  secrets: Record<string, Record<string, string>>;
  /** How many records each has, by `source.resource`. */
  counts(): Record<string, number>;
  /** Some records change, some come in, and a new round begins. Says how many in all. */
  change(): { changed: number; added: number };
  close(): Promise<void>;
}

/** A collection and what has become of it. */
interface Shelf {
  collection: Collection;
  records: SampleRecord[];
  random: () => number;
  /** Pages asked for in this round. */
  requests: number;
}

interface Reply {
  status: number;
  headers?: Record<string, string>;
  body: unknown;
}

/** After all first versions. */
const changeDay = (round: number) => new Date(Date.UTC(2026, 0, round)).toISOString();

/** Those of the five sources, where nothing else is asked for. */
export async function openSampleApi({
  tokenSeconds = 3600,
  behind = sampleSystems,
} = {}): Promise<SampleApi> {
  const hosts = await Promise.all(
    behind.map(async (system, index) => {
      const shelves = system.collections.map((one, place) => fill(one, index * 10 + place));
      const tokens = issuer(system, tokenSeconds);
      const { url, close } = await openLoopbackServer(async (request, response) => {
        const { status, headers, body } = await answer(request, { system, shelves, tokens });
        response.writeHead(status, { ...headers, "content-type": "application/json" });
        response.end(json(body));
      });
      return { source: system.source, secrets: system.secrets, shelves, url, close };
    }),
  );
  const perSource = <T>(value: (host: (typeof hosts)[number]) => T) =>
    Object.fromEntries(hosts.map((host) => [host.source, value(host)]));
  let round = 0;

  return {
    origins: perSource(({ url }) => url),
    secrets: perSource(({ secrets }) => secrets),
    counts: () =>
      Object.fromEntries(
        hosts.flatMap(({ source, shelves }) =>
          shelves.map((shelf) => [`${source}.${shelf.collection.resource}`, shelf.records.length]),
        ),
      ),
    change() {
      round += 1;
      const done = hosts.flatMap(({ shelves }) => shelves.map((shelf) => renew(shelf, round)));
      return {
        changed: done.reduce((sum, { changed }) => sum + changed, 0),
        added: done.reduce((sum, { added }) => sum + added, 0),
      };
    },
    async close() {
      await Promise.all(hosts.map((host) => host.close()));
    },
  };
}

function fill(collection: Collection, seed: number): Shelf {
  const random = seededRandom(seed);
  const records = Array.from({ length: collection.size }, (_, n) => collection.make(n, random));
  return { collection, records, random, requests: 0 };
}

/** About every thirtieth record gets another status and date, and a few come in at the end. */
function renew(shelf: Shelf, round: number): { changed: number; added: number } {
  const { collection, records, random } = shelf;
  const end = records.length;
  let changed = 0;
  for (let n = round; n < end; n += 30) {
    const { status } = collection.make(n, random);
    records[n] = { ...records[n], status, updated_at: changeDay(round) };
    changed += 1;
  }
  const added = 3 + Math.floor(random() * 5);
  for (let n = end; n < end + added; n += 1) {
    records.push({ ...collection.make(n, random), updated_at: changeDay(round) });
  }
  shelf.requests = 0;
  return { changed, added };
}

async function answer(
  request: IncomingMessage,
  host: { system: System; shelves: Shelf[]; tokens: Tokens },
): Promise<Reply> {
  const url = new URL(request.url ?? "/", `http://${request.headers.host}`);
  const { system, shelves, tokens } = host;
  const body = await text(request);
  if (system.auth === "oauth2" && `${request.method} ${url.pathname}` === "POST /oauth/token") {
    return tokens.issue(new URLSearchParams(body));
  }
  for (const shelf of shelves) {
    const { method = "GET", path } = shelf.collection;
    const named = request.method === method ? placeIn(path, url.pathname) : undefined;
    if (!named) continue;
    const known = isKnown(system, url, request.headers.authorization, tokens);
    if (!known) return refusal(401, "the credentials are not valid");
    return page(shelf, { url, text: body }, named);
  }
  return refusal(404, "there is nothing here");
}

/** What the names in a collection's path stand for; nothing where it is another path. */
function placeIn(path: string, pathname: string): Record<string, string> | undefined {
  const pattern = path.replace(/\{(\w+)\}/g, "(?<$1>[^/]+)");
  const found = RegExp(`^${pattern}$`).exec(pathname);
  return found ? { ...found.groups } : undefined;
}

function isKnown(system: System, url: URL, authorization = "", tokens: Tokens): boolean {
  const { token, api_key, username, password } = system.secrets;
  if (system.auth === "oauth2") return tokens.accept(authorization);
  if (system.auth === "bearer") return authorization === `Bearer ${token}`;
  if (system.auth === "api_key") return url.searchParams.get("api_key") === api_key;
  return authorization === `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}

function page(
  shelf: Shelf,
  asked: { url: URL; text: string },
  named: Record<string, string>,
): Reply {
  const { member, paging = byOffset, total, trouble: troubles } = shelf.collection;
  shelf.requests += 1;
  const trouble = troubles?.[shelf.requests];
  if (trouble === 429) return refusal(429, "too many requests", { "retry-after": "1" });
  if (trouble) return refusal(trouble, "down for a moment");

  const records = shelf.records.filter((one) =>
    Object.entries(named).every(([name, value]) => String(one[name]) === value),
  );
  const cut = paging({ ...asked, records, member, counted: total === true });
  return cut ? { status: 200, ...cut } : refusal(400, "there is no such page");
}

type Tokens = ReturnType<typeof issuer>;

/** OAuth 2.0 client credentials: tokens for a while, for those who know the secret. */
function issuer({ secrets }: System, seconds: number) {
  const expiries = new Map<string, number>();
  return {
    issue(form: URLSearchParams): Reply {
      const fault = (error: string): Reply => ({ status: 400, body: { error } });
      if (form.get("grant_type") !== "client_credentials") return fault("unsupported_grant_type");
      const known = ["client_id", "client_secret"].every(
        (name) => form.get(name) === secrets[name],
      );
      if (!known) return { ...fault("invalid_client"), status: 401 };
      const token = `sample-token-${expiries.size + 1}`;
      expiries.set(`Bearer ${token}`, Date.now() + seconds * 1000);
      return {
        status: 200,
        body: { access_token: token, token_type: "Bearer", expires_in: seconds },
      };
    },
    accept: (authorization = "") => Date.now() < (expiries.get(authorization) ?? 0),
  };
}

function refusal(status: number, message: string, headers: Record<string, string> = {}): Reply {
  return { status, headers, body: { error: { status, message } } };
}

/** JSON.stringify takes no bigints, so they pass through it as marked texts. */
function json(body: unknown): string {
  const mark = (_: string, value: unknown) =>
    typeof value === "bigint" ? `\u0000${value}` : value;
  return JSON.stringify(body, mark).replace(/"\\u0000(\d+)"/g, "$1");
}
