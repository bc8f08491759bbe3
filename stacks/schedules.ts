import type { SchedulePlan, SourcePlan } from "@tidetable/core";
import type { pipeline } from "./pipeline";
import type { storage } from "./storage";

/** Calls the schedule function as each source asks for, and every minute for what is unfinished. */
export function schedules(
  plans: SourcePlan[],
  { tables, state }: ReturnType<typeof storage>,
  { schedule, workers }: ReturnType<typeof pipeline>,
) {
  // No run starts before what it needs is there.
  const dependsOn = [
    ...[...tables, state].map(({ nodes }) => nodes.table),
    ...workers.map(({ nodes }) => nodes.function),
  ];
  for (const { name: source, schedule: usual, fullRefreshSchedule, isExample } of plans) {
    const every = (name: string, plan: SchedulePlan | undefined, event: object) => {
      if (!plan) return;
      new sst.aws.CronV2(
        name,
        {
          function: schedule,
          schedule: plan.expression as `rate(${string})`,
          ...(plan.timezone ? { timezone: plan.timezone as "UTC" } : {}),
          enabled: plan.enabled && !isExample,
          event: { ...event, time: "<aws.scheduler.scheduled-time>" },
          retries: 3,
        },
        { dependsOn },
      );
    };
    every(`schedule-${source}`, usual, { source });
    const refresh = { source, full_refresh: true, confirm: source };
    every(`refresh-${source}`, fullRefreshSchedule, refresh);
  }
  // Goes on with runs that are longer than a function may take, that wait, or whose worker died.
  new sst.aws.CronV2(
    "resume",
    {
      function: schedule,
      schedule: "rate(1 minute)",
      event: { resume: true },
      retries: 0, // the next minute is soon enough
    },
    { dependsOn },
  );
}
