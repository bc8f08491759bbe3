import type { SchedulePlan } from "@tidetable/core/plan";
import type { createPipeline } from "./pipeline.ts";
import type { Stage } from "./stage.ts";
import type { createStorage } from "./storage.ts";

/** Calls the schedule function for each source on time, and every minute for unfinished runs. */
export function createSchedules(
  { plans, optionsOf }: Stage,
  { tables, state }: ReturnType<typeof createStorage>,
  { schedule: scheduleFunction, workers }: ReturnType<typeof createPipeline>,
) {
  // No run may start before its tables and its worker exist.
  const dependsOn = [
    ...[...tables, state].map(({ nodes }) => nodes.table),
    ...workers.map(({ nodes }) => nodes.function),
  ];
  const createCron = (name: string, args: Omit<sst.aws.CronV2Args, "function">) => {
    const part = optionsOf(name);
    new sst.aws.CronV2(
      part.name,
      { ...args, function: scheduleFunction },
      { ...part.opts, dependsOn },
    );
  };
  const createSchedule = (
    name: string,
    schedule: SchedulePlan | undefined,
    isExample: boolean,
    event: object,
  ) => {
    if (!schedule) return;
    createCron(name, {
      schedule: schedule.expression as `rate(${string})`,
      ...(schedule.timezone ? { timezone: schedule.timezone as "UTC" } : {}),
      enabled: schedule.enabled && !isExample,
      event: { ...event, time: "<aws.scheduler.scheduled-time>" },
      retries: 3,
    });
  };
  for (const { name: source, schedule, fullRefreshSchedule, isExample } of plans) {
    createSchedule(`schedule-${source}`, schedule, isExample, { source });
    const refresh = { source, full_refresh: true, confirm: source };
    createSchedule(`refresh-${source}`, fullRefreshSchedule, isExample, refresh);
  }
  // The tick continues runs that take longer than one invocation, that wait, or whose worker died.
  createCron("resume", {
    schedule: "rate(1 minute)",
    event: { resume: true },
    retries: 0, // the next minute is soon enough
  });
}
