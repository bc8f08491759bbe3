export { Decimal, type JsonValue } from "@tidetable/core";
export { ReadError } from "@tidetable/core/internal/config";
export { table } from "./table.ts";
export type * from "./types.ts";
