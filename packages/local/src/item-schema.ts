import type { Column, Columns, DataType } from "@tidetable/core";

/** As far as JSON Schema 2020-12 is needed here. */
interface JsonSchema {
  title?: string;
  type?: string | string[];
  format?: string;
  contentEncoding?: string;
  description?: string;
  properties?: Record<string, JsonSchema>;
  required?: string[];
  additionalProperties?: JsonSchema | true;
  items?: JsonSchema;
}

/** The JSON Schema of a table's items. Fields that it does not know may come at any time. */
export function itemSchema(title: string, columns: Columns): JsonSchema & { $schema: string } {
  // A record with a thousand names has names that are data.
  const { "*": others, ...named } = columns;
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title,
    type: "object",
    ...members(named),
    additionalProperties: others ? valueSchema(others) : true,
  };
}

const words: Record<DataType, JsonSchema & { type?: string }> = {
  text: { type: "string" },
  bigint: { type: "integer" },
  wei: { type: "integer" },
  double: { type: "number" },
  decimal: { type: "number" },
  bool: { type: "boolean" },
  timestamp: { type: "string", format: "date-time" },
  date: { type: "string", format: "date" },
  time: { type: "string", format: "time" },
  binary: { type: "string", contentEncoding: "base64" },
  json: {},
};

function members(columns: Columns): JsonSchema {
  const all = Object.entries(columns);
  const required = all.filter(([, { nullable }]) => !nullable).map(([name]) => name);
  return {
    properties: Object.fromEntries(all.map(([name, column]) => [name, valueSchema(column)])),
    ...(required.length > 0 && { required }),
    additionalProperties: true,
  };
}

function valueSchema(column: Column): JsonSchema {
  const { data_type, variants, nullable, description, fields, values, items } = column;
  const types = variants ?? (data_type ? [data_type] : []);
  const found = types.map((type) => words[type]);
  const { type: _, ...only } = (found.length === 1 && found[0]) || {};
  return {
    ...typeOf(types, column, nullable),
    ...only,
    ...(description !== undefined && { description }),
    ...(fields && members(fields)),
    ...(values && { additionalProperties: valueSchema(values) }),
    ...(items && { items: valueSchema(items) }),
  };
}

/** Nothing where anything may stand. */
function typeOf(types: DataType[], column: Column, nullable: boolean): Pick<JsonSchema, "type"> {
  const { fields, values, items } = column;
  const nested = [...(fields || values ? ["object"] : []), ...(items ? ["array"] : [])];
  const names = types.flatMap((type) => (type === "json" ? nested : (words[type].type ?? [])));
  if (names.length === 0 || (types.includes("json") && nested.length === 0)) return {};
  const all = [...new Set([...names, ...(nullable ? ["null"] : [])])];
  return { type: all.length === 1 ? (all[0] as string) : all };
}
