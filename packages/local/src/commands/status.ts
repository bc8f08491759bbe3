import {
  type ResourcePlan,
  type RunRecord,
  readRuns,
  readState,
  refOf,
  tableName,
} from "@tidetable/core";
import type { Context } from "../base/options.ts";
import type { Session } from "../base/session-type.ts";
import {
  type Colors,
  createColors,
  formatDollars,
  formatDuration,
  formatTable,
  schemaChangeLines,
} from "../output/render.ts";
import { openSession, readIfPresent } from "../session/session.ts";
import { loadResourcePlans, parseTarget } from "../sources/target.ts";

/** How many runs of a resource the document has. */
const RUNS = 10;

/** One resource in what `status --json` prints. */
interface Document {
  source: string;
  resource: string;
  table: string;
  /** What it is doing now. */
  status: "new" | "running" | "waiting" | "done" | "failed";
  not_before: string | null;
  /** The end of the last run that succeeded: so fresh is the table. */
  last_success_at: string | null;
  age_ms: number | null;
  /** Newest first. */
  runs: RunRecord[];
}

/** `status`: how fresh everything is, and how its last runs went. */
export async function printStatus({ args: [target], options, io }: Context): Promise<number> {
  const resources = await loadResourcePlans(target, options, io);
  const session = await openSession(options);
  try {
    const documents = await Promise.all(resources.map((resource) => document(resource, session)));
    io.stdout.write(
      options.json
        ? `${JSON.stringify({ resources: documents })}\n`
        : text(documents, createColors(io.stdout, io.env), target && parseTarget(target).source),
    );
    return 0;
  } finally {
    await session.close();
  }
}

async function document(resource: ResourcePlan, session: Session): Promise<Document> {
  const resourceRef = refOf(resource);
  const state = await readIfPresent(readState(session, resourceRef));
  const runs = (await readIfPresent(readRuns(session, resourceRef))) ?? [];
  const success = runs.find((run) => run.status === "done");
  return {
    ...resourceRef,
    table: tableName(session.names, resource),
    status: state?.status ?? "new",
    not_before: state?.not_before ?? null,
    last_success_at: success?.ended_at ?? null,
    age_ms: success ? session.clock.now() - Date.parse(success.ended_at) : null,
    runs: runs.slice(0, RUNS),
  };
}

function text(documents: Document[], color: Colors, called: string | undefined): string {
  const heads = [
    "source",
    "resource",
    "status",
    "fresh",
    "last run",
    "records",
    "time",
    "cost",
    "schema",
  ];
  const paint = { done: color.green, failed: color.red, skipped: color.yellow };
  const drift = documents.flatMap(({ source, resource, runs: [last] }) =>
    schemaChangeLines({ source, resource, schema: last?.schema }, called),
  );
  const rows = documents.map(({ runs: [last], ...one }) => [
    one.source,
    one.resource,
    one.not_before ? `${one.status} until ${one.not_before}` : one.status,
    one.age_ms === null ? "never" : `${formatDuration(one.age_ms)} ago`,
    last && last.status in paint
      ? paint[last.status as keyof typeof paint](last.status)
      : (last?.status ?? "-"),
    last?.records ?? "-",
    last ? formatDuration(last.duration_ms) : "-",
    last ? formatDollars(last.cost_usd) : "-",
    schemaText(last?.schema),
  ]);
  return [formatTable(heads, rows), ...(drift.length > 0 ? ["\n", ...drift] : [])].join("");
}

function schemaText(schema: RunRecord["schema"] | undefined): string {
  if (!schema) return "-";
  return schema.changed > 0
    ? `v${schema.version} (${schema.changed} changed)`
    : `v${schema.version}`;
}
