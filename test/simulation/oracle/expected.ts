import { isDeepStrictEqual } from "node:util";
import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import { itemOf, type Shown } from "../api/record.ts";
import type { Version } from "../api/rows.ts";
import { stampText } from "../api/stamps.ts";
import { isKeyed, type Level } from "../draw/levels.ts";
import type { Item } from "../expressions.ts";

/** What of an item is not as the record was shown. Undefined when all is. */
export function wrongItem(
  item: Item,
  shown: Shown,
  { level, parentLevel }: { level: Level; parentLevel: Level | undefined },
): string | undefined {
  const { _row_id, ...rest } = item;
  if (isKeyed(level) === (_row_id !== undefined)) return "its key is of the wrong kind";
  const { parent } = shown.row;
  for (const field of level.include) {
    const name = `_${parentLevel?.name}_${field}`;
    const value = rest[name];
    delete rest[name];
    const values = (parent?.versions ?? []).map((one) =>
      parentValue(parent?.id ?? 0, one, { field, parentLevel }),
    );
    if (!values.some((one) => isDeepStrictEqual(one, value))) {
      return `it has ${JSON.stringify(value)} as ${name}`;
    }
  }
  const expected = itemOf(shown, level);
  if (isDeepStrictEqual(rest, expected)) return undefined;
  return `it is ${JSON.stringify(rest)}, not ${JSON.stringify(expected)}`;
}

/** A field of the parent's record, as the API wrote it. */
function parentValue(
  id: number,
  { fault, stamp }: Version,
  { field, parentLevel }: { field: "id" | "updated_at"; parentLevel: Level | undefined },
): AttributeValue | undefined {
  if (field === "updated_at") {
    const text = stampText(stamp, parentLevel?.cursor?.format ?? "iso");
    return typeof text === "number" ? { N: String(text) } : { S: text };
  }
  if (fault === "no_key") return undefined;
  if (fault === "null_key") return { NULL: true };
  return fault === "long_key" ? { S: "x".repeat(3000) } : { N: String(id) };
}
