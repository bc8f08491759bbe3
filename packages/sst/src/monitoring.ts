import { type SourcePlan, workerFunctionName } from "@tidetable/core";
import { alarmEmails } from "@tidetable/sources";
import { type Alarm, createAlarm, createMailTopic } from "./alarms.ts";
import { createDashboard } from "./dashboard.ts";
import type { StageLocation } from "./permissions.ts";
import type { createPipeline } from "./pipeline.ts";
import { names } from "./plans.ts";

const MINUTES = 60;
const HOURS = 60 * MINUTES;

/** Creates the alarms, a dashboard that shows the alarms, and a topic for mail about the alarms. */
export function createMonitoring(
  plans: SourcePlan[],
  { schedule, failures }: ReturnType<typeof createPipeline>,
  location: StageLocation,
) {
  const topic = alarmEmails.length > 0 ? createMailTopic(alarmEmails) : undefined;
  const stageAlarms: Alarm[] = [
    {
      name: "failure-queue",
      description: "Events whose worker has failed three times wait in the failure queue",
      namespace: "AWS/SQS",
      metric: "ApproximateNumberOfMessagesVisible",
      dimensions: { QueueName: failures.nodes.queue.name },
      statistic: "Maximum",
      threshold: 0,
      period: 5 * MINUTES,
    },
    {
      name: "schedule-errors",
      description: "The schedule function fails, so that runs may not start",
      namespace: "AWS/Lambda",
      metric: "Errors",
      dimensions: { FunctionName: schedule.name },
      statistic: "Sum",
      threshold: 0,
      period: 5 * MINUTES,
    },
  ];
  const alarms = [...stageAlarms, ...plans.flatMap(({ name }) => sourceAlarms(name))];
  createDashboard(
    alarms.map((alarm) => createAlarm(alarm, topic)),
    location,
  );
}

/** Core's metrics.ts counts the metrics of the namespace `tidetable`. */
function sourceAlarms(source: string): Alarm[] {
  const forMetric = (metric: string) => ({
    name: `${source}-${metric}`,
    namespace: "tidetable",
    metric,
    dimensions: { ...names, source },
    statistic: "Sum" as const,
    period: 5 * MINUTES,
  });
  return [
    { ...forMetric("failed"), description: `A run of ${source} failed`, threshold: 0 },
    {
      ...forMetric("staleness"),
      description: `A resource of ${source} has not succeeded for two intervals of its schedule`,
      statistic: "Maximum",
      threshold: 2,
    },
    {
      ...forMetric("quarantined"),
      description: `Records of ${source} were set aside`,
      threshold: 0,
      period: 1 * HOURS,
    },
    {
      ...forMetric("throttled"),
      description: `DynamoDB throttles the writes of ${source}`,
      threshold: 100, // DynamoDB throttles a growing table a little, and the retries cope with it
    },
    {
      ...forMetric("worker-throttles"),
      description: `Lambda has throttled the worker of ${source} for a quarter of an hour`,
      namespace: "AWS/Lambda",
      metric: "Throttles",
      dimensions: { FunctionName: workerFunctionName(names, source) },
      threshold: 0,
      periods: 3,
    },
  ];
}
