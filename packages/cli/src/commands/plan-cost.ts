import {
  estimateSourceCost,
  estimateStageMonth,
  prices,
  readRuns,
  refOf,
  type SourceCost,
} from "@tidetable/core/internal";
import type { SourcePlan } from "@tidetable/core/plan";
import type { Options } from "../base/options.ts";
import { formatDollars, formatTable } from "../output/render.ts";
import { openSession, readIfPresent } from "../session/session.ts";

/** The estimates of `plan --cost`. */
export interface PlanCost {
  sources: Map<SourcePlan, SourceCost>;
  stage: {
    /** The costs of the stage that belong to no source. */
    month: ReturnType<typeof estimateStageMonth>;
    /** The sum of the stage and its sources. */
    total: number;
    prices: typeof prices;
  };
}

/** Estimates costs from the run history of local mode or of a stage. */
export async function estimateCost(plans: SourcePlan[], options: Options): Promise<PlanCost> {
  const session = await openSession(options);
  try {
    const sources = await Promise.all(
      plans.map(async (plan) => {
        const histories = plan.resources.map(async (resource) => {
          return (await readIfPresent(readRuns(session, refOf(resource)))) ?? [];
        });
        return [plan, estimateSourceCost(plan, await Promise.all(histories))] as const;
      }),
    );
    const month = estimateStageMonth(plans);
    const total = sources.reduce((sum, [, cost]) => sum + cost.month.total, month.total);
    return { sources: new Map(sources), stage: { month, total, prices } };
  } finally {
    await session.close();
  }
}

/** Prints the costs of runs, the costs of months, and the costs missing in both tables. */
export function costText({ sources, stage }: PlanCost): string {
  const costs = [...sources];
  const runRows = costs.flatMap(([plan, cost]) => sourceRunRows(plan, cost));
  const unestimated = costs.flatMap(([plan, { resources }]) =>
    plan.resources.filter((_, i) => !resources[i]).map(({ name }) => `${plan.name}.${name}`),
  );
  const monthRows = costs.map(([plan, cost]) => sourceMonthRow(plan, cost));
  const { tick, alarms, dashboard } = stage.month;
  return [
    `dollars in ${prices.region}, by the prices of ${prices.as_of} and before free tiers\n\n`,
    runRows.length > 0
      ? formatTable(["a run", "lambda", "writes", "reads", "logs", "total", "a month"], runRows)
      : "",
    ...unestimated.map((name) => `${name}: no run has succeeded yet, so nothing is estimated\n`),
    "\n",
    formatTable(
      ["a month", "starts", "runs", "schedules", "secret", "metrics", "alarms", "total"],
      monthRows,
    ),
    `the stage: tick ${formatDollars(tick)}, alarms ${formatDollars(alarms)}, dashboard ${formatDollars(dashboard)} (an account's first three are free)\n`,
    `in total: ${formatDollars(stage.total)} a month, and what the tables hold ($0.25 per GB), which is left out\n`,
  ].join("");
}

/** A row for each estimated resource, and a sum after several rows. */
function sourceRunRows(plan: SourcePlan, cost: SourceCost): string[][] {
  const rows = plan.resources.flatMap(({ name }, i) => {
    const resource = cost.resources[i];
    if (!resource) return [];
    return [[`${plan.name}.${name}`, ...costCells(resource, resource.month.total)]];
  });
  return rows.length < 2 ? rows : [...rows, [plan.name, ...costCells(cost, cost.month.runs)]];
}

const costCells = ({ run }: Pick<SourceCost, "run">, month: number): string[] =>
  [run.lambda, run.writes, run.reads, run.logs, run.total, month].map(formatDollars);

function sourceMonthRow(plan: SourcePlan, cost: SourceCost): (string | number)[] {
  const { month, resources, runs_per_month, refreshes_per_month } = cost;
  return [
    plan.name,
    Math.round(runs_per_month + refreshes_per_month),
    resources.some(Boolean) ? formatDollars(month.runs) : "-",
    ...[month.schedules, month.secret, month.metrics, month.alarms, month.total].map(formatDollars),
  ];
}
