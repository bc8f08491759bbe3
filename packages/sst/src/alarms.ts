import type { Names } from "@tidetable/core/plan";
import { applyTransform, type Stage } from "./stage.ts";

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
  { names, args, optionsOf }: Stage,
  topic: { arn: $util.Input<string> } | undefined,
) {
  const part = optionsOf(`alarm-${name}`);
  const alarm: aws.cloudwatch.MetricAlarmArgs = {
    name: physicalName(names, name),
    alarmDescription: `${description}. What to do: docs/operations.md`,
    ...settings,
    metricName: metric,
    comparisonOperator: "GreaterThanThreshold",
    evaluationPeriods: periods,
    // A source that does not run sends no metrics. The alarm for staleness covers that case.
    treatMissingData: "notBreaching",
    ...(topic ? { alarmActions: [topic.arn] } : {}),
  };
  const transformed = applyTransform(args.transform?.alarm, alarm, part);
  return new aws.cloudwatch.MetricAlarm(part.name, transformed, part.opts);
}

/** The topic that gets the alarms: the user's own, or a new one that sends mail to addresses. */
export function openTopic(stage: Stage): { arn: $util.Input<string> } | undefined {
  const { alarms = [] } = stage.args;
  if (!Array.isArray(alarms)) return alarms;
  return alarms.length > 0 ? createMailTopic(alarms, stage) : undefined;
}

/** AWS first sends every address a mail in which the subscription has to be confirmed. */
function createMailTopic(addresses: string[], { names, optionsOf }: Stage) {
  const topicPart = optionsOf("alarms");
  const topic = new aws.sns.Topic(
    topicPart.name,
    { name: physicalName(names, "alarms") },
    topicPart.opts,
  );
  for (const endpoint of addresses) {
    const part = optionsOf(`alarms-${endpoint}`);
    new aws.sns.TopicSubscription(
      part.name,
      { topic: topic.arn, protocol: "email", endpoint },
      part.opts,
    );
  }
  return topic;
}

const physicalName = ({ app, stage }: Names, name: string) => `${app}-${stage}-${name}`;
