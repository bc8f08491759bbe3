import type { ResourceRef } from "../base/resource-ref.ts";
import type { Cursor } from "../flow.ts";
import { blockKey, FORMAT, getItem, putItem, type StateWorld } from "./state-table.ts";

/*
 * With per_parent, a child has a cursor for each parent record: an item in a separate partition. The
 * cursor moves when all pages of the parent record are durable.
 */

/** The parent record, and the field and table of the cursor. */
interface ParentCursorRef {
  id: string;
  path: string;
  tableId: string | null;
}

export async function readParentCursor(
  world: StateWorld,
  resourceRef: ResourceRef,
  { id, path, tableId }: ParentCursorRef,
): Promise<Cursor> {
  const item = await getItem(world, keyOf(resourceRef, id));
  // A cursor of a different field, or of a deleted table with the same name, is ignored.
  if (item?.cursor_path?.S !== path || item.table_id?.S !== (tableId ?? "")) return null;
  return item.cursor?.S ?? (item.cursor?.N === undefined ? null : Number(item.cursor.N));
}

/**
 * Stores the cursor of a parent record. The lease token fences the write, so an overtaken worker cannot
 * move the cursor back. Its write is ignored here, because the worker stops at its next checkpoint.
 */
export async function writeParentCursor(
  world: StateWorld,
  resourceRef: ResourceRef,
  { id, path, tableId, cursor }: ParentCursorRef & { cursor: Exclude<Cursor, null> },
  token: number,
): Promise<void> {
  const item = {
    ...keyOf(resourceRef, id),
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

const keyOf = (resourceRef: ResourceRef, id: string) =>
  blockKey(resourceRef, `cursor/${id}`, "cursor");
