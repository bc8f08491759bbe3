import { DeleteItemCommand, ScanCommand } from "@aws-sdk/client-dynamodb";
import { stateTableName } from "../base/names.ts";
import type { ResourceRef } from "../base/resource-ref.ts";
import type { Item } from "../flow.ts";
import { takeLease } from "./lease.ts";
import { readState, updateState } from "./state-item.ts";
import { type StateWorld, steadily } from "./state-table.ts";

/**
 * Forgets a resource's cursor, its open run and the blocks of either, under its lease. What became
 * of its runs and what was set aside stay. `also` is done under the same lease, before the state
 * is forgotten, so that a crash in between leaves something to reset.
 */
export async function forget(
  world: StateWorld,
  resourceRef: ResourceRef,
  { owner, also = async () => {} }: { owner: string; also?: (() => Promise<void>) | undefined },
): Promise<void> {
  const stored = await readState(world, resourceRef);
  const lease = await takeLease(world, resourceRef, stored, { owner, run: undefined });
  try {
    await removeBlocks(world, resourceRef, lease.guard);
    await also();
    lease.guard();
    // Token and seq stay and grow: if they began anew, a worker that was paused in an earlier life
    // of this state could wake up and take it for its own.
    const token = lease.token;
    const taken = (stored?.seq ?? 0) + 1;
    await updateState(world, resourceRef, {
      expected: { token, seq: taken },
      fields: {
        token,
        seq: taken + 1,
        status: null,
        run_id: null,
        not_before: null,
        body: null,
        lease_owner: null,
        lease_until: null,
        write_id: `forget ${owner}`,
        updated_at: new Date(world.clock.now()).toISOString(),
      },
    });
  } catch (error) {
    // A lease that can not be given back runs out.
    await lease.letGo().catch(() => {});
    throw error;
  }
}

/** Blocks stand under partition keys of their own, which only a scan finds. */
async function removeBlocks(
  world: StateWorld,
  { source, resource }: ResourceRef,
  guard: () => void,
): Promise<void> {
  const TableName = stateTableName(world.names);
  let from: Item | undefined;
  do {
    const scan = new ScanCommand({
      TableName,
      FilterExpression: "begins_with(pk, :blocks)",
      ExpressionAttributeValues: { ":blocks": { S: `${source}#${resource}/` } },
      ProjectionExpression: "pk, sk",
      ConsistentRead: true,
      ExclusiveStartKey: from,
    });
    const answer = await steadily(world, "was not readable", () => world.dynamodb.send(scan));
    for (const Key of answer.Items ?? []) {
      guard();
      const remove = new DeleteItemCommand({ TableName, Key });
      await steadily(world, "did not forget a block", () => world.dynamodb.send(remove));
    }
    from = answer.LastEvaluatedKey;
  } while (from);
}
