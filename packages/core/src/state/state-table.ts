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
 * The one way to the state table. Every read is strongly consistent, every call is tried again
 * while DynamoDB is busy, and a condition that does not hold is an answer instead of an error.
 */

/** What reading and writing single items of the state table takes. */
export type StateWorld = Pick<World, "dynamodb" | "names" | "clock" | "random"> &
  Partial<Pick<World, "deadline" | "signal">>;

export interface StateKey extends Item {
  pk: AttributeValue.SMember;
  sk: AttributeValue.SMember;
}

/** A condition in DynamoDB's own words. */
export interface Condition {
  expression: string;
  names?: Record<string, string>;
  values?: Record<string, AttributeValue>;
}

/** Where an item about a resource stands: `run#<id>`, `quarantine#<id>`, … */
export const placed = ({ source, resource }: ResourceRef, sk: string): StateKey => ({
  pk: { S: `${source}#${resource}` },
  sk: { S: sk },
});

/** A block has a partition of its own, so that blocks never throttle the lease. */
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
  const { Item } = await steadily(world, "was not readable", () => world.dynamodb.send(command));
  return Item;
}

/** The items under these keys that exist, in any order. */
export async function getItems(world: StateWorld, keys: readonly StateKey[]): Promise<Item[]> {
  const table = stateTableName(world.names);
  const items: Item[] = [];
  for (let first = 0; first < keys.length; first += 100 /* keys of one BatchGetItem */) {
    let Keys: Item[] = keys.slice(first, first + 100);
    while (Keys.length > 0) {
      const command = new BatchGetItemCommand({
        RequestItems: { [table]: { Keys, ConsistentRead: true } },
      });
      const answer = await steadily(world, "was not readable", () => world.dynamodb.send(command));
      items.push(...(answer.Responses?.[table] ?? []));
      Keys = answer.UnprocessedKeys?.[table]?.Keys ?? [];
    }
  }
  return items;
}

/** False when the condition does not hold. */
export function putItem(
  world: StateWorld,
  item: Item,
  how: { condition?: Condition; failure: string },
): Promise<boolean> {
  const command = new PutItemCommand({
    TableName: stateTableName(world.names),
    Item: item,
    ...conditionInput(how.condition),
  });
  return holds(steadily(world, how.failure, () => world.dynamodb.send(command)));
}

/** Sets and removes attributes (null removes one). False when the condition does not hold. */
export function updateItem(
  world: StateWorld,
  key: StateKey,
  how: {
    set: Record<string, AttributeValue | null>;
    condition: Condition;
    failure: string;
  },
): Promise<boolean> {
  const entries = Object.entries(how.set);
  const changes = entries.filter(([, value]) => value !== null);
  const removals = entries.filter(([, value]) => value === null);
  const set = changes.map(([name]) => `#${name} = :${name}`).join(", ");
  const remove = removals.map(([name]) => `#${name}`).join(", ");
  const { ConditionExpression, ExpressionAttributeNames, ExpressionAttributeValues } =
    conditionInput(how.condition);
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
  return holds(steadily(world, how.failure, () => world.dynamodb.send(command)));
}

/** False when the condition does not hold. */
export function deleteItem(
  world: StateWorld,
  key: StateKey,
  how: { condition?: Condition; failure: string },
): Promise<boolean> {
  const command = new DeleteItemCommand({
    TableName: stateTableName(world.names),
    Key: key,
    ...conditionInput(how.condition),
  });
  return holds(steadily(world, how.failure, () => world.dynamodb.send(command)));
}

/** A resource's items whose sort key begins with `prefix`, one answer of DynamoDB at a time. */
export async function* queryItems(
  world: StateWorld,
  place: ResourceRef,
  prefix: string,
): AsyncGenerator<Item[]> {
  const { pk, sk } = placed(place, prefix);
  let after: Item | undefined;
  do {
    const command = new QueryCommand({
      TableName: stateTableName(world.names),
      KeyConditionExpression: "pk = :pk AND begins_with(sk, :sk)",
      ExpressionAttributeValues: { ":pk": pk, ":sk": sk },
      ConsistentRead: true,
      ExclusiveStartKey: after,
    });
    const answer = await steadily(world, "was not readable", () => world.dynamodb.send(command));
    yield answer.Items ?? [];
    after = answer.LastEvaluatedKey;
  } while (after);
}

/** The keys of a resource's blocks. Each block has a partition of its own, so only a scan finds them. */
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
    const answer = await steadily(world, "was not readable", () => world.dynamodb.send(command));
    yield* (answer.Items ?? []) as StateKey[];
    after = answer.LastEvaluatedKey;
  } while (after);
}

/**
 * Puts a block under its writer's lease token. A worker that was overtaken cannot replace what its
 * successor has written: that throws a LeaseError.
 */
export async function putBlock(
  world: StateWorld,
  key: StateKey,
  content: Item,
  how: { token: number; days: number; failure: string },
): Promise<void> {
  const token: AttributeValue = { N: String(how.token) };
  const item = { ...key, format: FORMAT, token, ...content, expires: expiry(world, how.days) };
  const condition: Condition = {
    expression: "attribute_not_exists(pk) OR #token <= :token",
    names: { "#token": "token" },
    values: { ":token": token },
  };
  if (!(await putItem(world, item, { condition, failure: how.failure }))) throw overtaken();
}

export const FORMAT: AttributeValue = { N: String(FORMAT_NUMBER) };

export const formatOf = (item: Item): number => Number(item.format?.N ?? 1);

/** The attribute `expires`: DynamoDB deletes an item some time after it. */
export const expiry = ({ clock }: Pick<StateWorld, "clock">, days: number): AttributeValue => ({
  N: String(Math.floor(clock.now() / 1000) + days * 86_400),
});

/** Calls DynamoDB until it answers; `failure` says of the state table what went wrong. */
function steadily<T>(world: StateWorld, failure: string, call: () => Promise<T>): Promise<T> {
  return retryTransient(world, call).catch((error: unknown) => {
    if (error instanceof ConditionalCheckFailedException || isFailure(error)) throw error;
    throw unavailable(error, world, failure);
  });
}

interface ConditionInput {
  ConditionExpression?: string;
  ExpressionAttributeNames?: Record<string, string>;
  ExpressionAttributeValues?: Record<string, AttributeValue>;
}

async function holds(call: Promise<unknown>): Promise<boolean> {
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

function unavailable(error: unknown, { names }: StateWorld, failure: string): WriteError {
  const table = stateTableName(names);
  if (classifyError(error) === "missing") return missingTableError(table);
  return new WriteError({
    code: "state.unavailable",
    message: `the state table ${table} ${failure} (${errorName(error)})`,
    hint: "check the connection to DynamoDB, then try again",
  });
}

/** Another worker has taken over; `owner` names it where it is known. */
export const overtaken = (owner?: string): LeaseError =>
  new LeaseError({
    code: "state.lease_lost",
    message: `another worker${owner ? ` (${owner})` : ""} took over this resource`,
    hint: "it continues from the last checkpoint; nothing is lost",
  });
