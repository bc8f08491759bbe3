/// <reference path="./.sst/platform/config.d.ts" />

// SST reads this file twice and refuses imports at the top, hence the imports in `run`.
export default $config({
  app(input) {
    /** Stages that keep their tables and secrets, whatever is removed. Write yours down here. */
    const protectedStages = ["production"];
    const isProtected = protectedStages.includes(input?.stage ?? "");
    return {
      name: "tidetable",
      home: "aws",
      removal: isProtected ? "retain" : "remove",
      protect: isProtected,
      version: ">= 4.17.1 < 5",
    };
  },
  async run() {
    const { plans } = await import("./stacks/plans");
    const { setFunctionDefaults } = await import("./stacks/defaults");
    const { locateStage } = await import("./stacks/roles");
    const { refuseKeyChanges } = await import("./stacks/keys");
    const { createStorage } = await import("./stacks/storage");
    const { createSecrets } = await import("./stacks/secrets");
    const { createPipeline } = await import("./stacks/pipeline");
    const { createSchedules } = await import("./stacks/schedules");
    const { createMonitoring } = await import("./stacks/monitoring");
    const { listNextSteps } = await import("./stacks/next-steps");

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
  },
});
