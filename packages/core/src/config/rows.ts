import type { DataType } from "./data-types.ts";
import { isDict } from "./dict.ts";
import type {
  ColumnPlan,
  Disposition,
  KeyAttribute,
  KeyPlan,
  ResourcePlan,
  RowIdPlan,
  WriteModePlan,
} from "./plan-types.ts";
import type { SettledResource } from "./settle.ts";

/*
 * These functions decide the key of a record's row, and which rows a new row replaces.
 */

/** Unlike in dlt, a primary_key alone means merge, because a keyed table has one row per key. */
export function planDisposition(resource: SettledResource): Disposition {
  const written = resource.write_disposition?.disposition;
  // dlt's cdc compares the table with a snapshot, as a replace with a key does here.
  if (strategyOf(resource.write_disposition) === "cdc") return "replace";
  if (written === "append" || written === "merge" || written === "replace") return written;
  return resource.primary_key.length > 0 ? "merge" : "append";
}

// DynamoDB has three key types. Values of any other declared type are written as strings.
const keyTypes: Partial<Record<DataType, KeyAttribute["type"]>> = {
  text: "S",
  bigint: "N",
  decimal: "N",
  double: "N",
  binary: "B",
};

export const keyTypeOf = (type: DataType | undefined): KeyAttribute["type"] =>
  (type && keyTypes[type]) ?? "S";

/** Booleans and JSON have no key type in DynamoDB. */
export const canBeKey = (type: unknown): boolean => type !== "bool" && type !== "json";

export const keyAttribute = (name: string, columns: Record<string, ColumnPlan>): KeyAttribute => ({
  name,
  type: keyTypeOf(columns[name]?.dataType),
});

const strategyOf = (disposition: SettledResource["write_disposition"]) =>
  isDict(disposition) && "strategy" in disposition ? disposition.strategy : undefined;

/** False: the resource is read for its children alone, and is not stored. */
export const isSelected = ({ selected, write_disposition }: SettledResource): boolean =>
  (selected ?? true) && write_disposition?.disposition !== "skip";

type HasColumns = Pick<SettledResource, "columns">;

/** An archive keeps what it was shown: there, as in dlt, a deletion is a record like others. */
export const planHardDelete = (resource: SettledResource): string | undefined =>
  planDisposition(resource) === "append"
    ? undefined
    : Object.entries(resource.columns).find(([, column]) => column.hard_delete)?.[0];

export function planDedupSort({ columns }: HasColumns): ResourcePlan["dedupSort"] {
  const [field, hints] = Object.entries(columns).find(([, column]) => column.dedup_sort) ?? [];
  return field && hints?.dedup_sort ? { field, order: hints.dedup_sort } : undefined;
}

/**
 * One field is the hash key, and a second field the range key. With three or more fields the range
 * key is `_key`, which joins all fields after the first.
 */
export function planKey(
  fields: string[],
  columns: Record<string, ColumnPlan>,
  rowId: RowIdPlan,
): KeyPlan {
  const [first, second, ...more] = fields;
  if (first === undefined) {
    return { fields, rowId, hash: { name: "_row_id", type: "S" }, range: undefined };
  }
  const range = second === undefined ? undefined : keyAttribute(second, columns);
  const joined: KeyAttribute = { name: "_key", type: "S" };
  const hash = keyAttribute(first, columns);
  return { fields, rowId: undefined, hash, range: more.length > 0 ? joined : range };
}

/**
 * The name of a row without a key of its own. An append that reads everything each time is an
 * archive of reads; one that reads changes (by its cursor or an ancestor's) is an archive of records.
 */
export function planRowId(
  {
    disposition,
    incremental,
    parent,
  }: Pick<ResourcePlan, "disposition" | "incremental" | "parent">,
  primaryKey: string[],
): RowIdPlan {
  const isAppend = disposition === "append";
  if (isAppend && incremental && primaryKey.length > 0) {
    return { kind: "version", fields: primaryKey, cursor: incremental.path };
  }
  const readsChanges = incremental !== undefined || hasCursorAbove(parent);
  return {
    kind: "content",
    isPerRead: /* planted: archives-of-records */ isAppend && !readsChanges,
  };
}

const hasCursorAbove = (parent: ResourcePlan["parent"]): boolean =>
  parent !== undefined &&
  (parent.plan.incremental !== undefined || hasCursorAbove(parent.plan.parent));

/**
 * DynamoDB orders values of these types as the API does: strings byte by byte, numbers by value.
 */
const versionTypes: Partial<Record<DataType, "S" | "N">> = {
  text: "S",
  timestamp: "S",
  date: "S",
  bigint: "N",
  decimal: "N",
  double: "N",
};

export const versionType = (type: DataType | undefined): "S" | "N" | undefined =>
  type && versionTypes[type];

/** dlt's `skip_unchanged_rows`. With a cursor few rows are read, and they are written without a look. */
export function planWrites(
  { writes, write_disposition }: SettledResource,
  incremental: ResourcePlan["incremental"],
): ResourcePlan["writes"] {
  if (writes) return writes;
  const skipsUnchanged =
    write_disposition?.disposition === "merge" &&
    "skip_unchanged_rows" in write_disposition &&
    write_disposition.skip_unchanged_rows === true;
  return skipsUnchanged && !incremental ? "compare" : undefined;
}

export function planWriteMode(
  { write_mode, version_field, write_disposition }: SettledResource,
  columns: Record<string, ColumnPlan>,
): WriteModePlan {
  if (strategyOf(write_disposition) === "insert-only") return { kind: "insert" };
  const type = versionType(columns[version_field ?? ""]?.dataType);
  if (write_mode !== "ordered" || !version_field || !type) return { kind: "batch" };
  return { kind: "ordered", versionField: version_field, type };
}
