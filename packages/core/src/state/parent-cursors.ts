import { GetItemCommand, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { stateTableName } from "../base/names.ts";
import type { ResourceRef } from "../base/resource-ref.ts";
import type { Cursor } from "../flow.ts";
import { type StateWorld, steadily } from "./state-table.ts";

/*
 * Where a child reads each record of its parent from its own place on, there is a cursor for each: an
 * item in a partition of its own. It moves when all pages of that record are durable.
 */

export async function readParentCursor(
  world: StateWorld,
  resourceRef: ResourceRef,
  { id, path }: { id: string; path: string },
): Promise<Cursor> {
  const command = new GetItemCommand({
    TableName: stateTableName(world.names),
    Key: keyOf(resourceRef, id),
    ConsistentRead: true,
  });
  const { Item } = await steadily(world, "was not readable", () => world.dynamodb.send(command));
  // A cursor of another field says nothing.
  if (Item?.cursor_path?.S !== path) return null;
  return Item.cursor?.S ?? (Item.cursor?.N === undefined ? null : Number(Item.cursor.N));
}

/** The same cursor makes the same item, so a page that is replayed does no harm. */
export async function writeParentCursor(
  world: StateWorld,
  resourceRef: ResourceRef,
  { id, path, cursor }: { id: string; path: string; cursor: Exclude<Cursor, null> },
): Promise<void> {
  const command = new PutItemCommand({
    TableName: stateTableName(world.names),
    Item: {
      ...keyOf(resourceRef, id),
      cursor_path: { S: path },
      cursor: typeof cursor === "number" ? { N: String(cursor) } : { S: cursor },
    },
  });
  await steadily(world, "did not take a cursor", () => world.dynamodb.send(command));
}

const keyOf = ({ source, resource }: ResourceRef, id: string) => ({
  pk: { S: `${source}#${resource}/cursor/${id}` },
  sk: { S: "cursor" },
});
