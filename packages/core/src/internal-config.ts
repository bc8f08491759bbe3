/*
 * The part of internal.ts that concerns configs alone: neither the AWS SDK nor an HTTP client is
 * behind it, so that a command that needs neither starts at once.
 */
export {
  ConfigError,
  explainError,
  isFailure,
  ReadError,
  RecordError,
} from "./base/errors.ts";
export { isLoopback } from "./base/origins.ts";
export { type ResourceRef, refOf } from "./base/resource-ref.ts";
export { findNotices } from "./config/check/notices.ts";
export { hasOwnCursor, rootAbove } from "./config/lineage.ts";
export { isSource, registeredName } from "./config/source.ts";
export { StageValue } from "./config/stage-value.ts";
export { fillSources, findStageValues } from "./config/stage-values.ts";
export { spellingHint } from "./config/suggest.ts";
export { firstRequest } from "./extract/first-request.ts";
export {
  type Change,
  type Column,
  type Columns,
  changesOf,
  changeText,
  columnsOf,
  typeText,
} from "./schema/columns.ts";
export { Secret } from "./secrets/reference.ts";
export { isObject } from "./values/json.ts";
export { jsonText } from "./values/json-text.ts";
