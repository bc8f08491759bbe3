/// <reference path="./.sst/platform/config.d.ts" />

// SST reads this file twice and refuses imports at the top, hence the import in `run`.
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
    const { deploy } = await import("./stacks");
    return deploy();
  },
});
