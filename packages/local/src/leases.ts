import { hostname } from "node:os";
import { UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import { readState, stateTableName } from "@tidetable/core";
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
  const stored = await readState(session, place);
  const owner = stored?.lease?.owner;
  if (!owner || !isGone(owner)) return;
  const command = new UpdateItemCommand({
    TableName: stateTableName(session.names),
    Key: { pk: { S: `${place.source}#${place.resource}` }, sk: { S: "state" } },
    UpdateExpression: "SET lease_until = :past",
    ConditionExpression: "lease_owner = :owner",
    ExpressionAttributeValues: { ":owner": { S: owner }, ":past": { N: "0" } },
  });
  await session.dynamodb.send(command).catch((error: Error) => {
    // Another command took it over: that one is alive.
    if (error.name !== "ConditionalCheckFailedException") throw error;
  });
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
