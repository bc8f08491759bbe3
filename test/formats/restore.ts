import { readFileSync } from "node:fs";
import { PutItemCommand } from "@aws-sdk/client-dynamodb";
import { stateTableName, tableName } from "../../packages/core/src/base/names.ts";
import type { World } from "../../packages/core/src/base/world.ts";
import { rest_api_source } from "../../packages/core/src/config/source.ts";
import type { SourceConfig } from "../../packages/core/src/config/types.ts";
import {
  checkTable,
  stateTable,
  tableDefinition,
} from "../../packages/core/src/dynamodb/tables.ts";
import type { WorkerEvent } from "../../packages/core/src/entry/events.ts";
import { handleScheduleEvent } from "../../packages/core/src/entry/schedule.ts";
import { handleWorkerEvent, RunError } from "../../packages/core/src/entry/worker.ts";
import type { Item } from "../../packages/core/src/flow.ts";
import type { ResourceReport } from "../../packages/core/src/report/types.ts";
import { planOf, resourceOf } from "../../packages/core/src/run/reach.ts";
import { openApi } from "../support/api.ts";
import { virtualClock } from "../support/clock.ts";
import type { Engine } from "../support/dynamodb.ts";
import { testWorld } from "../support/world.ts";

/** What an earlier version has left: all items of its tables. The README says how it was recorded. */
interface Fixture {
  /** When it was recorded, by the clock of the recording. */
  now: string;
  config: Omit<SourceConfig, "client">;
  state: Item[];
  rows: Record<string, Item[]>;
}

/** What the API of a fixture shows, by path. Tests change it. */
export type Answers = Record<string, { at?: string }[]>;

let restored = 0;

/**
 * Puts the items of a fixture into tables, as if the functions of today's version were deployed over
 * those of the earlier one, and gives what a person and the schedule do with them.
 */
export async function restore(engine: Engine, file: string, answers: Answers) {
  restored += 1;
  const fixture = readFixture(file);
  const requests: string[] = [];
  const api = await openApi(({ path, query }) => {
    requests.push(`${path} ${query.get("since") ?? ""}@${query.get("offset") ?? 0}`);
    const since = query.get("since");
    const all = (answers[path] ?? []).filter(({ at = "" }) => since === null || at >= since);
    const offset = Number(query.get("offset") ?? 0);
    return { body: { data: all.slice(offset, offset + Number(query.get("limit") ?? 100)) } };
  });
  const config: SourceConfig = { client: { base_url: api.url }, ...fixture.config };
  const sources = { shop: rest_api_source(config) };
  const names = { app: "tidetable", stage: `restored${restored}` };
  const state = stateTableName(names);
  const clock = virtualClock({ start: Date.parse(fixture.now) });
  const warnings: string[] = [];
  const log: World["log"] = {
    debug() {},
    info() {},
    warn: (message) => void warnings.push(message),
    error() {},
  };
  const deadline = Number.POSITIVE_INFINITY;
  const world = testWorld(engine, { names, clock, log, deadline });

  await engine.createTables({ [state]: stateTable });
  for (const resource of planOf(sources, "shop").resources) {
    const table = tableName(names, resource);
    await engine.createTables({ [table]: tableDefinition(resource) });
    const { tableId = "" } = await checkTable(world, resource);
    const items = itemsOf(fixture, resource.name);
    await putItems(engine, state, withTableId(items, tableId));
    await putItems(engine, table, fixture.rows[resource.name] ?? []);
  }

  async function runToEnd(event: WorkerEvent): Promise<ResourceReport> {
    for (let slice = 0; slice < 20; slice++) {
      const report = await handleWorkerEvent(event, {
        sources,
        world,
        invocation: `worker/${event.run_id}/${event.resource}/${slice}`,
        localOrigin: () => ({ override: undefined, dynamodbEndpoint: undefined }),
      }).catch((error: unknown): ResourceReport => {
        if (error instanceof RunError) return error.report;
        throw error;
      });
      if (report.status !== "running" && report.status !== "waiting") return report;
      clock.advance(60_000);
    }
    throw new Error(`${event.resource} does not end`);
  }

  return {
    world,
    clock,
    warnings,
    requests,
    place: (resource: string) => ({ source: "shop", resource }),
    resource: (name: string) => resourceOf(planOf(sources, "shop"), name),
    rows: (resource: string) =>
      engine.scan(tableName(names, resourceOf(planOf(sources, "shop"), resource))),
    stateItems: () => engine.scan(state),
    /** An event of the schedule, and its workers, parents first. Gives the reports by resource. */
    async send(event: object, requestId: string): Promise<Record<string, ResourceReport>> {
      const events: WorkerEvent[] = [];
      const invoke = async (workerEvent: WorkerEvent) => void events.push(workerEvent);
      await handleScheduleEvent(
        { source: "shop", ...event },
        { ...world, sources, requestId, invoke },
      );
      const reports: Record<string, ResourceReport> = {};
      for (const workerEvent of events) {
        reports[workerEvent.resource] = await runToEnd(workerEvent);
      }
      return reports;
    },
  };
}

function readFixture(file: string): Fixture {
  const text = readFileSync(new URL(`format-1/${file}.json`, import.meta.url), "utf8");
  return JSON.parse(text, (_, value) =>
    value?.base64 === undefined ? value : { B: Buffer.from(value.base64, "base64") },
  );
}

const itemsOf = ({ state }: Fixture, resource: string): Item[] =>
  state.filter(({ pk }) => pk?.S === `shop#${resource}` || pk?.S?.startsWith(`shop#${resource}/`));

/** The table has been created anew, and its state is to be that of the table that there is. */
function withTableId(items: Item[], tableId: string): Item[] {
  const stored = items.find(({ sk }) => sk?.S === "state")?.body?.S ?? "{}";
  const { table_id: recorded } = JSON.parse(stored);
  return items.map((item) =>
    Object.fromEntries(
      Object.entries(item).map(([name, value]) => [
        name,
        value.S === undefined ? value : { S: value.S.replaceAll(recorded, tableId) },
      ]),
    ),
  );
}

async function putItems(engine: Engine, table: string, items: Item[]): Promise<void> {
  for (const Item of items) {
    await engine.dynamodb.send(new PutItemCommand({ TableName: table, Item }));
  }
}
