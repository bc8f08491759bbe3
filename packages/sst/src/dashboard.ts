import type { Names } from "@tidetable/core/plan";
import type { Stage } from "./stage.ts";

/** The graphs by metric. Each graph has a line per source. */
const graphTitles = {
  records: "Records read",
  written: "Rows written",
  unchanged: "Rows unchanged",
  failed: "Failed runs",
  quarantined: "Records set aside",
  staleness: "Intervals since the last success, from two on",
  retries: "Requests tried again",
  throttled: "Calls that DynamoDB throttled",
  waited_ms: "Milliseconds waited for the API",
  duration_ms: "Milliseconds worked",
};

/** CloudWatch's limit. */
const ALARMS_PER_WIDGET = 100;

export function createDashboard(
  alarms: aws.cloudwatch.MetricAlarm[],
  { names, location, optionsOf }: Stage,
) {
  const widgetCount = Math.ceil(alarms.length / ALARMS_PER_WIDGET);
  const alarmGroups = Array.from({ length: widgetCount }, (_, index) =>
    alarms.slice(index * ALARMS_PER_WIDGET, (index + 1) * ALARMS_PER_WIDGET),
  );
  // CloudWatch puts widgets without a position into rows of 24 columns, here three graphs each.
  const widgets = [
    ...alarmGroups.map((group) => ({
      ...{ type: "alarm", width: 24, height: 6 },
      properties: { title: "Alarms", alarms: group.map(({ arn }) => arn) },
    })),
    ...Object.entries(graphTitles).map(([metric, title]) => ({
      ...{ type: "metric", width: 8, height: 6 },
      properties: {
        title,
        region: location.apply(({ region }) => region),
        metrics: [[{ expression: searchExpression(metric, names) }]],
      },
    })),
  ];
  const part = optionsOf("dashboard");
  return new aws.cloudwatch.Dashboard(
    part.name,
    {
      dashboardName: `${names.app}-${names.stage}`,
      dashboardBody: $jsonStringify({ widgets }),
    },
    part.opts,
  );
}

/** A search needs no list of sources: CloudWatch finds the sources that have data. */
function searchExpression(metric: string, names: Names) {
  const terms = `MetricName="${metric}" app="${names.app}" stage="${names.stage}"`;
  const statistic = metric === "staleness" ? "Maximum" : "Sum";
  return `SEARCH('{tidetable,app,stage,source} ${terms}', '${statistic}', 300)`;
}
