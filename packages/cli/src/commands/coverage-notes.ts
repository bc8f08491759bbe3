import {
  hasOwnCursor,
  type NextStart,
  nextStart,
  readState,
  rootAbove,
  type StoredState,
} from "@tidetable/core/internal";
import type { ResourcePlan } from "@tidetable/core/plan";
import type { Session } from "../base/session-type.ts";
import { readIfPresent } from "../session/session.ts";

/*
 * How far a child has been served, where the next read starts and why, and what is wished for: shown
 * by `state` and `status`.
 */

/** Where the next read of a resource with a cursor starts, and for which of its followers. */
export async function readNextStart(
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

export type CoverageDocument = ReturnType<typeof coverageDocument>;

export const coverageDocument = (
  resource: ResourcePlan,
  { state, next }: { state: StoredState | undefined; next: NextStart | undefined },
) => ({
  served: servedDocument(resource, state?.body),
  next_start: next
    ? { cursor: next.cursor, goes_back_for: next.goesBackFor, passes_over: next.passesOver }
    : null,
  wishes: state?.wishes.map(({ id, refresh }) => ({ run_id: id, refresh })) ?? [],
});

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
export function coverageNotes({
  source,
  resource,
  served,
  next_start,
  wishes,
}: CoverageDocument & { source: string; resource: string }): string[] {
  const name = `${source}/${resource}`;
  const notes: string[] = [];
  if (served) {
    const upTo = served.cursor === null ? "nothing yet" : `${served.cursor}`;
    const times = served.failures === 1 ? "once" : `${served.failures} times in a row`;
    const failed = served.failures > 0 ? `; its runs have failed ${times}` : "";
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
