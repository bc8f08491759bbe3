import {
  type AttributeValue,
  BatchGetItemCommand,
  ConditionalCheckFailedException,
  DeleteItemCommand,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  ScanCommand,
  UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
import { isFailure, LeaseError, WriteError } from "../base/errors.ts";
import { stateTableName } from "../base/names.ts";
import type { ResourceRef } from "../base/resource-ref.ts";
import type { World } from "../base/world.ts";
import { classifyError, errorName, retryTransient } from "../dynamodb/client.ts";
import { missingTableError } from "../dynamodb/tables.ts";
import type { Item } from "../flow.ts";
import { FORMAT_NUMBER } from "./run-state.ts";

/*
 * All access to the state table. Every read is strongly consistent, every call is retried while
 * DynamoDB throttles, and a failed condition is returned as false instead of an error.
 */

/** The parts of the world that reads and writes of the state table need. */
export type StateWorld = Pick<World, "dynamodb" | "names" | "clock" | "random"> &
  Partial<Pick<World, "deadline" | "signal">>;

export interface StateKey extends Item {
  pk: AttributeValue.SMember;
  sk: AttributeValue.SMember;
}

/** A DynamoDB condition expression. */
export interface Condition {
  expression: string;
  names?: Record<string, string>;
  values?: Record<string, AttributeValue>;
}

/** Returns the key of an item about a resource: `run#<id>`, `quarantine#<id>`, … */
export const itemKey = ({ source, resource }: ResourceRef, sk: string): StateKey => ({
  pk: { S: `${source}#${resource}` },
  sk: { S: sk },
});

/** Returns the key of a block. Each block has a separate partition, so blocks never throttle the lease. */
export const blockKey = (
  { source, resource }: ResourceRef,
  path: string,
  sk: string,
): StateKey => ({
  pk: { S: `${source}#${resource}/${path}` },
  sk: { S: sk },
});

export async function getItem(world: StateWorld, key: StateKey): Promise<Item | undefined> {
  const command = new GetItemCommand({
    TableName: stateTableName(world.names),
    Key: key,
    // planted: state-read-consistent
    ConsistentRead: true,
  });
  const { Item } = await sendWithRetries(world, "was not readable", () =>
    world.dynamodb.send(command),
  );
  return Item;
}

/** Reads the existing items of the given keys, in any order. */
export async function getItems(world: StateWorld, keys: readonly StateKey[]): Promise<Item[]> {
  const table = stateTableName(world.names);
  const items: Item[] = [];
  for (let first = 0; first < keys.length; first += 100 /* keys of one BatchGetItem */) {
    let Keys: Item[] = keys.slice(first, first + 100);
    while (Keys.length > 0) {
      const command = new BatchGetItemCommand({
        RequestItems: { [table]: { Keys, ConsistentRead: true } },
      });
      const answer = await sendWithRetries(world, "was not readable", () =>
        world.dynamodb.send(command),
      );
      items.push(...(answer.Responses?.[table] ?? []));
      Keys = answer.UnprocessedKeys?.[table]?.Keys ?? [];
    }
  }
  return items;
}

/** Returns false when the condition does not hold. */
export function putItem(
  world: StateWorld,
  item: Item,
  options: { condition?: Condition; failure: string },
): Promise<boolean> {
  const command = new PutItemCommand({
    TableName: stateTableName(world.names),
    Item: item,
    ...conditionInput(options.condition),
  });
  return conditionHolds(
    sendWithRetries(world, options.failure, () => world.dynamodb.send(command)),
  );
}

/** Sets attributes, and removes attributes set to null. Returns false when the condition does not hold. */
export function updateItem(
  world: StateWorld,
  key: StateKey,
  options: {
    set: Record<string, AttributeValue | null>;
    condition: Condition;
    failure: string;
  },
): Promise<boolean> {
  const entries = Object.entries(options.set);
  const changes = entries.filter(([, value]) => value !== null);
  const removals = entries.filter(([, value]) => value === null);
  const set = changes.map(([name]) => `#${name} = :${name}`).join(", ");
  const remove = removals.map(([name]) => `#${name}`).join(", ");
  const { ConditionExpression, ExpressionAttributeNames, ExpressionAttributeValues } =
    conditionInput(options.condition);
  const command = new UpdateItemCommand({
    TableName: stateTableName(world.names),
    Key: key,
    UpdateExpression: `${set && `SET ${set}`}${remove && ` REMOVE ${remove}`}`.trim(),
    ConditionExpression,
    ExpressionAttributeNames: {
      ...Object.fromEntries(entries.map(([name]) => [`#${name}`, name])),
      ...ExpressionAttributeNames,
    },
    ExpressionAttributeValues: {
      ...Object.fromEntries(changes.map(([name, value]) => [`:${name}`, value as AttributeValue])),
      ...ExpressionAttributeValues,
    },
  });
  return conditionHolds(
    sendWithRetries(world, options.failure, () => world.dynamodb.send(command)),
  );
}

/** Returns false when the condition does not hold. */
export function deleteItem(
  world: StateWorld,
  key: StateKey,
  options: { condition?: Condition; failure: string },
): Promise<boolean> {
  const command = new DeleteItemCommand({
    TableName: stateTableName(world.names),
    Key: key,
    ...conditionInput(options.condition),
  });
  return conditionHolds(
    sendWithRetries(world, options.failure, () => world.dynamodb.send(command)),
  );
}

/** Yields a resource's items whose sort key begins with `prefix`, one DynamoDB response at a time. */
export async function* queryItems(
  world: StateWorld,
  resourceRef: ResourceRef,
  prefix: string,
): AsyncGenerator<Item[]> {
  const { pk, sk } = itemKey(resourceRef, prefix);
  let after: Item | undefined;
  do {
    const command = new QueryCommand({
      TableName: stateTableName(world.names),
      KeyConditionExpression: "pk = :pk AND begins_with(sk, :sk)",
      ExpressionAttributeValues: { ":pk": pk, ":sk": sk },
      ConsistentRead: true,
      ExclusiveStartKey: after,
    });
    const answer = await sendWithRetries(world, "was not readable", () =>
      world.dynamodb.send(command),
    );
    yield answer.Items ?? [];
    after = answer.LastEvaluatedKey;
  } while (after);
}

/** Yields the keys of a resource's blocks by a scan, because each block has a separate partition. */
export async function* scanBlockKeys(
  world: StateWorld,
  { source, resource }: ResourceRef,
): AsyncGenerator<StateKey> {
  let after: Item | undefined;
  do {
    const command = new ScanCommand({
      TableName: stateTableName(world.names),
      FilterExpression: "begins_with(pk, :blocks)",
      ExpressionAttributeValues: { ":blocks": { S: `${source}#${resource}/` } },
      ProjectionExpression: "pk, sk",
      ConsistentRead: true,
      ExclusiveStartKey: after,
    });
    const answer = await sendWithRetries(world, "was not readable", () =>
      world.dynamodb.send(command),
    );
    yield* (answer.Items ?? []) as StateKey[];
    after = answer.LastEvaluatedKey;
  } while (after);
}

/**
 * Puts a block with the lease token of the writer. Throws a LeaseError when a worker with a newer lease
 * has written the block.
 */
export async function putBlock(
  world: StateWorld,
  key: StateKey,
  content: Item,
  options: { token: number; days: number; failure: string },
): Promise<void> {
  const token: AttributeValue = { N: String(options.token) };
  const item = {
    ...key,
    format: FORMAT,
    token,
    ...content,
    expires: expiryAttribute(world, options.days),
  };
  const condition: Condition = {
    expression: "attribute_not_exists(pk) OR #token <= :token",
    names: { "#token": "token" },
    values: { ":token": token },
  };
  if (!(await putItem(world, item, { condition, failure: options.failure })))
    throw overtakenError();
}

export const FORMAT: AttributeValue = { N: String(FORMAT_NUMBER) };

export const formatOf = (item: Item): number => Number(item.format?.N ?? 1);

/** Returns the attribute `expires` (TTL), after which DynamoDB deletes the item. */
export const expiryAttribute = (
  { clock }: Pick<StateWorld, "clock">,
  days: number,
): AttributeValue => ({
  N: String(Math.floor(clock.now() / 1000) + days * 86_400),
});

/** Calls DynamoDB with retries. `failure` completes the error message about the state table. */
function sendWithRetries<T>(
  world: StateWorld,
  failure: string,
  call: () => Promise<T>,
): Promise<T> {
  return retryTransient(world, call).catch((error: unknown) => {
    if (error instanceof ConditionalCheckFailedException || isFailure(error)) throw error;
    throw unavailableError(error, world, failure);
  });
}

interface ConditionInput {
  ConditionExpression?: string;
  ExpressionAttributeNames?: Record<string, string>;
  ExpressionAttributeValues?: Record<string, AttributeValue>;
}

async function conditionHolds(call: Promise<unknown>): Promise<boolean> {
  try {
    await call;
    return true;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return false;
    throw error;
  }
}

const conditionInput = (condition: Condition | undefined): ConditionInput =>
  condition
    ? {
        ConditionExpression: condition.expression,
        ...(condition.names && { ExpressionAttributeNames: condition.names }),
        ...(condition.values && { ExpressionAttributeValues: condition.values }),
      }
    : {};

function unavailableError(error: unknown, { names }: StateWorld, failure: string): WriteError {
  const table = stateTableName(names);
  if (classifyError(error) === "missing") return missingTableError(table);
  return new WriteError({
    code: "state.unavailable",
    message: `the state table ${table} ${failure} (${errorName(error)})`,
    hint: "check the connection to DynamoDB, then try again",
  });
}

/** The error of a worker whose lease was taken over by `owner`, if the owner is known. */
export const overtakenError = (owner?: string): LeaseError =>
  new LeaseError({
    code: "state.lease_lost",
    message: `another worker${owner ? ` (${owner})` : ""} took over this resource`,
    hint: "it continues from the last checkpoint; nothing is lost",
  });
