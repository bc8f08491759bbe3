import {
  DeleteTableCommand,
  ResourceNotFoundException,
  waitUntilTableNotExists,
} from "@aws-sdk/client-dynamodb";
import {
  ConfigError,
  createTable,
  explainError,
  forgetResource,
  forgetSchema,
  openGate,
  type ResourceReport,
  refOf,
  stateTable,
  tableDefinition,
} from "@tidetable/core/internal";
import { type ResourcePlan, stateTableName, tableName } from "@tidetable/core/plan";
import type { Context, Options } from "../base/options.ts";
import type { Session } from "../base/session-type.ts";
import { failureDocument } from "../output/documents.ts";
import { type Colors, createColors, formatAmount, formatTable } from "../output/render.ts";
import { newLeaseOwner, releaseDeadLease } from "../session/dead-leases.ts";
import { deleteAllItems } from "../session/delete-items.ts";
import { openSession } from "../session/session.ts";
import { loadResourcePlans } from "../sources/target.ts";

/** The document of `reset --json`. */
interface ResetDocument {
  status: "succeeded" | "partial" | "failed" | "cancelled";
  resources: {
    source: string;
    resource: string;
    table: string;
    status: "succeeded" | "failed";
    items_deleted: boolean;
    error: ResourceReport["error"];
  }[];
}

/** `reset`: makes the next run read everything; with --tables, into empty tables. */
export async function resetResources({
  args: [target = ""],
  options,
  io,
}: Context): Promise<number> {
  const resources = await loadResourcePlans(target, options, io);
  const { stage, tables = false, yes = false } = options;
  const isConfirmed = yes || (await askToConfirm(resources, options, io.ask));

  const document: ResetDocument = { status: "cancelled", resources: [] };
  if (isConfirmed) {
    const session = await openSession(options);
    try {
      if (stage === undefined) {
        await createTable(session.dynamodb, stateTableName(session.names), stateTable);
      }
      for (const resource of resources) {
        document.resources.push(await resetResource(resource, session, { stage, tables }));
      }
    } finally {
      await session.close();
    }
    document.status = overallStatus(document.resources);
  }
  io.stdout.write(
    options.json
      ? `${JSON.stringify(document)}\n`
      : resetText(document, createColors(io.stdout, io.env)),
  );
  return document.status === "succeeded" ? 0 : 1;
}

async function askToConfirm(
  resources: ResourcePlan[],
  { stage, tables }: Pick<Options, "stage" | "tables">,
  ask: Context["io"]["ask"],
): Promise<boolean> {
  if (!ask) {
    const problem = {
      path: "command line",
      message: "reset asks before it forgets, and there is no terminal to ask at",
      hint: "--yes confirms it",
    };
    throw new ConfigError({ code: "cli.reset", message: problem.message, problems: [problem] });
  }
  const names = resources.map(({ source, name }) => `${source}.${name}`).join(", ");
  const scope = tables ? "cursors, open runs and ALL ITEMS" : "cursors and open runs";
  const stageSuffix = stage === undefined ? "" : ` in stage ${stage}`;
  const answer = await ask(`Forget the ${scope} of ${names}${stageSuffix}? [y/N] `);
  return /^y(es)?$/i.test(answer.trim());
}

async function resetResource(
  resource: ResourcePlan,
  session: Session,
  { stage, tables }: { stage: string | undefined; tables: boolean },
): Promise<ResetDocument["resources"][number]> {
  const ref = refOf(resource);
  const table = tableName(session.names, resource);
  await releaseDeadLease(session, ref);
  const resetting = !tables
    ? forgetResource(session, ref, { owner: newLeaseOwner() })
    : stage === undefined
      ? forgetWithTable(resource, table, session)
      : forgetWithItems(resource, table, session);
  const error = await resetting.then(() => null, failureDocument);
  if (!error) await openGate(session, resource.source);
  return {
    ...ref,
    table,
    status: error ? "failed" : "succeeded",
    items_deleted: tables && !error,
    error,
  };
}

/** Forgets the runs and replaces the table, under the same lease. */
function forgetWithTable(resource: ResourcePlan, table: string, session: Session): Promise<void> {
  const ref = refOf(resource);
  const replaceTable = async () => {
    await recreateTable(session, table, resource);
    await forgetSchema(session, ref);
  };
  return forgetResource(session, ref, { owner: newLeaseOwner(), also: replaceTable });
}

/**
 * Forgets the runs and deletes the items of a deployed table. Deleting takes longer than a lease
 * lasts, so a run may begin in the meantime and lose rows. Therefore everything is forgotten again.
 */
async function forgetWithItems(
  resource: ResourcePlan,
  table: string,
  session: Session,
): Promise<void> {
  const ref = refOf(resource);
  const owner = newLeaseOwner();
  await forgetResource(session, ref, { owner });
  await deleteAllItems(session, table, resource.key);
  await forgetResource(session, ref, { owner, also: () => forgetSchema(session, ref) });
}

/** Replaces the table. Late workers recognise the new table by the different id. */
async function recreateTable(
  { dynamodb }: Session,
  table: string,
  resource: ResourcePlan,
): Promise<void> {
  await dynamodb.send(new DeleteTableCommand({ TableName: table })).catch((error: unknown) => {
    if (!(error instanceof ResourceNotFoundException)) throw error;
  });
  const waiter = { client: dynamodb, maxWaitTime: 60, minDelay: 0.1, maxDelay: 1 };
  await waitUntilTableNotExists(waiter, { TableName: table });
  await createTable(dynamodb, table, tableDefinition(resource));
}

function overallStatus(resources: ResetDocument["resources"]): ResetDocument["status"] {
  const failures = resources.filter(({ error }) => error).length;
  if (failures === 0) return "succeeded";
  return failures === resources.length ? "failed" : "partial";
}

function resetText({ status, resources }: ResetDocument, color: Colors): string {
  if (status === "cancelled") return "nothing was forgotten\n";
  const rows = resources.map(({ source, resource, items_deleted, error }) => [
    source,
    resource,
    error ? color.red("failed") : color.green("reset"),
    error ? explainError(error) : items_deleted ? "the table is empty" : "the items stay",
  ]);
  const succeeded = resources.filter(({ error }) => !error).length;
  const summary = `${succeeded} of ${formatAmount(resources.length, "resource")} reset: the next run reads everything`;
  return `${formatTable(["source", "resource", "", ""], rows)}\n${summary}\n`;
}
