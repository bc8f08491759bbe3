import { firingsPerMonth, hoursPerMonth } from "../config/cadence.ts";
import type { SchedulePlan, SourcePlan } from "../config/plan-types.ts";
import type { Counts } from "./counts.ts";

/*
 * Costs in dollars: a run's from its use of AWS, a month's from the schedules. All functions are
 * pure.
 */

/** AWS's prices in dollars, before free tiers. */
export const prices = Object.freeze({
  /** No region is cheaper; some cost half as much again. */
  region: "us-east-1",
  /** The month in which the price pages below were last read. */
  as_of: "2026-11",
  // https://aws.amazon.com/dynamodb/pricing/on-demand/ since November 2024, standard table class:
  write_unit: 0.625e-6,
  read_unit: 0.125e-6,
  // https://aws.amazon.com/lambda/pricing/ on arm64:
  gb_second: 13.3334e-6,
  invocation: 0.2e-6,
  // https://aws.amazon.com/eventbridge/pricing/ for EventBridge Scheduler:
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

/** The size of a deployed stage, as packages/sst/src/monitoring.ts, packages/sst/src/pipeline.ts and metrics.ts make it. */
export const deployedSize = Object.freeze({
  alarmsPerSource: 5,
  alarmsPerStage: 2,
  metricsPerSource: 8,
  scheduleMb: 256,
});

/** Estimates of usage that no run records. */
const estimatedUsage = Object.freeze({
  workerLogBytes: 3_000, // per invocation: the report with its metrics, and Lambda's own lines
  scheduleLogBytes: 1_000,
  scheduleMs: 50, // the function is warm because the tick calls it every minute
});

/** The usage from which the cost of a run is calculated. */
type RunUsage = Pick<Counts, "write_units" | "read_units" | "worked_ms"> & { slices: number };

/** A run in a resource's history. */
type PastRun = RunUsage & { status: string };

/** Dollars by purpose. */
export interface RunCost {
  lambda: number;
  writes: number;
  reads: number;
  logs: number;
  total: number;
}

/** Calculates the cost of a run. Waits between slices are free. */
export function calculateRunCost(
  { write_units, read_units, worked_ms, slices }: RunUsage,
  memoryMb: number,
): RunCost {
  return withTotal({
    lambda: invocationCost(slices, memoryMb, worked_ms),
    writes: write_units * prices.write_unit,
    reads: read_units * prices.read_unit,
    logs: logCost(slices * estimatedUsage.workerLogBytes),
  });
}

/** The cost of a resource: of its usual run, and of a month. */
export interface ResourceCost {
  /** The number of successful runs that the estimate is based on. */
  runs: number;
  run: RunCost;
  month: RunCost;
}

/** The usual run is the median of so many recent runs, which leaves out a first load. */
const RECENT_RUNS = 10;

/** Estimates from a resource's history, newest first. A refresh counts as the most expensive run. */
function resourceCost(
  history: readonly PastRun[],
  { runs, refreshes }: Frequency,
  memoryMb: number,
): ResourceCost | null {
  const succeeded = history.filter(({ status }) => status === "done");
  const recent = sortedCosts(succeeded.slice(0, RECENT_RUNS), memoryMb);
  const usual = recent[Math.floor((recent.length - 1) / 2)];
  const highest = sortedCosts(succeeded, memoryMb).at(-1);
  if (!usual || !highest) return null;
  const month = addCosts(scaleCost(usual, runs), scaleCost(highest, refreshes));
  return { runs: recent.length, run: usual, month };
}

const sortedCosts = (runs: readonly PastRun[], memoryMb: number): RunCost[] =>
  runs.map((run) => calculateRunCost(run, memoryMb)).sort((a, b) => a.total - b.total);

/** The cost of a source, including the runs of its resources. */
export interface SourceCost {
  /** The firings of the schedule, which are counted even if it is disabled. */
  runs_per_month: number;
  refreshes_per_month: number;
  /** The cost of one run of each resource. */
  run: RunCost;
  month: ReturnType<typeof sourceMonth>;
  /** Ordered as in the plan. Null means that no run has succeeded yet. */
  resources: (ResourceCost | null)[];
}

interface Frequency {
  runs: number;
  refreshes: number;
}

/** Estimates from the resources' histories, ordered as in the plan, each with its newest run first. */
export function estimateSourceCost(
  plan: SourcePlan,
  histories: readonly (readonly PastRun[])[],
): SourceCost {
  const frequency = {
    runs: firingsOf(plan.schedule),
    refreshes: firingsOf(plan.fullRefreshSchedule),
  };
  const resources = histories.map((history) =>
    resourceCost(history, frequency, plan.function.memoryMb),
  );
  const estimated = resources.filter((resource) => resource !== null);
  const runs = estimated.map(({ run }) => run).reduce(addCosts, noCost);
  const months = estimated.map(({ month }) => month).reduce(addCosts, noCost);
  return {
    runs_per_month: frequency.runs,
    refreshes_per_month: frequency.refreshes,
    run: runs,
    month: sourceMonth(plan, frequency, months.total),
    resources,
  };
}

const firingsOf = (schedule: SchedulePlan | undefined): number =>
  schedule ? firingsPerMonth(schedule.expression) : 0;

const noCost: RunCost = { lambda: 0, writes: 0, reads: 0, logs: 0, total: 0 };

function sourceMonth(
  { secrets, resources }: SourcePlan,
  { runs, refreshes }: Frequency,
  costOfRuns: number,
) {
  const firings = runs + refreshes;
  const activeHours = Math.min(hoursPerMonth, firings);
  return withTotal({
    runs: costOfRuns,
    schedules: scheduleCost(firings),
    // An upper limit, because a warm worker keeps the secret for five minutes.
    secret:
      secrets.length === 0
        ? 0
        : prices.secret_month + firings * resources.length * prices.secret_read,
    metrics: deployedSize.metricsPerSource * prices.metric_month * (activeHours / hoursPerMonth),
    alarms: deployedSize.alarmsPerSource * prices.alarm_month,
  });
}

/** Calculates a stage's monthly cost without its sources. An account's first three dashboards are free. */
export function estimateStageMonth(plans: readonly SourcePlan[]) {
  const ticks = hoursPerMonth * 60;
  const resourceCount = plans.flatMap(({ resources }) => resources).length;
  return withTotal({
    tick: scheduleCost(ticks) + ticks * resourceCount * prices.read_unit,
    alarms: deployedSize.alarmsPerStage * prices.alarm_month,
    dashboard: prices.dashboard_month,
  });
}

/** The cost of the schedule function for this many firings of a schedule. */
const scheduleCost = (firings: number): number =>
  firings * prices.scheduled_call +
  invocationCost(firings, deployedSize.scheduleMb, firings * estimatedUsage.scheduleMs) +
  logCost(firings * estimatedUsage.scheduleLogBytes);

const invocationCost = (count: number, memoryMb: number, totalMs: number): number =>
  count * prices.invocation + (memoryMb / 1024) * (totalMs / 1000) * prices.gb_second;

const logCost = (bytes: number): number => (bytes / 1e9) * prices.log_gb;

const addCosts = (first: RunCost, second: RunCost): RunCost =>
  mapCost(first, (dollars, purpose) => dollars + second[purpose]);

const scaleCost = (cost: RunCost, factor: number): RunCost =>
  mapCost(cost, (dollars) => dollars * factor);

const mapCost = (
  cost: RunCost,
  change: (dollars: number, purpose: keyof RunCost) => number,
): RunCost => ({
  lambda: change(cost.lambda, "lambda"),
  writes: change(cost.writes, "writes"),
  reads: change(cost.reads, "reads"),
  logs: change(cost.logs, "logs"),
  total: change(cost.total, "total"),
});

function withTotal<Parts extends Record<string, number>>(parts: Parts): Parts & { total: number } {
  return { ...parts, total: Object.values(parts).reduce((sum, part) => sum + part, 0) };
}
