import { hostname } from "node:os";
import { endLeaseOf, readState } from "@tidetable/core";
import type { Session } from "./session-type.ts";

/*
 * A worker that was killed leaves its lease to run out. On one machine we can do better: the owner
 * names its process, and a process that is gone holds nothing.
 */

/** Stands where AWS has the log stream's name, in front of every lease's owner. */
export const localOwner = `local/${hostname()}/${process.pid}`;

/**
 * The lease runs out at once if its owner was a process of this machine that is gone. The owner's
 * name stays: it says that a worker died, and a page that kills workers is to be recognised.
 */
export async function releaseDeadLease(
  session: Session,
  place: { source: string; resource: string },
): Promise<void> {
  for (const slot of ["own", "for_children"] as const) {
    const stored = await readState(session, place, slot);
    const owner = stored?.lease?.owner;
    if (stored && owner && isGone(owner)) await endLeaseOf(session, place, slot, stored);
  }
}

function isGone(owner: string): boolean {
  const [kind, host, pid] = owner.split("/");
  if (kind !== "local" || host !== hostname() || !pid) return false;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
}
