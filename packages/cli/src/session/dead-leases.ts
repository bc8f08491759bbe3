import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { expireLease, type ResourceRef, readState } from "@tidetable/core/internal";
import type { Session } from "../base/session-type.ts";

/*
 * The lease of a killed worker lasts until the expiry. On a single machine, waiting is unnecessary:
 * the lease's owner names the process, and an ended process cannot write.
 */

/** Begins the owner of every lease, in the place of the log stream's name in AWS. */
export const localLeaseOwner = `local/${hostname()}/${process.pid}`;

/** A new owner for a lease that a command takes itself. */
export const newLeaseOwner = () => `${localLeaseOwner}/${randomBytes(4).toString("hex")}`;

/** Ends the lease of a resource if the owner was a process on this machine and has ended. */
export async function releaseDeadLease(session: Session, resourceRef: ResourceRef): Promise<void> {
  for (const slot of ["own", "for_children"] as const) {
    const stored = await readState(session, resourceRef, slot);
    const owner = stored?.lease?.owner;
    if (owner && isDeadLocalProcess(owner)) await expireLease(session, resourceRef, slot, owner);
  }
}

function isDeadLocalProcess(owner: string): boolean {
  const [kind, host, pid] = owner.split("/");
  if (kind !== "local" || host !== hostname() || !pid) return false;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
}
