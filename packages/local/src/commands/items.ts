import {
  type DynamoDBClient,
  paginateScan,
  ResourceNotFoundException,
} from "@aws-sdk/client-dynamodb";
import { ConfigError, type Item, type KeyPlan, type Problem, tableName } from "@tidetable/core";
import type { Io } from "../io.ts";
import { byKey, itemJson } from "../item-text.ts";
import type { Context } from "../options.ts";
import { several, table } from "../render.ts";
import { openSession } from "../session.ts";
import { notDeployed } from "../stage.ts";
import { loadResource } from "../target.ts";

/**
 * A table's items in key order; with --json one per line. A stage's as they come.
 * A resource that is read for its children alone has no table, and so no items.
 */
export async function items({ args: [target = ""], options, io }: Context): Promise<number> {
  const resource = await loadResource(target, options, io, {
    code: "cli.items",
    message: "items are printed for one resource",
  });
  const session = await openSession(options);
  try {
    const name = tableName(session.names, resource);
    if (options.stage !== undefined) {
      await stream(session.dynamodb, name, resource.key, { options, io });
      return 0;
    }
    const all = await scan(session.dynamodb, name, io.signal).catch((error: unknown) => {
      if (!(error instanceof ResourceNotFoundException)) throw error;
      if (resource.selected) throw missing(target, name);
      return [];
    });
    const chosen = all.sort(byKey(resource.key)).slice(0, options.limit);
    if (options.json) {
      for (const item of chosen) io.stdout.write(`${itemJson(item, resource.key)}\n`);
    } else {
      io.stdout.write(itemTable(chosen, resource.key, io));
      io.stderr.write(`${several(chosen.length, "item")} of ${all.length} in ${name}\n`);
    }
    return 0;
  } finally {
    await session.close();
  }
}

/** A table in AWS may be larger than memory: each answer is printed before the next one is asked for. */
async function stream(
  client: DynamoDBClient,
  table: string,
  key: KeyPlan,
  { options, io }: Pick<Context, "options" | "io">,
): Promise<void> {
  const { limit = Number.POSITIVE_INFINITY, stage = "", json } = options;
  const line = json ? (text: string) => text : (text: string) => fitting(text, io);
  // No more than is printed: a scan costs what it reads.
  const config = Number.isFinite(limit) ? { client, pageSize: Math.min(limit, 1000) } : { client };
  const abort = { abortSignal: io.signal };
  let printed = 0;
  try {
    for await (const { Items = [] } of paginateScan(config, { TableName: table }, abort)) {
      for (const item of Items.slice(0, limit - printed)) {
        io.stdout.write(`${line(itemJson(item, key))}\n`);
      }
      printed = Math.min(limit, printed + Items.length);
      if (printed === limit) break;
    }
  } catch (error) {
    throw error instanceof ResourceNotFoundException
      ? notDeployed(stage, `there is no table ${table}`)
      : error;
  }
  if (!json) io.stderr.write(`${several(printed, "item")} of ${table}, in the order of a scan\n`);
}

async function scan(client: DynamoDBClient, table: string, abortSignal: AbortSignal) {
  const found: Item[] = [];
  const pages = paginateScan(
    { client },
    { TableName: table, ConsistentRead: true },
    { abortSignal },
  );
  for await (const page of pages) found.push(...(page.Items ?? []));
  return found;
}

function itemTable(rows: Item[], key: KeyPlan, { stdout }: Pick<Io, "stdout">): string {
  const heads = [key.hash, key.range].flatMap((part) => (part ? [part.name] : []));
  const cells = rows.map((item) => [
    ...heads.map((name) => item[name]?.S ?? item[name]?.N ?? ""),
    itemJson(item, key),
  ]);
  const text = table([...heads, "item"], cells);
  return text.replace(/.+/g, (line) => fitting(line, { stdout }));
}

/** At a terminal one line each: a wrapped table can not be read. */
const fitting = (line: string, { stdout }: Pick<Io, "stdout">): string =>
  stdout.isTTY ? line.slice(0, (stdout.columns || 80) - 1) : line;

const missing = (target: string, name: string) =>
  invalid({
    path: target,
    message: `the table ${name} does not exist`,
    hint: "`tidetable run` creates and fills it; --data names another folder",
  });

const invalid = (problem: Problem) =>
  new ConfigError({ code: "cli.items", message: problem.message, problems: [problem] });
