import {
  hasOwnCursor,
  type NextStart,
  nextStart,
  type ResourcePlan,
  readSchema,
  readState,
  refOf,
  rootAbove,
  type StoredSchema,
  type StoredState,
  tableName,
} from "@tidetable/core";
import type { Context } from "../base/options.ts";
import type { Session } from "../base/session-type.ts";
import { formatTable } from "../output/render.ts";
import { openSession, readIfPresent } from "../session/session.ts";
import { loadResourcePlans } from "../sources/target.ts";

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

/** Where the next read of a resource with a cursor starts, and for which of its followers. */
async function readNextStart(
  resource: ResourcePlan,
  state: StoredState | undefined,
  session: Session,
): Promise<NextStart | undefined> {
  if (!state?.body || !hasOwnCursor(resource)) return undefined;
  const { source } = resource;
  const followers = await Promise.all(
    resource.followers.map(async ({ name }) => {
      const follower = await readIfPresent(readState(session, { source, resource: name }));
      return [name, follower] as const;
    }),
  );
  return nextStart(resource, state.body.cursor, new Map(followers), session.clock.now());
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
    served: servedDocument(resource, body),
    next_start: next
      ? { cursor: next.cursor, goes_back_for: next.goesBackFor, passes_over: next.passesOver }
      : null,
    wishes: state?.wishes.map(({ id, refresh }) => ({ run_id: id, refresh })) ?? [],
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

/** How far a child has been served of the cursor that decides about its parent's records. */
function servedDocument(resource: ResourcePlan, body: StoredState["body"] | undefined) {
  const root = rootAbove(resource);
  if (!root || !body) return null;
  const { served, failures } = body;
  return {
    of: root.name,
    cursor_path: root.incremental?.path.text ?? null,
    cursor: served?.cursor ?? null,
    failures: failures.runs,
  };
}

/** What the table has no room for: one line for each thing that the next read takes into account. */
function notesOf({ source, resource, served, next_start, wishes }: StateDocument): string[] {
  const name = `${source}/${resource}`;
  const notes: string[] = [];
  if (served) {
    const upTo = served.cursor === null ? "nothing yet" : `${served.cursor}`;
    const failed = served.failures > 0 ? `; it has failed ${served.failures} times in a row` : "";
    notes.push(`${name}: served up to ${upTo} of ${served.of} (${served.cursor_path})${failed}`);
  }
  for (const { resource: follower, served: upTo } of next_start?.goes_back_for ?? []) {
    const from = upTo === null ? "the beginning" : `${upTo}`;
    notes.push(`${name}: the next read goes back to ${from}, for ${follower}`);
  }
  for (const follower of next_start?.passes_over ?? []) {
    notes.push(`${name}: the next read does not go back for ${follower}, which keeps failing`);
  }
  for (const wish of wishes) {
    const what = wish.refresh ? "a full refresh" : "another read";
    notes.push(
      `${name}: ${what} is asked for (${wish.run_id}): the next read that begins takes it`,
    );
  }
  return notes;
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
  const notes = documents.flatMap(notesOf);
  return `${formatTable(heads, rows)}${notes.map((note) => `${note}\n`).join("")}`;
}
