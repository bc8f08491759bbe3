import type { Item, KeyedItem } from "../../packages/core/src/flow.ts";
import { writeItem } from "../../packages/core/src/normalize/values.ts";
import type { Members } from "../../packages/core/src/values/json.ts";
import { attributesOf, sdkToWire } from "../../packages/core/src/values/wire-text.ts";

/** The attribute values of a prepared item. */
export const attributesIn = ({ itemText }: Pick<KeyedItem, "itemText">): Item =>
  attributesOf(itemText);

/** The attribute values that a record would have in a table. */
export const itemOfRecord = (record: Members): Item => attributesIn(writeItem(record));

/** The texts of an item, for a table with the key `id`. */
export const textsOf = (item: Item): Pick<KeyedItem, "itemText" | "rowKeyText"> => ({
  itemText: sdkToWire(item),
  rowKeyText: sdkToWire(item.id ? { id: item.id } : {}),
});
