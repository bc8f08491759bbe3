import {
  ConditionalCheckFailedException,
  GetItemCommand,
  PutItemCommand,
} from "@aws-sdk/client-dynamodb";
import { LeaseError } from "../base/errors.ts";
import { stateTableName } from "../base/names.ts";
import type { ResourceRef } from "../base/resource-ref.ts";
import type { Item } from "../flow.ts";
import type { Columns } from "../schema/columns.ts";
import { placed, type StateWorld, steadily } from "./state-table.ts";

/*
 * What is known of a resource's fields (sk `schema`), and each version of it that a run came to
 * (sk `schema#<number>`), its columns as JSON, so that they can be read in the AWS console as well.
 */

/** The item `schema`. Shapes are texts here. */
export interface StoredSchema {
  /** Grows with each write. */
  revision: number;
  /** Of the lease under which it was written. */
  token: number;
  /** The table that it is of: another one under the same name begins with nothing. */
  table_id: string;
  /** All that was ever seen: never behind what is in the table. */
  seen: string;
  /** What had been seen at the last version: what is new is new beside this. */
  known: string | null;
  /** 0 before the first run has ended. */
  version: number;
  hash: string | null;
}

/** One version of a schema. */
export interface SchemaVersion {
  version: number;
  hash: string;
  /** When a run first came to it, and which. */
  first_seen: string;
  run_id: string;
  columns: Columns;
}

const VERSION = "schema#";

/** Sorts as numbers do. */
const versionKey = (version: number) => VERSION + String(version).padStart(8, "0");

export async function readSchema(
  world: StateWorld,
  resourceRef: ResourceRef,
): Promise<StoredSchema | undefined> {
  const item = await get(world, resourceRef, "schema");
  return (
    item && {
      revision: Number(item.revision?.N ?? 0),
      token: Number(item.token?.N ?? 0),
      table_id: item.table_id?.S ?? "",
      seen: item.seen?.S ?? "{}",
      known: item.known?.S ?? null,
      version: Number(item.version?.N ?? 0),
      hash: item.hash?.S ?? null,
    }
  );
}

/** Puts the next revision. Throws LeaseError when another worker has put one. */
export async function writeSchema(
  world: StateWorld,
  resourceRef: ResourceRef,
  { revision, token, table_id, seen, known, version, hash }: StoredSchema,
): Promise<void> {
  const command = new PutItemCommand({
    TableName: stateTableName(world.names),
    Item: {
      ...placed(resourceRef, "schema"),
      revision: { N: String(revision) },
      token: { N: String(token) },
      table_id: { S: table_id },
      seen: { S: seen },
      version: { N: String(version) },
      ...(known === null ? {} : { known: { S: known } }),
      ...(hash === null ? {} : { hash: { S: hash } }),
    },
    // What a worker with an older lease wrote meanwhile, its successor has read or reads again.
    ConditionExpression:
      "attribute_not_exists(pk) OR (revision = :before AND #token <= :token) OR #token < :token",
    ExpressionAttributeNames: { "#token": "token" },
    ExpressionAttributeValues: {
      ":before": { N: String(revision - 1) },
      ":token": { N: String(token) },
    },
  });
  try {
    await steadily(world, "did not take the schema", () => world.dynamodb.send(command));
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
    // A retry whose first try came through and whose answer was lost meets its own success.
    const stored = await readSchema(world, resourceRef);
    if (stored?.revision !== revision || stored.token !== token) throw overtaken();
  }
}

export const nothingSeen: Pick<StoredSchema, "seen" | "known"> = { seen: "{}", known: null };

/** Forgets what was seen, for a table that was emptied. Versions stay, and are counted on. */
export async function forgetSchema(world: StateWorld, resourceRef: ResourceRef): Promise<void> {
  const stored = await readSchema(world, resourceRef);
  if (!stored) return;
  const revision = stored.revision + 1;
  await writeSchema(world, resourceRef, { ...stored, revision, ...nothingSeen });
}

/** Puts a version, over one that a worker with an older lease has left. */
export async function writeVersion(
  world: StateWorld,
  resourceRef: ResourceRef,
  { version, hash, first_seen, run_id, columns }: SchemaVersion,
  token: number,
): Promise<void> {
  const command = new PutItemCommand({
    TableName: stateTableName(world.names),
    Item: {
      ...placed(resourceRef, versionKey(version)),
      token: { N: String(token) },
      hash: { S: hash },
      first_seen: { S: first_seen },
      run_id: { S: run_id },
      columns: { S: JSON.stringify(columns) },
    },
    ConditionExpression: "attribute_not_exists(pk) OR #token <= :token",
    ExpressionAttributeNames: { "#token": "token" },
    ExpressionAttributeValues: { ":token": { N: String(token) } },
  });
  try {
    await steadily(world, "did not take the schema", () => world.dynamodb.send(command));
  } catch (error) {
    throw error instanceof ConditionalCheckFailedException ? overtaken() : error;
  }
}

export async function readVersion(
  world: StateWorld,
  resourceRef: ResourceRef,
  version: number,
): Promise<SchemaVersion | undefined> {
  const item = await get(world, resourceRef, versionKey(version));
  return item && fromItem(item);
}

function fromItem(item: Item): SchemaVersion {
  const text = (name: string) => item[name]?.S ?? "";
  return {
    version: Number(text("sk").slice(VERSION.length)),
    hash: text("hash"),
    first_seen: text("first_seen"),
    run_id: text("run_id"),
    columns: JSON.parse(text("columns")),
  };
}

async function get(
  world: StateWorld,
  resourceRef: ResourceRef,
  sk: string,
): Promise<Item | undefined> {
  const command = new GetItemCommand({
    TableName: stateTableName(world.names),
    Key: placed(resourceRef, sk),
    ConsistentRead: true,
  });
  const { Item } = await steadily(world, "was not readable", () => world.dynamodb.send(command));
  return Item;
}

const overtaken = () =>
  new LeaseError({
    code: "state.lease_lost",
    message: "another worker wrote this resource's schema",
    hint: "it continues from the last checkpoint; nothing is lost",
  });
