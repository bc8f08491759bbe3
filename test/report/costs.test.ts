import { readFileSync } from "node:fs";
import { join } from "node:path";
import { PutItemCommand, type ScanCommand } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { planSource } from "../../packages/core/src/config/plan.ts";
import { dlt, rest_api_source } from "../../packages/core/src/config/source.ts";
import type { SourceOptions } from "../../packages/core/src/config/types.ts";
import type { Item } from "../../packages/core/src/flow.ts";
import {
  calculateRunCost,
  deployedSize,
  estimateSourceCost,
  estimateStageMonth,
  prices,
} from "../../packages/core/src/report/costs.ts";
import { zeroCounts } from "../../packages/core/src/report/counts.ts";
import { sliceMetrics } from "../../packages/core/src/report/metrics.ts";
import type { ResourceReport } from "../../packages/core/src/report/types.ts";
import { readRuns } from "../../packages/core/src/state/history.ts";
import { offsetPages, openApi } from "../support/api.ts";
import { type Engine, startDynamodb } from "../support/dynamodb.ts";
import { deploySource, testWorld } from "../support/world.ts";

const used = {
  ...{ status: "done", slices: 1, pages: 3, records: 250, written: 250, deleted: 0 },
  ...{ write_units: 258, read_units: 2.5, worked_ms: 1_000 },
};
const unused = { write_units: 0, read_units: 0, worked_ms: 0, slices: 0 };
/** A run that is cheaper than `used`, because most rows were there. */
const repeat = { ...used, written: 10, write_units: 18 };

const roundDollars = (dollars: number) => Number(dollars.toPrecision(6));

describe("the cost of a run", () => {
  it.each([
    ["a million write units", { write_units: 1_000_000 }, 0.625],
    ["a million read units", { read_units: 1_000_000 }, 0.125],
    ["an hour of 1 GB", { worked_ms: 3_600_000 }, 0.0480002],
    ["a million invocations, with 3 GB of log", { slices: 1_000_000 }, 0.2 + 1.5],
    ["nothing", {}, 0],
  ])("a run that uses %s costs that much", (_, usage, dollars) => {
    expect(roundDollars(calculateRunCost({ ...unused, ...usage }, 1024).total)).toBe(dollars);
  });

  it("the cost of a run is the sum of its purposes", () => {
    const { total, ...parts } = calculateRunCost(used, 512);
    expect(Object.values(parts).every((part) => part > 0)).toBe(true);
    expect(total).toBeCloseTo(parts.lambda + parts.writes + parts.reads + parts.logs, 12);
  });

  it("the cost of a run grows with the worker's memory", () => {
    const lambda = (memoryMb: number) =>
      calculateRunCost({ ...unused, worked_ms: 1_000 }, memoryMb).lambda;
    expect(lambda(1024)).toBeCloseTo(2 * lambda(512), 12);
  });
});

/** Plans a source with this many resources. */
function planCrm(options: SourceOptions = {}, resources = 1) {
  const auth = { type: "bearer" as const, token: dlt.secrets["token"] };
  const names = Array.from({ length: resources }, (_, n) => `rows${n}`);
  const config = { client: { base_url: "https://api.acme.io", auth }, resources: names };
  return planSource(rest_api_source(config, options), "crm");
}

const hourly = planCrm({ schedule: "rate(1 hour)" });
const total = (history: (typeof used)[]) => calculateRunCost(history[0] ?? unused, 512).total;

describe("the cost of a resource", () => {
  it("a resource costs as much as its usual run, as often as it is scheduled", () => {
    const [resource] = estimateSourceCost(hourly, [[used]]).resources;
    expect(resource?.run).toEqual(calculateRunCost(used, 512));
    expect(resource?.month.total).toBeCloseTo(730 * total([used]), 9);
  });

  it("the usual run is the median of the last ten, without a first load or an outlier", () => {
    const outlier = { ...used, worked_ms: 900_000 };
    const empty = { ...used, records: 0, written: 0, write_units: 4 };
    const [resource] = estimateSourceCost(hourly, [
      [repeat, outlier, empty, repeat, used],
    ]).resources;
    expect(resource).toMatchObject({ runs: 5, run: calculateRunCost(repeat, 512) });
    // The cheaper of two runs is the usual one, because the first load was expensive.
    expect(estimateSourceCost(hourly, [[repeat, used]]).resources[0]?.run).toEqual(
      calculateRunCost(repeat, 512),
    );
    const older = Array.from({ length: 30 }, () => used);
    const recent = Array.from({ length: 10 }, () => repeat);
    const [withOlderRuns] = estimateSourceCost(hourly, [[...recent, ...older]]).resources;
    expect(withOlderRuns).toMatchObject({ runs: 10, run: calculateRunCost(repeat, 512) });
  });

  it("a scheduled refresh counts as the most expensive run", () => {
    const both = planCrm({ schedule: "rate(1 hour)", full_refresh_schedule: "rate(1 day)" });
    const [resource] = estimateSourceCost(both, [[repeat, repeat, used]]).resources;
    const refreshes = 730 / 24;
    const expected = 730 * total([repeat]) + refreshes * total([used]);
    expect(resource?.month.total).toBeCloseTo(expected, 9);
  });

  it("the cost of a resource is unknown before a run has succeeded", () => {
    const failed = { ...used, status: "failed" };
    expect(estimateSourceCost(hourly, [[failed]]).resources).toEqual([null]);
    expect(estimateSourceCost(hourly, [[]]).resources).toEqual([null]);
    expect(estimateSourceCost(hourly, [[failed, used]]).resources).toMatchObject([{ runs: 1 }]);
  });

  it("a resource without a schedule costs nothing a month", () => {
    const { month } = estimateSourceCost(planCrm(), [[used]]);
    expect(month).toMatchObject({ runs: 0, schedules: 0, metrics: 0 });
  });
});

describe("the cost of a source", () => {
  it("a source costs as much as its resources and its infrastructure", () => {
    const two = planCrm({ schedule: "rate(1 hour)" }, 2);
    const { month, run, ...cost } = estimateSourceCost(two, [[used], [used]]);
    expect(run.total).toBeCloseTo(2 * total([used]), 12);
    expect(month.runs).toBeCloseTo(730 * run.total, 9);
    expect(month.secret).toBeCloseTo(0.4 + 730 * 2 * 5e-6, 9);
    expect(month).toMatchObject({ metrics: 2.4, alarms: 0.5 });
    const { runs, schedules, secret, metrics, alarms } = month;
    expect(month.total).toBeCloseTo(runs + schedules + secret + metrics + alarms, 9);
    expect(cost).toMatchObject({ runs_per_month: 730, refreshes_per_month: 0 });
  });

  it("the cost of a source leaves out resources without a successful run", () => {
    const two = planCrm({ schedule: "rate(1 hour)" }, 2);
    expect(estimateSourceCost(two, [[used], []]).run).toEqual(
      estimateSourceCost(hourly, [[used]]).run,
    );
  });

  it("a source pays for metrics in the hours in which it runs", () => {
    const metrics = (expression: string) =>
      estimateSourceCost(planCrm({ schedule: expression }), [[used]]).month.metrics;
    expect(metrics("rate(1 minute)")).toBe(2.4);
    expect(metrics("rate(1 day)")).toBeCloseTo(2.4 / 24, 9);
  });
});

describe("the cost of a stage", () => {
  it("a stage costs its tick, its alarms and a dashboard", () => {
    const { tick, alarms, dashboard, total } = estimateStageMonth([hourly]);
    expect(tick).toBeGreaterThan(43_800 * (prices.scheduled_call + prices.invocation));
    expect({ alarms, dashboard }).toEqual({ alarms: 0.2, dashboard: 3 });
    expect(total).toBeCloseTo(tick + alarms + dashboard, 12);
    expect(estimateStageMonth([hourly, hourly]).tick).toBeGreaterThan(tick);
  });

  it("the estimate has as many metrics as a run counts", () => {
    const report = { ...zeroCounts(), slice: zeroCounts(), status: "done" } as ResourceReport;
    const line = sliceMetrics({ app: "a", stage: "s" }, report, 0) as {
      _aws: { CloudWatchMetrics: { Dimensions: string[][]; Metrics: object[] }[] };
    };
    const counted = line._aws.CloudWatchMetrics.flatMap(({ Dimensions, Metrics }) =>
      Dimensions.flatMap(() => Metrics),
    );
    expect(counted).toHaveLength(deployedSize.metricsPerSource);
  });

  it("the estimate has the alarms and the memory of the stacks", () => {
    const read = (name: string) =>
      readFileSync(join(import.meta.dirname, "../../packages/sst/src", name), "utf8");
    const [ofStage = "", ofSource = ""] = read("monitoring.ts").split("function sourceAlarms");
    expect(ofStage.match(/description: "/g)).toHaveLength(deployedSize.alarmsPerStage);
    expect(ofSource.match(/description: `/g)).toHaveLength(deployedSize.alarmsPerSource);
    expect(read("pipeline.ts")).toContain(`memory: "${deployedSize.scheduleMb} MB"`);
  });
});

describe("the units in the history of a run", () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await startDynamodb();
  });
  afterAll(() => engine.close());

  /** Opens a world whose DynamoDB client adds up the consumed units of all answers. */
  function openAudit() {
    const consumed = { reads: 0, writes: 0, rowWrites: 0 };
    /** The units that were consumed before the run's line in the history. */
    const beforeLine = { ...consumed };
    const send = async (command: { input: object }, ...rest: []) => {
      if (isLine(command)) Object.assign(beforeLine, consumed);
      const answer = await engine.dynamodb.send(command as ScanCommand, ...rest);
      const isRead = /^(Get|BatchGet|Query|Scan)/.test(command.constructor.name);
      for (const capacity of [answer.ConsumedCapacity ?? []].flat()) {
        const { TableName = "", CapacityUnits = 0 } = capacity;
        consumed[isRead ? "reads" : "writes"] += CapacityUnits;
        if (!isRead && !TableName.endsWith("-state")) consumed.rowWrites += CapacityUnits;
      }
      return answer;
    };
    const dynamodb = { send } as unknown as typeof engine.dynamodb;
    return { consumed, beforeLine, world: testWorld(engine, { dynamodb }) };
  }

  const isLine = (command: object) =>
    command instanceof PutItemCommand && command.input.Item?.sk?.S?.startsWith("run#");

  const bytesOf = (item: Item) =>
    Object.entries(item).reduce((sum, [name, { S = "" }]) => sum + name.length + S.length, 0);

  it("the write and read units of a run are those that DynamoDB reports and that the rows need", async () => {
    const row = (id: number, bytes: number) => ({ id: `r${id}`, text: "x".repeat(bytes) });
    // The rows need one, two or three units each.
    const rows = Array.from({ length: 120 }, (_, id) => row(id, 100 + (id % 3) * 1_200));
    const api = await openApi((request, response) => offsetPages(rows)(request, response));
    const deployment = await deploySource(engine, {
      client: { base_url: api.url },
      resources: [
        {
          ...{ name: "rows", primary_key: "id", write_disposition: "merge" as const },
          endpoint: { data_selector: "data", paginator: { type: "offset", limit: 50 } },
        },
      ],
    });
    const runOnce = async () => {
      const { consumed, beforeLine, world } = openAudit();
      const report = await deployment.run(world);
      expect(report).toMatchObject({ status: "done", records: 120 });
      const [run] = await readRuns(world, deployment.resourceRef);
      expect(run).toMatchObject({ write_units: beforeLine.writes, read_units: beforeLine.reads });
      // The line itself, a version of the schema and the lease come after it.
      expect(consumed.writes - beforeLine.writes).toBeLessThanOrEqual(5);
      return { consumed, run, report };
    };

    const { consumed, run, report } = await runOnce();
    const units = (await engine.scan(deployment.table)).map((item) =>
      Math.ceil(bytesOf(item) / 1024),
    );
    expect(new Set(units)).toEqual(new Set([1, 2, 3]));
    expect(consumed.rowWrites).toBe(units.reduce((sum, rowUnits) => sum + rowUnits, 0));
    // A run also writes its begin, and a checkpoint of one or two units after each page.
    expect(run?.write_units).toBeGreaterThan(consumed.rowWrites);
    expect(run?.write_units).toBeLessThanOrEqual(consumed.rowWrites + 4 + 2 * report.pages);

    await runOnce();
    rows.splice(7, 1, row(7, 3_000));
    await runOnce();
  });
});
