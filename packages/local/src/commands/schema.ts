import {
  type Change,
  type Columns,
  ConfigError,
  changesOf,
  type ResourcePlan,
  readVersion,
  typeText,
} from "@tidetable/core";
import type { Context } from "../base/options.ts";
import type { Session } from "../base/session-type.ts";
import { formatTable, safeLine } from "../output/render.ts";
import { itemJsonSchema } from "../schema/item-schema.ts";
import {
  currentColumns,
  flattenColumns,
  itemColumns,
  keyDescription,
  keyRole,
  type ResourceSchema,
  readResourceSchema,
} from "../schema/kept-schema.ts";
import { openSession } from "../session/session.ts";
import { loadResourcePlan, parseTarget } from "../sources/target.ts";

/** What `schema --json` prints. */
interface SchemaDocument {
  /** 0 before the first run has ended: what is declared, and seen so far. */
  version: number;
  hash: string | null;
  first_seen: string | null;
  run_id: string | null;
  columns: Columns;
}

/** What `schema --diff --json` prints. */
interface DiffDocument {
  version: number;
  /** The version that it is compared with; null for the first. */
  before: number | null;
  changes: Change[];
}

/** `schema`: a resource's fields, as its runs have found them and its source declares them. */
export async function printSchema({ args: [target = ""], options, io }: Context): Promise<number> {
  const resource = await loadResourcePlan(target, options, io, {
    code: "cli.schema",
    message: "a schema is printed for one resource",
  });
  const session = await openSession(options);
  try {
    const kept = await readResourceSchema(resource, session);
    if (!kept) throw unknown(target, resource);
    io.stdout.write(await printed(kept, resource, { session, options }));
    return 0;
  } finally {
    await session.close();
  }
}

async function printed(
  kept: ResourceSchema,
  resource: ResourcePlan,
  { session, options }: Pick<Context, "options"> & { session: Session },
): Promise<string> {
  const columns = currentColumns(kept, resource);
  const name = `${resource.source}.${resource.name}`;
  if (options.jsonSchema) {
    const found = itemJsonSchema(name, itemColumns(columns, resource.key));
    return `${JSON.stringify(found, null, 2)}\n`;
  }
  if (options.diff) {
    const found = await diff(kept, resource, session);
    return options.json ? `${JSON.stringify(found)}\n` : `${name}: ${diffText(found)}`;
  }
  const { version = 0, hash = null, first_seen = null, run_id = null } = kept.version ?? {};
  const document: SchemaDocument = { version, hash, first_seen, run_id, columns };
  return options.json ? `${JSON.stringify(document)}\n` : `${name}: ${text(document, resource)}`;
}

function text({ version, first_seen, run_id, columns }: SchemaDocument, { key }: ResourcePlan) {
  const since =
    version === 0
      ? "no run has ended yet: what is declared, and what has been seen so far"
      : `version ${version}, first seen ${first_seen} by run ${run_id}`;
  const rows = flattenColumns(columns).map(({ field, column }) => [
    safeLine(field),
    // Of a field that is only declared, and without a type, nothing is known.
    version === 0 && !column.data_type ? "-" : typeText(column),
    column.nullable ? "yes" : "no",
    column.declared ? "yes" : "",
    keyRole(field, key),
    safeLine(column.description ?? ""),
  ]);
  const heads = ["field", "type", "null", "declared", "key", "description"];
  return `${since}\nkey: ${keyDescription(key, columns)}\n\n${formatTable(heads, rows)}`;
}

async function diff(
  { version }: ResourceSchema,
  { source, name }: ResourcePlan,
  session: Session,
): Promise<DiffDocument> {
  const resourceRef = { source, resource: name };
  const before = version && (await readVersion(session, resourceRef, version.version - 1));
  return {
    version: version?.version ?? 0,
    before: before?.version ?? null,
    changes: version && before ? changesOf(before.columns, version.columns) : [],
  };
}

function diffText({ version, before, changes }: DiffDocument): string {
  if (version === 0) return "no run has ended yet, so there is no version to compare\n";
  if (before === null) return `version ${version} is the first\n`;
  return `version ${version} beside version ${before}\n${changes.map((one) => `${line(one)}\n`).join("")}`;
}

function line({ field, change, before, after }: Change): string {
  const name = safeLine(field);
  if (change === "new") return `+ ${name} (${after})`;
  return change === "gone" ? `- ${name} (${before})` : `~ ${name} ${before} → ${after}`;
}

function unknown(target: string, { name, selected }: ResourcePlan): ConfigError {
  const message = selected
    ? "nothing is known of its fields: it has not run, and its source declares none"
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
