export type { Network } from "./base/addresses.ts";
export { realClock } from "./base/clock.ts";
export {
  ConfigError,
  explain,
  isFailure,
  type Problem,
  ReadError,
  RecordError,
} from "./base/errors.ts";
export {
  failureQueueName,
  type Names,
  scheduleFunctionName,
  secretName,
  stateTableName,
  tableName,
  workerFunctionName,
} from "./base/names.ts";
export { isLoopback } from "./base/origins.ts";
export type { Clock, Fields, Log, World } from "./base/world.ts";
export { notices } from "./config/check/notices.ts";
export type * from "./config/data-types.ts";
export { workerEnvironment } from "./config/deployment.ts";
export type * from "./config/endpoint-types.ts";
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
export { suggest } from "./config/suggest.ts";
export type * from "./config/types.ts";
export { awsRetryDelay, dynamodbClient } from "./dynamodb/client.ts";
export { checkTable, createTable, stateTable, tableDefinition } from "./dynamodb/tables.ts";
export type { WorkerEvent } from "./entry/events.ts";
export { schedule } from "./entry/schedule.ts";
export { RunError, work } from "./entry/worker.ts";
export { httpAgent, type Proxies } from "./extract/http/agent.ts";
export { firstRequest } from "./extract/pages.ts";
export type { Item, PageRequest } from "./flow.ts";
export { keyTextOf, rowKey } from "./normalize/keys.ts";
export { type Preview, preview } from "./preview/preview.ts";
export type { Warning } from "./preview/warnings.ts";
export { prices, type SourceCost, sourceCost, stageMonth } from "./report/costs.ts";
export { type Counts, noCounts } from "./report/counts.ts";
export type { ResourceReport } from "./report/types.ts";
export { deadlineOf } from "./run/pacer.ts";
export type { Sources } from "./run/reach.ts";
export { type Replayed, replayQuarantine } from "./run/replay-quarantine.ts";
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
export { Secret } from "./secrets/reference.ts";
export { secretStore, secretsManagerClient } from "./secrets/store.ts";
export { forget } from "./state/forget.ts";
export { type RunRecord, readRun, readRuns } from "./state/history.ts";
export { endLeaseOf } from "./state/lease.ts";
export { listQuarantine, type QuarantineEntry } from "./state/quarantine.ts";
export {
  forgetSchema,
  readSchema,
  readVersion,
  type SchemaVersion,
  type StoredSchema,
} from "./state/schemas.ts";
export { readState, type StoredState } from "./state/state-item.ts";
export { Decimal } from "./values/decimal.ts";
export { numberText } from "./values/dynamodb-number.ts";
export type { JsonObject, JsonValue } from "./values/json.ts";
export { jsonText } from "./values/json-text.ts";
