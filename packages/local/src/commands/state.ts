import {
  type ResourcePlan,
  readSchema,
  readState,
  refOf,
  type StoredSchema,
  type StoredState,
  tableName,
} from "@tidetable/core";
import type { Context } from "../base/options.ts";
import type { Session } from "../base/session-type.ts";
import { formatTable } from "../output/render.ts";
import { openSession, readIfPresent } from "../session/session.ts";
import { loadResourcePlans } from "../sources/target.ts";

/** Cursor, checkpoint, lease and last run of each resource. */
export async function printState({ args: [target], options, io }: Context): Promise<number> {
  const resources = await loadResourcePlans(target, options, io);
  const session = await openSession(options);
  try {
    const documents = await Promise.all(
      resources.map(async (resource) => {
        const resourceRef = refOf(resource);
        const state = await readIfPresent(readState(session, resourceRef));
        const schema = await readIfPresent(readSchema(session, resourceRef));
        return document(resource, { state, schema }, session);
      }),
    );
    io.stdout.write(
      options.json ? `${JSON.stringify({ resources: documents })}\n` : text(documents),
    );
    return 0;
  } finally {
    await session.close();
  }
}

type Document = ReturnType<typeof document>;

function document(
  resource: ResourcePlan,
  { state, schema }: { state: StoredState | undefined; schema: StoredSchema | undefined },
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
    checkpoint: body ? { page: body.page, next: body.next } : null,
    slices: body?.slices ?? 0,
    counts: body?.counts ?? null,
    lease: state?.lease
      ? { owner: state.lease.owner, until: new Date(state.lease.until).toISOString() }
      : null,
    // Before the first run has ended there is no version.
    schema: schema?.version ? { version: schema.version, hash: schema.hash } : null,
  };
}

function text(documents: Document[]): string {
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
  return formatTable(
    heads,
    documents.map((one) => [
      one.source,
      one.resource,
      one.status === "waiting" && one.not_before ? `waiting until ${one.not_before}` : one.status,
      one.refresh ? `${one.phase} (refresh)` : (one.phase ?? "-"),
      one.checkpoint?.page ?? 0,
      one.counts?.records ?? 0,
      String(one.cursor ?? "-"),
      String(one.candidate ?? "-"),
      one.updated_at ?? "-",
      one.schema ? `v${one.schema.version}` : "-",
      one.lease ? `${one.lease.owner} until ${one.lease.until}` : "-",
    ]),
  );
}
