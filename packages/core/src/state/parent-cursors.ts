import type { ResourceRef } from "../base/resource-ref.ts";
import type { Cursor } from "../flow.ts";
import { blockKey, FORMAT, getItem, putItem, type StateWorld } from "./state-table.ts";

/*
 * Where a child reads each record of its parent from its own place on, there is a cursor for each: an
 * item in a partition of its own. It moves when all pages of that record are durable.
 */

/** Which record of the parent, and what the cursor is of. */
interface ParentCursorRef {
  id: string;
  path: string;
  tableId: string | null;
}

export async function readParentCursor(
  world: StateWorld,
  place: ResourceRef,
  { id, path, tableId }: ParentCursorRef,
): Promise<Cursor> {
  const item = await getItem(world, keyOf(place, id));
  // A cursor of another field, or of another table under the same name, says nothing.
  if (item?.cursor_path?.S !== path || item.table_id?.S !== (tableId ?? "")) return null;
  return item.cursor?.S ?? (item.cursor?.N === undefined ? null : Number(item.cursor.N));
}

/**
 * The same cursor makes the same item, so a page that is replayed does no harm. The writer's lease
 * token fences it: a worker that was overtaken cannot move it back. That worker stops at its next
 * checkpoint, so here it is only kept out.
 */
export async function writeParentCursor(
  world: StateWorld,
  place: ResourceRef,
  { id, path, tableId, cursor }: ParentCursorRef & { cursor: Exclude<Cursor, null> },
  token: number,
): Promise<void> {
  const item = {
    ...keyOf(place, id),
    format: FORMAT,
    token: { N: String(token) },
    cursor_path: { S: path },
    table_id: { S: tableId ?? "" },
    cursor: typeof cursor === "number" ? { N: String(cursor) } : { S: cursor },
  };
  const condition = {
    expression: "attribute_not_exists(#token) OR #token <= :token",
    names: { "#token": "token" },
    values: { ":token": { N: String(token) } },
  };
  await putItem(world, item, { condition, failure: "did not take a cursor" });
}

const keyOf = (place: ResourceRef, id: string) => blockKey(place, `cursor/${id}`, "cursor");
