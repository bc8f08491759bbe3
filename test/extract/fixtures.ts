import { Agent } from "undici";
import { onTestFinished } from "vitest";
import type { World } from "../../packages/core/src/base/world.ts";
import { parseJsonPath } from "../../packages/core/src/config/jsonpath.ts";
import type { PaginatorPlan, ResourcePlan } from "../../packages/core/src/config/plan-types.ts";
import { Secret, type SecretValues } from "../../packages/core/src/secrets/reference.ts";
import type { SecretStore } from "../../packages/core/src/secrets/store.ts";
import { guardSecret, recordOutput } from "../support/canary.ts";
import { virtualClock } from "../support/clock.ts";

/** A key that no log, message or shown URL may hold, with characters that encodings change. */
export const CANARY = "canary/key+with=signs&a space";

/** A world with the lines of its log. */
export interface TestWorld extends World {
  lines: string[];
}

export function testWorld(changes: Partial<World> = {}): TestWorld {
  const lines: string[] = [];
  const write = (message: string, fields?: object) => {
    lines.push(fields ? `${message} ${JSON.stringify(fields)}` : message);
    recordOutput("log", lines.at(-1) ?? "");
  };
  const http = new Agent();
  onTestFinished(() => http.destroy());
  const unused = { send: () => Promise.reject(new Error("not for this test")) };
  return {
    names: { app: "tidetable", stage: "test" },
    clock: virtualClock(),
    random: () => 1,
    log: { debug: write, info: write, warn: write, error: write },
    signal: new AbortController().signal,
    deadline: Number.POSITIVE_INFINITY,
    dynamodb: unused,
    secretsManager: unused,
    http,
    origins: new Map(),
    lines,
    ...changes,
  };
}

/** A secret whose value can change; `refreshes` counts the reads past the cache. */
export function testSecrets(
  first: Record<string, string>,
  afterRefresh = first,
): SecretStore & { refreshes: number } {
  for (const value of Object.values({ ...first, ...afterRefresh })) guardSecret(value);
  let members = first;
  const values = (): SecretValues => {
    const held = members;
    return { get: (name) => held[name] ?? `no ${name}` };
  };
  const store = {
    refreshes: 0,
    read: async () => values(),
    refresh: async () => {
      store.refreshes += 1;
      members = afterRefresh;
      return values();
    },
    write: () => Promise.reject(new Error("not for this test")),
    withLock: () => Promise.reject(new Error("not for this test")),
  };
  return store;
}

export const offsetPlan = (
  changes: Partial<Extract<PaginatorPlan, { type: "offset" }>> = {},
): Extract<PaginatorPlan, { type: "offset" }> => ({
  type: "offset",
  limit: 100,
  offset: 0,
  offsetAt: { param: "offset" },
  limitAt: { param: "limit" },
  total: { path: parseJsonPath("total"), required: false },
  maximum: undefined,
  stopAfterEmptyPage: true,
  hasMore: undefined,
  overlap: 0,
  ...changes,
});

/** The plan of the help desk's tickets, as the second source document has it. */
export function testResource(baseUrl: string, changes: Partial<ResourcePlan> = {}): ResourcePlan {
  return {
    source: "help_desk",
    name: "tickets",
    table: "tickets",
    disposition: "merge",
    selected: true,
    parent: undefined,
    spooled: [],
    followers: [],
    steps: [],
    actions: [],
    hardDelete: undefined,
    dedupSort: undefined,
    contract: { tables: "evolve", columns: "evolve", dataType: "evolve" },
    key: { fields: ["id"], hash: { name: "id", type: "S" }, range: undefined },
    request: {
      method: "GET",
      url: `${baseUrl}/v1/tickets`,
      origin: new URL(baseUrl).origin,
      allowedOrigins: [],
      params: {},
      headers: [],
      json: undefined,
      data: undefined,
    },
    auth: {
      type: "api_key",
      name: "api_key",
      apiKey: Secret.fromName("api_key"),
      location: "query",
    },
    paginator: { type: "single_page" },
    incremental: undefined,
    writeMode: { kind: "batch" },
    allowShrink: false,
    selector: parseJsonPath("data"),
    retry: {
      statuses: new Set([429, 500, 502, 503, 504]),
      maxRetries: 3,
      backoffFactor: 2,
      maxWaitMs: 86_400_000,
    },
    timeoutMs: 30_000,
    columns: {},
    hash: "test",
    storage: {
      ttl: undefined,
      stream: undefined,
      indexes: [],
      kmsKey: undefined,
      maxWriteUnits: undefined,
    },
    writes: undefined,
    parallelPages: 4,
    ...changes,
  };
}

export const noMeter = () => ({ requests: 0, retries: 0, waited_ms: 0 });
