import { ResourceNotFoundException } from "@aws-sdk/client-secrets-manager";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Fields, World } from "../packages/core/src/base/world.ts";
import type { AuthConfig } from "../packages/core/src/config/endpoint-types.ts";
import { dlt, rest_api_source } from "../packages/core/src/config/source.ts";
import type { SourceOptions } from "../packages/core/src/config/types.ts";
import { checkTable, stateTable, tableDefinition } from "../packages/core/src/dynamodb/tables.ts";
import { handleScheduleEvent } from "../packages/core/src/entry/schedule.ts";
import { handleWorkerEvent } from "../packages/core/src/entry/worker.ts";
import { zeroCounts } from "../packages/core/src/report/counts.ts";
import { sliceMetrics } from "../packages/core/src/report/metrics.ts";
import type { ResourceReport } from "../packages/core/src/report/types.ts";
import { planOf, type Sources } from "../packages/core/src/run/reach.ts";
import { nothingKnown } from "../packages/core/src/state/changed-rows-state.ts";
import { readRuns } from "../packages/core/src/state/history.ts";
import { takeLease } from "../packages/core/src/state/lease.ts";
import { opening } from "../packages/core/src/state/opening.ts";
import { readState } from "../packages/core/src/state/state-item.ts";
import { offsetPages, openApi } from "./support/api.ts";
import { virtualClock } from "./support/clock.ts";
import { clientOf, type Engine, startDynamodb } from "./support/dynamodb.ts";
import { faultyDynamodb } from "./support/faulty-dynamodb.ts";
import { testWorld } from "./support/world.ts";

// What an operator sees: the fields that CloudWatch counts, and the run history.

let engine: Engine;
beforeAll(async () => {
  engine = await startDynamodb();
  await engine.createTables({ "tidetable-test-state": stateTable });
});
afterAll(() => engine.close());

interface Line extends Fields {
  level: string;
  message: string;
}

/** A world that keeps what is logged. */
function listening(changes: Partial<World> = {}) {
  const lines: Line[] = [];
  const to =
    (level: string) =>
    (message: string, fields: Fields = {}) =>
      void lines.push({ ...fields, level, message });
  const log = { debug() {}, info: to("info"), warn: to("warn"), error: to("error") };
  return { lines, world: testWorld(engine, { log, ...changes }) };
}

const rows = (count: number) => Array.from({ length: count }, (_, n) => ({ id: `r${n}` }));

async function source(
  name: string,
  base_url: string,
  options: SourceOptions = {},
  auth?: AuthConfig,
) {
  const one = rest_api_source(
    {
      client: { base_url, ...(auth && { auth }) },
      resource_defaults: { primary_key: "id", write_disposition: "merge" },
      resources: [
        {
          name: "rows",
          endpoint: { data_selector: "data", paginator: { type: "offset", limit: 50 } },
        },
      ],
    },
    options,
  );
  const sources: Sources = { [name]: one };
  for (const resource of planOf(sources, name).resources) {
    await engine.createTables({
      [`tidetable-test-${name}.${resource.table}`]: tableDefinition(resource),
    });
  }
  return sources;
}

const invoke = (sources: Sources, world: World, run_id = "r1") =>
  handleWorkerEvent(
    { source: Object.keys(sources)[0], resource: "rows", run_id },
    {
      sources,
      world,
      invocation: `worker/${Math.random()}`,
      localOrigin: () => ({ override: undefined, dynamodbEndpoint: undefined }),
    },
  );

/** As CloudWatch reads a line: each metric with its value, by the dimensions it is counted for. */
function counted(line: Fields | undefined): Record<string, Record<string, unknown>> {
  const found: Record<string, Record<string, unknown>> = {};
  const { CloudWatchMetrics } = line?._aws as {
    CloudWatchMetrics: { Namespace: string; Dimensions: string[][]; Metrics: { Name: string }[] }[];
  };
  for (const { Namespace, Dimensions, Metrics } of CloudWatchMetrics) {
    for (const names of Dimensions) {
      const at = [Namespace, ...names.map((name) => `${name}=${line?.[name]}`)].join(" ");
      for (const { Name } of Metrics) found[at] = { ...found[at], [Name]: line?.[Name] };
    }
  }
  return found;
}

describe("the metrics of a run", () => {
  it("count what one slice has done, per source", async () => {
    const api = await openApi(offsetPages(rows(120)));
    const sources = await source("desk", api.url);
    const { lines, world } = listening();
    await invoke(sources, world);
    const { "tidetable app=tidetable stage=test source=desk": desk, ...others } = counted(lines[0]);
    expect(others).toEqual({});
    expect(desk).toEqual({
      records: 120,
      written: 120,
      unchanged: 0,
      quarantined: 0,
      retries: 0,
      throttled: 0,
      waited_ms: 0,
      duration_ms: expect.any(Number),
    });
    expect(lines).toHaveLength(1);
  });

  it("of a run of two slices add up to the run", async () => {
    const clock = virtualClock();
    const pages = offsetPages(rows(120));
    const api = await openApi((request, response) => {
      clock.advance(20_000);
      return pages(request, response);
    });
    const sources = await source("slices", api.url);
    const { lines, world } = listening({ clock, deadline: 45_000 });
    const reports = [await invoke(sources, world)];
    while (reports.at(-1)?.status === "running") {
      reports.push(await invoke(sources, { ...world, deadline: clock.monotonic() + 45_000 }));
    }
    expect(reports.length).toBeGreaterThan(1);
    const sum = (name: "records" | "duration_ms") =>
      lines.reduce((total, line) => total + (line[name] as number), 0);
    expect(sum("records")).toBe(120);
    expect(reports.at(-1)?.records).toBe(120);
    expect(sum("duration_ms")).toBe(reports.at(-1)?.worked_ms);
  });

  it("say of a failure which resource it was, and of an interruption nothing", async () => {
    const api = await openApi(() => ({ status: 404 }));
    const sources = await source("broken", api.url);
    const { lines, world } = listening();
    await expect(invoke(sources, world)).rejects.toThrow("404");
    const broken = "tidetable app=tidetable stage=test source=broken";
    expect(counted(lines[0])).toMatchObject({
      [broken]: { failed: 1, records: 0 },
      [`${broken} resource=rows`]: { failed: 1 },
    });

    const stopped = { status: "failed", error: { code: "run.interrupted" }, slice: zeroCounts() };
    const fields = sliceMetrics(world.names, stopped as ResourceReport, 0);
    expect(fields).not.toHaveProperty("failed");
  });

  it("count the times that DynamoDB was asked too fast, a part that it did not take included", async () => {
    const api = await openApi(offsetPages(rows(25)));
    const sources = await source("throttled", api.url);
    let batches = 0;
    const proxy = await faultyDynamodb(engine.endpoint, ({ operation }) => {
      if (operation !== "BatchWriteItem") return undefined;
      batches += 1;
      if (batches === 1) return { kind: "error", status: 400, type: "ThrottlingException" };
      return batches === 2 ? { kind: "unprocessed", count: 5 } : undefined;
    });
    const { lines, world } = listening({ dynamodb: clientOf(proxy.endpoint), random: () => 0 });
    await invoke(sources, world);
    expect(lines.at(-1)).toMatchObject({ records: 25, throttled: 2 });
  });
});

describe("a secret that nobody has filled yet", () => {
  it("makes its runs skipped, not failed, and nothing is asked of the API (secrets.empty)", async () => {
    const api = await openApi(offsetPages(rows(3)));
    const auth = { type: "bearer" as const, token: dlt.secrets["token"] };
    const sources = await source("unfilled", api.url, {}, auth);
    const empty = new ResourceNotFoundException({ message: "", $metadata: {} });
    const { lines, world } = listening({
      secretsManager: { send: () => Promise.reject(empty) } as World["secretsManager"],
    });

    const report = await invoke(sources, world);
    expect(report).toMatchObject({ status: "skipped", error: { code: "secrets.empty" } });
    expect(report.error?.hint).toBe("run: tidetable secrets set unfilled --stage test");
    expect(api.requests).toHaveLength(0);
    expect(lines).toMatchObject([{ level: "info", message: expect.stringContaining("unfilled") }]);
    expect(lines[0]).not.toHaveProperty("_aws");
    const resourceRef = { source: "unfilled", resource: "rows" };
    expect(await readState(world, resourceRef)).toBeUndefined();
    expect(await readRuns(world, resourceRef)).toMatchObject([
      { run_id: "r1", status: "skipped", error: { code: "secrets.empty" } },
    ]);
  });
});

describe("the run history", () => {
  it("has the event that found another run under way, and the run that could not begin", async () => {
    const api = await openApi(offsetPages(rows(3)));
    const sources = await source("busy", api.url);
    const { world } = listening();
    const resourceRef = { source: "busy", resource: "rows" };
    const [resource] = planOf(sources, "busy").resources;
    if (!resource) throw new Error("no resource");
    const { tableId } = await checkTable(world, resource);
    const want = {
      runId: "r1",
      refresh: false,
      planHash: resource.hash,
      tableId: tableId ?? null,
      cursorPath: null,
      rows: () => nothingKnown,
      now: world.clock.now(),
    };
    const run = opening(undefined, want);
    await takeLease(world, resourceRef, undefined, { owner: "a", run });

    expect(await invoke(sources, world, "r2")).toMatchObject({ status: "skipped" });
    expect(await invoke(sources, world, "r1")).toMatchObject({ status: "skipped" });
    expect(await readRuns(world, resourceRef)).toMatchObject([
      { run_id: "r2", status: "skipped", error: { code: "state.lease_held" } },
    ]);

    const lost = { ...world, names: { ...world.names, stage: "nowhere" } };
    await engine.createTables({ "tidetable-nowhere-state": stateTable });
    await expect(invoke(sources, lost, "r3")).rejects.toThrow("does not exist");
    expect(await readRuns(lost, resourceRef)).toMatchObject([
      { run_id: "r3", status: "failed", error: { code: "load.table_missing" } },
    ]);
  });
});

describe("a resource is stale", () => {
  const HOUR = 3_600_000;

  it("when its last success is older than two of the schedule's gaps, and the tick says so", async () => {
    const clock = virtualClock();
    const options = { schedule: "rate(1 hour)" };
    const api = await openApi(offsetPages(rows(3)));
    const sources = await source("old", api.url, options);
    // A host of this machine is as good as an example: nobody expects anything of it.
    const config = { client: { base_url: "https://crm.acme.io" }, resources: ["rows"] };
    const real = { old: rest_api_source(config, options) };
    const { lines, world } = listening({ clock, deadline: Number.POSITIVE_INFINITY });
    const tick = async () => {
      lines.length = 0;
      await handleScheduleEvent(
        { resume: true },
        { ...world, sources: real, requestId: "tick", invoke: async () => {} },
      );
      return lines;
    };

    expect(await tick()).toEqual([]);
    await invoke(sources, world);
    clock.advance(2 * HOUR);
    expect(await tick()).toEqual([]);
    clock.advance(HOUR / 2);
    const [line] = await tick();
    expect(line).toMatchObject({ level: "warn", message: expect.stringContaining("2026-01-01") });
    const old = "tidetable app=tidetable stage=test source=old";
    expect(counted(line)).toEqual({
      [old]: { staleness: 2.5 },
      [`${old} resource=rows`]: { staleness: 2.5 },
    });

    await invoke(sources, world, "r2");
    expect(await tick()).toEqual([]);
  });
});
