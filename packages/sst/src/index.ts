import { setFunctionDefaults } from "./defaults.ts";
import { refuseKeyChanges } from "./keys.ts";
import { createMonitoring } from "./monitoring.ts";
import { listNextSteps } from "./next-steps.ts";
import { createPipeline } from "./pipeline.ts";
import { plans } from "./plans.ts";
import { locateStage } from "./roles.ts";
import { createSchedules } from "./schedules.ts";
import { createSecrets } from "./secrets.ts";
import { createStorage } from "./storage.ts";

/** Creates what the registered sources need in AWS. Returns what `sst deploy` prints. */
export async function createTidetable() {
  await refuseKeyChanges(plans);
  const location = await locateStage();
  setFunctionDefaults();
  const storage = createStorage(plans);
  createSecrets(plans);
  const functions = createPipeline(plans, location);
  createSchedules(plans, storage, functions);
  createMonitoring(plans, functions, location);
  return {
    schedule: functions.schedule.name,
    state: storage.state.name,
    tables: storage.tables.map(({ name }) => name),
    next: listNextSteps(plans),
  };
}
