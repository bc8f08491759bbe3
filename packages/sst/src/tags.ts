/** The resources of a component that have tags in AWS. A schedule has none. */
const taggableTypes = new Set([
  "aws:cloudwatch/logGroup:LogGroup",
  "aws:cloudwatch/metricAlarm:MetricAlarm",
  "aws:dynamodb/table:Table",
  "aws:iam/role:Role",
  "aws:lambda/function:Function",
  "aws:secretsmanager/secret:Secret",
  "aws:sns/topic:Topic",
  "aws:sqs/queue:Queue",
]);

/** Adds the tags to every resource of the component, also to those that SST's components create. */
export const addTags =
  (tags: Record<string, string>): $util.ResourceTransformation =>
  ({ type, props, opts }) =>
    taggableTypes.has(type) && Object.keys(tags).length > 0
      ? { props: { ...props, tags: { ...props.tags, ...tags } }, opts }
      : undefined;
