// The last line of .ci/run: `N passed, N failed`, from the folder in which each step left its exit
// code and vitest's report. A step that failed, ended before its tests did, or skipped them all
// counts as a failure, so that the line never flatters.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const [folder] = process.argv.slice(2);
const files = readdirSync(folder);
const read = (file) => readFileSync(join(folder, file), "utf8");

const steps = files.filter((file) => file.endsWith(".code")).map(outcome);

function outcome(file) {
  const report = file.replace(".code", ".json");
  const tests = files.includes(report) ? JSON.parse(read(report)) : undefined;
  const { numPassedTests: passed = 0, numFailedTests: failed = 0 } = tests ?? {};
  const broken = read(file).trim() !== "0" || (tests !== undefined && passed === 0);
  return { passed, failed: Math.max(failed, broken ? 1 : 0) };
}

const passed = steps.reduce((sum, step) => sum + step.passed, 0);
const failed = steps.reduce((sum, step) => sum + step.failed, 0);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
