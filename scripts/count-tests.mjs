// Prints `N passed, N failed` from vitest's JSON report; a failed check without a failed test counts
// as one failure, so that the line never says more than the run did.
import { readFileSync } from "node:fs";

const [report, code] = process.argv.slice(2);
let passed = 0;
let failed = 0;
try {
  const results = JSON.parse(readFileSync(report, "utf8"));
  passed = results.numPassedTests;
  failed = results.numFailedTests + results.numFailedTestSuites * (results.numFailedTests === 0 ? 1 : 0);
} catch {
  // No report: the run ended before the tests did.
}
if (code !== "0" && failed === 0) failed = 1;
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
