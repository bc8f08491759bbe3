import { type ResourcePlan, type RunRecord, readRuns, readState, tableName } from "@tidetable/core";
import type { Context } from "../options.ts";
import { type Colors, colors, dollars, driftLines, duration, table } from "../render.ts";
import { openSession, orNothing } from "../session.ts";
import type { Session } from "../session-type.ts";
import { loadTarget, parseTarget } from "../target.ts";

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
export async function status({ args: [target], options, io }: Context): Promise<number> {
  const resources = await loadTarget(target, options, io);
  const session = await openSession(options);
  try {
    const documents = await Promise.all(resources.map((resource) => document(resource, session)));
    io.stdout.write(
      options.json
        ? `${JSON.stringify({ resources: documents })}\n`
        : text(documents, colors(io.stdout, io.env), target && parseTarget(target).source),
    );
    return 0;
  } finally {
    await session.close();
  }
}

async function document(resource: ResourcePlan, session: Session): Promise<Document> {
  const place = { source: resource.source, resource: resource.name };
  const state = await orNothing(readState(session, place));
  const runs = (await orNothing(readRuns(session, place))) ?? [];
  const success = runs.find((run) => run.status === "done");
  return {
    ...place,
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
    driftLines({ source, resource, schema: last?.schema }, called),
  );
  const rows = documents.map(({ runs: [last], ...one }) => [
    one.source,
    one.resource,
    one.not_before ? `${one.status} until ${one.not_before}` : one.status,
    one.age_ms === null ? "never" : `${duration(one.age_ms)} ago`,
    last && last.status in paint
      ? paint[last.status as keyof typeof paint](last.status)
      : (last?.status ?? "-"),
    last?.records ?? "-",
    last ? duration(last.duration_ms) : "-",
    last ? dollars(last.cost_usd) : "-",
    schemaText(last?.schema),
  ]);
  return [table(heads, rows), ...(drift.length > 0 ? ["\n", ...drift] : [])].join("");
}

function schemaText(schema: RunRecord["schema"] | undefined): string {
  if (!schema) return "-";
  return schema.changed > 0
    ? `v${schema.version} (${schema.changed} changed)`
    : `v${schema.version}`;
}
