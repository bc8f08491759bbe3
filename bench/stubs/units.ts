/** A value in the wire format: `{ "S": "text" }`. */
export type Attribute = Record<string, unknown>;
export type Attributes = Record<string, Attribute>;

/**
 * The size of an item as DynamoDB counts. The stub reads strings with a character per byte, and the
 * length of a string is therefore the length in UTF-8.
 */
export function itemSize(item: Attributes): number {
  let bytes = 0;
  for (const name in item) bytes += name.length + valueSize(item[name] as Attribute);
  return bytes;
}

function valueSize(value: Attribute): number {
  if (typeof value.S === "string") return value.S.length;
  if (typeof value.N === "string") return Math.ceil(value.N.replace(/\D/g, "").length / 2) + 1;
  if (typeof value.B === "string") return Math.floor((value.B.length * 3) / 4);
  if (Array.isArray(value.L)) {
    return value.L.reduce((sum: number, item: Attribute) => sum + 1 + valueSize(item), 3);
  }
  if (typeof value.M !== "object" || value.M === null) return 1;
  return 3 + Object.keys(value.M).length + itemSize(value.M as Attributes);
}

export const writeUnits = (bytes: number): number => Math.max(1, Math.ceil(bytes / 1024));

/** An eventually consistent read costs half. */
export const readUnits = (bytes: number, consistent: boolean): number =>
  Math.max(1, Math.ceil(bytes / 4096)) / (consistent ? 1 : 2);
