import {
  type Column,
  type ColumnPlan,
  explain,
  type JsonObject,
  type JsonValue,
  jsonText,
  type Preview,
  plan,
  type ResourcePlan,
  tableName,
  typeText,
} from "@tidetable/core";
import { loadSources } from "../load-source.ts";
import type { Context } from "../options.ts";
import { progress } from "../progress.ts";
import { colors, oneLine, several, table } from "../render.ts";
import { failureOf } from "../report.ts";
import { openRunner } from "../runner.ts";
import { flat, keyText, keyWord } from "../schema-rows.ts";
import { named } from "../target.ts";

/** `preview SOURCE RESOURCE`: what a first run would find. Nothing is written. */
export async function preview({ args, options, io }: Context): Promise<number> {
  const [source = "", name = ""] = args;
  const { limit = 10, json } = options;
  const loaded = await loadSources([source], options, io);
  const all = loaded.flatMap((one) => plan(one.source, one.name).resources);
  const resource = named(name, all, source);
  const runner = await openRunner(loaded, options, io);
  const log = progress(io, { json });
  try {
    const of = { source: resource.source, resource: name, limit };
    const found = await runner
      .preview(of, log, io.signal)
      .catch((error: unknown) => ({ error: failureOf(error) }));
    log.stop();
    if ("error" in found) {
      const { error } = found;
      const nothing = { key: resource.key.fields, schema: null, records: [], warnings: [], error };
      if (json) io.stdout.write(`${JSON.stringify(nothing)}\n`);
      else io.stderr.write(`${resource.source}.${name}: ${explain(error)}\n`);
      return 1;
    }
    const records = found.records.slice(0, limit).map(asJson);
    if (json) {
      io.stdout.write(`${documentText(found, records, resource)}\n`);
      return 0;
    }
    const { yellow } = colors(io.stdout, io.env);
    const { length } = found.records;
    const read = `${several(length, "record")} on ${several(found.pages, "page")}; nothing was written`;
    io.stdout.write(
      [
        `${resource.source}.${name}: ${read}\n`,
        recordTable(records, resource, io.stdout.isTTY ? io.stdout.columns || 80 : PIPE),
        `table: ${tableName(runner.session.names, resource)}\n`,
        `key: ${keyText(resource.key, found.inferred)}\n`,
        fieldTable(found, resource),
        ...found.warnings.map((one) => `${yellow("warning")}: ${oneLine(explain(one))}\n`),
      ].join(""),
    );
    return 0;
  } finally {
    log.stop();
    await runner.close();
  }
}

/** As an item's JSON has them: bytes, which only whole columns are, as base64. */
const asJson = (record: Preview["records"][number]): JsonObject =>
  Object.fromEntries(
    Object.entries(record).map(([name, value]) => [
      name,
      value instanceof Uint8Array ? Buffer.from(value).toString("base64") : value,
    ]),
  );

/** Numbers keep all their digits. */
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

/** The width of what is no terminal. */
const PIPE = 100;
const CELL = 24;

/** As many fields as fit on a line, the key's first. */
function recordTable(records: JsonObject[], { key }: ResourcePlan, width: number): string {
  if (records.length === 0) return "\n";
  const present = new Set(records.flatMap((record) => Object.keys(record)));
  const names = [...new Set([...key.fields.filter((name) => present.has(name)), ...present])];
  const shown: string[][] = [];
  let room = width;
  for (const name of names) {
    const column = [name, ...records.map((record) => record[name])].map(cell);
    room -= Math.max(...column.map((text) => text.length)) + 2;
    if (room < 0 && shown.length > 0) break;
    shown.push(column);
  }
  const [heads = [], ...rows] = [...Array(records.length + 1).keys()].map((row) =>
    shown.map((column) => column[row] ?? ""),
  );
  const more = names.length - shown.length;
  const rest = more > 0 ? `and ${several(more, "more field", "more fields")}\n` : "";
  return `\n${table(heads, rows)}${rest}\n`;
}

function cell(value: JsonValue | undefined): string {
  const text = typeof value === "string" ? value : value === undefined ? "" : jsonText(value);
  const line = oneLine(text);
  return line.length > CELL ? `${line.slice(0, CELL - 1)}…` : line;
}

/** What was found beside what is declared. */
function fieldTable({ columns, inferred }: Preview, { columns: declared, key }: ResourcePlan) {
  const own = <T>(of: Record<string, T>, name: string) =>
    Object.hasOwn(of, name) ? of[name] : undefined;
  const rows = Object.keys(columns).flatMap((name) => {
    const found = own(inferred, name);
    const said = own(declared, name);
    const [first, ...inner] = found ? flat({ [name]: found }) : [];
    return [
      [oneLine(name), ...cells(first?.column), said ? saidText(said) : "", keyWord(name, key)],
      ...inner.map(({ field, column }) => [oneLine(field), ...cells(column), "", ""]),
    ];
  });
  return `\n${table(["field", "found", "null", "declared", "key"], rows)}\n`;
}

const cells = (column: Column | undefined): string[] =>
  column ? [typeText(column), column.nullable ? "yes" : "no"] : ["-", "-"];

const saidText = ({ dataType, nullable }: ColumnPlan): string =>
  [dataType ?? "yes", ...(nullable === false ? ["not null"] : [])].join(", ");
