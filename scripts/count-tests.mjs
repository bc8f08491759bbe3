// The last line of .ci/run: `N passed, N failed`, from vitest's report. A check that failed, or a
// run that ended before its tests did, counts as a failure, so that the line never flatters.
import { readFileSync } from "node:fs";

const [report, ...codes] = process.argv.slice(2);

function counts() {
  try {
    const { numPassedTests, numFailedTests } = JSON.parse(readFileSync(report, "utf8"));
    return { passed: numPassedTests, failed: numFailedTests };
  } catch {
    return { passed: 0, failed: 0 };
  }
}

const { passed, failed } = counts();
const broken = codes.filter((code) => code !== "0").length;
const all = Math.max(failed, broken, passed === 0 ? 1 : 0);
console.log(`${passed} passed, ${all} failed`);
process.exitCode = all === 0 ? 0 : 1;
