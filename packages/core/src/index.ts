/*
 * What a user's source files import. plan.ts, lambda.ts and internal.ts are the other entries.
 */
export type * from "./config/data-types.ts";
export type * from "./config/endpoint-types.ts";
export { dlt, register, rest_api_source, type Source, type Sources } from "./config/source.ts";
export { value } from "./config/stage-value.ts";
export type * from "./config/types.ts";
export type { Secret } from "./secrets/reference.ts";
export { Decimal } from "./values/decimal.ts";
export type { JsonObject, JsonValue } from "./values/json.ts";
