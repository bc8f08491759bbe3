/*
 * For tidetable's own packages of the same version: it changes with every release.
 */

export type { Network } from "./base/addresses.ts";
export type { Clock, Fields, Log, World } from "./base/world.ts";
export { dynamodbClient } from "./dynamodb/client.ts";
export { checkTable, createTable, stateTable, tableDefinition } from "./dynamodb/tables.ts";
export type { WorkerEvent } from "./entry/events.ts";
export { handleScheduleEvent } from "./entry/schedule.ts";
export { handleWorkerEvent, RunError } from "./entry/worker.ts";
export { httpAgent, type Proxies } from "./extract/http/agent.ts";
export type { PageRequest } from "./extract/paging/page-request.ts";
export type { Item } from "./flow.ts";
export * from "./internal-config.ts";
export * from "./internal-tables.ts";
export { type LambdaContext, lambdaWorld, localOrigin } from "./lambda/world.ts";
export { type Preview, previewResource } from "./preview/preview.ts";
export type { Warning } from "./preview/warnings.ts";
export { estimateSourceCost, estimateStageMonth, prices, type SourceCost } from "./report/costs.ts";
export { type Counts, zeroCounts } from "./report/counts.ts";
export type { ResourceReport } from "./report/types.ts";
export { type NextStart, nextStart } from "./run/coverage.ts";
export { deadlineOf } from "./run/pacer.ts";
export { type Replayed, replayQuarantine } from "./run/replay-quarantine.ts";
export { parseShape, type Shape } from "./schema/shape.ts";
export { createSecretsManager, openSecretStore } from "./secrets/store.ts";
export { forgetResource } from "./state/forget.ts";
export { openGate } from "./state/gate.ts";
export { type RunRecord, readRun, readRuns } from "./state/history.ts";
export { expireLease } from "./state/lease.ts";
export { listQuarantine, type QuarantineEntry } from "./state/quarantine.ts";
export {
  forgetSchema,
  readSchema,
  readVersion,
  type SchemaVersion,
  type StoredSchema,
} from "./state/schemas.ts";
export { endWait, readState, type StoredState } from "./state/state-item.ts";
export { compareNumbers } from "./values/number-parts.ts";
