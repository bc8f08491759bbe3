import {
  type DynamoDBClient,
  paginateScan,
  ResourceNotFoundException,
} from "@aws-sdk/client-dynamodb";
import type { Item } from "@tidetable/core/internal";
import { ConfigError } from "@tidetable/core/internal/config";
import { hideSecrets } from "@tidetable/core/internal/redact";
import { type KeyPlan, type Problem, tableName } from "@tidetable/core/plan";
import type { Io } from "../base/io.ts";
import type { Context } from "../base/options.ts";
import { compareByKey, itemJson } from "../output/item-json.ts";
import { formatAmount, formatTable } from "../output/render.ts";
import { openSession } from "../session/session.ts";
import { loadResourcePlan } from "../sources/target.ts";
import { notDeployedError } from "../stage/aws-errors.ts";

/**
 * `items SOURCE/RESOURCE`: prints a table's items in key order, as lines of JSON with --json. A stage's
 * items come in scan order. A resource read only for child resources has no items.
 */
export async function printItems({ args: [target = ""], options, io }: Context): Promise<number> {
  const resource = await loadResourcePlan(target, options, io, {
    code: "cli.items",
    message: "items are printed for one resource",
  });
  const session = await openSession(options);
  try {
    const table = tableName(session.names, resource);
    if (options.stage !== undefined) {
      await streamItems(session.dynamodb, table, resource.key, { options, io });
      return 0;
    }
    const items = await scanTable(session.dynamodb, table, io.signal).catch((error: unknown) => {
      if (!(error instanceof ResourceNotFoundException)) throw error;
      if (resource.selected) throw missingTableError(target, table);
      return [];
    });
    const printed = items.sort(compareByKey(resource.key)).slice(0, options.limit);
    if (options.json) {
      for (const item of printed) io.stdout.write(`${itemJson(item, resource.key)}\n`);
    } else {
      io.stdout.write(itemsText(printed, resource.key, io));
      io.stderr.write(`${formatAmount(printed.length, "item")} of ${items.length} in ${table}\n`);
    }
    return 0;
  } finally {
    await session.close();
  }
}

/** More items rarely fit into the 1 MB that a page of a scan holds. */
const MAX_PAGE_SIZE = 1000;

/** Prints each page before the next is read, because a table in AWS may exceed the memory. */
async function streamItems(
  client: DynamoDBClient,
  table: string,
  key: KeyPlan,
  { options, io }: Pick<Context, "options" | "io">,
): Promise<void> {
  const { limit = Number.POSITIVE_INFINITY, stage = "", json } = options;
  const toLine = json ? (text: string) => text : (text: string) => clipToTerminal(text, io);
  // A scan is charged by the data read, and no more is read than printed.
  const pageSize = Math.min(limit, MAX_PAGE_SIZE);
  const pagination = Number.isFinite(limit) ? { client, pageSize } : { client };
  const pages = paginateScan(pagination, { TableName: table }, { abortSignal: io.signal });
  let printed = 0;
  try {
    for await (const { Items = [] } of pages) {
      for (const item of Items.slice(0, limit - printed)) {
        io.stdout.write(`${toLine(itemJson(item, key))}\n`);
      }
      printed = Math.min(limit, printed + Items.length);
      if (printed === limit) break;
    }
  } catch (error) {
    throw error instanceof ResourceNotFoundException
      ? notDeployedError(stage, `there is no table ${table}`)
      : error;
  }
  if (!json) {
    io.stderr.write(`${formatAmount(printed, "item")} of ${table}, in the order of a scan\n`);
  }
}

async function scanTable(
  client: DynamoDBClient,
  table: string,
  abortSignal: AbortSignal,
): Promise<Item[]> {
  const items: Item[] = [];
  const scan = { TableName: table, ConsistentRead: true };
  for await (const { Items = [] } of paginateScan({ client }, scan, { abortSignal })) {
    items.push(...Items);
  }
  return items;
}

function itemsText(items: Item[], key: KeyPlan, { stdout }: Pick<Io, "stdout">): string {
  const keyNames = [key.hash, key.range].flatMap((attribute) =>
    attribute ? [attribute.name] : [],
  );
  const rows = items.map((item) => [
    ...keyNames.map((name) => item[name]?.S ?? item[name]?.N ?? ""),
    itemJson(item, key),
  ]);
  const text = formatTable([...keyNames, "item"], rows);
  return text.replace(/.+/g, (line) => clipToTerminal(line, { stdout }));
}

/** Clips a line to the width of a terminal, because a wrapped table is hard to read. */
const clipToTerminal = (line: string, { stdout }: Pick<Io, "stdout">): string =>
  stdout.isTTY ? hideSecrets(line).slice(0, (stdout.columns || 80) - 1) : line;

const missingTableError = (target: string, table: string) =>
  itemsError({
    path: target,
    message: `the table ${table} does not exist`,
    hint: "`tidetable run` creates and fills it; --data names another folder",
  });

const itemsError = (problem: Problem) =>
  new ConfigError({ code: "cli.items", message: problem.message, problems: [problem] });
