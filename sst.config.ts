/// <reference path="./.sst/platform/config.d.ts" />

// SST reads this file twice and allows no import at its top; the stacks are loaded by `run`.
export default $config({
  app(input) {
    const production = input?.stage === "production";
    return {
      name: "tidetable",
      home: "aws",
      removal: production ? "retain" : "remove",
      protect: production,
      version: ">= 4.17.1 < 5",
    };
  },
  async run() {
    const { plans } = await import("./stacks/plans");
    const { defaults } = await import("./stacks/defaults");
    const { here } = await import("./stacks/roles");
    const { sameKeys } = await import("./stacks/keys");
    const { storage } = await import("./stacks/storage");
    const { secrets } = await import("./stacks/secrets");
    const { pipeline } = await import("./stacks/pipeline");
    const { schedules } = await import("./stacks/schedules");
    const { monitoring } = await import("./stacks/monitoring");
    const { next } = await import("./stacks/next");

    await sameKeys(plans);
    const place = await here();
    defaults();
    const stored = storage(plans);
    secrets(plans);
    const functions = pipeline(plans, place);
    schedules(plans, stored, functions);
    monitoring(plans, functions, place);
    return {
      schedule: functions.schedule.name,
      state: stored.state.name,
      tables: stored.tables.map(({ name }) => name),
      next: next(plans),
    };
  },
});
