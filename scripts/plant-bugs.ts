// Plants each bug of test/simulation/bugs.ts in a copy of the engine, runs the simulation until it
// notices, and writes docs/planted-bugs.md. Exits 1 when a bug goes unnoticed.
//
//   node --import tsx scripts/plant-bugs.ts [--seeds 2000]
//   node --import tsx scripts/plant-bugs.ts --first 2     the first two bugs; writes nothing
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { type Bug, bugs } from "../test/simulation/bugs.ts";
import type { Totals } from "../test/simulation/totals.ts";

const root = resolve(import.meta.dirname, "..");
const { values } = parseArgs({
  options: { seeds: { type: "string", default: "2000" }, first: { type: "string" } },
});

const searchedBugs = bugs.slice(0, values.first === undefined ? bugs.length : Number(values.first));
const rows = searchedBugs.map(searchRow);
const noticed = rows.filter(({ isNoticed }) => isNoticed).length;
const summary = `${noticed} of ${rows.length} noticed`;
if (values.first === undefined) writeTable();
console.log(summary);
process.exitCode = noticed === rows.length ? 0 : 1;

function searchRow(bug: Bug) {
  const { failures, histories } = simulate(bug);
  const [failure] = failures;
  const seed = failure ? String(failure.seed) : `not in ${histories}`;
  const invariant = failure?.violation.invariant ?? "";
  console.log(`${seed.padStart(12)}  ${invariant.padEnd(2)}  ${bug.name}`);
  return { cells: [bug.name, bug.promise, seed, invariant], isNoticed: failure !== undefined };
}

function simulate({ name }: Bug): Totals {
  const script = ["--import", "tsx", "scripts/simulate.ts", "--json"];
  const args = [...script, "--bug", name, "--seeds", values.seeds];
  const { stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
  });
  if (!stdout) throw new Error(stderr);
  return JSON.parse(stdout);
}

function writeTable(): void {
  const table = rows.map(({ cells }) => `| ${cells.join(" | ")} |`).join("\n");
  const text = `# Planted bugs

Each of these bugs was planted in a copy of the engine, and the simulation ran from seed 1 until an
invariant was broken. Written by \`node --import tsx scripts/plant-bugs.ts\`; the invariants are
explained in \`test/simulation/oracle.ts\`, the promises in [reliability.md](reliability.md). The comments
\`planted: …\` in the engine mark where each bug goes.

**${summary}.**

| bug | promise | noticed at seed | invariant |
|---|---|---:|---|
${table}
`;
  writeFileSync(join(root, "docs/planted-bugs.md"), text);
}
