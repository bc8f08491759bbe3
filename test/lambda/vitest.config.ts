import { defineConfig } from "vitest/config";

const found = process.env.TIDETABLE_LAMBDA_RUNTIMES;
if (!found) throw new Error("start this suite with `npm run test:lambda`");

const report = process.env.TIDETABLE_TEST_REPORT;

export default defineConfig({
  test: {
    // For .ci/run, which counts.
    reporters: report ? ["default", ["json", { outputFile: report }]] : ["default"],
    globalSetup: ["test/support/canary-total.ts"],
    // Most of the time is spent waiting: for time-outs, for leases, for the end of a Retry-After.
    maxWorkers: 4,
    // Each test once for every Node version that Lambda has.
    projects: Object.entries<string>(JSON.parse(found)).map(([major, node]) => ({
      test: {
        name: `Node ${major}`,
        include: ["test/lambda/**/*.test.ts"],
        setupFiles: ["test/support/canary-setup.ts"],
        // A lease that a killed worker held lasts a minute, and cold starts on two cores take seconds.
        testTimeout: 240_000,
        hookTimeout: 60_000,
        env: {
          NO_COLOR: "1",
          AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true",
          TIDETABLE_LAMBDA_NODE: node,
        },
      },
    })),
  },
});
