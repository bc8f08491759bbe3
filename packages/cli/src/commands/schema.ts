import {
  type Change,
  type Columns,
  ConfigError,
  changesOf,
  readVersion,
  refOf,
  typeText,
} from "@tidetable/core/internal";
import type { ResourcePlan } from "@tidetable/core/plan";
import type { Context } from "../base/options.ts";
import type { Session } from "../base/session-type.ts";
import { formatTable, safeLine } from "../output/render.ts";
import { itemJsonSchema } from "../schema/item-json-schema.ts";
import {
  currentColumns,
  flattenColumns,
  itemColumns,
  keyDescription,
  keyRole,
  type ResourceSchema,
  readResourceSchema,
} from "../schema/resource-schema.ts";
import { openSession } from "../session/session.ts";
import { loadResourcePlan, parseTarget } from "../sources/target.ts";

/** The document of `schema --json`. */
interface SchemaDocument {
  /** 0 before the end of the first run, when only declared and seen columns are known. */
  version: number;
  hash: string | null;
  first_seen: string | null;
  run_id: string | null;
  columns: Columns;
}

/** The document of `schema --diff --json`. */
interface DiffDocument {
  version: number;
  /** The compared version. Null for the first version. */
  before: number | null;
  changes: Change[];
}

/** `schema SOURCE/RESOURCE`: prints the fields that runs have found and the source declares. */
export async function printSchema({ args: [target = ""], options, io }: Context): Promise<number> {
  const resource = await loadResourcePlan(target, options, io, {
    code: "cli.schema",
    message: "a schema is printed for one resource",
  });
  const session = await openSession(options);
  try {
    const schema = await readResourceSchema(resource, session);
    if (!schema) throw unknownSchemaError(target, resource);
    io.stdout.write(await formatSchema(schema, resource, { session, options }));
    return 0;
  } finally {
    await session.close();
  }
}

async function formatSchema(
  schema: ResourceSchema,
  resource: ResourcePlan,
  { session, options }: Pick<Context, "options"> & { session: Session },
): Promise<string> {
  const columns = currentColumns(schema, resource);
  const name = `${resource.source}.${resource.name}`;
  if (options.jsonSchema) {
    const jsonSchema = itemJsonSchema(name, itemColumns(columns, resource.key));
    return `${JSON.stringify(jsonSchema, null, 2)}\n`;
  }
  if (options.diff) {
    const diff = await readDiff(schema, resource, session);
    return options.json ? `${JSON.stringify(diff)}\n` : `${name}: ${diffText(diff)}`;
  }
  const { version = 0, hash = null, first_seen = null, run_id = null } = schema.version ?? {};
  const document: SchemaDocument = { version, hash, first_seen, run_id, columns };
  return options.json
    ? `${JSON.stringify(document)}\n`
    : `${name}: ${schemaText(document, resource)}`;
}

function schemaText(
  { version, first_seen, run_id, columns }: SchemaDocument,
  { key }: ResourcePlan,
): string {
  const origin =
    version === 0
      ? "no run has ended yet: the fields that are declared, and those seen so far"
      : `version ${version}, first seen ${first_seen} by run ${run_id}`;
  const rows = flattenColumns(columns).map(({ field, column }) => [
    safeLine(field),
    // A field declared without a type has an unknown type until a record contains the field.
    version === 0 && !column.data_type ? "-" : typeText(column),
    column.nullable ? "yes" : "no",
    column.declared ? "yes" : "",
    keyRole(field, key),
    safeLine(column.description ?? ""),
  ]);
  const heads = ["field", "type", "null", "declared", "key", "description"];
  return `${origin}\nkey: ${keyDescription(key, columns)}\n\n${formatTable(heads, rows)}`;
}

async function readDiff(
  { version }: ResourceSchema,
  resource: ResourcePlan,
  session: Session,
): Promise<DiffDocument> {
  const previous = version && (await readVersion(session, refOf(resource), version.version - 1));
  return {
    version: version?.version ?? 0,
    before: previous?.version ?? null,
    changes: version && previous ? changesOf(previous.columns, version.columns) : [],
  };
}

function diffText({ version, before, changes }: DiffDocument): string {
  if (version === 0) return "no run has ended yet, so there is no version to compare\n";
  if (before === null) return `version ${version} is the first\n`;
  const lines = changes.map((change) => `${changeLine(change)}\n`);
  return `version ${version} compared with version ${before}\n${lines.join("")}`;
}

function changeLine({ field, change, before, after }: Change): string {
  const name = safeLine(field);
  if (change === "new") return `+ ${name} (${after})`;
  return change === "gone" ? `- ${name} (${before})` : `~ ${name} ${before} → ${after}`;
}

function unknownSchemaError(target: string, { name, selected }: ResourcePlan): ConfigError {
  const message = selected
    ? "none of its fields is known: it has not run, and its source declares none"
    : "nothing of it is stored, and so it has no schema";
  const hint = selected
    ? `\`tidetable run\` finds them; \`tidetable preview ${parseTarget(target).source} ${name}\` looks without writing`
    : undefined;
  return new ConfigError({
    code: "cli.schema",
    message,
    problems: [{ path: target, message, hint }],
  });
}
