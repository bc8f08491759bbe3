import type { Names } from "../base/names.ts";
import type { ResourceRef } from "../base/resource-ref.ts";
import type { ResourceReport } from "./types.ts";

/*
 * CloudWatch counts metrics from the fields of a log line (the embedded metric format), without a
 * request and without a permission. A metric costs money for each set of dimensions in each hour with
 * data. Therefore most metrics are per source, and metrics per resource appear only with a problem.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */

const NAMESPACE = "tidetable";

const perSource = ["app", "stage", "source"];

const perResource = [...perSource, "resource"];

/** Metrics with the same unit, counted once for each set of dimensions. */
interface MetricGroup {
  dimensions: string[][];
  unit: "Count" | "Milliseconds" | "None";
  values: Record<string, number>;
}

/** Makes the fields of a log line that counts one slice of a run. */
export function sliceMetrics(names: Names, report: ResourceReport, now: number) {
  if (report.status === "skipped") return {};
  const { records, written, unchanged, quarantined, retries, throttled } = report.slice;
  const { waited_ms, worked_ms: duration_ms } = report.slice;
  const counts = { records, written, unchanged, quarantined, retries, throttled };
  const groups: MetricGroup[] = [
    { dimensions: [perSource], unit: "Count", values: counts },
    { dimensions: [perSource], unit: "Milliseconds", values: { waited_ms, duration_ms } },
  ];
  const schema_changes = report.schema?.changed ?? 0;
  if (schema_changes > 0) {
    groups.push({ dimensions: [perSource], unit: "Count", values: { schema_changes } });
  }
  if (report.status === "failed" && report.error?.code !== "run.interrupted") {
    groups.push({ dimensions: [perSource, perResource], unit: "Count", values: { failed: 1 } });
  }
  return metricLine(names, report, now, groups);
}

/** Makes the fields of a log line about a stale resource. The unit is the schedule's longest gap. */
export const stalenessMetric = (
  names: Names,
  resourceRef: ResourceRef,
  staleness: number,
  now: number,
) =>
  metricLine(names, resourceRef, now, [
    { dimensions: [perSource, perResource], unit: "None", values: { staleness } },
  ]);

function metricLine(
  { app, stage }: Names,
  { source, resource }: ResourceRef,
  now: number,
  groups: MetricGroup[],
) {
  return {
    _aws: {
      Timestamp: now,
      CloudWatchMetrics: groups.map(({ dimensions, unit, values }) => ({
        Namespace: NAMESPACE,
        Dimensions: dimensions,
        Metrics: Object.keys(values).map((name) => ({ Name: name, Unit: unit })),
      })),
    },
    ...{ app, stage, source, resource },
    ...Object.assign({}, ...groups.map(({ values }) => values)),
  };
}
