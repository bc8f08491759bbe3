import { GetItemCommand, UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import { stateTableName } from "../base/names.ts";
import { GATE_READ_MS, LOCK_DAYS } from "../base/timing.ts";
import type { World } from "../base/world.ts";
import type { Gate } from "../flow.ts";

/*
 * One 429 pauses all workers of a source, because they share the rate limit. The gate only avoids
 * requests that the API would refuse, so an error of the state table closes nothing.
 */

export function sourceGate(
  { dynamodb, names, clock }: Pick<World, "dynamodb" | "names" | "clock">,
  source: string,
): Gate {
  const gateItem = {
    TableName: stateTableName(names),
    Key: { pk: { S: `${source}#` }, sk: { S: "gate" } },
  };
  let until = 0;
  let readAt = Number.NEGATIVE_INFINITY;

  return {
    async remainingMs() {
      if (clock.monotonic() - readAt >= GATE_READ_MS) {
        readAt = clock.monotonic();
        const answer = await dynamodb.send(new GetItemCommand(gateItem)).catch(() => undefined);
        until = Number(answer?.Item?.blocked_until?.N ?? until);
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
