import { gzipSync } from "node:zlib";
import { ORIGIN } from "../draw/config.ts";
import { isKeyed, type Level } from "../draw/levels.ts";
import type { Stage } from "../stage.ts";
import { pageAnswer, type Style } from "./answer.ts";
import type { Dataset } from "./dataset.ts";
import { type ListPage, listFor, pageOf } from "./lists.ts";
import type { Shown } from "./record.ts";
import { isThere, latest, type Row } from "./rows.ts";
import { stampMs } from "./stamps.ts";

/** One answer as it goes over the wire. */
export interface Reply {
  status: number;
  headers: Record<string, string>;
  /** Pieces of the body, with the pause before each. */
  parts: { after: number; bytes: Buffer }[];
  end: "complete" | "reset" | "silence";
  /** What the answer shows, when the whole of it is sent. */
  page?: Served;
}

/** What a worker has been shown. A request for one record's children may find nothing there. */
export interface Served {
  depth: number;
  parent: Row | undefined;
  rows: readonly Shown[];
  /** The first page of its list. */
  isFirst: boolean;
  /** The times of the API's clock that were asked for. */
  since: number;
  until: number;
}

/** Stands in every secret value, and nowhere else. */
export const CANARY = "c4n4ry";

/** An API with a clock of its own, data that changes while it is read, and bad days. */
export class Api {
  /** As deployed now; a config change replaces them. */
  levels: readonly Level[];
  readonly dataset: Dataset;
  /** The credential that it takes. Every one that ever was contains CANARY. */
  credential = `${CANARY}-0`;
  readonly #stage: Stage;
  readonly #random: Stage["random"];
  readonly #clock: () => number;
  readonly #compresses: boolean;
  readonly #style: Style;
  #rotations = 0;
  #answers = 0;

  constructor(
    stage: Stage,
    { levels, dataset, clock }: { levels: readonly Level[]; dataset: Dataset; clock: () => number },
  ) {
    this.#stage = stage;
    this.#random = stage.random.split("api");
    this.#clock = clock;
    this.levels = levels;
    this.dataset = dataset;
    this.#compresses = this.#random.chance(0.1);
    this.#style = {
      // A row without a key is known again by its text.
      turnsMembers: levels.every(isKeyed) && this.#random.chance(0.2),
      nullLists: this.#random.chance(0.2),
    };
  }

  rotate(): void {
    this.#rotations += 1;
    this.credential = `${CANARY}-${this.#rotations}`;
    this.#stage.count("rotations");
    this.#stage.trace("api", "takes another credential");
  }

  mutate(): void {
    this.#stage.count("mutations");
    this.#stage.trace("api", this.dataset.mutate());
  }

  answer(path: string): Reply {
    this.#stage.count("requests");
    const url = new URL(path, ORIGIN);
    const reply = this.#refusal(url.searchParams) ?? this.#page(url);
    if (reply.status !== 200) this.#stage.count("api_faults");
    return reply;
  }

  #text(status: number, body: string, headers: Record<string, string> = {}): Reply {
    return {
      status,
      headers: { ...this.#date(), ...headers },
      parts: [{ after: 0, bytes: Buffer.from(body) }],
      end: "complete",
    };
  }

  #date() {
    return { date: new Date(Math.floor(this.#clock() / 1000) * 1000).toUTCString() };
  }

  /** Trouble before a page is even looked for. */
  #refusal(query: URLSearchParams): Reply | undefined {
    const { weather } = this.#stage;
    if (query.get("api_key") !== this.credential || weather.strikes("unauthorized")) {
      return this.#text(401, `{"error":"${query.get("api_key")} is not a key"}`);
    }
    if (weather.strikes("throttle")) {
      const wait = this.#random.pick(["1", "5", "20", "0", "-3", "soon", ""]);
      return this.#text(429, "", wait === "" ? {} : { "retry-after": wait });
    }
    if (weather.strikes("long_throttle")) {
      const most = this.#random.chance(0.2) ? 604_800 : 900;
      return this.#text(429, "", { "retry-after": String(this.#random.between(60, most)) });
    }
    if (weather.strikes("server_error")) {
      return this.#text(this.#random.pick([500, 502, 503, 504]), "oops");
    }
    // The kind of server that repeats a request in its error page.
    if (weather.strikes("echo")) return this.#text(400, `bad request: /items?${query}`);
    return undefined;
  }

  #page(url: URL): Reply {
    const [, first = "", slug, below] = url.pathname.split("/");
    const name = below ?? first;
    const level = this.levels.find((one) => one.name === name);
    if (!level) return this.#text(404, `{"error":"nothing here"}`);
    const parent =
      slug === undefined
        ? undefined
        : this.dataset.rows.find((row) => row.depth === level.depth - 1 && row.uid === slug);
    if (slug !== undefined && !this.#hasChildren(parent)) {
      const page = { depth: level.depth, parent, rows: [], isFirst: true, since: 0, until: 0 };
      return { ...this.#text(this.#random.pick([404, 410]), `{"error":"no such thing"}`), page };
    }
    const list = listFor(this.dataset, level, parent, url.searchParams);
    const page = pageOf(list, level, url.searchParams);
    const isBehind = page.entries.length === 0 && !page.isFirst;
    if (isBehind && level.paging.total !== "never") return this.#text(404, `{"error":"no page"}`);
    return this.#whole(page, level, { url, parent });
  }

  #hasChildren(parent: Row | undefined): boolean {
    if (!parent || !isThere(parent) || latest(parent).isGone) return false;
    return !this.#stage.weather.strikes("not_found");
  }

  #whole(page: ListPage, level: Level, { url, parent }: { url: URL; parent: Row | undefined }) {
    this.#answers += 1;
    const how = { url, turn: this.#answers, style: this.#style };
    const { body, headers: linked } = pageAnswer(page, level, how);
    const served: Served = {
      depth: level.depth,
      parent,
      rows: page.entries.map(({ row, version }) => ({ row, version })),
      isFirst: page.isFirst,
      ...windowOf(level, url.searchParams),
    };
    const headers = { ...this.#date(), "content-type": "application/json", ...linked };
    if (this.#stage.weather.strikes("mutation")) this.mutate();
    const bytes = this.#compresses ? gzipSync(body) : Buffer.from(body);
    return {
      ...this.#spoiled(bytes, served),
      status: 200,
      headers: this.#compresses ? { ...headers, "content-encoding": "gzip" } : headers,
    };
  }

  /** What can happen to a body on its way. */
  #spoiled(whole: Buffer, page: Served): Pick<Reply, "parts" | "end" | "page"> {
    const { weather } = this.#stage;
    const half = whole.subarray(0, Math.floor(whole.length / 2));
    const first = [{ after: 0, bytes: half }];
    if (weather.strikes("reset")) return { parts: first, end: "reset" };
    if (weather.strikes("truncated")) return { parts: first, end: "complete" };
    if (weather.strikes("silent")) return { parts: first, end: "silence" };
    const after = weather.strikes("slow") ? this.#random.between(5_000, 45_000) : 0;
    const rest = { after, bytes: whole.subarray(half.length) };
    return { parts: [...first, rest], end: "complete", page };
  }
}

/** The range of the cursor that a request names. */
function windowOf({ cursor }: Level, query: URLSearchParams): Pick<Served, "since" | "until"> {
  const bound = (name: string, otherwise: number) => {
    const text = query.get(name);
    return text === null || !cursor ? otherwise : stampMs(text, cursor.format);
  };
  return { since: bound("since", 0), until: bound("until", Number.POSITIVE_INFINITY) };
}
