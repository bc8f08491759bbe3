import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import ts from "typescript";

/*
 * Writes the JSON Schema of a .json source, for editors. The schema comes from the types of a .ts
 * source, with all shorthands, aliases and comments. JSON has no functions, so they are left out.
 *
 *   node --import tsx scripts/json-schema.ts
 */

const typesFile = fileURLToPath(new URL("../packages/core/src/config/types.ts", import.meta.url));
export const schemaFile = fileURLToPath(
  new URL("../packages/core/rest_api.schema.json", import.meta.url),
);

export type Schema = { [keyword: string]: unknown };

const secretSchema: Schema = {
  description: `A credential by its name in the source's secret: dlt.secrets["api_key"] in Python.`,
  type: "object",
  properties: { $secret: { type: "string", minLength: 1 } },
  required: ["$secret"],
  additionalProperties: false,
};

export function jsonSchema(): Schema {
  const program = ts.createProgram([typesFile], {
    strict: true,
    exactOptionalPropertyTypes: true,
    noEmit: true,
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.NodeNext,
    allowImportingTsExtensions: true,
  });
  const checker = program.getTypeChecker();
  const file = program.getSourceFile(typesFile);
  const module = file && checker.getSymbolAtLocation(file);
  const sourceConfig = module?.exports?.get("SourceConfig" as ts.__String);
  if (!sourceConfig) throw new Error("types.ts exports no SourceConfig");

  const builder = new SchemaBuilder(checker);
  const schema = builder.objectSchema(checker.getDeclaredTypeOfSymbol(sourceConfig));
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "A tidetable source: dlt's rest_api dict as JSON",
    ...schema,
    properties: { $schema: { type: "string" }, ...(schema?.properties as object) },
    definitions: builder.definitions,
  };
}

/** Turns TypeScript types into schemas. A type that JSON cannot hold has an undefined schema. */
class SchemaBuilder {
  /** The schemas of interfaces and classes, by name. */
  readonly definitions: Record<string, Schema> = { Secret: secretSchema };
  readonly #checker: ts.TypeChecker;

  constructor(checker: ts.TypeChecker) {
    this.#checker = checker;
  }

  objectSchema(type: ts.Type): Schema | undefined {
    const index = this.#checker.getIndexInfoOfType(type, ts.IndexKind.String);
    if (index) return { type: "object", additionalProperties: this.#typeSchema(index.type) };
    const properties: Record<string, Schema> = {};
    const required: string[] = [];
    for (const property of this.#checker.getPropertiesOfType(type)) {
      const schema = this.#typeSchema(this.#checker.getTypeOfSymbol(property));
      const isOptional = property.flags & ts.SymbolFlags.Optional;
      if (schema) properties[property.name] = { ...this.#documentation(property), ...schema };
      else if (!isOptional) return undefined;
      if (!isOptional) required.push(property.name);
    }
    const requiredKeyword = required.length > 0 ? { required } : {};
    return { type: "object", properties, ...requiredKeyword, additionalProperties: false };
  }

  #typeSchema(type: ts.Type): Schema | undefined {
    if (type.flags & ts.TypeFlags.Unknown) return {};
    if (type.isUnion()) return this.#unionSchema(type.types);
    if (type.isStringLiteral()) return { const: type.value };
    if (type.flags & ts.TypeFlags.String) return { type: "string" };
    if (type.flags & ts.TypeFlags.Number) return { type: "number" };
    if (type.flags & ts.TypeFlags.BooleanLike) return { type: "boolean" };
    if (type.flags & ts.TypeFlags.Null) return { type: "null" };
    if (type.getCallSignatures().length > 0) return undefined;
    if (this.#checker.isArrayType(type) || this.#checker.isTupleType(type)) {
      return this.#arraySchema(type as ts.TypeReference);
    }
    const isNamed = type.symbol.flags & (ts.SymbolFlags.Interface | ts.SymbolFlags.Class);
    return isNamed ? this.#definitionReference(type) : this.objectSchema(type);
  }

  #definitionReference(type: ts.Type): Schema {
    const { name } = type.symbol;
    if (!(name in this.definitions)) {
      // The definition exists before its members, because a member may refer back to it.
      const definition: Schema = {};
      this.definitions[name] = definition;
      Object.assign(definition, this.objectSchema(type));
    }
    return { $ref: `#/definitions/${name}` };
  }

  #unionSchema(members: ts.Type[]): Schema | undefined {
    const words = members.filter((member) => member.isStringLiteral()).map(({ value }) => value);
    const memberSchemas = members
      .filter((member) => !member.isStringLiteral() && !(member.flags & ts.TypeFlags.Undefined))
      .map((member) => this.#typeSchema(member))
      .filter((schema) => schema !== undefined);
    const uniqueSchemas = new Map(memberSchemas.map((schema) => [JSON.stringify(schema), schema]));
    const alternatives = [
      ...(words.length > 0 ? [{ enum: words }] : []),
      ...uniqueSchemas.values(),
    ];
    if (alternatives.every(({ type }) => type === "null")) return undefined;
    return alternatives.length === 1 ? alternatives[0] : { anyOf: alternatives };
  }

  #arraySchema(type: ts.TypeReference): Schema | undefined {
    const items = this.#checker.getTypeArguments(type).map((item) => this.#typeSchema(item));
    if (items.includes(undefined)) return undefined;
    if (this.#checker.isArrayType(type)) return { type: "array", items: items[0] };
    return { type: "array", items, minItems: items.length, maxItems: items.length };
  }

  #documentation(symbol: ts.Symbol): Schema {
    const description = ts.displayPartsToString(symbol.getDocumentationComment(this.#checker));
    const examples = symbol
      .getJsDocTags(this.#checker)
      .filter(({ name }) => name === "example")
      .flatMap(({ text }) => parseExample(ts.displayPartsToString(text)));
    return {
      ...(description ? { description: description.replaceAll("\n", " ") } : {}),
      ...(examples.length > 0 ? { examples } : {}),
    };
  }
}

/** Examples with functions have no JSON. A secret has a JSON form of its own. */
function parseExample(text: string): unknown[] {
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
