import type { Place } from "./permissions";
import { names } from "./plans";

/** What the graphs show, each with a line per source. */
const graphs = {
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

/** CloudWatch takes no more alarms in a widget. */
const alarmsPerWidget = 100;

export function dashboard(alarms: aws.cloudwatch.MetricAlarm[], { region }: Place) {
  const groups = Array.from({ length: Math.ceil(alarms.length / alarmsPerWidget) }, (_, n) =>
    alarms.slice(n * alarmsPerWidget, (n + 1) * alarmsPerWidget),
  );
  // Widgets without a position stand one after the other, here three graphs in a row of 24 columns.
  const widgets = [
    ...groups.map((group) => ({
      ...{ type: "alarm", width: 24, height: 6 },
      properties: { title: "Alarms", alarms: group.map(({ arn }) => arn) },
    })),
    ...Object.entries(graphs).map(([metric, title]) => ({
      ...{ type: "metric", width: 8, height: 6 },
      properties: { title, region, metrics: [[{ expression: lines(metric) }]] },
    })),
  ];
  new aws.cloudwatch.Dashboard("dashboard", {
    dashboardName: `${names.app}-${names.stage}`,
    dashboardBody: $jsonStringify({ widgets }),
  });
}

/** A search instead of a list: CloudWatch finds the sources that have something to show. */
function lines(metric: string) {
  const which = `MetricName="${metric}" app="${names.app}" stage="${names.stage}"`;
  const statistic = metric === "staleness" ? "Maximum" : "Sum";
  return `SEARCH('{tidetable,app,stage,source} ${which}', '${statistic}', 300)`;
}
