import {
  type Column,
  type Columns,
  columnsOf,
  parseShape,
  readSchema,
  readVersion,
  refOf,
  type SchemaVersion,
  type Shape,
  typeText,
} from "@tidetable/core/internal";
import type { KeyAttribute, KeyPlan, ResourcePlan } from "@tidetable/core/plan";
import type { Session } from "../base/session-type.ts";
import { readIfPresent } from "../session/session.ts";

/*
 * A resource's stored schema, and columns in the form for printing.
 */

export interface ResourceSchema {
  /** The newest version. Undefined before the end of the first run. */
  version: SchemaVersion | undefined;
  /** The fields seen in records until now. */
  shape: Shape | undefined;
}

/** Reads a resource's schema. Undefined when no field is known, not even a declared one. */
export async function readResourceSchema(
  resource: ResourcePlan,
  session: Session,
): Promise<ResourceSchema | undefined> {
  const ref = refOf(resource);
  const stored = await readIfPresent(readSchema(session, ref));
  const hasSeenFields = stored !== undefined && stored.seen !== "{}";
  const shape = hasSeenFields ? parseShape(stored.seen) : undefined;
  const version = stored?.version ? await readVersion(session, ref, stored.version) : undefined;
  const hasDeclaredColumns = Object.keys(resource.columns).length > 0;
  return version || shape || hasDeclaredColumns ? { version, shape } : undefined;
}

/** The newest version's columns; before the first version, the declared and the seen ones. */
export const currentColumns = (
  { version, shape }: ResourceSchema,
  resource: ResourcePlan,
): Columns => version?.columns ?? columnsOf(shape, resource);

interface FieldColumn {
  /** The path of the field, such as `customer.name`, `tags[]` or `sizes.*`. */
  field: string;
  column: Column;
}

/** Lists every field, followed by nested fields. */
export function flattenColumns(columns: Columns, path = ""): FieldColumn[] {
  return Object.entries(columns).flatMap(([name, column]) => flattenColumn(path + name, column));
}

function flattenColumn(field: string, column: Column): FieldColumn[] {
  const { fields, values, items } = column;
  return [
    { field, column },
    ...(fields ? flattenColumns(fields, `${field}.`) : []),
    ...(values ? flattenColumn(`${field}.*`, values) : []),
    ...(items ? flattenColumn(`${field}[]`, items) : []),
  ];
}

const keyTypeNames: Record<KeyAttribute["type"], string> = {
  S: "text",
  N: "number",
  B: "binary",
};

/** The part of a field in the key: `hash`, `range`, `in _key`, or none. */
export function keyRole(field: string, { fields, hash, range }: KeyPlan): string {
  if (field === hash.name) return "hash";
  if (field === range?.name) return "range";
  return fields.includes(field) ? `in ${range?.name}` : "";
}

const ownColumn = (columns: Columns, name: string): Column | undefined =>
  Object.hasOwn(columns, name) ? columns[name] : undefined;

/** Describes the key, as in `id (bigint, stored as text key)`. */
export function keyDescription({ fields, hash, range }: KeyPlan, columns: Columns): string {
  const parts = [hash, ...(range ? [range] : [])].map(({ name, type }) => {
    const column = ownColumn(columns, name);
    if (!column && name === "_row_id") return `${name} (made for each row)`;
    if (!column) return `${name} (${fields.slice(1).join(", ")}, joined)`;
    const columnType = column.data_type === undefined ? "" : `${typeText(column)}, `;
    return `${name} (${columnType}stored as ${keyTypeNames[type]} key)`;
  });
  return parts.join(", ");
}

/**
 * The columns of an item in the table: the key's columns have the types of the key, and tidetable's
 * own attributes (`_key`, `_row_id`) are included.
 */
export function itemColumns(columns: Columns, { hash, range }: KeyPlan): Columns {
  const keyColumns = [hash, ...(range ? [range] : [])].map(
    ({ name, type }) => [name, keyColumn(ownColumn(columns, name), type)] as const,
  );
  const keyNames = new Set(keyColumns.map(([name]) => name));
  const otherColumns = Object.entries(columns).filter(([name]) => !keyNames.has(name));
  return Object.fromEntries([...keyColumns, ...otherColumns]);
}

const textTypes = new Set(["text", "timestamp", "date", "time"]);

function keyColumn(column: Column | undefined, keyType: KeyAttribute["type"]): Column {
  const { data_type = "text", variants, description } = column ?? {};
  // A text key holds only strings, whatever the API sends.
  const keepsType = keyType === "N" || (keyType === "S" && !variants && textTypes.has(data_type));
  return {
    data_type: keepsType ? data_type : keyType === "B" ? "binary" : "text",
    nullable: false,
    primary_key: true,
    ...(description === undefined ? {} : { description }),
  };
}
