import type { IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import { openLoopback } from "../loopback.ts";
import { seededRandom } from "../seeded-random.ts";
import type { SampleRecord } from "./records.ts";
import { type Collection, type System, systems } from "./systems.ts";

/** The systems behind the five sources, each on an origin of its own. */
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
  body: Record<string, unknown>;
}

const MAX_LIMIT = 100;
/** After all first versions. */
const changeDay = (round: number) => new Date(Date.UTC(2026, 0, round)).toISOString();

export async function openSampleApi({ tokenSeconds = 3600 } = {}): Promise<SampleApi> {
  const hosts = await Promise.all(
    systems.map(async (system, index) => {
      const shelves = system.collections.map((one, place) => fill(one, index * 10 + place));
      const tokens = issuer(system, tokenSeconds);
      const { url, close } = await openLoopback(async (request, response) => {
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
  for (let n = end; n < end + added; n += 1) records.push(collection.make(n, random));
  shelf.requests = 0;
  return { changed, added };
}

async function answer(
  request: IncomingMessage,
  host: { system: System; shelves: Shelf[]; tokens: Tokens },
): Promise<Reply> {
  const { pathname, searchParams } = new URL(request.url ?? "/", "http://sample");
  const { system, shelves, tokens } = host;
  if (system.auth === "oauth2" && `${request.method} ${pathname}` === "POST /oauth/token") {
    return tokens.issue(new URLSearchParams(await text(request)));
  }
  const shelf = shelves.find(({ collection }) => collection.path === pathname);
  if (!shelf || request.method !== "GET") return refusal(404, "there is nothing here");
  const known =
    system.auth === "oauth2"
      ? tokens.accept(request.headers.authorization)
      : searchParams.get("api_key") === system.secrets.api_key;
  return known ? page(shelf, searchParams) : refusal(401, "the credentials are not valid");
}

function page(shelf: Shelf, params: URLSearchParams): Reply {
  const { collection, records } = shelf;
  shelf.requests += 1;
  const trouble = collection.trouble?.[shelf.requests];
  if (trouble === 429) return refusal(429, "too many requests", { "retry-after": "1" });
  if (trouble) return refusal(trouble, "down for a moment");

  const limit = Math.min(Number(params.get("limit") ?? MAX_LIMIT), MAX_LIMIT);
  const offset = Number(params.get("offset") ?? 0);
  if (!(limit >= 1 && offset >= 0)) return refusal(400, "limit and offset have to be numbers");
  const body: Reply["body"] = {
    [collection.member]: records.slice(offset, offset + limit),
    has_more: offset + limit < records.length,
  };
  if (collection.total) body.total = records.length;
  return { status: 200, body };
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
