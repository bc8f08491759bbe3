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
    const { storage } = await import("./stacks/storage");
    const { secrets } = await import("./stacks/secrets");
    const { pipeline } = await import("./stacks/pipeline");

    defaults();
    const tables = storage(plans);
    const credentials = secrets(plans);
    const { schedule } = pipeline(plans, { ...tables, credentials });
    return {
      schedule: schedule.name,
      state: tables.state.name,
      tables: tables.tables.map(({ table }) => table.name),
    };
  },
});
