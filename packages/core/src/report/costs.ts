import { CHECKPOINT_MS } from "../base/timing.ts";
import { firingsPerMonth, monthHours } from "../config/cadence.ts";
import type { SchedulePlan, SourcePlan } from "../config/plan-types.ts";
import type { Counts } from "./counts.ts";

/*
 * Dollars: of a run from what it has used, of a month from the schedules. Everything here is pure.
 */

/** What AWS asks for, in dollars, before free tiers. */
export const prices = Object.freeze({
  /** No region is cheaper, some take half as much again. */
  region: "us-east-1",
  /** When these pages were last read. */
  as_of: "2026-11",
  // https://aws.amazon.com/dynamodb/pricing/on-demand/ since November 2024, standard table class:
  write_unit: 0.625e-6,
  read_unit: 0.125e-6,
  // https://aws.amazon.com/lambda/pricing/ on arm64:
  gb_second: 13.3334e-6,
  invocation: 0.2e-6,
  // https://aws.amazon.com/eventbridge/pricing/ of its Scheduler:
  scheduled_call: 1e-6,
  // https://aws.amazon.com/secrets-manager/pricing/
  secret_month: 0.4,
  secret_read: 5e-6,
  // https://aws.amazon.com/cloudwatch/pricing/ A metric is paid for the hours in which it has data.
  log_gb: 0.5,
  metric_month: 0.3,
  alarm_month: 0.1,
  dashboard_month: 3,
});

/** What a stage has of each: stacks/monitoring.ts, stacks/pipeline.ts and metrics.ts say the same. */
export const deployed = Object.freeze({
  alarmsPerSource: 5,
  alarmsPerStage: 2,
  metricsPerSource: 8,
  scheduleMb: 256,
});

/** What no run tells. */
const assumed = Object.freeze({
  workerLogBytes: 3_000, // of an invocation: its report with its metrics, and Lambda's own lines
  scheduleLogBytes: 1_000,
  scheduleMs: 50, // it is warm, since the tick comes every minute
});

/** The loop that many begin with: ask for a page, put its records 25 at once, one batch after the other. */
const naive = Object.freeze({
  pageMs: 100,
  batchMs: 10,
  batch: 25,
  recordMs: 0.25, // of CPU, with the SDK as it comes: docs/performance.md
});

/** What the estimate takes from the history of a run. */
type UsedByRun = Pick<
  Counts,
  "pages" | "records" | "written" | "deleted" | "write_units" | "read_units" | "worked_ms"
> & { status: string; slices: number };

type Used = Pick<UsedByRun, "write_units" | "read_units" | "worked_ms" | "slices">;

/** Dollars by what they are for. */
export interface RunCost {
  lambda: number;
  writes: number;
  reads: number;
  logs: number;
  total: number;
}

/** What a run costs. Waits between its slices are free. */
export function runCost(
  { write_units, read_units, worked_ms, slices }: Used,
  memoryMb: number,
): RunCost {
  return withTotal({
    lambda: calls(slices, memoryMb, worked_ms),
    writes: write_units * prices.write_unit,
    reads: read_units * prices.read_unit,
    logs: logged(slices * assumed.workerLogBytes),
  });
}

/** What a resource costs: as it is, and as a naive loop would. */
export interface ResourceCost {
  /** So many runs that succeeded are behind it. */
  runs: number;
  run: RunCost;
  month: RunCost;
  naive: { run: RunCost; month: RunCost };
}

/** A usual run is the one in the middle of so many: a first load is none. */
const RECENT = 10;

/** From its history, newest first. A refresh is taken for as much as the dearest run. */
function resourceCost(
  history: readonly UsedByRun[],
  { runs, refreshes }: Frequency,
  memoryMb: number,
): ResourceCost | null {
  const succeeded = history.filter(({ status }) => status === "done");
  const recent = byCost(succeeded.slice(0, RECENT), memoryMb);
  const usual = recent[Math.floor((recent.length - 1) / 2)];
  const dearest = byCost(succeeded, memoryMb).at(-1);
  if (!usual || !dearest) return null;

  const rowUnits = unitsOfRow(succeeded);
  const costs = (cost: (run: UsedByRun) => RunCost) => ({
    run: cost(usual),
    month: plus(times(cost(usual), runs), times(cost(dearest), refreshes)),
  });
  return {
    runs: recent.length,
    ...costs((run) => runCost(run, memoryMb)),
    naive: costs((run) => naiveCost(run, memoryMb, rowUnits)),
  };
}

const byCost = (runs: readonly UsedByRun[], memoryMb: number) =>
  runs.toSorted((a, b) => runCost(a, memoryMb).total - runCost(b, memoryMb).total);

/** It puts whatever it reads, reads no table and keeps no state, and waits for the same API. */
function naiveCost(run: UsedByRun, memoryMb: number, rowUnits: number): RunCost {
  const { pages, records, slices } = run;
  const loopMs =
    pages * naive.pageMs +
    Math.ceil(records / naive.batch) * naive.batchMs +
    records * naive.recordMs;
  const worked_ms = Math.max(run.worked_ms, loopMs);
  return runCost({ write_units: records * rowUnits, read_units: 0, worked_ms, slices }, memoryMb);
}

/** Write units of a row, by the run that wrote most, without what runs write of themselves. */
function unitsOfRow(runs: readonly UsedByRun[]): number {
  const rows = ({ written, deleted }: UsedByRun) => written + deleted;
  const most = runs.reduce((a, b) => (rows(b) > rows(a) ? b : a));
  // Now and then, and at the end of each slice.
  const checkpoints = Math.min(most.pages, 1 + most.slices + most.worked_ms / CHECKPOINT_MS);
  const ownUnits = 2 + 2 * checkpoints; // its begin, too
  return rows(most) === 0 ? 1 : Math.max(1, (most.write_units - ownUnits) / rows(most));
}

/** What a source costs, runs of its resources included. */
export interface SourceCost {
  /** How often its schedules fire, whether they are on or not. */
  runs_per_month: number;
  refreshes_per_month: number;
  /** One of each of its resources. */
  run: RunCost;
  month: ReturnType<typeof sourceMonth>;
  naive: { run: RunCost; month: RunCost };
  /** In the order of the plan. Null: nothing has succeeded yet, so that there is nothing to go by. */
  resources: (ResourceCost | null)[];
}

interface Frequency {
  runs: number;
  refreshes: number;
}

/** From the histories of its resources, in the order of the plan, each with the newest run first. */
export function sourceCost(
  plan: SourcePlan,
  histories: readonly (readonly UsedByRun[])[],
): SourceCost {
  const frequency = {
    runs: perMonth(plan.schedule),
    refreshes: perMonth(plan.fullRefreshSchedule),
  };
  const resources = histories.map((history) =>
    resourceCost(history, frequency, plan.function.memoryMb),
  );
  const known = resources.filter((resource) => resource !== null);
  const sum = (of: (resource: ResourceCost) => RunCost) =>
    known.map(of).reduce(plus, runCost(nothing, 0));
  return {
    runs_per_month: frequency.runs,
    refreshes_per_month: frequency.refreshes,
    run: sum(({ run }) => run),
    month: sourceMonth(plan, frequency, sum(({ month }) => month).total),
    naive: { run: sum(({ naive }) => naive.run), month: sum(({ naive }) => naive.month) },
    resources,
  };
}

const perMonth = (schedule: SchedulePlan | undefined): number =>
  schedule ? firingsPerMonth(schedule.expression) : 0;

const nothing: Used = { write_units: 0, read_units: 0, worked_ms: 0, slices: 0 };

function sourceMonth(
  { secrets, resources }: SourcePlan,
  { runs: usual, refreshes }: Frequency,
  runs: number,
) {
  const firings = usual + refreshes;
  const hours = Math.min(monthHours, firings);
  return withTotal({
    runs,
    schedules: scheduled(firings),
    // At most: a worker that is warm remembers it for five minutes.
    secret:
      secrets.length === 0
        ? 0
        : prices.secret_month + firings * resources.length * prices.secret_read,
    metrics: deployed.metricsPerSource * prices.metric_month * (hours / monthHours),
    alarms: deployed.alarmsPerSource * prices.alarm_month,
  });
}

/** What a stage costs beside its sources. Three dashboards of an account are free. */
export function stageMonth(plans: readonly SourcePlan[]) {
  const ticks = monthHours * 60;
  const states = plans.flatMap(({ resources }) => resources).length;
  return withTotal({
    tick: scheduled(ticks) + ticks * states * prices.read_unit,
    alarms: deployed.alarmsPerStage * prices.alarm_month,
    dashboard: prices.dashboard_month,
  });
}

/** Calls of the schedule function by a schedule. */
const scheduled = (firings: number): number =>
  firings * prices.scheduled_call +
  calls(firings, deployed.scheduleMb, firings * assumed.scheduleMs) +
  logged(firings * assumed.scheduleLogBytes);

const calls = (count: number, memoryMb: number, ms: number): number =>
  count * prices.invocation + (memoryMb / 1024) * (ms / 1000) * prices.gb_second;

const logged = (bytes: number): number => (bytes / 1e9) * prices.log_gb;

const plus = (a: RunCost, b: RunCost): RunCost => map(a, (value, name) => value + b[name]);

const times = (cost: RunCost, count: number): RunCost => map(cost, (value) => value * count);

const map = (cost: RunCost, change: (value: number, name: keyof RunCost) => number): RunCost => ({
  lambda: change(cost.lambda, "lambda"),
  writes: change(cost.writes, "writes"),
  reads: change(cost.reads, "reads"),
  logs: change(cost.logs, "logs"),
  total: change(cost.total, "total"),
});

function withTotal<Parts extends Record<string, number>>(parts: Parts): Parts & { total: number } {
  return { ...parts, total: Object.values(parts).reduce((sum, part) => sum + part, 0) };
}
