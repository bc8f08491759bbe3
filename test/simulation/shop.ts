import { dlt, rest_api_source, type Source } from "../../packages/core/src/config/source.ts";
import type { ResourceConfig } from "../../packages/core/src/config/types.ts";
import { LATE_COMMIT_MS } from "./api-model.ts";
import type { Random } from "./random.ts";

export const ORIGIN = "https://api.example.com";

/** What a resource of the simulated API is for. */
export interface Kind {
  name: string;
  /** Rows disappear from the API, and a refresh has to notice. */
  shrinks: boolean;
  /** Rows appear some time after the time that stands in them. */
  lateCommits: boolean;
  config: ResourceConfig;
}

// Rows go at the end of a list only, and the oracle counts each row that was served once.
const offset = { type: "offset", limit: 15, overlap: 0 } as const;

/** Read until an empty page, whole each time. */
const orders: Kind = {
  name: "orders",
  shrinks: false,
  lateCommits: true,
  config: {
    name: "orders",
    endpoint: {
      path: "/orders",
      data_selector: "data",
      paginator: { ...offset, total_path: null },
    },
  },
};

/** Replaced each time, by merge and sweep. */
const users: Kind = {
  name: "users",
  shrinks: true,
  lateCommits: true,
  config: {
    name: "users",
    write_disposition: "replace",
    endpoint: {
      path: "/users",
      data_selector: "data",
      paginator: { ...offset, total_path: "total" },
    },
  },
};

/**
 * Only what has changed since the last run. Where the API's transactions take a while to appear, the
 * config says so with `lag`; without it, the cursor alone has to be right.
 */
const events = (lateCommits: boolean): Kind => ({
  name: "events",
  shrinks: false,
  lateCommits,
  config: {
    name: "events",
    endpoint: {
      path: "/events",
      data_selector: "data",
      paginator: { ...offset, total_path: "total" },
      incremental: {
        cursor_path: "updated_at",
        start_param: "since",
        lag: lateCommits ? LATE_COMMIT_MS / 1000 : 0,
      },
    },
  },
});

const ordered = {
  write_mode: "ordered",
  version_field: "version",
  columns: { version: { data_type: "bigint" } },
} as const;

/** A list this short would never come to fingerprints by itself. */
const ways = [null, "compare", "fingerprints", "fingerprints"] as const;

/** A source with two of them, each written in one way or another. */
export function shopFrom(random: Random): { kinds: Kind[]; source: Source } {
  const left = [orders, users, events(random.chance(0.5))];
  left.splice(random.between(0, 2), 1);
  const resources = left.map(({ config }) =>
    random.chance(0.3) ? { ...config, ...ordered } : { ...config, writes: random.pick(ways) },
  );
  const source = rest_api_source({
    client: {
      base_url: ORIGIN,
      auth: {
        type: "api_key",
        name: "api_key",
        api_key: dlt.secrets["api_key"],
        location: "query",
      },
    },
    resource_defaults: { primary_key: "id", write_disposition: "merge" },
    resources,
  });
  return { kinds: left, source };
}
