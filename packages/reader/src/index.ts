export { Decimal, type JsonValue } from "@tidetable/core";
export { ReadError } from "@tidetable/core/internal";
export { table } from "./table.ts";
export type * from "./types.ts";
