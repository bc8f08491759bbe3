// What a source file uses.

// What the functions, the stacks and local mode use.
export type { Network } from "./addresses.ts";
export { realClock } from "./clock.ts";
export type * from "./config/endpoint-types.ts";
export { notices } from "./config/notices.ts";
export { plan } from "./config/plan.ts";
export type * from "./config/plan-types.ts";
export {
  dlt,
  isSource,
  register,
  registeredName,
  rest_api_source,
  type Source,
} from "./config/source.ts";
export { workerEnvironment } from "./config/storage.ts";
export { suggest } from "./config/suggest.ts";
export type * from "./config/types.ts";
export { prices, type SourceCost, sourceCost, stageMonth } from "./costs.ts";
export { Decimal } from "./decimal.ts";
export { ConfigError, explain, isFailure, type Problem, ReadError, RecordError } from "./errors.ts";
export type { WorkerEvent } from "./events.ts";
export { httpAgent, type Proxies } from "./extract/agent.ts";
export { firstRequest } from "./extract/pages.ts";
export {
  type Counts,
  type Item,
  type JsonObject,
  type JsonValue,
  noCounts,
  type PageRequest,
  type ResourceReport,
} from "./flow.ts";
export { jsonText } from "./json-text.ts";
export { awsRetryDelay, dynamodbClient } from "./load/client.ts";
export { forget } from "./load/forget.ts";
export { type RunRecord, readRun, readRuns } from "./load/history.ts";
export { listQuarantine, type QuarantineEntry } from "./load/quarantine.ts";
export {
  forgetSchema,
  readSchema,
  readVersion,
  type SchemaVersion,
  type StoredSchema,
} from "./load/schemas.ts";
export { readState, type StoredState } from "./load/state-item.ts";
export { checkTable, createTable, stateTable, tableDefinition } from "./load/tables.ts";
export {
  failureQueueName,
  type Names,
  scheduleFunctionName,
  secretName,
  stateTableName,
  tableName,
  workerFunctionName,
} from "./names.ts";
export { keyTextOf, rowKey } from "./normalize/keys.ts";
export { numberText } from "./normalize/numbers.ts";
export { isLoopback } from "./origins.ts";
export { deadlineOf } from "./pace.ts";
export { type Preview, preview } from "./preview.ts";
export type { Warning } from "./preview-warnings.ts";
export { type Replayed, replayQuarantine } from "./replay.ts";
export { schedule } from "./schedule.ts";
export {
  type Change,
  type Column,
  type Columns,
  changesOf,
  changeText,
  columnsOf,
  typeText,
} from "./schema/columns.ts";
export { parseShape, type Shape } from "./schema/shape.ts";
export { Secret } from "./secret.ts";
export { secretStore, secretsManagerClient } from "./secrets.ts";
export { RunError, type Sources, work } from "./worker.ts";
export type { Clock, Fields, Log, World } from "./world.ts";
