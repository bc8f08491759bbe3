import { type AttributeValue, ScanCommand } from "@aws-sdk/client-dynamodb";
import { tableName } from "@tidetable/core";
import { sources } from "@tidetable/sources";
import type { Context } from "../base/options.ts";
import { runDocument } from "../output/documents.ts";
import { openProgressLog } from "../output/progress.ts";
import { createColors, formatAmount, formatCount, runTable } from "../output/render.ts";
import { openLocalRunner, type Runner } from "../runner/local-runner.ts";
import { openSampleApi, type SampleApi } from "../sample/server.ts";

/**
 * `npm start`: the five sources, twice, against the sample API, into the embedded engine. The second
 * round finds some records changed and some new, and merges them.
 */
export async function startDemo({ options, io }: Context): Promise<number> {
  const color = createColors(io.stdout, io.env);
  const say = (line = "") => io.stdout.write(`${line}\n`);
  const api = await openSampleApi();
  for (const [source, origin] of Object.entries(api.origins)) {
    process.env[`TIDETABLE_ORIGIN_${source.toUpperCase()}`] = origin;
  }
  // It is on this machine, whatever proxy stands before others.
  const direct = process.env.no_proxy ?? process.env.NO_PROXY ?? "";
  process.env.no_proxy = `${direct},127.0.0.1`;
  const loaded = Object.entries(sources).map(([name, source]) => ({ name, source }));
  const secretsOf = async (source: string) => api.secrets[source] ?? {};
  const runner = options.lambda
    ? await (await import("../runner/lambda-runner.ts")).openLambdaRunner(
        loaded,
        options,
        io,
        secretsOf,
      )
    : await openLocalRunner(loaded, options, io, secretsOf);
  try {
    say(color.bold("tidetable: five REST APIs into DynamoDB tables, on this machine"));
    say(
      `sample API     ${formatAmount(Object.keys(api.origins).length, "system")} on 127.0.0.1, with some 429 and 503 on the way`,
    );
    say(`DynamoDB       ${runner.session.endpoint} (embedded engine, data in ${options.data})`);

    say(`\n${color.bold("Round 1")}: everything`);
    const first = await round(runner, io);
    if (io.signal.aborted) return 130;

    const changes = api.change();
    say(
      `\n${color.bold("Round 2")}: meanwhile ${formatAmount(changes.changed, "record")} changed and ${formatCount(changes.added)} came in`,
    );
    const second = await round(runner, io);
    if (io.signal.aborted) return 130;

    const tables = await compare(runner, api);
    say();
    for (const one of tables.filter(({ items, records }) => items !== records)) {
      say(color.red(`${one.name}: ${one.items} items, but the API has ${one.records} records`));
    }
    const equal = tables.every(({ items, records }) => items === records);
    if (equal) {
      const items = tables.reduce((sum, one) => sum + one.items, 0);
      say(
        `${color.green("Merged")}: ${formatAmount(changes.changed, "changed record")} updated in place, ${formatCount(changes.added)} added, no duplicates:`,
      );
      say(
        `${formatAmount(tables.length, "table")} hold ${formatAmount(items, "item")}, exactly what the API has.`,
      );
    }
    say(`\nTry next:`);
    say(`  npx tidetable items ticketing/tickets --limit 3`);
    say(`  npx tidetable plan support`);
    say(`  npx tidetable state`);
    return equal && first && second ? 0 : 1;
  } finally {
    await runner.close();
    await api.close();
  }
}

/** One run of everything, told as it goes. True when all of it succeeded. */
async function round(runner: Runner, io: Context["io"]): Promise<boolean> {
  const log = openProgressLog(io);
  const began = Date.now();
  const events = runner.plans.map(({ name: source }) => ({ source }));
  const { runId, reports } = await runner.run(events, log, io.signal);
  log.stop();
  const document = runDocument(
    { run_id: runId, started_at: new Date(began).toISOString(), duration_ms: Date.now() - began },
    reports,
  );
  io.stdout.write(`\n${runTable(document, createColors(io.stdout, io.env))}`);
  return document.status === "succeeded";
}

interface Compared {
  name: string;
  items: number;
  records: number;
}

/** How many items each table holds, and how many records the API has. */
async function compare({ plans, session }: Runner, api: SampleApi): Promise<Compared[]> {
  const records = api.counts();
  return Promise.all(
    plans
      .flatMap(({ resources }) => resources)
      .map(async (resource) => {
        const name = `${resource.source}.${resource.name}`;
        const items = await countItems(session, tableName(session.names, resource));
        return { name, items, records: records[name] ?? 0 };
      }),
  );
}

async function countItems({ dynamodb }: Runner["session"], table: string): Promise<number> {
  let items = 0;
  let from: Record<string, AttributeValue> | undefined;
  do {
    const page = await dynamodb.send(
      new ScanCommand({ TableName: table, Select: "COUNT", ExclusiveStartKey: from }),
    );
    items += page.Count ?? 0;
    from = page.LastEvaluatedKey;
  } while (from);
  return items;
}
