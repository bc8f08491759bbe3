import {
  type NextStart,
  readSchema,
  readState,
  refOf,
  type StoredSchema,
  type StoredState,
} from "@tidetable/core/internal";
import { type ResourcePlan, tableName } from "@tidetable/core/plan";
import type { Context } from "../base/options.ts";
import type { Session } from "../base/session-type.ts";
import { formatTable } from "../output/render.ts";
import { openSession, readIfPresent } from "../session/session.ts";
import { loadResourcePlans } from "../sources/target.ts";
import { coverageDocument, coverageNotes, readNextStart } from "./coverage-notes.ts";

/** `state`: prints cursor, checkpoint, lease and last run of each resource. */
export async function printState({ args: [target], options, io }: Context): Promise<number> {
  const resources = await loadResourcePlans(target, options, io);
  const session = await openSession(options);
  try {
    const documents = await Promise.all(
      resources.map(async (resource) => {
        const state = await readIfPresent(readState(session, refOf(resource)));
        const schema = await readIfPresent(readSchema(session, refOf(resource)));
        const next = await readNextStart(resource, state, session);
        return stateDocument(resource, { state, schema, next }, session);
      }),
    );
    io.stdout.write(
      options.json ? `${JSON.stringify({ resources: documents })}\n` : statesText(documents),
    );
    return 0;
  } finally {
    await session.close();
  }
}

/** A resource in the document of `state --json`. */
type StateDocument = ReturnType<typeof stateDocument>;

function stateDocument(
  resource: ResourcePlan,
  {
    state,
    schema,
    next,
  }: {
    state: StoredState | undefined;
    schema: StoredSchema | undefined;
    next: NextStart | undefined;
  },
  { names }: Session,
) {
  const body = state?.body;
  return {
    source: resource.source,
    resource: resource.name,
    table: tableName(names, resource),
    status: state?.status ?? "new",
    phase: body?.phase ?? null,
    refresh: body?.refresh ?? false,
    run_id: state?.run_id ?? null,
    started_at: body?.started_at ?? null,
    updated_at: state?.updated_at ?? null,
    not_before: state?.not_before ?? null,
    cursor: body?.cursor ?? null,
    candidate: body?.candidate ?? null,
    ...coverageDocument(resource, { state, next }),
    checkpoint: body ? { page: body.page, next: body.next } : null,
    slices: body?.slices ?? 0,
    counts: body?.counts ?? null,
    lease: state?.lease
      ? { owner: state.lease.owner, until: new Date(state.lease.until).toISOString() }
      : null,
    // There is no version before the end of the first run.
    schema: schema?.version ? { version: schema.version, hash: schema.hash } : null,
  };
}

function statesText(documents: StateDocument[]): string {
  const heads = [
    "source",
    "resource",
    "status",
    "phase",
    "pages",
    "records",
    "cursor",
    "candidate",
    "updated",
    "schema",
    "lease",
  ];
  const rows = documents.map((document) => [
    document.source,
    document.resource,
    document.status === "waiting" && document.not_before
      ? `waiting until ${document.not_before}`
      : document.status,
    document.refresh ? `${document.phase} (refresh)` : (document.phase ?? "-"),
    document.checkpoint?.page ?? 0,
    document.counts?.records ?? 0,
    String(document.cursor ?? "-"),
    String(document.candidate ?? "-"),
    document.updated_at ?? "-",
    document.schema ? `v${document.schema.version}` : "-",
    document.lease ? `${document.lease.owner} until ${document.lease.until}` : "-",
  ]);
  const notes = documents.flatMap(coverageNotes);
  return `${formatTable(heads, rows)}${notes.map((note) => `${note}\n`).join("")}`;
}
