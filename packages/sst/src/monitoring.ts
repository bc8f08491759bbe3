import { type Names, workerFunctionName } from "@tidetable/core/plan";
import { type Alarm, createAlarm, openTopic } from "./alarms.ts";
import { createDashboard } from "./dashboard.ts";
import type { createPipeline } from "./pipeline.ts";
import type { Stage } from "./stage.ts";

const MINUTES = 60;
const HOURS = 60 * MINUTES;

/** Creates the alarms, a dashboard that shows the alarms, and a topic for mail about the alarms. */
export function createMonitoring(
  stage: Stage,
  { schedule, failures }: ReturnType<typeof createPipeline>,
) {
  const { plans, names } = stage;
  const topic = openTopic(stage);
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
  const alarms = [...stageAlarms, ...plans.flatMap(({ name }) => sourceAlarms(name, names))].map(
    (alarm) => createAlarm(alarm, stage, topic),
  );
  return { alarms, dashboard: createDashboard(alarms, stage) };
}

/** Core's metrics.ts counts the metrics of the namespace `tidetable`. */
function sourceAlarms(source: string, names: Names): Alarm[] {
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
