import { execFileSync } from "node:child_process";

/** Runs before all tests. The command line that they start is then built JavaScript. */
export default function setup() {
  execFileSync(process.execPath, ["scripts/build-cli.mjs"], { stdio: "inherit" });
  process.env.TIDETABLE_BUILT = "1";
}
