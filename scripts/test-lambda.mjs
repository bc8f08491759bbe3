// `npm run test:lambda`: the bundles that would be deployed, in processes of their own, on the Node
// versions that Lambda has.
import { spawnSync } from "node:child_process";
import { nodePath } from "./nodes.mjs";

const runtimes = Object.fromEntries([24, 22].map((major) => [major, nodePath(major)]));
const vitest = [
  "node_modules/vitest/vitest.mjs",
  "run",
  "--config",
  "test/lambda/vitest.config.ts",
];
const { status } = spawnSync(process.execPath, [...vitest, ...process.argv.slice(2)], {
  stdio: "inherit",
  env: { ...process.env, TIDETABLE_LAMBDA_RUNTIMES: JSON.stringify(runtimes) },
});
process.exitCode = status ?? 1;
