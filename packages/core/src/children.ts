import type { ParentPlan, ResourcePlan, StepPlan } from "./config/plan-types.ts";
import { RequestError } from "./errors.ts";
import { parseJson } from "./extract/json.ts";
import { find, isObject } from "./extract/select.ts";
import { applySteps } from "./extract/steps.ts";
import type { JsonObject, JsonValue } from "./flow.ts";
import { readRun } from "./load/history.ts";
import { readSpool, type SpoolRow } from "./load/spool.ts";
import { type RunState, readState, type StoredState } from "./load/state-item.ts";
import type { Job } from "./run.ts";

/*
 * A child reads what its parent's run has spooled, record by record, while that run is still
 * reading or when it has ended. It keeps its place in its own checkpoint.
 */

/** A record of the parent, and the place behind it. */
export interface ParentRow {
  row: SpoolRow;
  here: Place;
  behind: Place;
}

type Place = NonNullable<RunState["at"]>;

/** What the parent's run, as far as it concerns the child's, has made of the spool. */
export type Upstream =
  /** It has not begun. */
  { kind: "none" } | { kind: "open" | "done" | "failed"; log: string; start: number; end: number };

/** Pure: the part of the parent's spool that is a run's to read. */
export function upstream(
  parent: Pick<StoredState, "status" | "body"> | undefined,
  runId: string,
  follows: boolean,
): Upstream {
  const spool = parent?.body?.spool;
  if (!spool) return { kind: "none" };
  const { log, past, ...current } = spool;
  if (current.run_ids.includes(runId)) {
    const kind = parent?.status === "done" || parent?.status === "failed" ? parent.status : "open";
    return { kind, log, start: current.start, end: current.end };
  }
  const part = past.find(({ run_ids }) => run_ids.includes(runId));
  if (!part) return { kind: "none" };
  // Who goes on from run to run takes along what has ended since.
  const end = follows ? (past.at(-1)?.end ?? part.end) : part.end;
  return { kind: "done", log, start: part.start, end };
}

/** A child waits in its slice for so long, in steps that grow; then it costs nothing until it is resumed. */
const PATIENCE_MS = 5_000;
const STEP_MS = Object.freeze({ first: 50, most: 1_000 });
/** A parent that has not begun by then does not begin any more. */
const OVERDUE_MS = 15 * 60_000;

/** The parent's records from the child's place on. Returns the place behind the last. */
export async function* parentRows(job: Job, from: RunState): AsyncGenerator<ParentRow, Place> {
  const { world, resource } = job;
  const { plan } = resource.parent as ParentPlan;
  const parent = { source: plan.source, resource: plan.name };
  let at = from.at;
  let waited = 0;
  let step: number = STEP_MS.first;
  while (true) {
    const up = await look(job, from);
    if (up.kind !== "none") {
      // Where it stood in another log says nothing.
      if (at?.log !== up.log) at = { log: up.log, block: up.start, row: 0 };
      while (at.block < up.end) {
        const rows = parseJson(await readSpool(world, parent, at.block)) as SpoolRow[];
        for (const [row, one] of rows.entries()) {
          if (row < at.row) continue;
          const behind = row + 1 < rows.length ? { ...at, row: row + 1 } : after(at);
          yield { row: one, here: { ...at, row }, behind };
        }
        at = after(at);
        waited = 0;
        step = STEP_MS.first;
      }
      if (up.kind === "done") return at;
    }
    if (waited >= PATIENCE_MS || world.clock.monotonic() + step >= world.deadline)
      throw pending(plan);
    await world.clock.sleep(step, world.signal);
    waited += step;
    step = Math.min(step * 2, STEP_MS.most);
  }
}

const after = (at: Place): Place => ({ ...at, block: at.block + 1, row: 0 });

/** Where the parent's run stands. Throws when there will be none, or when it has failed. */
async function look({ world, resource, order }: Job, state: RunState): Promise<Upstream> {
  const { plan } = resource.parent as ParentPlan;
  const parent = { source: plan.source, resource: plan.name };
  const stored = await readState(world, parent);
  const up = upstream(stored, order.runId, plan.incremental !== undefined);
  if (up.kind === "failed") throw parentFailed(plan, "its run has failed");
  if (up.kind !== "none") return up;
  const run = await readRun(world, parent, order.runId);
  if (run && run.status !== "done") throw parentFailed(plan, run.error?.message ?? run.status);
  const overdue = world.clock.now() - Date.parse(state.started_at) > OVERDUE_MS;
  if (overdue) throw parentFailed(plan, "its run has not begun");
  return up;
}

const pending = ({ name }: ResourcePlan) =>
  new RequestError({
    code: "run.parent_pending",
    message: `waiting for more records of ${name}`,
    hint: "nothing to do: the run goes on when they are there",
    retryable: true,
    waitMs: 1_000,
  });

const parentFailed = ({ source, name }: ResourcePlan, why: string) =>
  new RequestError({
    code: "run.parent_failed",
    message: `there are no records of ${name} to read for: ${why}`,
    hint: `see what became of ${source}/${name}; this resource is read in its next run`,
    retryable: false,
  });

/** What of a record goes into the spool. A field that it has not stays out. */
export function spoolRow(record: JsonValue, { spooled }: Pick<ResourcePlan, "spooled">): SpoolRow {
  const row: SpoolRow = {};
  for (const path of spooled) {
    const value = find(record, path);
    if (value !== undefined) row[path.text] = value;
  }
  return row;
}

/** The fields of the parent's record that each record gets. Undefined: this one is to be left out. */
export function fieldsFrom(row: SpoolRow, resource: ResourcePlan): JsonObject | undefined {
  const { plan, needed, include, onMissing } = resource.parent as ParentPlan;
  const missing = needed.find((field) => row[field] == null);
  if (missing !== undefined) {
    if (onMissing === "skip") return undefined;
    throw withoutValue(missing, row, plan);
  }
  return Object.fromEntries(
    include.map(({ field, as }) => {
      const value = row[field.text];
      if (value === undefined) throw withoutValue(field.text, row, plan);
      return [as, value];
    }),
  );
}

/** A page's records with the parent's fields, as the config's functions leave them. */
export function made(
  records: JsonValue[],
  added: JsonObject,
  steps: readonly StepPlan[],
): JsonValue[] {
  const withFields =
    Object.keys(added).length === 0
      ? records
      : records.map((one) => (isObject(one) ? { ...one, ...added } : one));
  return steps.length === 0 ? withFields : applySteps(withFields, steps);
}

const withoutValue = (field: string, row: SpoolRow, { name }: ResourcePlan) =>
  new RequestError({
    code: "extract.parent_field",
    message: `a record of ${name} has ${row[field] === null ? "null" : "nothing"} at "${field}"`,
    hint: `correct the field's name, or set "on_parent_value_missing": "skip"`,
    retryable: false,
  });
