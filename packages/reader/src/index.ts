export { Decimal, type JsonValue, ReadError } from "@tidetable/core";
export { table } from "./table.ts";
export type * from "./types.ts";
