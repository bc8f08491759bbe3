import { readFileSync } from "node:fs";
import { join } from "node:path";
import { PutItemCommand, type ScanCommand } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { planSource } from "../../packages/core/src/config/plan.ts";
import { dlt, rest_api_source } from "../../packages/core/src/config/source.ts";
import type { SourceOptions } from "../../packages/core/src/config/types.ts";
import type { Item } from "../../packages/core/src/flow.ts";
import {
  deployedSize,
  prices,
  calculateRunCost,
  estimateSourceCost,
  estimateStageMonth,
} from "../../packages/core/src/report/costs.ts";
import { zeroCounts } from "../../packages/core/src/report/counts.ts";
import { sliceMetrics } from "../../packages/core/src/report/metrics.ts";
import type { ResourceReport } from "../../packages/core/src/report/types.ts";
import { readRuns } from "../../packages/core/src/state/history.ts";
import { offsetPages, openApi } from "../support/api.ts";
import { type Engine, startDynamodb } from "../support/dynamodb.ts";
import { deploy, testWorld } from "../support/world.ts";

const used = {
  ...{ status: "done", slices: 1, pages: 3, records: 250, written: 250, deleted: 0 },
  ...{ write_units: 258, read_units: 2.5, worked_ms: 1_000 },
};
const unused = { write_units: 0, read_units: 0, worked_ms: 0, slices: 0 };
/** Cheaper than `used`: most of it was there. */
const repeat = { ...used, written: 10, write_units: 18 };

const cents = (dollars: number) => Number(dollars.toPrecision(6));

describe("the cost of a run", () => {
  it.each([
    ["a million write units", { write_units: 1_000_000 }, 0.625],
    ["a million read units", { read_units: 1_000_000 }, 0.125],
    ["an hour of 1 GB", { worked_ms: 3_600_000 }, 0.0480002],
    ["a million invocations, with 3 GB of log", { slices: 1_000_000 }, 0.2 + 1.5],
    ["nothing", {}, 0],
  ])("%s", (_, some, dollars) => {
    expect(cents(calculateRunCost({ ...unused, ...some }, 1024).total)).toBe(dollars);
  });

  it("is told by what it is for", () => {
    const { total, ...parts } = calculateRunCost(used, 512);
    expect(Object.values(parts).every((part) => part > 0)).toBe(true);
    expect(total).toBeCloseTo(parts.lambda + parts.writes + parts.reads + parts.logs, 12);
  });

  it("grows with the worker's memory", () => {
    const lambda = (memoryMb: number) => calculateRunCost({ ...unused, worked_ms: 1_000 }, memoryMb).lambda;
    expect(lambda(1024)).toBeCloseTo(2 * lambda(512), 12);
  });
});

/** The plan of a source with this many resources. */
function planned(options: SourceOptions = {}, resources = 1) {
  const auth = { type: "bearer" as const, token: dlt.secrets["token"] };
  const names = Array.from({ length: resources }, (_, n) => `rows${n}`);
  const config = { client: { base_url: "https://api.acme.io", auth }, resources: names };
  return planSource(rest_api_source(config, options), "crm");
}

const hourly = planned({ schedule: "rate(1 hour)" });
const total = (history: (typeof used)[]) => calculateRunCost(history[0] ?? unused, 512).total;

describe("what a resource costs", () => {
  it("is what its usual run costs, as often as it is scheduled", () => {
    const [resource] = estimateSourceCost(hourly, [[used]]).resources;
    expect(resource?.run).toEqual(calculateRunCost(used, 512));
    expect(resource?.month.total).toBeCloseTo(730 * total([used]), 9);
  });

  it("takes the run in the middle of the last ten: a first load and an outlier are none", () => {
    const outlier = { ...used, worked_ms: 900_000 };
    const empty = { ...used, records: 0, written: 0, write_units: 4 };
    const [resource] = estimateSourceCost(hourly, [[repeat, outlier, empty, repeat, used]]).resources;
    expect(resource).toMatchObject({ runs: 5, run: calculateRunCost(repeat, 512) });
    // Of two the cheaper one: the other was the first load.
    expect(estimateSourceCost(hourly, [[repeat, used]]).resources[0]?.run).toEqual(calculateRunCost(repeat, 512));
    const older = Array.from({ length: 30 }, () => used);
    const recent = Array.from({ length: 10 }, () => repeat);
    const [other] = estimateSourceCost(hourly, [[...recent, ...older]]).resources;
    expect(other).toMatchObject({ runs: 10, run: calculateRunCost(repeat, 512) });
  });

  it("takes a scheduled refresh for as much as its dearest run", () => {
    const both = planned({ schedule: "rate(1 hour)", full_refresh_schedule: "rate(1 day)" });
    const [resource] = estimateSourceCost(both, [[repeat, repeat, used]]).resources;
    const refreshes = 730 / 24;
    const expected = 730 * total([repeat]) + refreshes * total([used]);
    expect(resource?.month.total).toBeCloseTo(expected, 9);
  });

  it("is not known before a run has succeeded", () => {
    const failed = { ...used, status: "failed" };
    expect(estimateSourceCost(hourly, [[failed]]).resources).toEqual([null]);
    expect(estimateSourceCost(hourly, [[]]).resources).toEqual([null]);
    expect(estimateSourceCost(hourly, [[failed, used]]).resources).toMatchObject([{ runs: 1 }]);
  });

  it("is nothing a month where no schedule starts it", () => {
    const { month } = estimateSourceCost(planned(), [[used]]);
    expect(month).toMatchObject({ runs: 0, schedules: 0, metrics: 0 });
  });
});

describe("what a source costs", () => {
  it("is the sum of its resources, and what it has in AWS", () => {
    const two = planned({ schedule: "rate(1 hour)" }, 2);
    const { month, run, ...cost } = estimateSourceCost(two, [[used], [used]]);
    expect(run.total).toBeCloseTo(2 * total([used]), 12);
    expect(month.runs).toBeCloseTo(730 * run.total, 9);
    expect(month.secret).toBeCloseTo(0.4 + 730 * 2 * 5e-6, 9);
    expect(month).toMatchObject({ metrics: 2.4, alarms: 0.5 });
    const { runs, schedules, secret, metrics, alarms } = month;
    expect(month.total).toBeCloseTo(runs + schedules + secret + metrics + alarms, 9);
    expect(cost).toMatchObject({ runs_per_month: 730, refreshes_per_month: 0 });
  });

  it("leaves out the resources of which nothing is known", () => {
    const two = planned({ schedule: "rate(1 hour)" }, 2);
    expect(estimateSourceCost(two, [[used], []]).run).toEqual(estimateSourceCost(hourly, [[used]]).run);
  });

  it("has metrics for the hours in which something ran", () => {
    const metrics = (expression: string) =>
      estimateSourceCost(planned({ schedule: expression }), [[used]]).month.metrics;
    expect(metrics("rate(1 minute)")).toBe(2.4);
    expect(metrics("rate(1 day)")).toBeCloseTo(2.4 / 24, 9);
  });
});

describe("what is counted of a stage", () => {
  it("is the tick, its alarms and a dashboard", () => {
    const { tick, alarms, dashboard, total } = estimateStageMonth([hourly]);
    expect(tick).toBeGreaterThan(43_800 * (prices.scheduled_call + prices.invocation));
    expect({ alarms, dashboard }).toEqual({ alarms: 0.2, dashboard: 3 });
    expect(total).toBeCloseTo(tick + alarms + dashboard, 12);
    expect(estimateStageMonth([hourly, hourly]).tick).toBeGreaterThan(tick);
  });

  it("has as many metrics as a run counts", () => {
    const report = { ...zeroCounts(), slice: zeroCounts(), status: "done" } as ResourceReport;
    const line = sliceMetrics({ app: "a", stage: "s" }, report, 0) as {
      _aws: { CloudWatchMetrics: { Dimensions: string[][]; Metrics: object[] }[] };
    };
    const counted = line._aws.CloudWatchMetrics.flatMap(({ Dimensions, Metrics }) =>
      Dimensions.flatMap(() => Metrics),
    );
    expect(counted).toHaveLength(deployedSize.metricsPerSource);
  });

  it("has the alarms and the memory that the stacks ask for", () => {
    const read = (name: string) =>
      readFileSync(join(import.meta.dirname, "../../stacks", name), "utf8");
    const [ofStage = "", ofSource = ""] = read("monitoring.ts").split("function alarmsOf");
    expect(ofStage.match(/says: /g)).toHaveLength(deployedSize.alarmsPerStage);
    expect(ofSource.match(/says: /g)).toHaveLength(deployedSize.alarmsPerSource);
    expect(read("pipeline.ts")).toContain(`memory: "${deployedSize.scheduleMb} MB"`);
  });
});

describe("the units in the history of a run", () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await startDynamodb();
  });
  afterAll(() => engine.close());

  /** The engine's client, which adds up what its answers say was consumed. */
  function audited() {
    const told = { reads: 0, writes: 0, rowWrites: 0 };
    /** What it was when the history's line was written. */
    const atLine = { ...told };
    const send = async (command: { input: object }, ...rest: []) => {
      if (isLine(command)) Object.assign(atLine, told);
      const answer = await engine.dynamodb.send(command as ScanCommand, ...rest);
      const isRead = /^(Get|BatchGet|Query|Scan)/.test(command.constructor.name);
      for (const one of [answer.ConsumedCapacity ?? []].flat()) {
        const { TableName = "", CapacityUnits = 0 } = one;
        told[isRead ? "reads" : "writes"] += CapacityUnits;
        if (!isRead && !TableName.endsWith("-state")) told.rowWrites += CapacityUnits;
      }
      return answer;
    };
    const dynamodb = { send } as unknown as typeof engine.dynamodb;
    return { told, atLine, world: testWorld(engine, { dynamodb }) };
  }

  const isLine = (command: object) =>
    command instanceof PutItemCommand && command.input.Item?.sk?.S?.startsWith("run#");

  const bytesOf = (item: Item) =>
    Object.entries(item).reduce((sum, [name, { S = "" }]) => sum + name.length + S.length, 0);

  it("are those that the engine has told, and those of what is in the tables", async () => {
    const row = (id: number, bytes: number) => ({ id: `r${id}`, text: "x".repeat(bytes) });
    // Of one, two and three units.
    const rows = Array.from({ length: 120 }, (_, id) => row(id, 100 + (id % 3) * 1_200));
    const api = await openApi((request, response) => offsetPages(rows)(request, response));
    const deployment = await deploy(engine, {
      client: { base_url: api.url },
      resources: [
        {
          ...{ name: "rows", primary_key: "id", write_disposition: "merge" as const },
          endpoint: { data_selector: "data", paginator: { type: "offset", limit: 50 } },
        },
      ],
    });
    const runOnce = async () => {
      const { told, atLine, world } = audited();
      const report = await deployment.run(world);
      expect(report).toMatchObject({ status: "done", records: 120 });
      const [run] = await readRuns(world, deployment.resourceRef);
      expect(run).toMatchObject({ write_units: atLine.writes, read_units: atLine.reads });
      // The line itself, a version of the schema and the lease come after it.
      expect(told.writes - atLine.writes).toBeLessThanOrEqual(5);
      return { told, run, report };
    };

    const { told, run, report } = await runOnce();
    const units = (await engine.scan(deployment.table)).map((item) =>
      Math.ceil(bytesOf(item) / 1024),
    );
    expect(new Set(units)).toEqual(new Set([1, 2, 3]));
    expect(told.rowWrites).toBe(units.reduce((sum, one) => sum + one, 0));
    // Beside its rows a run writes its begin, and a checkpoint of one or two units behind each page.
    expect(run?.write_units).toBeGreaterThan(told.rowWrites);
    expect(run?.write_units).toBeLessThanOrEqual(told.rowWrites + 4 + 2 * report.pages);

    await runOnce();
    rows.splice(7, 1, row(7, 3_000));
    await runOnce();
  });
});
