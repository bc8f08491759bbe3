import type { SchedulePlan, SourcePlan } from "@tidetable/core";
import type { createPipeline } from "./pipeline.ts";
import type { createStorage } from "./storage.ts";

/** Calls the schedule function for each source on time, and every minute for unfinished runs. */
export function createSchedules(
  plans: SourcePlan[],
  { tables, state }: ReturnType<typeof createStorage>,
  { schedule: scheduleFunction, workers }: ReturnType<typeof createPipeline>,
) {
  // No run may start before its tables and its worker exist.
  const dependsOn = [
    ...[...tables, state].map(({ nodes }) => nodes.table),
    ...workers.map(({ nodes }) => nodes.function),
  ];
  const createSchedule = (
    name: string,
    schedule: SchedulePlan | undefined,
    isExample: boolean,
    event: object,
  ) => {
    if (!schedule) return;
    new sst.aws.CronV2(
      name,
      {
        function: scheduleFunction,
        schedule: schedule.expression as `rate(${string})`,
        ...(schedule.timezone ? { timezone: schedule.timezone as "UTC" } : {}),
        enabled: schedule.enabled && !isExample,
        event: { ...event, time: "<aws.scheduler.scheduled-time>" },
        retries: 3,
      },
      { dependsOn },
    );
  };
  for (const { name: source, schedule, fullRefreshSchedule, isExample } of plans) {
    createSchedule(`schedule-${source}`, schedule, isExample, { source });
    const refresh = { source, full_refresh: true, confirm: source };
    createSchedule(`refresh-${source}`, fullRefreshSchedule, isExample, refresh);
  }
  // The tick continues runs that take longer than one invocation, that wait, or whose worker died.
  new sst.aws.CronV2(
    "resume",
    {
      function: scheduleFunction,
      schedule: "rate(1 minute)",
      event: { resume: true },
      retries: 0, // the next minute is soon enough
    },
    { dependsOn },
  );
}
