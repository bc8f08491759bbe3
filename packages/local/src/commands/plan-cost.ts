import {
  prices,
  readRuns,
  type SourceCost,
  type SourcePlan,
  sourceCost,
  stageMonth,
} from "@tidetable/core";
import type { Options } from "../options.ts";
import { dollars, table } from "../render.ts";
import { openSession, orNothing } from "../session.ts";

/** What `plan --cost` adds. */
export interface Cost {
  sources: Map<SourcePlan, SourceCost>;
  stage: {
    /** Beside the sources. */
    month: ReturnType<typeof stageMonth>;
    /** All of it. */
    total: number;
    prices: typeof prices;
  };
}

/** From the run history, here or of a stage. */
export async function costOf(plans: SourcePlan[], options: Options): Promise<Cost> {
  const session = await openSession(options);
  try {
    const sources = await Promise.all(
      plans.map(async (plan) => {
        const histories = plan.resources.map(({ source, name: resource }) =>
          orNothing(readRuns(session, { source, resource })).then((runs) => runs ?? []),
        );
        return [plan, sourceCost(plan, await Promise.all(histories))] as const;
      }),
    );
    const month = stageMonth(plans);
    const total = sources.reduce((sum, [, source]) => sum + source.month.total, month.total);
    return { sources: new Map(sources), stage: { month, total, prices } };
  } finally {
    await session.close();
  }
}

/** A table of the runs, one of the months, and what is not in them. */
export function costText({ sources, stage }: Cost): string {
  const all = [...sources];
  const runs = all.flatMap(([plan, cost]) => {
    const rows = plan.resources.flatMap(({ name }, i) => {
      const one = cost.resources[i];
      return one ? [[`${plan.name}.${name}`, ...cells(one, one.month.total)]] : [];
    });
    return rows.length < 2 ? rows : [...rows, [plan.name, ...cells(cost, cost.month.runs)]];
  });
  const silent = all.flatMap(([plan, { resources }]) =>
    plan.resources.filter((_, i) => !resources[i]).map(({ name }) => `${plan.name}.${name}`),
  );
  const months = all.map(([plan, { month, resources, ...times }]) => [
    plan.name,
    Math.round(times.runs_per_month + times.refreshes_per_month),
    resources.some(Boolean) ? dollars(month.runs) : "-",
    ...[month.schedules, month.secret, month.metrics, month.alarms, month.total].map(dollars),
  ]);
  const { tick, alarms, dashboard } = stage.month;
  return [
    `dollars in ${prices.region}, by the prices of ${prices.as_of} and before free tiers\n\n`,
    runs.length > 0
      ? table(
          ["a run", "lambda", "writes", "reads", "logs", "total", "naive", "a month", "naive"],
          runs,
        )
      : "",
    ...silent.map((name) => `${name}: no run has succeeded yet, so nothing is estimated\n`),
    "\n",
    table(
      ["a month", "starts", "runs", "schedules", "secret", "metrics", "alarms", "total"],
      months,
    ),
    `the stage: tick ${dollars(tick)}, alarms ${dollars(alarms)}, dashboard ${dollars(dashboard)} (an account's first three are free)\n`,
    `in total: ${dollars(stage.total)} a month, and what the tables hold ($0.25 per GB), which is left out\n`,
  ].join("");
}

const cells = ({ run, naive }: Pick<SourceCost, "run" | "naive">, month: number): string[] =>
  [run.lambda, run.writes, run.reads, run.logs, run.total, naive.run.total]
    .concat(month, naive.month.total)
    .map(dollars);
