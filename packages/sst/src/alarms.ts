import { names } from "./plans.ts";

export interface Alarm {
  name: string;
  /** Says what has happened, for the person who gets the mail. */
  description: string;
  namespace: string;
  metric: string;
  dimensions: Record<string, $util.Input<string>>;
  statistic: "Sum" | "Maximum";
  threshold: number;
  /** Seconds. */
  period: number;
  /** The number of periods in a row that have to be above the threshold. Default: 1. */
  periods?: number;
}

export function createAlarm(
  { name, description, metric, periods = 1, ...settings }: Alarm,
  topic: aws.sns.Topic | undefined,
) {
  return new aws.cloudwatch.MetricAlarm(`alarm-${name}`, {
    name: physicalName(name),
    alarmDescription: `${description}. What to do: docs/operations.md`,
    ...settings,
    metricName: metric,
    comparisonOperator: "GreaterThanThreshold",
    evaluationPeriods: periods,
    // A source that does not run sends no metrics. The alarm for staleness covers that case.
    treatMissingData: "notBreaching",
    ...(topic ? { alarmActions: [topic.arn] } : {}),
  });
}

/** AWS first sends every address a mail in which the subscription has to be confirmed. */
export function createMailTopic(addresses: string[]) {
  const topic = new aws.sns.Topic("alarms", { name: physicalName("alarms") });
  for (const endpoint of addresses) {
    new aws.sns.TopicSubscription(`alarms-${endpoint}`, {
      topic: topic.arn,
      protocol: "email",
      endpoint,
    });
  }
  return topic;
}

const physicalName = (name: string) => `${names.app}-${names.stage}-${name}`;
