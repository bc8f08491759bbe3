// The end of .ci/nightly: the figures of its steps, with --complete in docs/nightly.md and otherwise
// on the terminal, and the last line `N passed, N failed`.
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { availableParallelism, cpus, totalmem } from "node:os";
import { printTotal, readSteps } from "./step-results.mjs";

const [folder, mode] = process.argv.slice(2);
const steps = readSteps(folder)
  .map((step) => ({
    ...step,
    number: Number(step.read("number")),
    seconds: Number(step.read("seconds")),
  }))
  .sort((a, b) => a.number - b.number);

const rows = steps.map((step) => [
  step.name,
  resultOf(step),
  duration(step.seconds),
  figuresOf(step),
]);
const markdown = `# The nightly checks

These checks take too long for \`.ci/run\`. \`.ci/nightly\` writes this page, and anybody can run it. A step that a machine
cannot do gives the reason.

| | |
|---|---|
| date | ${new Date().toISOString().slice(0, 10)} |
| commit | ${commit()} |
| machine | ${machine()} |

| step | result | time | figures |
|---|---|---:|---|
${rows.map((row) => `| ${row.join(" | ")} |`).join("\n")}
`;

if (mode === "--complete") writeFileSync("docs/nightly.md", markdown);
else console.log(`\n${markdown}`);

// A step without a report of tests counts as one test.
const counted = steps.map((step) =>
  step.hasReport || step.isSkipped ? step : { ...step, passed: step.failed === 0 ? 1 : 0 },
);
process.exitCode = printTotal(counted);

function resultOf({ isSkipped, failed }) {
  if (isSkipped) return "skipped";
  return failed === 0 ? "passed" : "FAILED";
}

function figuresOf({ hasReport, isSkipped, passed, failed, read }) {
  const tests = hasReport && !isSkipped ? [`${passed} tests passed, ${failed} failed`] : [];
  const figures = read("figures");
  return [...tests, ...(figures ? [figures.replaceAll("|", "/")] : [])].join("; ");
}

function duration(seconds) {
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

function commit() {
  const git = (...args) => spawnSync("git", args, { encoding: "utf8" }).stdout.trim();
  const isChanged = git("status", "--porcelain") !== "";
  return `${git("rev-parse", "--short=10", "HEAD")}${isChanged ? " with changes" : ""}`;
}

function machine() {
  const gigabytes = Math.round(totalmem() / 2 ** 30);
  const [cpu] = cpus();
  const cores = `${availableParallelism()} cores (${cpu?.model.trim() ?? process.arch})`;
  return `${process.platform} ${process.arch}, ${cores}, ${gigabytes} GB, Node ${process.versions.node}`;
}
