/** A value as the wire has it: `{ "S": "text" }`. */
export type Attribute = Record<string, unknown>;
export type Attributes = Record<string, Attribute>;

/**
 * What DynamoDB counts for an item. Texts come here with a character per byte, as the stub reads
 * them, so that a length is the length in UTF-8.
 */
export function sizeOf(item: Attributes): number {
  let bytes = 0;
  for (const name in item) bytes += name.length + valueSize(item[name] as Attribute);
  return bytes;
}

function valueSize(value: Attribute): number {
  if (typeof value.S === "string") return value.S.length;
  if (typeof value.N === "string") return Math.ceil(value.N.replace(/\D/g, "").length / 2) + 1;
  if (typeof value.B === "string") return Math.floor((value.B.length * 3) / 4);
  if (Array.isArray(value.L)) {
    return value.L.reduce((sum: number, one: Attribute) => sum + 1 + valueSize(one), 3);
  }
  if (typeof value.M !== "object" || value.M === null) return 1;
  return 3 + Object.keys(value.M).length + sizeOf(value.M as Attributes);
}

export const writeUnits = (bytes: number): number => Math.max(1, Math.ceil(bytes / 1024));

/** Half as many where a read may be a moment behind. */
export const readUnits = (bytes: number, consistent: boolean): number =>
  Math.max(1, Math.ceil(bytes / 4096)) / (consistent ? 1 : 2);
