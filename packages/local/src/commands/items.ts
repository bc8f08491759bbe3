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
import { loadTarget, parseTarget } from "../target.ts";

/** A table's items in key order; with --json one per line. */
export async function items({ args: [target = ""], options, io }: Context): Promise<number> {
  const [resource] = await loadTarget(target, options, io);
  if (!resource || !parseTarget(target).resource) {
    throw invalid({
      path: target,
      message: "items are printed for one resource",
      hint: `name it, as in ${target}/${resource?.name}`,
    });
  }

  const session = await openSession(options);
  try {
    const name = tableName(session.names, resource);
    const all = await scan(session.dynamodb, name, io.signal).catch((error: unknown) => {
      throw error instanceof ResourceNotFoundException ? missing(target, name) : error;
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

function itemTable(rows: Item[], key: KeyPlan, { stdout }: Io): string {
  const heads = [key.hash, key.range].flatMap((part) => (part ? [part.name] : []));
  const cells = rows.map((item) => [
    ...heads.map((name) => item[name]?.S ?? item[name]?.N ?? ""),
    itemJson(item, key),
  ]);
  const text = table([...heads, "item"], cells);
  if (!stdout.isTTY) return text;
  // One line each: a wrapped table can not be read.
  return text.replace(/.+/g, (line) => line.slice(0, (stdout.columns || 80) - 1));
}

const missing = (target: string, name: string) =>
  invalid({
    path: target,
    message: `the table ${name} does not exist`,
    hint: "`tidetable run` creates and fills it; --data names another folder",
  });

const invalid = (problem: Problem) =>
  new ConfigError({ code: "cli.items", message: problem.message, problems: [problem] });
