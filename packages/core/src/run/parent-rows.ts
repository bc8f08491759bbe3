import { RequestError } from "../base/errors.ts";
import { refOf } from "../base/resource-ref.ts";
import {
  PARENT_OVERDUE_MS,
  PARENT_PATIENCE_MS,
  PARENT_POLL_MS,
  PARENT_RESUME_MS,
} from "../base/timing.ts";
import type { ParentPlan, ResourcePlan } from "../config/plan-types.ts";
import { readRun } from "../state/history.ts";
import type { RunState, SpoolPosition } from "../state/run-state.ts";
import { readSpool, type SpoolRow } from "../state/spool.ts";
import { readState, type StoredState } from "../state/state-item.ts";
import { parseJson } from "../values/parse-json.ts";
import type { Job } from "./job.ts";

/*
 * A child reads what its parent's run has spooled, record by record, while that run is still
 * reading or when it has ended. It keeps its place in its own checkpoint.
 */

/** A record of the parent, and the place behind it. */
export interface ParentRow {
  row: SpoolRow;
  here: SpoolPosition;
  behind: SpoolPosition;
}

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

/** The parent's records from the child's place on. Returns the place behind the last. */
export async function* parentRows(
  job: Job,
  from: RunState,
): AsyncGenerator<ParentRow, SpoolPosition> {
  const { world, resource } = job;
  const { plan } = resource.parent as ParentPlan;
  const parent = refOf(plan);
  let at = from.at;
  let waited = 0;
  let step: number = PARENT_POLL_MS.first;
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
        step = PARENT_POLL_MS.first;
      }
      if (up.kind === "done") return at;
    }
    if (waited >= PARENT_PATIENCE_MS || world.clock.monotonic() + step >= world.deadline)
      throw pending(plan);
    await world.clock.sleep(step, world.signal);
    waited += step;
    step = Math.min(step * 2, PARENT_POLL_MS.most);
  }
}

const after = (at: SpoolPosition): SpoolPosition => ({ ...at, block: at.block + 1, row: 0 });

/** Where the parent's run stands. Throws when there will be none, or when it has failed. */
async function look({ world, resource, order }: Job, state: RunState): Promise<Upstream> {
  const { plan } = resource.parent as ParentPlan;
  const parent = refOf(plan);
  const stored = await readState(world, parent);
  const up = upstream(stored, order.runId, plan.incremental !== undefined);
  if (up.kind === "failed") throw parentFailed(plan, "its run has failed");
  if (up.kind !== "none") return up;
  const run = await readRun(world, parent, order.runId);
  if (run && run.status !== "done") throw parentFailed(plan, run.error?.message ?? run.status);
  const overdue = world.clock.now() - Date.parse(state.started_at) > PARENT_OVERDUE_MS;
  if (overdue) throw parentFailed(plan, "its run has not begun");
  return up;
}

const pending = ({ name }: ResourcePlan) =>
  new RequestError({
    code: "run.parent_pending",
    message: `waiting for more records of ${name}`,
    hint: "nothing to do: the run goes on when they are there",
    retryable: true,
    waitMs: PARENT_RESUME_MS,
  });

const parentFailed = ({ source, name }: ResourcePlan, why: string) =>
  new RequestError({
    code: "run.parent_failed",
    message: `there are no records of ${name} to read for: ${why}`,
    hint: `see what became of ${source}/${name}; this resource is read in its next run`,
    retryable: false,
  });
