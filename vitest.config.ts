import { availableParallelism } from "node:os";
import { configDefaults, defineConfig } from "vitest/config";

// The AWS SDK warns about Node 20 at every import; docs/how-it-works.md says what it means.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = "true";

const report = process.env.TIDETABLE_TEST_REPORT;

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // The default leaves one core alone, which is half of a machine with two.
    maxWorkers: availableParallelism(),
    // `npm run test:lambda` has them, with the Node versions of Lambda.
    exclude: [...configDefaults.exclude, "test/lambda/**"],
    // Time-outs only end tests that hang. They are long, because a busy machine makes real engines
    // and child processes slow, and no test may fail for that.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 60_000 } },
    env: { NO_COLOR: "1" },
    // After each test: is a secret in anything that it printed, stored or reported?
    setupFiles: ["test/support/canary-setup.ts"],
    globalSetup: ["test/support/canary-total.ts", "test/support/built-cli.ts"],
    // For .ci/run, which prints the counts of the run on one line.
    reporters: report ? ["default", ["json", { outputFile: report }]] : ["default"],
  },
});
