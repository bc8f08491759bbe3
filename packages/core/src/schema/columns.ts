import { hash } from "node:crypto";
import type { DataType } from "../config/data-types.ts";
import type { ColumnPlan, ResourcePlan } from "../config/plan-types.ts";
import { dataTypeOf, dataTypesOf, kindGroups, kinds } from "./kinds.ts";
import { emptyShape, type Shape, sortByName } from "./shape.ts";

/**
 * A field in dlt's words for a column, and the columns of nested values, which dlt does not have.
 */
export interface Column {
  /** Undefined as long as the field has only been null. */
  data_type?: DataType;
  /** The field may be null or absent. */
  nullable: boolean;
  /** The types of the values in the table, when `data_type` does not include every type. */
  variants?: DataType[];
  description?: string;
  precision?: number;
  scale?: number;
  timezone?: boolean;
  unique?: true;
  primary_key?: true;
  /** The config declares the field. */
  declared?: true;
  /** The fields of objects, by name. */
  fields?: Columns;
  /** Describes every value of objects whose names are data. */
  values?: Column;
  /** Describes every element of lists. */
  items?: Column;
}

export type Columns = Record<string, Column>;

/** Stands for all names of records whose names are data. */
const ANY_NAME = "*";

/** A schema: the declared columns over the observed shape of records. */
export function columnsOf(
  shape: Shape | undefined,
  { columns, key }: Pick<ResourcePlan, "columns" | "key">,
): Columns {
  const observedNames = [...(shape?.fields?.keys() ?? [])].sort();
  const names = new Set([...key.fields, ...Object.keys(columns), ...observedNames]);
  const entries = [...names].map((name) => {
    const declared = Object.hasOwn(columns, name) ? columns[name] : undefined;
    const column = columnOf(fieldShape(shape, name), declared);
    const keyColumn = { ...column, nullable: false, primary_key: true as const };
    return [name, key.fields.includes(name) ? keyColumn : column] as const;
  });
  if (shape?.values) entries.push([ANY_NAME, columnOf(shape.values, undefined)]);
  return Object.fromEntries(entries);
}

/** A field that no record had was missing. Before the first record, no field was. */
const fieldShape = (shape: Shape | undefined, name: string): Shape | undefined =>
  shape?.fields?.get(name) ?? (shape?.fields && { ...emptyShape(), wasMissing: true });

function columnOf(shape: Shape | undefined, declared: ColumnPlan | undefined): Column {
  const type = declared?.dataType ?? (shape && dataTypeOf(shape.kinds));
  const observedTypes = shape ? dataTypesOf(shape.kinds) : [];
  const isMixed = type !== undefined && observedTypes.some((each) => !includesType(type, each));
  // A reader has to expect null where a record had it, even in a column declared `nullable: false`.
  const hadNull = shape !== undefined && (shape.wasNull || shape.wasMissing);
  return {
    ...(type && { data_type: type }),
    nullable: hadNull || (declared?.nullable ?? shape === undefined),
    ...(isMixed && { variants: observedTypes }),
    ...declared?.hints,
    ...(declared && { declared: true as const }),
    ...nestedColumns(shape),
  };
}

function nestedColumns(shape: Shape | undefined): Pick<Column, "fields" | "values" | "items"> {
  if (!shape || (shape.kinds & kindGroups.nested) === 0) return {};
  const fields = sortByName(shape.fields ?? []).map(
    ([name, field]) => [name, columnOf(field, undefined)] as const,
  );
  return {
    ...(shape.fields && { fields: Object.fromEntries(fields) }),
    ...(shape.values && { values: columnOf(shape.values, undefined) }),
    // Even a list that was always empty has `items`, which tells lists from objects.
    ...(shape.kinds & kinds.list && { items: columnOf(shape.items ?? emptyShape(), undefined) }),
  };
}

const narrowerTypes: Partial<Record<DataType, readonly DataType[]>> = {
  double: ["bigint"],
  decimal: ["bigint", "double"],
  wei: ["bigint"],
  text: ["timestamp", "date", "time"],
};

/** Says whether every value of the type `other` is a value of `type`, too. */
export const includesType = (type: DataType, other: DataType): boolean =>
  type === other || (narrowerTypes[type]?.includes(other) ?? false);

/** Equal columns have equal hashes, in whatever order they were observed. */
export const columnsHash = (columns: Columns): string =>
  hash("sha256", JSON.stringify(sortByName(Object.entries(columns))), "hex").slice(0, 16);

/** A difference between two versions of a schema. */
export interface Change {
  /** A dotted path, with `[]` for the elements of a list and `*` for values under any name. */
  field: string;
  change: "new" | "gone" | "type" | "nullable";
  before: string | null;
  after: string | null;
}

/** Compares two schemas field by field. The nested fields of a new field are not listed. */
export function changesOf(before: Columns, after: Columns, parentPath = ""): Change[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].sort().flatMap((name) => {
    const field = parentPath + name;
    const [old, current] = [ownColumn(before, name), ownColumn(after, name)];
    if (old && current) return changesOfColumn(field, old, current);
    const change = old ? ("gone" as const) : ("new" as const);
    return [{ field, change, before: columnText(old), after: columnText(current) }];
  });
}

function changesOfColumn(field: string, before: Column, after: Column): Change[] {
  const changes: Change[] = [];
  if (typeText(before) !== typeText(after)) {
    changes.push({ field, change: "type", before: typeText(before), after: typeText(after) });
  }
  if (before.nullable !== after.nullable) {
    const nullText = ({ nullable }: Column) => (nullable ? "nullable" : "not null");
    changes.push({ field, change: "nullable", before: nullText(before), after: nullText(after) });
  }
  if (before.fields && after.fields) {
    changes.push(...changesOf(before.fields, after.fields, `${field}.`));
  }
  if (before.items && after.items) {
    changes.push(...changesOfColumn(`${field}[]`, before.items, after.items));
  }
  if (before.values && after.values) {
    changes.push(...changesOfColumn(`${field}.${ANY_NAME}`, before.values, after.values));
  }
  return changes;
}

const ownColumn = (columns: Columns, name: string): Column | undefined =>
  Object.hasOwn(columns, name) ? columns[name] : undefined;

/** Writes a type: `bigint`, `bigint | text`, `json list`, or `null` for a field without a value. */
export function typeText({ data_type, variants, fields, values, items }: Column): string {
  const isObject = fields !== undefined || values !== undefined;
  const json = isObject === (items !== undefined) ? "json" : isObject ? "json object" : "json list";
  const types = variants ?? (data_type ? [data_type] : []);
  return types.map((type) => (type === "json" ? json : type)).join(" | ") || "null";
}

const columnText = (column: Column | undefined): string | null =>
  column ? `${typeText(column)}${column.nullable ? "" : ", not null"}` : null;

/** Writes a change in words: `"priority" is new (text)`, `"size" bigint → bigint | text`. */
export function changeText({ field, change, before, after }: Change): string {
  if (change === "new") return `"${field}" is new (${after})`;
  return change === "gone" ? `"${field}" is gone` : `"${field}" ${before} → ${after}`;
}
