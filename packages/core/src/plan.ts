/*
 * What infrastructure needs of a source: its problems, its plan and the names in AWS. Neither the
 * AWS SDK nor an HTTP client is behind it, because `sst` resolves these to its own versions.
 */
export type { Problem } from "./base/errors.ts";
export {
  failureQueueName,
  type Names,
  scheduleFunctionName,
  secretName,
  stateTableName,
  tableName,
  workerFunctionName,
} from "./base/names.ts";
export { version } from "./base/version.ts";
export { validate } from "./config/check/validate.ts";
export { workerEnvironment } from "./config/deployment.ts";
export { planSource } from "./config/plan.ts";
export type * from "./config/plan-types.ts";
export type { Source, Sources } from "./config/source.ts";
export { fillStageValues, type StageValues, stageValuesFor } from "./config/stage-values.ts";
