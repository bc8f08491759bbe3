import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import ts from "typescript";

/*
 * The format of a .json source as a JSON Schema, for editors. It comes from the types that a .ts
 * source has (with all shorthands and other spellings), their comments included. Functions have no
 * JSON, so what only a function could be is not in it.
 *
 *   node --import tsx scripts/json-schema.ts
 */

const types = fileURLToPath(new URL("../packages/core/src/config/types.ts", import.meta.url));
export const schemaFile = fileURLToPath(
  new URL("../packages/core/rest_api.schema.json", import.meta.url),
);

export type Schema = { [keyword: string]: unknown };

const SECRET: Schema = {
  description: `A credential by its name in the source's secret: dlt.secrets["api_key"] in Python.`,
  type: "object",
  properties: { $secret: { type: "string", minLength: 1 } },
  required: ["$secret"],
  additionalProperties: false,
};

export function jsonSchema(): Schema {
  const program = ts.createProgram([types], {
    strict: true,
    exactOptionalPropertyTypes: true,
    noEmit: true,
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.NodeNext,
    allowImportingTsExtensions: true,
  });
  const checker = program.getTypeChecker();
  const definitions: Record<string, Schema> = { Secret: SECRET };

  /** Undefined for what JSON can not hold. */
  function schemaOf(type: ts.Type): Schema | undefined {
    if (type.flags & ts.TypeFlags.Unknown) return {};
    if (type.isUnion()) return union(type.types);
    if (type.isStringLiteral()) return { const: type.value };
    if (type.flags & ts.TypeFlags.String) return { type: "string" };
    if (type.flags & ts.TypeFlags.Number) return { type: "number" };
    if (type.flags & ts.TypeFlags.BooleanLike) return { type: "boolean" };
    if (type.flags & ts.TypeFlags.Null) return { type: "null" };
    if (type.getCallSignatures().length > 0) return undefined;
    if (checker.isArrayType(type) || checker.isTupleType(type)) return array(type);
    const name = type.symbol.name;
    if (type.symbol.flags & (ts.SymbolFlags.Interface | ts.SymbolFlags.Class)) {
      // Before its members, for one of them may be of the same type.
      if (!(name in definitions)) {
        definitions[name] = {};
        Object.assign(definitions[name], object(type));
      }
      return { $ref: `#/definitions/${name}` };
    }
    return object(type);
  }

  function union(members: ts.Type[]): Schema | undefined {
    const words = members.filter((member) => member.isStringLiteral()).map(({ value }) => value);
    const others = members
      .filter((member) => !member.isStringLiteral() && !(member.flags & ts.TypeFlags.Undefined))
      .map(schemaOf)
      .filter((schema) => schema !== undefined);
    const unique = new Map(others.map((schema) => [JSON.stringify(schema), schema]));
    const all = [...(words.length > 0 ? [{ enum: words }] : []), ...unique.values()];
    const isOnlyNull = all.every(({ type }) => type === "null");
    return isOnlyNull ? undefined : all.length === 1 ? all[0] : { anyOf: all };
  }

  function array(type: ts.Type): Schema | undefined {
    const items = checker.getTypeArguments(type as ts.TypeReference).map(schemaOf);
    if (items.includes(undefined)) return undefined;
    if (checker.isArrayType(type)) return { type: "array", items: items[0] };
    return { type: "array", items, minItems: items.length, maxItems: items.length };
  }

  function object(type: ts.Type): Schema | undefined {
    const index = checker.getIndexInfoOfType(type, ts.IndexKind.String);
    if (index) return { type: "object", additionalProperties: schemaOf(index.type) };
    const properties: Record<string, Schema> = {};
    const required: string[] = [];
    for (const property of checker.getPropertiesOfType(type)) {
      const schema = schemaOf(checker.getTypeOfSymbol(property));
      const isOptional = property.flags & ts.SymbolFlags.Optional;
      if (schema) properties[property.name] = { ...documentation(property), ...schema };
      else if (!isOptional) return undefined;
      if (!isOptional) required.push(property.name);
    }
    const needed = required.length > 0 ? { required } : {};
    return { type: "object", properties, ...needed, additionalProperties: false };
  }

  function documentation(symbol: ts.Symbol): Schema {
    const text = ts.displayPartsToString(symbol.getDocumentationComment(checker));
    const examples = symbol
      .getJsDocTags(checker)
      .filter(({ name }) => name === "example")
      .flatMap(({ text }) => exampleOf(ts.displayPartsToString(text)));
    return {
      ...(text ? { description: text.replaceAll("\n", " ") } : {}),
      ...(examples.length > 0 ? { examples } : {}),
    };
  }

  const file = program.getSourceFile(types);
  const module = file && checker.getSymbolAtLocation(file);
  const source = module?.exports?.get("SourceConfig" as ts.__String);
  if (!source) throw new Error("types.ts exports no SourceConfig");
  const schema = object(checker.getDeclaredTypeOfSymbol(source));
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "A tidetable source: dlt's rest_api dict as JSON",
    ...schema,
    properties: { $schema: { type: "string" }, ...(schema?.properties as object) },
    definitions,
  };
}

/** Of those that are Python or TypeScript there is none in JSON, but of a secret. */
function exampleOf(text: string): unknown[] {
  try {
    return [JSON.parse(text.replace(/dlt\.secrets\[("\w+")\]/g, '{ "$secret": $1 }'))];
  } catch {
    return [];
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(schemaFile, JSON.stringify(jsonSchema()));
  spawnSync("npx", ["biome", "format", "--write", schemaFile], { stdio: "inherit" });
}
