// What .ci/run and .ci/nightly leave of their steps in a folder, read back. A step `name` leaves
// `name.code`, its exit code, and where it has tests `name.json`, vitest's report of them.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** The exit code of a step that cannot be done on this machine. */
const SKIPPED = 77;

/** The steps in the order of their names. */
export function readSteps(folder) {
  const files = readdirSync(folder);
  const read = (file) =>
    files.includes(file) ? readFileSync(join(folder, file), "utf8").trim() : "";
  return files
    .filter((file) => file.endsWith(".code"))
    .map((file) => {
      const name = file.replace(".code", "");
      const code = Number(read(file));
      const report = read(`${name}.json`);
      const isSkipped = code === SKIPPED;
      const tests = isSkipped ? { passed: 0, failed: 0 } : countTests(report, code);
      return {
        name,
        isSkipped,
        hasReport: report !== "",
        ...tests,
        read: (kind) => read(`${name}.${kind}`),
      };
    });
}

/**
 * A step that failed, ended before its tests did, or skipped them all counts as a failure, so that
 * the last line never flatters.
 */
function countTests(report, code) {
  const tests = report === "" ? undefined : JSON.parse(report);
  const { numPassedTests: passed = 0, numFailedTests: failed = 0 } = tests ?? {};
  const isBroken = code !== 0 || (tests !== undefined && passed === 0);
  return { passed, failed: Math.max(failed, isBroken ? 1 : 0) };
}

/** Prints `N passed, N failed`, and gives the exit code that belongs to it. */
export function printTotal(steps) {
  const passed = steps.reduce((sum, step) => sum + step.passed, 0);
  const failed = steps.reduce((sum, step) => sum + step.failed, 0);
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0 && passed > 0 ? 0 : 1;
}
