import { ResourceNotFoundException } from "@aws-sdk/client-secrets-manager";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Fields, World } from "../packages/core/src/base/world.ts";
import type { AuthConfig } from "../packages/core/src/config/endpoint-types.ts";
import type { Sources } from "../packages/core/src/config/source.ts";
import { dlt, rest_api_source } from "../packages/core/src/config/source.ts";
import type { SourceOptions } from "../packages/core/src/config/types.ts";
import { checkTable, stateTable, tableDefinition } from "../packages/core/src/dynamodb/tables.ts";
import { handleScheduleEvent } from "../packages/core/src/entry/schedule.ts";
import { handleWorkerEvent } from "../packages/core/src/entry/worker.ts";
import { zeroCounts } from "../packages/core/src/report/counts.ts";
import { sliceMetrics } from "../packages/core/src/report/metrics.ts";
import type { ResourceReport } from "../packages/core/src/report/types.ts";
import { planOf } from "../packages/core/src/run/reach.ts";
import { readRuns } from "../packages/core/src/state/history.ts";
import { readState } from "../packages/core/src/state/state-item.ts";
import { offsetPages, openApi } from "./support/api.ts";
import { virtualClock } from "./support/clock.ts";
import { clientOf, type Engine, startDynamodb } from "./support/dynamodb.ts";
import { openFaultyDynamodb } from "./support/faulty-dynamodb.ts";
import { newRun, takeLease } from "./support/run-state.ts";
import { testWorld } from "./support/world.ts";

// Checks what an operator sees: the metrics in CloudWatch, and the run history.

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

/** A world that records the log. */
function openLoggedWorld(changes: Partial<World> = {}) {
  const lines: Line[] = [];
  const writeTo =
    (level: string) =>
    (message: string, fields: Fields = {}) =>
      void lines.push({ ...fields, level, message });
  const log = { debug() {}, info: writeTo("info"), warn: writeTo("warn"), error: writeTo("error") };
  return { lines, world: testWorld(engine, { log, ...changes }) };
}

const makeRows = (count: number) => Array.from({ length: count }, (_, n) => ({ id: `r${n}` }));

async function deploySource(
  name: string,
  base_url: string,
  options: SourceOptions = {},
  auth?: AuthConfig,
) {
  const source = rest_api_source(
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
  const sources: Sources = { [name]: source };
  for (const resource of planOf(sources, name).resources) {
    await engine.createTables({
      [`tidetable-test-${name}.${resource.table}`]: tableDefinition(resource),
    });
  }
  return sources;
}

const invokeWorker = (sources: Sources, world: World, run_id = "r1") =>
  handleWorkerEvent(
    { source: Object.keys(sources)[0], resource: "rows", run_id },
    {
      sources,
      world,
      invocation: `worker/${Math.random()}`,
      localOrigin: () => ({ override: undefined, dynamodbEndpoint: undefined }),
    },
  );

/** Reads a line as CloudWatch does: the values of metrics by namespace and dimensions. */
function readMetrics(line: Fields | undefined): Record<string, Record<string, unknown>> {
  const metrics: Record<string, Record<string, unknown>> = {};
  const { CloudWatchMetrics } = line?._aws as {
    CloudWatchMetrics: { Namespace: string; Dimensions: string[][]; Metrics: { Name: string }[] }[];
  };
  for (const { Namespace, Dimensions, Metrics } of CloudWatchMetrics) {
    for (const names of Dimensions) {
      const dimensions = [Namespace, ...names.map((name) => `${name}=${line?.[name]}`)].join(" ");
      for (const { Name } of Metrics) {
        metrics[dimensions] = { ...metrics[dimensions], [Name]: line?.[Name] };
      }
    }
  }
  return metrics;
}

describe("the metrics of a run", () => {
  it("the metrics of a slice count its work per source", async () => {
    const api = await openApi(offsetPages(makeRows(120)));
    const sources = await deploySource("desk", api.url);
    const { lines, world } = openLoggedWorld();
    await invokeWorker(sources, world);
    const { "tidetable app=tidetable stage=test source=desk": deskMetrics, ...otherMetrics } =
      readMetrics(lines[0]);
    expect(otherMetrics).toEqual({});
    expect(deskMetrics).toEqual({
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

  it("the metrics of two slices add up to those of their run", async () => {
    const clock = virtualClock();
    const pages = offsetPages(makeRows(120));
    const api = await openApi((request, response) => {
      clock.advance(20_000);
      return pages(request, response);
    });
    const sources = await deploySource("slices", api.url);
    const { lines, world } = openLoggedWorld({ clock, deadline: 45_000 });
    const reports = [await invokeWorker(sources, world)];
    while (reports.at(-1)?.status === "running") {
      reports.push(await invokeWorker(sources, { ...world, deadline: clock.monotonic() + 45_000 }));
    }
    expect(reports.length).toBeGreaterThan(1);
    const sumOf = (name: "records" | "duration_ms") =>
      lines.reduce((total, line) => total + (line[name] as number), 0);
    expect(sumOf("records")).toBe(120);
    expect(reports.at(-1)?.records).toBe(120);
    expect(sumOf("duration_ms")).toBe(reports.at(-1)?.worked_ms);
  });

  it("a failed run counts for its resource, and an interrupted run counts as no failure", async () => {
    const api = await openApi(() => ({ status: 404 }));
    const sources = await deploySource("broken", api.url);
    const { lines, world } = openLoggedWorld();
    await expect(invokeWorker(sources, world)).rejects.toThrow("404");
    const brokenSource = "tidetable app=tidetable stage=test source=broken";
    expect(readMetrics(lines[0])).toMatchObject({
      [brokenSource]: { failed: 1, records: 0 },
      [`${brokenSource} resource=rows`]: { failed: 1 },
    });

    const interrupted = {
      status: "failed",
      error: { code: "run.interrupted" },
      slice: zeroCounts(),
    };
    const fields = sliceMetrics(world.names, interrupted as ResourceReport, 0);
    expect(fields).not.toHaveProperty("failed");
  });

  it("the metric throttled counts throttled calls and calls with unprocessed items", async () => {
    const api = await openApi(offsetPages(makeRows(25)));
    const sources = await deploySource("throttled", api.url);
    let batches = 0;
    const proxy = await openFaultyDynamodb(engine.endpoint, ({ operation }) => {
      if (operation !== "BatchWriteItem") return undefined;
      batches += 1;
      if (batches === 1) return { kind: "error", status: 400, type: "ThrottlingException" };
      return batches === 2 ? { kind: "unprocessed", count: 5 } : undefined;
    });
    const { lines, world } = openLoggedWorld({
      dynamodb: clientOf(proxy.endpoint),
      random: () => 0,
    });
    await invokeWorker(sources, world);
    expect(lines.at(-1)).toMatchObject({ records: 25, throttled: 2 });
  });
});

describe("a secret that nobody has filled yet", () => {
  it("a secret without a value makes runs skipped, not failed, and the API gets no request", async () => {
    const api = await openApi(offsetPages(makeRows(3)));
    const auth = { type: "bearer" as const, token: dlt.secrets["token"] };
    const sources = await deploySource("unfilled", api.url, {}, auth);
    const missingSecret = new ResourceNotFoundException({ message: "", $metadata: {} });
    const { lines, world } = openLoggedWorld({
      secretsManager: { send: () => Promise.reject(missingSecret) } as World["secretsManager"],
    });

    const report = await invokeWorker(sources, world);
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
  it("the run history has an event that met another run, and a run that could not start", async () => {
    const api = await openApi(offsetPages(makeRows(3)));
    const sources = await deploySource("busy", api.url);
    const { world } = openLoggedWorld();
    const resourceRef = { source: "busy", resource: "rows" };
    const [resource] = planOf(sources, "busy").resources;
    if (!resource) throw new Error("no resource");
    const { tableId } = await checkTable(world, resource);
    const run = newRun({
      id: "r1",
      planHash: resource.hash,
      tableId: tableId ?? null,
      now: world.clock.now(),
    });
    await takeLease(world, resourceRef, { owner: "a", run });

    expect(await invokeWorker(sources, world, "r2")).toMatchObject({ status: "skipped" });
    expect(await invokeWorker(sources, world, "r1")).toMatchObject({ status: "skipped" });
    expect(await readRuns(world, resourceRef)).toMatchObject([
      { run_id: "r2", status: "skipped", error: { code: "state.lease_held" } },
    ]);

    const worldWithoutTable = { ...world, names: { ...world.names, stage: "nowhere" } };
    await engine.createTables({ "tidetable-nowhere-state": stateTable });
    await expect(invokeWorker(sources, worldWithoutTable, "r3")).rejects.toThrow("does not exist");
    expect(await readRuns(worldWithoutTable, resourceRef)).toMatchObject([
      { run_id: "r3", status: "failed", error: { code: "load.table_missing" } },
    ]);
  });
});

describe("a stale resource", () => {
  const HOUR = 3_600_000;

  it("the tick reports a resource whose last success is older than two gaps of its schedule", async () => {
    const clock = virtualClock();
    const options = { schedule: "rate(1 hour)" };
    const api = await openApi(offsetPages(makeRows(3)));
    const sources = await deploySource("old", api.url, options);
    // The tick takes a source at a host of this machine for an example, so it gets another host.
    const config = { client: { base_url: "https://crm.acme.io" }, resources: ["rows"] };
    const publicSources = { old: rest_api_source(config, options) };
    const { lines, world } = openLoggedWorld({ clock, deadline: Number.POSITIVE_INFINITY });
    const tick = async () => {
      lines.length = 0;
      await handleScheduleEvent(
        { resume: true },
        { ...world, sources: publicSources, requestId: "tick", invoke: async () => {} },
      );
      return lines;
    };

    expect(await tick()).toEqual([]);
    await invokeWorker(sources, world);
    clock.advance(2 * HOUR);
    expect(await tick()).toEqual([]);
    clock.advance(HOUR / 2);
    const [line] = await tick();
    expect(line).toMatchObject({ level: "warn", message: expect.stringContaining("2026-01-01") });
    const oldSource = "tidetable app=tidetable stage=test source=old";
    expect(readMetrics(line)).toEqual({
      [oldSource]: { staleness: 2.5 },
      [`${oldSource} resource=rows`]: { staleness: 2.5 },
    });

    await invokeWorker(sources, world, "r2");
    expect(await tick()).toEqual([]);
  });
});
