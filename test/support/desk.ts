import { realClock } from "../../packages/core/src/base/clock.ts";
import type { World } from "../../packages/core/src/base/world.ts";
import type { ResourceOptions } from "../../packages/core/src/config/types.ts";
import { replayQuarantine } from "../../packages/core/src/run/replay-quarantine.ts";
import { readRun } from "../../packages/core/src/state/history.ts";
import { listQuarantine } from "../../packages/core/src/state/quarantine.ts";
import { readSchema, readVersions } from "../../packages/core/src/state/schemas.ts";
import { type Api, offsetPages, openApi } from "./api.ts";
import type { Engine } from "./dynamodb.ts";
import { deploy, testWorld } from "./world.ts";

/** A record as it was before the API changed. */
export const steady = (n: number) => ({
  id: n,
  name: `row ${n}`,
  size: n,
  at: "2026-01-01T00:00:00Z",
});
export const rowsOf = (count: number) => Array.from({ length: count }, (_, n) => steady(n + 1));

/** Half-way the API changes a type, adds a field, and has a null. */
export function changed(): Record<string, unknown>[] {
  const rows: Record<string, unknown>[] = rowsOf(10);
  rows[5] = { ...steady(6), size: "large" };
  rows[6] = { ...steady(7), extra: true };
  rows[7] = { ...steady(8), name: null };
  return rows;
}

/** A resource `rows` over an API whose records a test may change, and what its runs leave behind. */
export async function openDesk(
  engine: Engine,
  rows: unknown[],
  options: ResourceOptions = {},
  { dynamodb, answersIn = 0 }: { dynamodb?: World["dynamodb"]; answersIn?: number } = {},
) {
  const data = [...rows];
  const log: string[] = [];
  const api = await openApi(async (request, response) => {
    await realClock.sleep(answersIn);
    return offsetPages(data)(request, response);
  });
  const deployed = await deploy(engine, configOf(api), { resources: { rows: options } });
  const { place, table, resource } = deployed;
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
    stored: () => readSchema(world(), place),
    versions: () => readVersions(world(), place),
    history: (runId: string) => readRun(world(), place, runId),
    replay: (as = resource) => replayQuarantine(as, world(), "me/1"),
    aside: async () => {
      const entries = [];
      for await (const some of listQuarantine(world(), place)) entries.push(...some);
      return entries.map(({ code, path }) => `${code} ${path}`).sort();
    },
  };
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
