import { hash } from "node:crypto";
import type { DataType } from "../config/data-types.ts";
import type { ColumnPlan, ResourcePlan } from "../config/plan-types.ts";
import { dataTypeOf, kinds, typesOf } from "./kinds.ts";
import { emptyShape, type Shape } from "./shape.ts";

/** A field in dlt's column words, and what dlt has none for: what is inside of it. */
export interface Column {
  /** Undefined while it has only been null. */
  data_type?: DataType;
  /** It may be null or absent. */
  nullable: boolean;
  /** What stands there in truth, where values have more types than the one above. */
  variants?: DataType[];
  description?: string;
  precision?: number;
  scale?: number;
  timezone?: boolean;
  unique?: true;
  primary_key?: true;
  /** Somebody wrote it into the config. */
  declared?: true;
  /** Of objects, by name. */
  fields?: Columns;
  /** Of objects whose names are data. */
  values?: Column;
  /** Of lists. */
  items?: Column;
}

export type Columns = Record<string, Column>;

/** A schema: what is declared, over what has been seen. */
export function columnsOf(
  seen: Shape | undefined,
  { columns, key }: Pick<ResourcePlan, "columns" | "key">,
): Columns {
  const found = [...(seen?.fields?.keys() ?? [])].sort();
  const names = new Set([...key.fields, ...Object.keys(columns), ...found]);
  const entries = [...names].map((name) => {
    const declared = Object.hasOwn(columns, name) ? columns[name] : undefined;
    const column = columnOf(shown(seen, name), declared);
    const isKey = key.fields.includes(name);
    const asKey = { ...column, nullable: false, primary_key: true as const };
    return [name, isKey ? asKey : column] as const;
  });
  // A record with a thousand names has names that are data.
  if (seen?.values) entries.push(["*", columnOf(seen.values, undefined)]);
  return Object.fromEntries(entries);
}

/** What no record had is missing; before the first record nothing is. */
const shown = (seen: Shape | undefined, name: string): Shape | undefined =>
  seen?.fields?.get(name) ?? (seen?.fields && { ...emptyShape(), isMissing: true });

function columnOf(seen: Shape | undefined, declared: ColumnPlan | undefined): Column {
  const inferred = seen && dataTypeOf(seen.kinds);
  const type = declared?.dataType ?? inferred;
  const types = seen ? typesOf(seen.kinds) : [];
  const isMixed = type !== undefined && types.some((one) => !holds(type, one));
  const wasNull = seen === undefined || seen.isNull || seen.isMissing;
  return {
    ...(type && { data_type: type }),
    nullable: declared?.nullable === undefined ? wasNull : declared.nullable || isBroken(seen),
    ...(isMixed && { variants: types }),
    ...declared?.hints,
    ...(declared && { declared: true as const }),
    ...insideOf(seen),
  };
}

/** Declared not to be null, and was: a reader has to know. */
const isBroken = (seen: Shape | undefined): boolean =>
  seen !== undefined && (seen.isNull || seen.isMissing);

function insideOf(seen: Shape | undefined): Pick<Column, "fields" | "values" | "items"> {
  if (!seen || (seen.kinds & (kinds.object | kinds.list)) === 0) return {};
  const named = [...(seen.fields ?? [])].sort(([a], [b]) => (a < b ? -1 : 1));
  const fields = named.map(([name, one]) => [name, columnOf(one, undefined)] as const);
  return {
    ...(seen.fields && { fields: Object.fromEntries(fields) }),
    ...(seen.values && { values: columnOf(seen.values, undefined) }),
    // A list that was always empty is a list all the same.
    ...(seen.kinds & kinds.list && { items: columnOf(seen.items ?? emptyShape(), undefined) }),
  };
}

const narrower: Partial<Record<DataType, readonly DataType[]>> = {
  double: ["bigint"],
  decimal: ["bigint", "double"],
  wei: ["bigint"],
  text: ["timestamp", "date", "time"],
};

/** Whether every value of the one type is one of the other. */
export const holds = (type: DataType, one: DataType): boolean =>
  type === one || (narrower[type]?.includes(one) ?? false);

/** Equal for equal columns, in whatever order they were found. */
export const columnsHash = (columns: Columns): string =>
  hash("sha256", JSON.stringify(sorted(columns)), "hex").slice(0, 16);

const sorted = (columns: Columns): [string, Column][] =>
  Object.entries(columns).sort(([a], [b]) => (a < b ? -1 : 1));

/** How a schema has moved. */
export interface Change {
  /** A dotted path; `[]` are the elements of a list, `*` the values under names that are data. */
  field: string;
  change: "new" | "gone" | "type" | "nullable";
  before: string | null;
  after: string | null;
}

/** What is in `after` and was not in `before`, field by field. Of something new its inside is not named again. */
export function changesOf(before: Columns, after: Columns, path = ""): Change[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].sort().flatMap((name) => {
    const field = path + name;
    const [was, is] = [own(before, name), own(after, name)];
    if (!was) return [{ field, change: "new" as const, before: null, after: text(is) }];
    if (!is) return [{ field, change: "gone" as const, before: text(was), after: null }];
    return changesOfColumn(field, was, is);
  });
}

function changesOfColumn(field: string, was: Column, is: Column): Change[] {
  const changes: Change[] = [];
  if (typeText(was) !== typeText(is)) {
    changes.push({ field, change: "type", before: typeText(was), after: typeText(is) });
  }
  if (was.nullable !== is.nullable) {
    const word = (column: Column) => (column.nullable ? "nullable" : "not null");
    changes.push({ field, change: "nullable", before: word(was), after: word(is) });
  }
  const inside = (name: "items" | "values", at: string) => {
    const [one, other] = [was[name], is[name]];
    return one && other ? changesOfColumn(`${field}${at}`, one, other) : [];
  };
  const fields = was.fields && is.fields ? changesOf(was.fields, is.fields, `${field}.`) : [];
  return [...changes, ...fields, ...inside("items", "[]"), ...inside("values", ".*")];
}

const own = (columns: Columns, name: string): Column | undefined =>
  Object.hasOwn(columns, name) ? columns[name] : undefined;

/** `bigint`, `bigint | text`, `json list`; `null` for what has only been null. */
export function typeText({ data_type, variants, fields, values, items }: Column): string {
  const isObject = fields !== undefined || values !== undefined;
  const json = isObject === (items !== undefined) ? "json" : isObject ? "json object" : "json list";
  const types = variants ?? (data_type ? [data_type] : []);
  return types.map((type) => (type === "json" ? json : type)).join(" | ") || "null";
}

const text = (column: Column | undefined): string | null =>
  column ? `${typeText(column)}${column.nullable ? "" : ", not null"}` : null;

/** `"priority" is new (text)`, `"size" bigint → bigint | text`. */
export function changeText({ field, change, before, after }: Change): string {
  if (change === "new") return `"${field}" is new (${after})`;
  return change === "gone" ? `"${field}" is gone` : `"${field}" ${before} → ${after}`;
}
