import { type SourcePlan, workerFunctionName } from "@tidetable/core";
import { alarmEmails } from "@tidetable/sources";
import { type Alarm, declare, mailTo } from "./alarms";
import { dashboard } from "./dashboard";
import type { Place } from "./permissions";
import type { pipeline } from "./pipeline";
import { names } from "./plans";

const minutes = 60;
const hours = 60 * minutes;

/** The alarms, a dashboard that shows them, and a topic for those who want mail. */
export function monitoring(
  plans: SourcePlan[],
  { schedule, failures }: ReturnType<typeof pipeline>,
  place: Place,
) {
  const topic = alarmEmails.length > 0 ? mailTo(alarmEmails) : undefined;
  const wanted: Alarm[] = [
    {
      name: "failure-queue",
      says: "Events whose worker has failed three times wait in the failure queue",
      namespace: "AWS/SQS",
      metric: "ApproximateNumberOfMessagesVisible",
      dimensions: { QueueName: failures.nodes.queue.name },
      statistic: "Maximum",
      above: 0,
      period: 5 * minutes,
    },
    {
      name: "schedule-errors",
      says: "The schedule function fails, so that runs may not start",
      namespace: "AWS/Lambda",
      metric: "Errors",
      dimensions: { FunctionName: schedule.name },
      statistic: "Sum",
      above: 0,
      period: 5 * minutes,
    },
    ...plans.flatMap(({ name }) => alarmsOf(name)),
  ];
  const alarms = wanted.map((alarm) => declare(alarm, topic));
  dashboard(alarms, place);
}

/** The metrics of the namespace `tidetable` are those of core's metrics.ts. */
function alarmsOf(source: string): Alarm[] {
  const counted = (metric: string) => ({
    name: `${source}-${metric}`,
    namespace: "tidetable",
    metric,
    dimensions: { ...names, source },
    statistic: "Sum" as const,
    period: 5 * minutes,
  });
  return [
    { ...counted("failed"), says: `A run of ${source} failed`, above: 0 },
    {
      ...counted("staleness"),
      says: `A resource of ${source} has not succeeded for two intervals of its schedule`,
      statistic: "Maximum",
      above: 2,
    },
    {
      ...counted("quarantined"),
      says: `Records of ${source} were set aside`,
      above: 0,
      period: 1 * hours,
    },
    {
      ...counted("throttled"),
      says: `DynamoDB throttles the writes of ${source}`,
      above: 100, // a table that is growing throttles some, which the retries bear
    },
    {
      ...counted("worker-throttles"),
      says: `Lambda has throttled the worker of ${source} for a quarter of an hour`,
      namespace: "AWS/Lambda",
      metric: "Throttles",
      dimensions: { FunctionName: workerFunctionName(names, source) },
      above: 0,
      periods: 3,
    },
  ];
}
