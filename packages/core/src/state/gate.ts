import { GetItemCommand, UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import { stateTableName } from "../base/names.ts";
import { GATE_READ_MS, LOCK_DAYS } from "../base/timing.ts";
import type { World } from "../base/world.ts";
import type { Gate } from "../flow.ts";
import { deleteItem, getItem, type StateKey, type StateWorld } from "./state-table.ts";

/*
 * One 429 pauses all workers of a source, because they share the rate limit. The gate only avoids
 * requests that the API would refuse, so an error of the state table closes nothing.
 */

export function sourceGate(
  { dynamodb, names, clock }: Pick<World, "dynamodb" | "names" | "clock">,
  source: string,
): Gate {
  const gateItem = { TableName: stateTableName(names), Key: gateKey(source) };
  let until = 0;
  let readAt = Number.NEGATIVE_INFINITY;

  return {
    async remainingMs() {
      if (clock.monotonic() - readAt >= GATE_READ_MS) {
        readAt = clock.monotonic();
        const answer = await dynamodb.send(new GetItemCommand(gateItem)).catch(() => undefined);
        // A gate without an item is open. A person may have opened it.
        if (answer) until = Number(answer.Item?.blocked_until?.N ?? 0);
      }
      return Math.max(0, until - clock.now());
    },
    async closeFor(ms) {
      until = Math.max(until, clock.now() + ms);
      const command = new UpdateItemCommand({
        ...gateItem,
        UpdateExpression: "SET blocked_until = :until, expires = :expires",
        ConditionExpression: "attribute_not_exists(blocked_until) OR blocked_until < :until",
        ExpressionAttributeValues: {
          ":until": { N: String(Math.ceil(until)) },
          ":expires": { N: String(Math.ceil(until / 1000) + LOCK_DAYS * 86_400) },
        },
      });
      // The gate is already closed for longer, or the write failed. Then only this worker pauses.
      await dynamodb.send(command).catch(() => {});
    },
  };
}

/** Opens the gate for a person who runs or resets a source. Schedules keep the wait. */
export async function openGate(world: StateWorld, source: string): Promise<void> {
  // An open gate is only read, because a person may lack the right to write.
  if (!(await getItem(world, gateKey(source)))) return;
  await deleteItem(world, gateKey(source), { failure: "did not open a gate" });
}

const gateKey = (source: string): StateKey => ({ pk: { S: `${source}#` }, sk: { S: "gate" } });
