import { names } from "./plans";

export interface Alarm {
  name: string;
  /** What has happened, for whoever gets the mail. */
  says: string;
  namespace: string;
  metric: string;
  dimensions: Record<string, $util.Input<string>>;
  statistic: "Sum" | "Maximum";
  above: number;
  /** Seconds. */
  period: number;
  /** How many in a row. Default: 1. */
  periods?: number;
}

export function declare(
  { name, says, metric, dimensions, above, periods = 1, ...same }: Alarm,
  topic: aws.sns.Topic | undefined,
) {
  return new aws.cloudwatch.MetricAlarm(`alarm-${name}`, {
    name: physical(name),
    alarmDescription: `${says}. What to do: docs/operations.md`,
    ...same,
    metricName: metric,
    dimensions,
    comparisonOperator: "GreaterThanThreshold",
    threshold: above,
    evaluationPeriods: periods,
    // What did not run counted nothing; staleness is the alarm for that.
    treatMissingData: "notBreaching",
    ...(topic ? { alarmActions: [topic.arn] } : {}),
  });
}

/** Everyone gets a mail from AWS first, in which to confirm. */
export function mailTo(addresses: string[]) {
  const topic = new aws.sns.Topic("alarms", { name: physical("alarms") });
  for (const endpoint of addresses) {
    new aws.sns.TopicSubscription(`alarms-${endpoint}`, {
      topic: topic.arn,
      protocol: "email",
      endpoint,
    });
  }
  return topic;
}

const physical = (name: string) => `${names.app}-${names.stage}-${name}`;
