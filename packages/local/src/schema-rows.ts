import {
  type Column,
  type Columns,
  columnsOf,
  type KeyAttribute,
  type KeyPlan,
  parseShape,
  type ResourcePlan,
  readSchema,
  readVersion,
  type SchemaVersion,
  type Shape,
  typeText,
} from "@tidetable/core";
import { orNothing } from "./session.ts";
import type { Session } from "./session-type.ts";

/*
 * A resource's schema as it is kept, and the ways in which it is shown.
 */

export interface KeptSchema {
  /** Undefined before the first run has ended. */
  version: SchemaVersion | undefined;
  /** All that was ever seen of the records' fields. */
  seen: Shape | undefined;
}

/** Nothing where nothing is known: not declared either. */
export async function readKept(
  resource: ResourcePlan,
  session: Session,
): Promise<KeptSchema | undefined> {
  const place = { source: resource.source, resource: resource.name };
  const stored = await orNothing(readSchema(session, place));
  const seen = stored === undefined || stored.seen === "{}" ? undefined : parseShape(stored.seen);
  const version = stored?.version ? await readVersion(session, place, stored.version) : undefined;
  const isDeclared = Object.keys(resource.columns).length > 0;
  return version || seen || isDeclared ? { version, seen } : undefined;
}

/** The last version; before there is one, what is declared and has been seen so far. */
export const columnsNow = ({ version, seen }: KeptSchema, resource: ResourcePlan): Columns =>
  version?.columns ?? columnsOf(seen, resource);

/** All fields, nested ones too: `customer.name`, `tags[]`, `sizes.*`. */
export function flat(columns: Columns, path = ""): { field: string; column: Column }[] {
  return Object.entries(columns).flatMap(([name, column]) => inside(path + name, column));
}

function inside(field: string, column: Column): { field: string; column: Column }[] {
  const { fields, values, items } = column;
  return [
    { field, column },
    ...(fields ? flat(fields, `${field}.`) : []),
    ...(values ? inside(`${field}.*`, values) : []),
    ...(items ? inside(`${field}[]`, items) : []),
  ];
}

const keyTypes: Record<KeyAttribute["type"], string> = { S: "text", N: "number", B: "binary" };

/** `hash`, `range`, or that it is a part of the joined key. */
export function keyWord(field: string, { fields, hash, range }: KeyPlan): string {
  if (field === hash.name) return "hash";
  if (field === range?.name) return "range";
  return fields.includes(field) ? `in ${range?.name}` : "";
}

/** `id (bigint, stored as text key)`. */
export function keyText({ fields, hash, range }: KeyPlan, columns: Columns): string {
  const parts = [hash, ...(range ? [range] : [])].map(({ name, type }) => {
    const column = Object.hasOwn(columns, name) ? columns[name] : undefined;
    if (!column) return name === "_row_id" ? `${name} (made for each row)` : joined(name, fields);
    const found = column.data_type === undefined ? "" : `${typeText(column)}, `;
    return `${name} (${found}stored as ${keyTypes[type]} key)`;
  });
  return parts.join(", ");
}

const joined = (name: string, [, ...rest]: string[]) => `${name} (${rest.join(", ")}, joined)`;

/** The columns of an item as it is stored: its key in the key's types, and with the names that are made. */
export function itemColumns(columns: Columns, { hash, range }: KeyPlan): Columns {
  const key = [hash, ...(range ? [range] : [])].map(
    ({ name, type }) =>
      [name, keyColumn(Object.hasOwn(columns, name) ? columns[name] : undefined, type)] as const,
  );
  return { ...Object.fromEntries(key), ...without(columns, new Set(key.map(([name]) => name))) };
}

const without = (columns: Columns, names: Set<string>): Columns =>
  Object.fromEntries(Object.entries(columns).filter(([name]) => !names.has(name)));

const textTypes = new Set(["text", "timestamp", "date", "time"]);

function keyColumn(column: Column | undefined, type: KeyAttribute["type"]): Column {
  const { data_type = "text", variants, description } = column ?? {};
  // A text key has texts only, whatever the API sends.
  const kept = type === "N" || (type === "S" && !variants && textTypes.has(data_type));
  return {
    data_type: kept ? data_type : type === "B" ? "binary" : "text",
    nullable: false,
    primary_key: true,
    ...(description === undefined ? {} : { description }),
  };
}
