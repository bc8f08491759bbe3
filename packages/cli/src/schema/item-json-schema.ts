import type { DataType } from "@tidetable/core";
import type { Column, Columns } from "@tidetable/core/internal";

/** The keywords of JSON Schema 2020-12 in use. */
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

/** Writes the JSON Schema of a table's items. Unknown fields are allowed. */
export function itemJsonSchema(title: string, columns: Columns): JsonSchema & { $schema: string } {
  // A record with more than a thousand names has a column "*": its names are data.
  const { "*": valueColumn, ...namedColumns } = columns;
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title,
    type: "object",
    ...memberSchemas(namedColumns),
    additionalProperties: valueColumn ? valueSchema(valueColumn) : true,
  };
}

const typeSchemas: Record<DataType, JsonSchema & { type?: string }> = {
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

function memberSchemas(columns: Columns): JsonSchema {
  const entries = Object.entries(columns);
  const required = entries.filter(([, { nullable }]) => !nullable).map(([name]) => name);
  return {
    properties: Object.fromEntries(entries.map(([name, column]) => [name, valueSchema(column)])),
    ...(required.length > 0 && { required }),
    additionalProperties: true,
  };
}

function valueSchema(column: Column): JsonSchema {
  const { data_type, variants, nullable, description, fields, values, items } = column;
  const dataTypes = variants ?? (data_type ? [data_type] : []);
  // A format or encoding applies only if the value has a single type.
  const [singleType] = dataTypes.length === 1 ? dataTypes : [];
  const { type: _type, ...keywords } = singleType ? typeSchemas[singleType] : {};
  return {
    ...typeKeyword(dataTypes, column, nullable),
    ...keywords,
    ...(description !== undefined && { description }),
    ...(fields && memberSchemas(fields)),
    ...(values && { additionalProperties: valueSchema(values) }),
    ...(items && { items: valueSchema(items) }),
  };
}

/** The keyword `type`. Left out when any type is allowed. */
function typeKeyword(
  dataTypes: DataType[],
  { fields, values, items }: Column,
  nullable: boolean,
): Pick<JsonSchema, "type"> {
  const nestedTypes = [...(fields || values ? ["object"] : []), ...(items ? ["array"] : [])];
  const names = dataTypes.flatMap((dataType) =>
    dataType === "json" ? nestedTypes : (typeSchemas[dataType].type ?? []),
  );
  const isUntyped = dataTypes.includes("json") && nestedTypes.length === 0;
  if (names.length === 0 || isUntyped) return {};
  const [firstName = "", ...otherNames] = new Set([...names, ...(nullable ? ["null"] : [])]);
  return { type: otherNames.length === 0 ? firstName : [firstName, ...otherNames] };
}
