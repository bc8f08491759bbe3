import type { Column, ColumnPlan, Columns, DataType, ResourcePlan, Shape } from "@tidetable/core";
import { oneLine } from "./render.ts";
import { itemColumns } from "./schema-rows.ts";

/*
 * Rows as @tidetable/reader returns them, as TypeScript: types, or zod schemas. Both are written
 * from the same description of a value.
 */

/** One resource, and what is known of it. */
export interface Described {
  resource: ResourcePlan;
  columns: Columns;
  /** Tells null from missing, which columns do not. */
  seen: Shape | undefined;
  version: number;
  /** Of its interface. */
  typeName: string;
}

/** What a place can hold. */
type Kind =
  | { of: "unknown" | "null" | "string" | "boolean" | "number" | "bigint" | "Decimal" | "bytes" }
  | { of: "object"; fields: Field[]; others?: Kind }
  | { of: "record"; values: Kind }
  | { of: "list"; items: Kind }
  | { of: "union"; all: Kind[] };

interface Field {
  name: string;
  kind: Kind;
  isOptional: boolean;
  description: string | undefined;
}

// ── From a schema ────────────────────────────────────────────────────────────────────────────────

export function rowKind({ resource, columns, seen }: Described): Kind {
  const { "*": others, ...named } = itemColumns(columns, resource.key);
  const fields = Object.entries(named).map(([name, column]): Field => {
    const declared = Object.hasOwn(resource.columns, name) ? resource.columns[name] : undefined;
    return fieldOf(name, column, seen?.fields?.get(name), declared);
  });
  return { of: "object", fields, ...(others && { others: { of: "unknown" as const } }) };
}

function fieldOf(
  name: string,
  column: Column,
  shape: Shape | undefined,
  declared?: ColumnPlan | undefined,
): Field {
  const kind = kindOf(column, shape, declared?.dataType);
  // The reader gives null for a declared field that is absent, unless it is declared not to be null.
  const isFilled = declared !== undefined && declared.nullable !== false;
  const isNull = column.nullable && (isFilled || (shape?.isNull ?? true));
  return {
    name,
    kind: isNull ? union([kind, { of: "null" }]) : kind,
    isOptional: column.nullable && !isFilled && (shape?.isMissing ?? true),
    description: column.description,
  };
}

/** Of a value that is not null. */
function kindOf(column: Column, shape: Shape | undefined, declared?: DataType): Kind {
  const { data_type, variants } = column;
  const types = variants ?? (data_type ? [data_type] : []);
  return union(
    types.flatMap((type): Kind[] => {
      if (type === "json") return nested(column, shape);
      // Of what is not declared double a whole number may be a bigint.
      return type === "double" && declared !== "double" ? plain.bigint : plain[type];
    }),
  );
}

const number: Kind = { of: "number" };
const exact: Kind[] = [number, { of: "bigint" }];
const string: Kind[] = [{ of: "string" }];

/** As @tidetable/reader has them. */
const plain: Record<Exclude<DataType, "json">, Kind[]> = {
  text: string,
  timestamp: string,
  date: string,
  time: string,
  bigint: exact,
  wei: exact,
  double: [number],
  decimal: [...exact, { of: "Decimal" }],
  bool: [{ of: "boolean" }],
  binary: [{ of: "bytes" }],
};

function nested({ fields, values, items }: Column, shape: Shape | undefined): Kind[] {
  const all: Kind[] = [];
  if (fields) {
    const inner = Object.entries(fields).map(([name, column]) =>
      fieldOf(name, column, shape?.fields?.get(name)),
    );
    all.push({ of: "object", fields: inner });
  }
  if (values) all.push({ of: "record", values: element(values, shape?.values) });
  if (items) all.push({ of: "list", items: element(items, shape?.items) });
  return all.length > 0 ? all : [{ of: "unknown" }];
}

/** What stands in a list or a dictionary is there, or null. */
function element(column: Column, shape: Shape | undefined): Kind {
  const kind = kindOf(column, shape);
  return shape?.isNull ? union([kind, { of: "null" }]) : kind;
}

/** Unknown, where nothing is said, or one of the parts says nothing. */
function union(kinds: Kind[]): Kind {
  const all = kinds.flatMap((kind) => (kind.of === "union" ? kind.all : [kind]));
  const [only] = all;
  if (!only || all.some(({ of }) => of === "unknown")) return { of: "unknown" };
  const different = all.filter((one, i) => all.findIndex((other) => isSame(one, other)) === i);
  return different.length === 1 ? only : { of: "union", all: different };
}

/** What is more than a word is never written twice. */
const isSame = (one: Kind, other: Kind) => one === other || (one.of === other.of && isWord(one));
const isWord = ({ of }: Kind) => !["object", "record", "list", "union"].includes(of);

export function usesDecimal(kind: Kind): boolean {
  switch (kind.of) {
    case "Decimal":
      return true;
    case "object":
      return kind.fields.some((field) => usesDecimal(field.kind));
    case "record":
      return usesDecimal(kind.values);
    case "list":
      return usesDecimal(kind.items);
    case "union":
      return kind.all.some(usesDecimal);
    default:
      return false;
  }
}

// ── As TypeScript ────────────────────────────────────────────────────────────────────────────────

/** `{ … }`, as it stands behind `interface SupportTickets`. */
export function tsText(kind: Kind, indent = ""): string {
  switch (kind.of) {
    case "bytes":
      return "Uint8Array";
    case "record":
      return `Record<string, ${tsText(kind.values, indent)}>`;
    case "list": {
      const items = tsText(kind.items, indent);
      return kind.items.of === "union" ? `(${items})[]` : `${items}[]`;
    }
    case "union":
      return kind.all.map((one) => tsText(one, indent)).join(" | ");
    case "object": {
      const inner = `${indent}  `;
      const lines = kind.fields.map(
        ({ name, kind, isOptional, description }) =>
          `${comment(description, inner)}${inner}${nameText(name)}${isOptional ? "?" : ""}: ${tsText(kind, inner)};\n`,
      );
      if (kind.others) lines.push(`${inner}[name: string]: ${tsText(kind.others, inner)};\n`);
      return lines.length === 0 ? "Record<string, unknown>" : `{\n${lines.join("")}${indent}}`;
    }
    default:
      return kind.of;
  }
}

const isIdentifier = /^[A-Za-z_$][\w$]*$/;

const nameText = (name: string): string =>
  isIdentifier.test(name) && name !== "__proto__" ? name : JSON.stringify(name);

export const comment = (text: string | undefined, indent: string): string =>
  text ? `${indent}/** ${oneLine(text).replaceAll("*/", "*\\/")} */\n` : "";

// ── As zod ───────────────────────────────────────────────────────────────────────────────────────

/** An expression, of what zod 3 and 4 have in common. Fields that are not named stay in a row. */
export function zodText(kind: Kind, indent = ""): string {
  switch (kind.of) {
    case "bytes":
      return "z.instanceof(Uint8Array)";
    case "Decimal":
      return "z.instanceof(Decimal)";
    case "record":
      return `z.record(z.string(), ${zodText(kind.values, indent)})`;
    case "list":
      return `z.array(${zodText(kind.items, indent)})`;
    case "union":
      return `z.union([${kind.all.map((one) => zodText(one, indent)).join(", ")}])`;
    case "object": {
      const inner = `${indent}  `;
      const lines = kind.fields.map(({ name, kind, isOptional, description }) => {
        // Written plainly, it would set the prototype.
        const key = name === "__proto__" ? `["__proto__"]` : nameText(name);
        const optional = isOptional ? ".optional()" : "";
        return `${comment(description, inner)}${inner}${key}: ${zodText(kind, inner)}${optional},\n`;
      });
      return `z.object({\n${lines.join("")}${indent}}).passthrough()`;
    }
    default:
      return `z.${kind.of}()`;
  }
}
