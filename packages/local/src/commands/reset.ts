import { randomBytes } from "node:crypto";
import {
  DeleteTableCommand,
  ResourceNotFoundException,
  waitUntilTableNotExists,
} from "@aws-sdk/client-dynamodb";
import {
  ConfigError,
  createTable,
  explain,
  forget,
  forgetSchema,
  isFailure,
  type ResourcePlan,
  type ResourceReport,
  stateTable,
  stateTableName,
  tableDefinition,
  tableName,
} from "@tidetable/core";
import { deleteItems } from "../delete-items.ts";
import { localOwner, releaseDeadLease } from "../leases.ts";
import type { Context, Options } from "../options.ts";
import { type Colors, colors, several, table } from "../render.ts";
import { openSession } from "../session.ts";
import type { Session } from "../session-type.ts";
import { loadTarget } from "../target.ts";

/** What `reset --json` prints. */
interface ResetDocument {
  status: "succeeded" | "partial" | "failed" | "cancelled";
  resources: {
    source: string;
    resource: string;
    table: string;
    status: "succeeded" | "failed";
    /** Whether its items are gone, too. */
    items_deleted: boolean;
    error: ResourceReport["error"];
  }[];
}

/** `reset`: the next run reads everything; with --tables, into empty tables. */
export async function reset({ args: [target = ""], options, io }: Context): Promise<number> {
  const resources = await loadTarget(target, options, io);
  const { stage, tables = false, yes = false } = options;
  const meant = yes || (await confirmed(resources, options, io.ask));

  const document: ResetDocument = { status: "cancelled", resources: [] };
  if (meant) {
    const session = await openSession(options);
    try {
      if (stage === undefined) {
        await createTable(session.dynamodb, stateTableName(session.names), stateTable);
      }
      for (const resource of resources) {
        document.resources.push(await resetOne(resource, session, { stage, tables }));
      }
    } finally {
      await session.close();
    }
    document.status = statusOf(document.resources);
  }
  io.stdout.write(
    options.json ? `${JSON.stringify(document)}\n` : text(document, colors(io.stdout, io.env)),
  );
  return document.status === "succeeded" ? 0 : 1;
}

async function confirmed(
  resources: ResourcePlan[],
  { stage, tables }: Pick<Options, "stage" | "tables">,
  ask: Context["io"]["ask"],
): Promise<boolean> {
  if (!ask) {
    const problem = {
      path: "command line",
      message: "reset asks before it forgets, and there is no terminal to ask at",
      hint: "--yes says that it is meant",
    };
    throw new ConfigError({ code: "cli.reset", message: problem.message, problems: [problem] });
  }
  const names = resources.map(({ source, name }) => `${source}.${name}`).join(", ");
  const what = tables ? "cursors, open runs and ALL ITEMS" : "cursors and open runs";
  const where = stage === undefined ? "" : ` in stage ${stage}`;
  const answer = await ask(`Forget the ${what} of ${names}${where}? [y/N] `);
  return /^y(es)?$/i.test(answer.trim());
}

async function resetOne(
  resource: ResourcePlan,
  session: Session,
  { stage, tables }: { stage: string | undefined; tables: boolean },
): Promise<ResetDocument["resources"][number]> {
  const place = { source: resource.source, resource: resource.name };
  const owner = `${localOwner}/${randomBytes(4).toString("hex")}`;
  const name = tableName(session.names, resource);
  const forgetRuns = async () => {
    const empty = async () => {
      await emptyTable(session, name, resource);
      await forgetSchema(session, place);
    };
    await forget(session, place, { owner, also: tables && !stage ? empty : undefined });
    if (!tables || !stage) return;
    // Longer than a lease lasts. What ran meanwhile lost rows: it is forgotten, too.
    await deleteItems(session, name, resource.key);
    await forget(session, place, { owner, also: () => forgetSchema(session, place) });
  };
  await releaseDeadLease(session, place);
  const error = await forgetRuns().then(() => null, errorOf);
  return {
    ...place,
    table: name,
    status: error ? "failed" : "succeeded",
    items_deleted: tables && !error,
    error,
  };
}

function errorOf(error: unknown): ResourceReport["error"] {
  if (!isFailure(error)) throw error;
  return { code: error.code, message: error.message, hint: error.hint ?? null };
}

/** Another table under the old name: its id tells late workers that it is not theirs. */
async function emptyTable(
  { dynamodb }: Session,
  name: string,
  resource: ResourcePlan,
): Promise<void> {
  await dynamodb.send(new DeleteTableCommand({ TableName: name })).catch((error: unknown) => {
    if (!(error instanceof ResourceNotFoundException)) throw error;
  });
  const wait = { client: dynamodb, maxWaitTime: 60, minDelay: 0.1, maxDelay: 1 };
  await waitUntilTableNotExists(wait, { TableName: name });
  await createTable(dynamodb, name, tableDefinition(resource));
}

function statusOf(resources: ResetDocument["resources"]): ResetDocument["status"] {
  const failed = resources.filter(({ error }) => error).length;
  if (failed === 0) return "succeeded";
  return failed === resources.length ? "failed" : "partial";
}

function text({ status, resources }: ResetDocument, color: Colors): string {
  if (status === "cancelled") return "nothing was forgotten\n";
  const rows = resources.map(({ source, resource, items_deleted, error }) => [
    source,
    resource,
    error ? color.red("failed") : color.green("reset"),
    error ? explain(error) : items_deleted ? "the table is empty" : "the items stay",
  ]);
  const done = resources.filter(({ error }) => !error).length;
  const sum = `${done} of ${several(resources.length, "resource")} reset: the next run reads everything`;
  return `${table(["source", "resource", "", ""], rows)}\n${sum}\n`;
}
