import type { JsonObject, JsonValue } from "@tidetable/core";
import {
  type Column,
  explainError,
  jsonText,
  type Preview,
  refOf,
  typeText,
} from "@tidetable/core/internal";
import { type ColumnPlan, planSource, type ResourcePlan, tableName } from "@tidetable/core/plan";
import type { Context } from "../base/options.ts";
import { type ErrorDocument, errorDocument } from "../output/documents.ts";
import { openProgressLog } from "../output/progress.ts";
import { createColors, cutLine, formatAmount, formatTable, safeLine } from "../output/render.ts";
import { openLocalRunner } from "../runner/local-runner.ts";
import { flattenColumns, keyDescription, keyRole } from "../schema/resource-schema.ts";
import { loadSources } from "../sources/load-source.ts";
import { findResource } from "../sources/target.ts";

/** `preview SOURCE RESOURCE`: prints the records of a first run. Nothing is written. */
export async function printPreview({ args, options, io }: Context): Promise<number> {
  const [sourceArg = "", resourceName = ""] = args;
  const { limit = 10, json } = options;
  const loadedSources = await loadSources([sourceArg], options, io);
  const plans = loadedSources.flatMap(({ source, name }) => planSource(source, name).resources);
  const resource = findResource(resourceName, plans, sourceArg);
  const runner = await openLocalRunner(loadedSources, options, io);
  const log = openProgressLog(io, { json });
  try {
    const preview = await runner
      .preview({ ...refOf(resource), limit }, log, io.signal)
      .catch((error: unknown) => ({ error: errorDocument(error) }));
    log.stop();
    if ("error" in preview) {
      printError(preview.error, resource, { options, io });
      return 1;
    }
    const records = preview.records.slice(0, limit).map(toJsonRecord);
    const table = tableName(runner.session.names, resource);
    io.stdout.write(
      json
        ? `${documentText(preview, records, resource)}\n`
        : previewText(preview, records, { resource, table, io }),
    );
    return 0;
  } finally {
    log.stop();
    await runner.close();
  }
}

function printError(
  error: ErrorDocument,
  { source, name, key }: ResourcePlan,
  { options, io }: Pick<Context, "options" | "io">,
): void {
  if (!options.json) {
    io.stderr.write(`${source}.${name}: ${explainError(error)}\n`);
    return;
  }
  const document = { key: key.fields, schema: null, records: [], warnings: [], error };
  io.stdout.write(`${JSON.stringify(document)}\n`);
}

/** Writes bytes as base64, as an item's JSON does. Only whole columns can be bytes. */
const toJsonRecord = (record: Preview["records"][number]): JsonObject =>
  Object.fromEntries(
    Object.entries(record).map(([name, value]) => [
      name,
      value instanceof Uint8Array ? Buffer.from(value).toString("base64") : value,
    ]),
  );

/** The document of `preview --json`. The numbers of records keep all their digits. */
function documentText(
  { columns, warnings }: Preview,
  records: JsonObject[],
  { key }: ResourcePlan,
): string {
  const members = {
    key: JSON.stringify(key.fields),
    schema: JSON.stringify({ columns }),
    records: jsonText(records),
    warnings: JSON.stringify(warnings),
  };
  return `{${Object.entries(members).map(([name, text]) => `"${name}":${text}`)}}`;
}

/** The width of the table of records on a pipe. */
const PIPE_WIDTH = 100;
const MAX_CELL_WIDTH = 24;

function previewText(
  preview: Preview,
  records: JsonObject[],
  { resource, table, io }: { resource: ResourcePlan; table: string; io: Context["io"] },
): string {
  const { stdout, env } = io;
  const { yellow } = createColors(stdout, env);
  const recordCount = formatAmount(preview.records.length, "record");
  const pageCount = formatAmount(preview.pageCount, "page");
  return [
    `${resource.source}.${resource.name}: ${recordCount} on ${pageCount}; nothing was written\n`,
    recordsText(records, resource, stdout.isTTY ? stdout.columns || 80 : PIPE_WIDTH),
    `table: ${table}\n`,
    `key: ${keyDescription(resource.key, preview.inferredColumns)}\n`,
    fieldsText(preview, resource),
    ...preview.warnings.map((warning) => {
      return `${yellow("warning")}: ${safeLine(explainError(warning))}\n`;
    }),
  ].join("");
}

/** A table with as many fields as fit on a line. The key's fields come first. */
function recordsText(records: JsonObject[], { key }: ResourcePlan, width: number): string {
  if (records.length === 0) return "\n";
  const presentNames = new Set(records.flatMap((record) => Object.keys(record)));
  const presentKeyNames = key.fields.filter((name) => presentNames.has(name));
  const names = [...new Set([...presentKeyNames, ...presentNames])];
  const columns: string[][] = [];
  let remainingWidth = width;
  for (const name of names) {
    const column = [name, ...records.map((record) => record[name])].map(cellText);
    remainingWidth -= Math.max(...column.map((text) => text.length)) + 2;
    if (remainingWidth < 0 && columns.length > 0) break;
    columns.push(column);
  }
  const [heads = [], ...rows] = [...Array(records.length + 1).keys()].map((row) =>
    columns.map((column) => column[row] ?? ""),
  );
  const hiddenFields = names.length - columns.length;
  const note =
    hiddenFields > 0 ? `and ${formatAmount(hiddenFields, "more field", "more fields")}\n` : "";
  return `\n${formatTable(heads, rows)}${note}\n`;
}

function cellText(value: JsonValue | undefined): string {
  const text = typeof value === "string" ? value : value === undefined ? "" : jsonText(value);
  return cutLine(text, MAX_CELL_WIDTH);
}

const ownMember = <T>(members: Record<string, T>, name: string): T | undefined =>
  Object.hasOwn(members, name) ? members[name] : undefined;

/** A table of the fields: the type found in the records beside the declared one. */
function fieldsText(
  { columns, inferredColumns }: Preview,
  { columns: declaredColumns, key }: ResourcePlan,
): string {
  const rows = Object.keys(columns).flatMap((name) => {
    const inferred = ownMember(inferredColumns, name);
    const declared = ownMember(declaredColumns, name);
    const [topLevel, ...nested] = inferred ? flattenColumns({ [name]: inferred }) : [];
    const declaredText = declared ? declarationText(declared) : "";
    return [
      [safeLine(name), ...inferredCells(topLevel?.column), declaredText, keyRole(name, key)],
      ...nested.map(({ field, column }) => [safeLine(field), ...inferredCells(column), "", ""]),
    ];
  });
  return `\n${formatTable(["field", "found", "null", "declared", "key"], rows)}\n`;
}

const inferredCells = (column: Column | undefined): string[] =>
  column ? [typeText(column), column.nullable ? "yes" : "no"] : ["-", "-"];

const declarationText = ({ dataType, nullable }: ColumnPlan): string =>
  [dataType ?? "yes", ...(nullable === false ? ["not null"] : [])].join(", ");
