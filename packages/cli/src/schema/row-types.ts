import type { DataType } from "@tidetable/core";
import type { Column, Columns, Shape } from "@tidetable/core/internal";
import type { ColumnPlan, ResourcePlan } from "@tidetable/core/plan";
import { safeLine } from "../output/render.ts";
import { itemColumns } from "./resource-schema.ts";

/*
 * TypeScript types of the rows that @tidetable/reader returns.
 */

/** A resource with its schema. */
export interface DescribedResource {
  resource: ResourcePlan;
  columns: Columns;
  /** The shape tells null fields from missing ones, which columns do not. */
  shape: Shape | undefined;
  version: number;
  /** The name of the row's interface. */
  typeName: string;
}

type ValueType =
  | { of: "unknown" | "null" | "string" | "boolean" | "number" | "bigint" | "Decimal" | "bytes" }
  | { of: "object"; fields: Field[]; hasOtherFields?: boolean }
  | { of: "record"; values: ValueType }
  | { of: "list"; items: ValueType }
  | { of: "union"; types: ValueType[] };

interface Field {
  name: string;
  type: ValueType;
  isOptional: boolean;
  description: string | undefined;
}

// ── From a schema to a type ──────────────────────────────────────────────────────────────────────

export function rowType({ resource, columns, shape }: DescribedResource): ValueType {
  const { "*": otherColumn, ...namedColumns } = itemColumns(columns, resource.key);
  const fields = Object.entries(namedColumns).map(([name, column]): Field => {
    const declared = Object.hasOwn(resource.columns, name) ? resource.columns[name] : undefined;
    return fieldOf(name, column, shape?.fields?.get(name), declared);
  });
  return { of: "object", fields, hasOtherFields: otherColumn !== undefined };
}

function fieldOf(
  name: string,
  column: Column,
  shape: Shape | undefined,
  declared?: ColumnPlan | undefined,
): Field {
  const type = typeOf(column, shape, declared?.dataType);
  // The reader fills an absent declared field with null, unless the field is not nullable.
  const isFilled = declared !== undefined && declared.nullable !== false;
  const isNullable = column.nullable && (isFilled || (shape?.wasNull ?? true));
  return {
    name,
    type: isNullable ? unionOf([type, { of: "null" }]) : type,
    isOptional: column.nullable && !isFilled && (shape?.wasMissing ?? true),
    description: column.description,
  };
}

/** The type of a value that is not null. */
function typeOf(column: Column, shape: Shape | undefined, declared?: DataType): ValueType {
  const { data_type, variants } = column;
  const dataTypes = variants ?? (data_type ? [data_type] : []);
  return unionOf(
    dataTypes.flatMap((dataType): ValueType[] => {
      if (dataType === "json") return nestedTypes(column, shape);
      // A whole number in an undeclared double column may be too large for a JavaScript number.
      const isInferredDouble = dataType === "double" && declared !== "double";
      return scalarTypes[isInferredDouble ? "bigint" : dataType];
    }),
  );
}

const numberType: ValueType = { of: "number" };
const exactTypes: ValueType[] = [numberType, { of: "bigint" }];
const stringTypes: ValueType[] = [{ of: "string" }];

/** The types of scalar values that @tidetable/reader returns. */
const scalarTypes: Record<Exclude<DataType, "json">, ValueType[]> = {
  text: stringTypes,
  timestamp: stringTypes,
  date: stringTypes,
  time: stringTypes,
  bigint: exactTypes,
  wei: exactTypes,
  double: [numberType],
  decimal: [...exactTypes, { of: "Decimal" }],
  bool: [{ of: "boolean" }],
  binary: [{ of: "bytes" }],
};

function nestedTypes({ fields, values, items }: Column, shape: Shape | undefined): ValueType[] {
  const types: ValueType[] = [];
  if (fields) {
    const nestedFields = Object.entries(fields).map(([name, column]) =>
      fieldOf(name, column, shape?.fields?.get(name)),
    );
    types.push({ of: "object", fields: nestedFields });
  }
  if (values) types.push({ of: "record", values: elementType(values, shape?.values) });
  if (items) types.push({ of: "list", items: elementType(items, shape?.items) });
  return types.length > 0 ? types : [{ of: "unknown" }];
}

/** The type of an element of a list or dictionary. An element can be null, but not missing. */
function elementType(column: Column, shape: Shape | undefined): ValueType {
  const type = typeOf(column, shape);
  return shape?.wasNull ? unionOf([type, { of: "null" }]) : type;
}

/** Joins types. The result is unknown without types, or with an unknown type among the types. */
function unionOf(types: ValueType[]): ValueType {
  const members = types.flatMap((type) => (type.of === "union" ? type.types : [type]));
  const [firstMember] = members;
  if (!firstMember || members.some(({ of }) => of === "unknown")) return { of: "unknown" };
  const distinct = members.filter(
    (type, i) => members.findIndex((candidate) => isSameType(candidate, type)) === i,
  );
  return distinct.length === 1 ? firstMember : { of: "union", types: distinct };
}

/** Compares simple types by name. Two compound types are different, even if they look alike. */
const isSameType = (left: ValueType, right: ValueType) =>
  left === right || (left.of === right.of && isSimpleType(left));
const isSimpleType = ({ of }: ValueType) => !["object", "record", "list", "union"].includes(of);

export function usesDecimal(type: ValueType): boolean {
  switch (type.of) {
    case "Decimal":
      return true;
    case "object":
      return type.fields.some((field) => usesDecimal(field.type));
    case "record":
      return usesDecimal(type.values);
    case "list":
      return usesDecimal(type.items);
    case "union":
      return type.types.some(usesDecimal);
    default:
      return false;
  }
}

// ── From a type to TypeScript ────────────────────────────────────────────────────────────────────

/** Writes a type: for a row, the `{ … }` of its interface. */
export function typescriptText(type: ValueType, indent = ""): string {
  switch (type.of) {
    case "bytes":
      return "Uint8Array";
    case "record":
      return `Record<string, ${typescriptText(type.values, indent)}>`;
    case "list": {
      const items = typescriptText(type.items, indent);
      return type.items.of === "union" ? `(${items})[]` : `${items}[]`;
    }
    case "union":
      return type.types.map((member) => typescriptText(member, indent)).join(" | ");
    case "object": {
      const innerIndent = `${indent}  `;
      const lines = type.fields.map((field) => fieldText(field, innerIndent));
      if (type.hasOtherFields) lines.push(`${innerIndent}[name: string]: unknown;\n`);
      return lines.length === 0 ? "Record<string, unknown>" : `{\n${lines.join("")}${indent}}`;
    }
    default:
      return type.of;
  }
}

function fieldText({ name, type, isOptional, description }: Field, indent: string): string {
  const property = `${propertyText(name)}${isOptional ? "?" : ""}`;
  return `${docComment(description, indent)}${indent}${property}: ${typescriptText(type, indent)};\n`;
}

const identifierPattern = /^[A-Za-z_$][\w$]*$/;

const propertyText = (name: string): string =>
  identifierPattern.test(name) && name !== "__proto__" ? name : JSON.stringify(name);

export const docComment = (text: string | undefined, indent: string): string =>
  text ? `${indent}/** ${safeLine(text).replaceAll("*/", "*\\/")} */\n` : "";
