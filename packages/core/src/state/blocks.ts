import { type AttributeValue, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { stateTableName } from "../base/names.ts";
import type { StateWorld } from "./state-table.ts";

/** Puts a block of the state table, which is gone again after so many days. */
export function putBlock(
  world: Pick<StateWorld, "names" | "clock">,
  key: Record<string, AttributeValue>,
  content: Record<string, AttributeValue>,
  { token, days }: { token: number; days: number },
): PutItemCommand {
  return new PutItemCommand({
    TableName: stateTableName(world.names),
    Item: {
      ...key,
      token: { N: String(token) },
      ...content,
      expires: { N: String(Math.floor(world.clock.now() / 1000) + days * 86_400) },
    },
    // A worker that was overtaken may not replace what its successor has written.
    ConditionExpression: "attribute_not_exists(pk) OR #token <= :token",
    ExpressionAttributeNames: { "#token": "token" },
    ExpressionAttributeValues: { ":token": { N: String(token) } },
  });
}
