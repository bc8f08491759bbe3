import type { World } from "../../packages/core/src/base/world.ts";
import type { ResourceOptions } from "../../packages/core/src/config/types.ts";
import { replayQuarantine } from "../../packages/core/src/run/replay-quarantine.ts";
import { readRun } from "../../packages/core/src/state/history.ts";
import { listQuarantine } from "../../packages/core/src/state/quarantine.ts";
import {
  readSchema,
  readVersion,
  type SchemaVersion,
} from "../../packages/core/src/state/schemas.ts";
import { type Api, offsetPages, openApi } from "./api.ts";
import type { Engine } from "./dynamodb.ts";
import { deploySource, testWorld } from "./world.ts";

/** A record as the API sends it before its change. */
export const steadyRecord = (n: number) => ({
  id: n,
  name: `row ${n}`,
  size: n,
  at: "2026-01-01T00:00:00Z",
});
export const steadyRecords = (count: number) =>
  Array.from({ length: count }, (_, n) => steadyRecord(n + 1));

/** Records of an API that half-way changes a type, adds a field, and has a null. */
export function changedRecords(): Record<string, unknown>[] {
  const rows: Record<string, unknown>[] = steadyRecords(10);
  rows[5] = { ...steadyRecord(6), size: "large" };
  rows[6] = { ...steadyRecord(7), extra: true };
  rows[7] = { ...steadyRecord(8), name: null };
  return rows;
}

/** Deploys a resource `rows` whose records a test may change, and reads what its runs have stored. */
export async function openDesk(
  engine: Engine,
  rows: unknown[],
  options: ResourceOptions = {},
  { dynamodb, passAnswer }: { dynamodb?: World["dynamodb"]; passAnswer?: () => void } = {},
) {
  const data = [...rows];
  const log: string[] = [];
  const api = await openApi((request, response) => {
    passAnswer?.();
    return offsetPages(data)(request, response);
  });
  const deployed = await deploySource(engine, configOf(api), { resources: { rows: options } });
  const { resourceRef, table, resource } = deployed;
  const warn = (message: string) => void log.push(message);
  const world = (changes: Partial<World> = {}) =>
    testWorld(engine, {
      log: { debug() {}, info() {}, error() {}, warn },
      ...(dynamodb && { dynamodb }),
      ...changes,
    });
  return {
    ...deployed,
    api,
    log,
    world,
    run: (changes?: Partial<World>, order?: Parameters<typeof deployed.run>[1]) =>
      deployed.run(world(changes), order),
    show(next: unknown[]) {
      data.splice(0, data.length, ...next);
    },
    row: async (id: number) => (await engine.scan(table)).find((item) => item.id?.S === `${id}`),
    rows: async () => (await engine.scan(table)).length,
    stored: () => readSchema(world(), resourceRef),
    versions: () => allVersions((number) => readVersion(world(), resourceRef, number)),
    history: (runId: string) => readRun(world(), resourceRef, runId),
    replay: (as = resource) => replayQuarantine(as, world(), "me/1"),
    aside: async () => {
      const entries = [];
      for await (const page of listQuarantine(world(), resourceRef)) entries.push(...page);
      return entries.map(({ code, path }) => `${code} ${path}`).sort();
    },
  };
}

/** Every version of a schema, the oldest first: versions are numbered from 1 without a gap. */
async function allVersions(
  read: (number: number) => Promise<SchemaVersion | undefined>,
): Promise<SchemaVersion[]> {
  const versions: SchemaVersion[] = [];
  for (;;) {
    const version = await read(versions.length + 1);
    if (!version) return versions;
    versions.push(version);
  }
}

export const configOf = ({ url }: Pick<Api, "url">) => ({
  client: { base_url: url },
  resources: [
    {
      name: "rows",
      primary_key: "id",
      endpoint: {
        path: "/rows",
        data_selector: "data",
        paginator: { type: "offset", limit: 5 } as const,
        error_handler: { max_retries: 0 },
      },
    },
  ],
});
