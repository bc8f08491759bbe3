import {
  type AttributeValue,
  BatchGetItemCommand,
  ConditionalCheckFailedException,
  QueryCommand,
} from "@aws-sdk/client-dynamodb";
import { isFailure, WriteError } from "../base/errors.ts";
import { stateTableName } from "../base/names.ts";
import type { ResourceRef } from "../base/resource-ref.ts";
import type { World } from "../base/world.ts";
import { nameOf, outcome, patiently } from "../dynamodb/client.ts";
import { tableMissing } from "../dynamodb/tables.ts";
import type { Item } from "../flow.ts";

/** What reading and writing single items of the state table takes. */
export type StateWorld = Pick<World, "dynamodb" | "names" | "clock" | "random"> &
  Partial<Pick<World, "deadline" | "signal">>;

/** Where an item about a resource stands: `run#<id>`, `quarantine#<id>`, … */
export const placed = ({ source, resource }: ResourceRef, sk: string) => ({
  pk: { S: `${source}#${resource}` },
  sk: { S: sk },
});

/** A resource's items whose sort key begins with `prefix`, one answer of DynamoDB at a time. */
export async function* queryState(
  world: StateWorld,
  resourceRef: ResourceRef,
  prefix: string,
): AsyncGenerator<Item[]> {
  const { pk, sk } = placed(resourceRef, prefix);
  let from: Record<string, AttributeValue> | undefined;
  do {
    const command = new QueryCommand({
      TableName: stateTableName(world.names),
      KeyConditionExpression: "pk = :pk AND begins_with(sk, :sk)",
      ExpressionAttributeValues: { ":pk": pk, ":sk": sk },
      ConsistentRead: true,
      ExclusiveStartKey: from,
    });
    const answer = await steadily(world, "was not readable", () => world.dynamodb.send(command));
    yield answer.Items ?? [];
    from = answer.LastEvaluatedKey;
  } while (from);
}

/** The items under these keys that are there, in any order. */
export async function readMany(
  world: StateWorld,
  keys: readonly Record<string, AttributeValue>[],
): Promise<Item[]> {
  const table = stateTableName(world.names);
  const found: Item[] = [];
  for (let first = 0; first < keys.length; first += 100 /* keys of one BatchGetItem */) {
    let Keys = keys.slice(first, first + 100);
    while (Keys.length > 0) {
      const command = new BatchGetItemCommand({
        RequestItems: { [table]: { Keys, ConsistentRead: true } },
      });
      const answer = await steadily(world, "was not readable", () => world.dynamodb.send(command));
      found.push(...(answer.Responses?.[table] ?? []));
      Keys = answer.UnprocessedKeys?.[table]?.Keys ?? [];
    }
  }
  return found;
}

/** Calls DynamoDB until it answers; `what` says of the state table what a failure means. */
export const steadily = <T>(world: StateWorld, what: string, call: () => Promise<T>): Promise<T> =>
  patiently(world, call).catch((error: unknown) => {
    if (error instanceof ConditionalCheckFailedException || isFailure(error)) throw error;
    throw failure(error, world, what);
  });

function failure(error: unknown, { names }: StateWorld, what: string): WriteError {
  const table = stateTableName(names);
  if (outcome(error) === "missing") return tableMissing(table);
  return new WriteError({
    code: "state.unavailable",
    message: `the state table ${table} ${what} (${nameOf(error)})`,
    hint: "check the connection to DynamoDB, then try again",
  });
}
