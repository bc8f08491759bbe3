import { realClock } from "../../packages/core/src/base/clock.ts";
import { stateTableName, tableName } from "../../packages/core/src/base/names.ts";
import type { World } from "../../packages/core/src/base/world.ts";
import { planSource } from "../../packages/core/src/config/plan.ts";
import { rest_api_source } from "../../packages/core/src/config/source.ts";
import type { SourceConfig, SourceOptions } from "../../packages/core/src/config/types.ts";
import { stateTable, tableDefinition } from "../../packages/core/src/dynamodb/tables.ts";
import { httpAgent } from "../../packages/core/src/extract/http/agent.ts";
import { runResource } from "../../packages/core/src/run/run.ts";
import { openSecretStore } from "../../packages/core/src/secrets/store.ts";
import { tokenLock } from "../../packages/core/src/state/token-lock.ts";
import { recordOutput } from "./canary.ts";
import type { Engine } from "./dynamodb.ts";

const names = { app: "tidetable", stage: "test" };
const recordLog = (message: string, fields?: object) =>
  recordOutput("log", JSON.stringify([message, fields]));
const log = { debug: recordLog, info: recordLog, warn: recordLog, error: recordLog };

/** A world on real sockets, in which a test may replace parts. */
export const testWorld = (engine: Engine, changes: Partial<World> = {}): World => ({
  names,
  clock: realClock,
  random: Math.random,
  log,
  signal: new AbortController().signal,
  deadline: realClock.monotonic() + 600_000,
  dynamodb: engine.dynamodb,
  secretsManager: { send: () => Promise.reject(new Error("no secrets in this test")) },
  http: httpAgent("machine"),
  origins: new Map(),
  ...changes,
});

let sources = 0;

/** Deploys a source with its tables for one test; `run` runs its first resource. */
export async function deploySource(
  engine: Engine,
  config: SourceConfig,
  { name, ...options }: SourceOptions & { name?: string } = {},
) {
  sources += 1;
  const planned = planSource(rest_api_source(config, options), name ?? `source${sources}`);
  const [resource] = planned.resources;
  if (!resource) throw new Error("a source without resources");
  const table = tableName(names, resource);
  await engine.createTables({
    [stateTableName(names)]: stateTable,
    [table]: tableDefinition(resource),
  });
  let runs = 0;
  return {
    resource,
    table,
    state: stateTableName(names),
    resourceRef: { source: resource.source, resource: resource.name },
    run(world: World, order: { runId?: string; limitPages?: number; refresh?: boolean } = {}) {
      runs += 1;
      const owner = `worker${runs}`;
      const withLock = tokenLock(world, planned.name);
      const secrets = { ...openSecretStore(world, planned.name, planned.secrets), withLock };
      return runResource(resource, { runId: `run${runs}`, owner, ...order }, world, secrets).then(
        (report) => {
          recordOutput("report", JSON.stringify(report));
          return report;
        },
      );
    },
  };
}
