import { paginateScan } from "@aws-sdk/client-dynamodb";
import { tableName } from "@tidetable/core/plan";
import type { Context } from "../base/options.ts";
import { runDocument } from "../output/documents.ts";
import { openProgressLog } from "../output/progress.ts";
import {
  type Colors,
  createColors,
  formatAmount,
  formatCount,
  runReportText,
} from "../output/render.ts";
import { openLocalRunner } from "../runner/local-runner.ts";
import type { Runner } from "../runner/runner.ts";
import { openSampleApi, type SampleApi } from "../sample/server.ts";
import { loadRegisteredSources } from "../sources/registered-sources.ts";

/**
 * `npm start`: runs the five sources twice against the sample API, into the embedded engine. The
 * second round merges changed and new records.
 */
export async function startDemo({ options, io }: Context): Promise<number> {
  const color = createColors(io.stdout, io.env);
  const print = (line = "") => io.stdout.write(`${line}\n`);
  const api = await openSampleApi();
  sendRequestsTo(api);
  const runner = await openDemoRunner(api, options, io);
  try {
    print(color.bold("tidetable: five REST APIs into DynamoDB tables, on this machine"));
    const systemCount = Object.keys(api.origins).length;
    print(
      `sample API     ${formatAmount(systemCount, "system")} on 127.0.0.1, with some 429 and 503 on the way`,
    );
    print(`DynamoDB       ${runner.session.endpoint} (embedded engine, data in ${options.data})`);

    print(`\n${color.bold("Round 1")}: everything`);
    const firstSucceeded = await runRound(runner, io);
    if (io.signal.aborted) return 130;

    const { changed, added } = api.change();
    print(
      `\n${color.bold("Round 2")}: meanwhile ${formatAmount(changed, "record")} changed and ${formatCount(added)} came in`,
    );
    const secondSucceeded = await runRound(runner, io);
    if (io.signal.aborted) return 130;

    const tables = await countTables(runner, api);
    const areEqual = tables.every(({ items, records }) => items === records);
    print();
    print(areEqual ? mergedText(tables, { changed, added }, color) : differenceText(tables, color));
    print(`\nTry next:`);
    print(`  npx --no tidetable items ticketing/tickets --limit 3`);
    print(`  npx --no tidetable plan support`);
    print(`  npx --no tidetable state`);
    return areEqual && firstSucceeded && secondSucceeded ? 0 : 1;
  } finally {
    await runner.close();
    await api.close();
  }
}

/** Sends the sources' requests to the sample API, past any proxy. */
function sendRequestsTo(api: SampleApi): void {
  for (const [source, origin] of Object.entries(api.origins)) {
    process.env[`TIDETABLE_ORIGIN_${source.toUpperCase()}`] = origin;
  }
  const withoutProxy = process.env.no_proxy ?? process.env.NO_PROXY ?? "";
  process.env.no_proxy = `${withoutProxy},127.0.0.1`;
}

async function openDemoRunner(
  api: SampleApi,
  options: Context["options"],
  io: Context["io"],
): Promise<Runner> {
  const sources = await loadRegisteredSources(io);
  const loadedSources = Object.entries(sources).map(([name, source]) => ({ name, source }));
  const lookUpSecret = async (source: string) => api.secrets[source] ?? {};
  if (!options.lambda) return openLocalRunner(loadedSources, options, io, lookUpSecret);
  const { openLambdaRunner } = await import("../runner/lambda-runner.ts");
  return openLambdaRunner(loadedSources, options, io, lookUpSecret);
}

/** Runs all sources and prints their progress. True when every resource succeeded. */
async function runRound(runner: Runner, io: Context["io"]): Promise<boolean> {
  const log = openProgressLog(io);
  const startedAt = Date.now();
  const events = runner.plans.map(({ name: source }) => ({ source }));
  const { runId, reports } = await runner.run(events, log, io.signal);
  log.stop();
  const document = runDocument(
    {
      run_id: runId,
      started_at: new Date(startedAt).toISOString(),
      duration_ms: Date.now() - startedAt,
    },
    reports,
  );
  io.stdout.write(`\n${runReportText(document, createColors(io.stdout, io.env))}`);
  return document.status === "succeeded";
}

interface TableCounts {
  name: string;
  /** The items in the table. */
  items: number;
  /** The records that the API has. */
  records: number;
}

async function countTables({ plans, session }: Runner, api: SampleApi): Promise<TableCounts[]> {
  const recordCounts = api.counts();
  return Promise.all(
    plans
      .flatMap(({ resources }) => resources)
      .map(async (resource) => {
        const name = `${resource.source}.${resource.name}`;
        const items = await countItems(session, tableName(session.names, resource));
        return { name, items, records: recordCounts[name] ?? 0 };
      }),
  );
}

async function countItems({ dynamodb }: Runner["session"], table: string): Promise<number> {
  let items = 0;
  const scan = { TableName: table, Select: "COUNT" as const };
  for await (const { Count = 0 } of paginateScan({ client: dynamodb }, scan)) items += Count;
  return items;
}

function mergedText(
  tables: TableCounts[],
  { changed, added }: { changed: number; added: number },
  color: Colors,
): string {
  const items = tables.reduce((sum, table) => sum + table.items, 0);
  const merged = color.green("Merged");
  return `${merged}: ${formatAmount(changed, "changed record")} updated in place, ${formatCount(added)} added, no duplicates:
${formatAmount(tables.length, "table")} hold ${formatAmount(items, "item")}, exactly what the API has.`;
}

const differenceText = (tables: TableCounts[], color: Colors): string =>
  tables
    .filter(({ items, records }) => items !== records)
    .map(({ name, items, records }) => {
      return color.red(`${name}: ${items} items, but the API has ${records} records`);
    })
    .join("\n");
