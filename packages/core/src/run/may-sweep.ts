import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import { WriteError } from "../base/errors.ts";
import type { Path } from "../config/jsonpath.ts";
import type { IncrementalPlan, ResourcePlan } from "../config/plan-types.ts";
import { isInRange } from "../extract/cursor/cursor.ts";
import type { Item } from "../flow.ts";
import type { RunState } from "../state/run-state.ts";

declare const isDecided: unique symbol;

/** What `maySweep` has allowed. Without one no row can be deleted: `sweep` takes nothing else. */
export interface SweepPermission {
  readonly [isDecided]: true;
  /** A row goes only if the whole read before this one has not seen it either. */
  readonly needsTwoReads: boolean;
  /** Whether a row lies in the range that was read. One outside of it is not gone. */
  readonly isInRange: (row: Item) => boolean;
  readonly isRanged: boolean;
}

/** Why a read does not sweep. */
export interface NoSweep {
  reason: string;
  hint: string;
}

/** What a read has come to, as far as deleting depends on it. */
type ReadResult = Pick<
  RunState,
  "coverage" | "lacks_parents" | "lacks_keys" | "is_numbered" | "page"
>;

/**
 * Pure: whether the rows that a read has not seen may go. Only a read that covers everything, of
 * records whose ancestors were read whole in the same fan-out, knows that they are gone.
 */
export function maySweep(resource: ResourcePlan, read: ReadResult): SweepPermission | NoSweep {
  const refused = refusalOf(resource, read);
  if (refused) return refused;
  const ranges = rangesOf(resource);
  if ("reason" in ranges) return ranges;
  return {
    // A single page has no border at which a row could slip through.
    needsTwoReads: read.is_numbered && read.page > 1,
    isRanged: ranges.length > 0,
    // planted: rows-out-of-range-stay
    isInRange: (row) => ranges.every((range) => isRowInRange(row, range)),
  } as SweepPermission;
}

export const isPermission = (answer: SweepPermission | NoSweep): answer is SweepPermission =>
  !("reason" in answer);

/** A refresh that was asked for and could not sweep has failed. */
export const noSweep = ({ reason, hint }: NoSweep): WriteError =>
  new WriteError({ code: "run.no_sweep", message: `nothing was deleted: ${reason}`, hint });

function refusalOf({ disposition }: ResourcePlan, read: ReadResult): NoSweep | undefined {
  if (disposition === "append") {
    return { reason: "rows that are appended are kept for ever", hint: "use merge or replace" };
  }
  if (read.lacks_parents) {
    return {
      reason: "records of the parent were set aside, so their rows would be taken for gone",
      hint: "see `tidetable quarantine list`; correct these records, then refresh again",
    };
  }
  if (read.lacks_keys) {
    return {
      reason: "records without a usable key were set aside, so their rows would be taken for gone",
      hint: "see `tidetable quarantine list`; correct primary_key or these records",
    };
  }
  // planted: sweep-looks-at-coverage
  if (read.coverage !== "everything") {
    return {
      reason: "the parent was read for its changes alone",
      hint: "refresh again: a full refresh reads the parent whole",
    };
  }
  return undefined;
}

/** A range of a cursor that is read, and the attribute of a row that tells its place in it. */
interface RowRange {
  plan: IncrementalPlan;
  path: Path["steps"];
}

/** The ranges that bound what is read of a resource: its own, and those of its ancestors. */
function rangesOf(resource: ResourcePlan): RowRange[] | NoSweep {
  const ranges: RowRange[] = [];
  const { incremental, parent } = resource;
  if (incremental && isBounded(incremental)) {
    ranges.push({ plan: incremental, path: incremental.path.steps });
  }
  for (let above = parent; above; above = above.plan.parent) {
    const cursor = above.plan.incremental;
    if (!cursor || !isBounded(cursor)) continue;
    const field = above === parent && includedField(above, cursor.path);
    if (!field) {
      const { name } = above.plan;
      return {
        reason: `${name} is read from a certain "${cursor.path.text}" on, and the rows do not tell theirs`,
        hint: `add "include_from_parent": ["${cursor.path.text}"] to ${resource.name}`,
      };
    }
    ranges.push({ plan: cursor, path: [{ name: field }] });
  }
  return ranges;
}

export const isBounded = ({ initialValue, endValue }: IncrementalPlan): boolean =>
  initialValue !== undefined || endValue !== undefined;

const includedField = (
  { include }: NonNullable<ResourcePlan["parent"]>,
  path: Path,
): string | undefined => include.find(({ field }) => field.text === path.text)?.as;

/** A row without a value that can be compared stays. */
function isRowInRange(row: Item, { plan, path }: RowRange): boolean {
  let value: AttributeValue | undefined = { M: row };
  for (const step of path) value = "name" in step ? value?.M?.[step.name] : undefined;
  const scalar = value?.S ?? value?.N;
  return scalar !== undefined && isInRange(scalar, plan);
}
