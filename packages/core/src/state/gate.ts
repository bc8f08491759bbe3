import { GetItemCommand, UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import { stateTableName } from "../base/names.ts";
import { GATE_READ_MS, LOCK_DAYS } from "../base/timing.ts";
import type { World } from "../base/world.ts";
import type { Gate } from "../flow.ts";
import { deleteItem, getItem, type StateKey, type StateWorld } from "./state-table.ts";

/*
 * One 429 pauses all workers of a source: they share its limit. It only saves requests that would
 * be refused, so a state table that does not answer closes nothing.
 */

export function sourceGate(
  { dynamodb, names, clock }: Pick<World, "dynamodb" | "names" | "clock">,
  source: string,
): Gate {
  const place = { TableName: stateTableName(names), Key: gateKey(source) };
  let until = 0;
  let readAt = Number.NEGATIVE_INFINITY;

  return {
    async remainingMs() {
      if (clock.monotonic() - readAt >= GATE_READ_MS) {
        readAt = clock.monotonic();
        const answer = await dynamodb.send(new GetItemCommand(place)).catch(() => undefined);
        // Without an item the gate is open, also where a person has opened it.
        if (answer) until = Number(answer.Item?.blocked_until?.N ?? 0);
      }
      return Math.max(0, until - clock.now());
    },
    async closeFor(ms) {
      until = Math.max(until, clock.now() + ms);
      const command = new UpdateItemCommand({
        ...place,
        UpdateExpression: "SET blocked_until = :until, expires = :expires",
        ConditionExpression: "attribute_not_exists(blocked_until) OR blocked_until < :until",
        ExpressionAttributeValues: {
          ":until": { N: String(Math.ceil(until)) },
          ":expires": { N: String(Math.ceil(until / 1000) + LOCK_DAYS * 86_400) },
        },
      });
      // Somebody else closed it for longer, or the table does not answer: both are fine.
      await dynamodb.send(command).catch(() => {});
    },
  };
}

/** Opens the gate, because a person asks the API again: one answer must not close a source for them. */
export async function openGate(world: StateWorld, source: string): Promise<void> {
  // Reading first: most gates are open, and a person may have the right to read alone.
  if (!(await getItem(world, gateKey(source)))) return;
  await deleteItem(world, gateKey(source), { failure: "did not open a gate" });
}

const gateKey = (source: string): StateKey => ({ pk: { S: `${source}#` }, sk: { S: "gate" } });
