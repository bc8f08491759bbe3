import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import type { ResourceRef } from "../base/resource-ref.ts";
import { HISTORY_DAYS } from "../base/timing.ts";
import type { Cursor, Item } from "../flow.ts";
import { calculateRunCost } from "../report/costs.ts";
import { type Counts, zeroCounts } from "../report/counts.ts";
import type { ResourceReport } from "../report/types.ts";
import type { EpochRef, Slot } from "./run-state.ts";
import { FORMAT, getItem, itemKey, putItem, queryItems, type StateWorld } from "./state-table.ts";

/*
 * The run history: one item per run and resource (sk `run#<run_id>`), with plain attributes for readers
 * in the AWS console.
 */

/** The result of a run according to its last report. */
export interface RunRecord extends Counts {
  run_id: string;
  status: ResourceReport["status"];
  started_at: string;
  ended_at: string;
  duration_ms: number;
  slices: number;
  cursor: ResourceReport["cursor"];
  schema: ResourceReport["schema"];
  error: null | { code: string; message: string };
  /** The epoch that the children of this fan-out read. */
  epoch: EpochRef | null;
  /** The estimated AWS cost of the run. */
  cost_usd: number;
}

/**
 * Stores a report as the history item of its run, and replaces an earlier report. A repeated write
 * stores the same item. A failed report does not replace the success of a later worker, and a skipped
 * report replaces no existing item.
 */
export async function recordRun(
  world: StateWorld,
  {
    resourceRef,
    slot,
    id,
    epoch,
  }: { resourceRef: ResourceRef; slot: Slot; id: string; epoch?: number | undefined },
  report: ResourceReport,
  memoryMb: number,
): Promise<void> {
  const isOver = report.status === "skipped" ? "" : " OR #status <> :done";
  await putItem(
    world,
    { ...toItem(resourceRef, slot, { ...report, run_id: id }, memoryMb), ...epochOf(slot, epoch) },
    {
      // The condition also fails for a retry after a lost response, which is no error.
      condition: {
        expression: `attribute_not_exists(pk)${isOver}`,
        ...(isOver && { names: { "#status": "status" }, values: { ":done": { S: "done" } } }),
      },
      failure: "did not take the run's history",
    },
  );
}

/** Reads the newest runs of a resource, sorted by start, because run ids do not sort by time. */
export async function readRuns(
  world: StateWorld,
  resourceRef: ResourceRef,
  limit = Number.POSITIVE_INFINITY,
): Promise<RunRecord[]> {
  const runs: RunRecord[] = [];
  for await (const items of queryItems(world, resourceRef, "run#"))
    runs.push(...items.map(fromItem));
  const newestFirst = (a: RunRecord, b: RunRecord) => (a.started_at < b.started_at ? 1 : -1);
  return runs.sort(newestFirst).slice(0, limit);
}

/** Reads one ended run of a resource. */
export async function readRun(
  world: StateWorld,
  resourceRef: ResourceRef,
  runId: string,
  slot: Slot = "own",
): Promise<RunRecord | undefined> {
  const item = await getItem(world, itemKey(resourceRef, prefixes[slot] + runId));
  return item && fromItem(item);
}

/** The sort key prefixes. Reads for children are stored apart from the runs of the resource. */
const prefixes: Record<Slot, string> = { own: "run#", for_children: "for_children#" };

const epochOf = (slot: Slot, id: number | undefined): Item =>
  id === undefined ? {} : { epoch_slot: { S: slot }, epoch_id: { N: String(id) } };

const countNames = Object.keys(zeroCounts()) as (keyof Counts)[];

function toItem(
  resourceRef: ResourceRef,
  slot: Slot,
  report: ResourceReport,
  memoryMb: number,
): Item {
  const { run_id, status, started_at, duration_ms, slices, cursor, schema, error } = report;
  const ended = Date.parse(started_at) + duration_ms;
  const numbers = {
    duration_ms,
    slices,
    ...Object.fromEntries(countNames.map((name) => [name, report[name]])),
    cost_usd: Number(calculateRunCost(report, memoryMb).total.toFixed(9)),
    expires: Math.floor(ended / 1000) + HISTORY_DAYS * 86_400,
  };
  return {
    ...itemKey(resourceRef, prefixes[slot] + run_id),
    format: FORMAT,
    status: { S: status },
    started_at: { S: started_at },
    ended_at: { S: new Date(ended).toISOString() },
    ...Object.fromEntries(Object.entries(numbers).map(([name, n]) => [name, { N: String(n) }])),
    ...(cursor
      ? {
          cursor_before: cursorAttribute(cursor.before),
          cursor_after: cursorAttribute(cursor.after),
        }
      : {}),
    ...(schema ? { schema: { S: JSON.stringify(schema) } } : {}),
    ...(error ? { error_code: { S: error.code }, error_message: { S: error.message } } : {}),
  };
}

function fromItem(item: Item): RunRecord {
  const stringAt = (name: string) => item[name]?.S ?? "";
  const numberAt = (name: string) => Number(item[name]?.N ?? 0);
  const counts = Object.fromEntries(countNames.map((name) => [name, numberAt(name)]));
  return {
    run_id: stringAt("sk").replace(/^[^#]*#/, ""),
    status: stringAt("status") as RunRecord["status"],
    started_at: stringAt("started_at"),
    ended_at: stringAt("ended_at"),
    duration_ms: numberAt("duration_ms"),
    slices: numberAt("slices"),
    ...(counts as unknown as Counts),
    cursor: item.cursor_before
      ? { before: cursorIn(item.cursor_before), after: cursorIn(item.cursor_after) }
      : null,
    schema: item.schema ? JSON.parse(stringAt("schema")) : null,
    error: item.error_code
      ? { code: stringAt("error_code"), message: stringAt("error_message") }
      : null,
    epoch: item.epoch_id
      ? { slot: stringAt("epoch_slot") as Slot, id: numberAt("epoch_id") }
      : null,
    cost_usd: numberAt("cost_usd"),
  };
}

const cursorAttribute = (value: Cursor): AttributeValue => {
  if (value === null) return { NULL: true };
  return typeof value === "number" ? { N: String(value) } : { S: value };
};

const cursorIn = (value: AttributeValue | undefined): Cursor =>
  value?.S ?? (value?.N === undefined ? null : Number(value.N));
