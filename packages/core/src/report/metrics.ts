import type { Names } from "../base/names.ts";
import type { ResourceRef } from "../base/resource-ref.ts";
import type { ResourceReport } from "./types.ts";

/*
 * Metrics are fields of a log line that CloudWatch counts (its embedded metric format): no call to
 * make and nothing to grant. A metric costs money for each set of dimensions in each hour that has
 * data, so most are counted per source, and what is per resource appears only when it is bad.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */

const NAMESPACE = "tidetable";

const perSource = ["app", "stage", "source"];

const perResource = [...perSource, "resource"];

type Unit = "Count" | "Milliseconds" | "None";

/** The fields that make a log line count one slice of a run. */
export function sliceMetrics(names: Names, report: ResourceReport, now: number) {
  if (report.status === "skipped") return {};
  const { records, written, unchanged, quarantined, retries, throttled } = report.slice;
  const { waited_ms, worked_ms: duration_ms } = report.slice;
  const failed = report.status === "failed" && report.error?.code !== "run.interrupted";
  const counts = { records, written, unchanged, quarantined, retries, throttled };
  const schema_changes = report.schema?.changed ?? 0;
  return line(names, report, now, [
    { dimensions: [perSource], unit: "Count", values: counts },
    { dimensions: [perSource], unit: "Milliseconds", values: { waited_ms, duration_ms } },
    ...(schema_changes > 0
      ? [{ dimensions: [perSource], unit: "Count" as const, values: { schema_changes } }]
      : []),
    ...(failed
      ? [{ dimensions: [perSource, perResource], unit: "Count" as const, values: { failed: 1 } }]
      : []),
  ]);
}

/** The fields that make a log line say how many of its longest gaps ago a resource succeeded. */
export const stalenessMetric = (
  names: Names,
  resourceRef: ResourceRef,
  staleness: number,
  now: number,
) =>
  line(names, resourceRef, now, [
    { dimensions: [perSource, perResource], unit: "None", values: { staleness } },
  ]);

function line(
  { app, stage }: Names,
  { source, resource }: ResourceRef,
  now: number,
  groups: { dimensions: string[][]; unit: Unit; values: Record<string, number> }[],
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
