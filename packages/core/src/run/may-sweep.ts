import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import { WriteError } from "../base/errors.ts";
import type { JsonPath } from "../config/jsonpath.ts";
import { handDownHint, includedAttribute } from "../config/lineage.ts";
import type { IncrementalPlan, ParentPlan, ResourcePlan } from "../config/plan-types.ts";
import { isInConfiguredRange } from "../extract/cursor/cursor.ts";
import type { Item } from "../flow.ts";
import type { RunState } from "../state/run-state.ts";

declare const isDecided: unique symbol;

/** The permission of `maySweep`. `sweepRows` requires one, so no row is deleted without it. */
export interface SweepPermission {
  readonly [isDecided]: true;
  /** A row is deleted only if two whole reads in a row have not seen the row. */
  readonly needsTwoReads: boolean;
  /** Returns whether a row lies in the range that was read. Rows outside the range are kept. */
  readonly isInRange: (row: Item) => boolean;
  readonly isRanged: boolean;
}

/** The reason for a read to skip the sweep. */
export interface NoSweep {
  reason: string;
  hint: string;
}

/** The result of a read, as far as deleting rows depends on the result. */
type ReadResult = Pick<RunState, "coverage" | "lacks_parents" | "lacks_keys" | "is_numbered">;

/**
 * Pure: decides whether rows that a read has not seen may be deleted. Rows are gone only if the read
 * covers everything and all ancestors were read whole in the same fan-out.
 */
export function maySweep(resource: ResourcePlan, read: ReadResult): SweepPermission | NoSweep {
  const refused = refusalOf(resource, read);
  if (refused) return refused;
  const ranges = rangesOf(resource);
  if ("reason" in ranges) return ranges;
  return {
    // planted: two-reads
    needsTwoReads: read.is_numbered,
    isRanged: ranges.length > 0,
    // planted: rows-out-of-range-stay
    isInRange: (row) => ranges.every((range) => isRowInRange(row, range)),
  } as SweepPermission;
}

export const isPermission = (answer: SweepPermission | NoSweep): answer is SweepPermission =>
  !("reason" in answer);

/** The error of a requested refresh that could not sweep. */
export const noSweepError = ({ reason, hint }: NoSweep): WriteError =>
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

/** A configured cursor range, and the attribute of a row that holds the cursor value. */
interface RowRange {
  plan: IncrementalPlan;
  path: JsonPath["steps"];
}

/** Returns the cursor ranges that limit a read: those of the resource and of its ancestors. */
function rangesOf(resource: ResourcePlan): RowRange[] | NoSweep {
  const ranges: RowRange[] = [];
  const { incremental, parent } = resource;
  if (incremental && isBounded(incremental)) {
    ranges.push({ plan: incremental, path: incremental.path.steps });
  }
  // The generations from the ancestor's child down to the resource.
  const generations: { name: string; parent: string; include: ParentPlan["include"] }[] = [];
  let child = resource;
  for (let above = parent; above; above = above.plan.parent) {
    generations.unshift({ name: child.name, parent: above.plan.name, include: above.include });
    child = above.plan;
    const cursor = above.plan.incremental;
    if (cursor?.relativeStart) {
      return {
        reason: `${above.plan.name} is read from a start that moves with time`,
        hint: `give it a fixed "initial_value"`,
      };
    }
    if (!cursor || !isBounded(cursor)) continue;
    const includes = generations.map(({ include }) => include);
    const attribute = includedAttribute(cursor.path, includes);
    if (attribute === undefined) {
      const { name } = above.plan;
      return {
        reason: `${name} is read from a certain "${cursor.path.text}" on, and the rows do not tell theirs`,
        hint: handDownHint(cursor.path.text, generations),
      };
    }
    ranges.push({ plan: cursor, path: [{ name: attribute }] });
  }
  return ranges;
}

export const isBounded = ({ initialValue, endValue }: IncrementalPlan): boolean =>
  initialValue !== undefined || endValue !== undefined;

/** Returns false for a row without a comparable value, so the row is kept. */
function isRowInRange(row: Item, { plan, path }: RowRange): boolean {
  let value: AttributeValue | undefined = { M: row };
  for (const step of path) value = "name" in step ? value?.M?.[step.name] : undefined;
  const scalar = value?.S ?? value?.N;
  return scalar !== undefined && isInConfiguredRange(scalar, plan);
}
