import { gzipSync } from "node:zlib";
import { jsonOf, listed, type Model, openModel, type Row } from "./api-model.ts";
import { EPOCH } from "./process.ts";
import { type Kind, ORIGIN } from "./shop.ts";
import type { Stage } from "./stage.ts";

/** One answer as it goes over the wire. */
export interface Reply {
  status: number;
  headers: Record<string, string>;
  /** Pieces of the body, with the pause before each. */
  parts: { after: number; bytes: Buffer }[];
  end: "complete" | "reset" | "silence";
  /** The page, when the whole of it is in the answer. */
  page?: Served;
}

/** What a worker has been shown. */
export interface Served {
  resource: string;
  position: number;
  /** As they were when they were served. */
  rows: Row[];
}

export interface Api {
  models: Record<string, Model>;
  answer(path: string): Reply;
  /** The credential that it takes. Every one that ever was contains CANARY. */
  credential: string;
  rotate(): void;
}

/** Stands in every secret value, and nowhere else. */
export const CANARY = "c4n4ry";

/** An API with a clock of its own, data that changes while it is read, and bad days. */
export function openApi(stage: Stage, kinds: readonly Kind[]): Api {
  const { time, weather } = stage;
  const random = stage.random.split("api");
  const clockError = random.between(-120_000, 120_000);
  const clock = () => EPOCH + time.now() + clockError;
  // Some servers send fewer rows than they were asked for.
  const cap = random.pick([1000, 1000, 7]);
  const compresses = random.chance(0.2);
  const models = Object.fromEntries(
    kinds.map(({ name, shrinks, lateCommits }) => [
      name,
      openModel({ name, shrinks, lateCommits, clock }, random.split(name)),
    ]),
  );
  let rotations = 0;

  const date = () => ({ date: new Date(Math.floor(clock() / 1000) * 1000).toUTCString() });
  const text = (status: number, body: string, headers: Record<string, string> = {}): Reply => ({
    status,
    headers: { ...date(), ...headers },
    parts: [{ after: 0, bytes: Buffer.from(body) }],
    end: "complete",
  });

  /** Trouble before a page is even looked for. */
  const refusal = (query: URLSearchParams): Reply | undefined => {
    if (query.get("api_key") !== api.credential || weather.strikes("unauthorized")) {
      return text(401, `{"error":"${query.get("api_key")} is not a key"}`);
    }
    if (weather.strikes("throttle")) {
      const wait = random.pick(["1", "5", "20", "0", "-3", "soon", ""]);
      return text(429, "", wait === "" ? {} : { "retry-after": wait });
    }
    if (weather.strikes("long_throttle")) {
      return text(429, "", { "retry-after": String(random.between(60, 900)) });
    }
    if (weather.strikes("server_error")) return text(random.pick([500, 502, 503, 504]), "oops");
    // The kind of server that repeats a request in its error page.
    if (weather.strikes("echo")) return text(400, `bad request: /items?${query}`);
    return undefined;
  };

  const pageOf = (model: Model, query: URLSearchParams): Reply => {
    const position = Number(query.get("offset"));
    const since = query.get("since") ?? "";
    const list = listed(model.rows).filter((row) => row.updatedAt >= since);
    const limit = Math.min(Number(query.get("limit")), cap);
    const rows = list.slice(position, position + limit).map((row) => ({ ...row }));
    const body = `{"data":[${rows.map(jsonOf).join(",")}],"total":${list.length}}`;
    const page = { resource: model.name, position, rows };
    if (weather.strikes("mutation")) mutate(model);
    const whole = compresses ? gzipSync(body) : Buffer.from(body);
    const headers = { ...date(), "content-type": "application/json" };
    return {
      ...spoiled(whole, page),
      status: 200,
      headers: compresses ? { ...headers, "content-encoding": "gzip" } : headers,
    };
  };

  /** What can happen to a body on its way. */
  const spoiled = (whole: Buffer, page: Served): Pick<Reply, "parts" | "end" | "page"> => {
    const half = whole.subarray(0, Math.floor(whole.length / 2));
    const first = [{ after: 0, bytes: half }];
    if (weather.strikes("reset")) return { parts: first, end: "reset" };
    if (weather.strikes("truncated")) return { parts: first, end: "complete" };
    if (weather.strikes("silent")) return { parts: first, end: "silence" };
    const after = weather.strikes("slow") ? random.between(5_000, 45_000) : 0;
    const rest = { after, bytes: whole.subarray(half.length) };
    return { parts: [...first, rest], end: "complete", page };
  };

  const mutate = (model: Model) => {
    stage.count("mutations");
    stage.trace("api", model.mutate());
  };

  const api: Api = {
    models,
    credential: `${CANARY}-0`,
    rotate() {
      rotations += 1;
      api.credential = `${CANARY}-${rotations}`;
      stage.count("rotations");
      stage.trace("api", "takes another credential");
    },
    answer(path) {
      stage.count("requests");
      const url = new URL(path, ORIGIN);
      const model = models[url.pathname.slice(1)];
      const reply =
        refusal(url.searchParams) ?? (model ? pageOf(model, url.searchParams) : text(404, ""));
      if (!reply.page) stage.count("api_faults");
      return reply;
    },
  };
  return api;
}
