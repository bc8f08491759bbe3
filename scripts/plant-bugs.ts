// Plants each bug of test/simulation/bugs.ts in a copy of the engine, runs the simulation until it
// notices, and writes docs/planted-bugs.md. Exits 1 when a bug goes unnoticed.
//
//   node --import tsx scripts/plant-bugs.ts [--seeds 2000]
//   node --import tsx scripts/plant-bugs.ts --first 2     the first two bugs; writes nothing
import { fork } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { type Bug, bugs } from "../test/simulation/bugs.ts";
import { plantedCopy } from "../test/simulation/plant.ts";
import type { Totals } from "../test/simulation/totals.ts";

const root = resolve(import.meta.dirname, "..");
const { values } = parseArgs({
  options: { seeds: { type: "string", default: "2000" }, first: { type: "string" } },
});

const searchedBugs = bugs.slice(0, values.first === undefined ? bugs.length : Number(values.first));
const rows: Awaited<ReturnType<typeof searchRow>>[] = [];
for (const bug of searchedBugs) rows.push(await searchRow(bug));
const noticed = rows.filter(({ isNoticed }) => isNoticed).length;
const summary = `${noticed} of ${rows.length} noticed`;
if (values.first === undefined) writeTable();
console.log(summary);
process.exitCode = noticed === rows.length ? 0 : 1;

async function searchRow(bug: Bug) {
  const { failures, histories } = await simulate(bug);
  const [failure] = failures;
  const seed = failure ? String(failure.seed) : `not in ${histories}`;
  const invariant = failure?.violation.invariant ?? "";
  console.log(`${seed.padStart(12)}  ${invariant.padEnd(2)}  ${bug.name}`);
  return { cells: [bug.name, bug.promise, seed, invariant], isNoticed: failure !== undefined };
}

/** Runs a copy of scripts/simulate.ts as its own child, which stops at the first broken invariant. */
async function simulate(bug: Bug): Promise<Totals> {
  const copy = plantedCopy(bug);
  const child = fork(copy.script);
  try {
    return await new Promise((resolve, reject) => {
      child.on("message", (totals) => resolve(totals as Totals));
      child.on("exit", (code) => reject(new Error(`"${bug.name}": the child ended with ${code}`)));
      child.send({ first: 1, count: Number(values.seeds) });
    });
  } finally {
    child.kill();
    copy.remove();
  }
}

function writeTable(): void {
  const table = rows.map(({ cells }) => `| ${cells.join(" | ")} |`).join("\n");
  const text = `# Planted bugs

Each of these bugs was planted in a copy of the engine, and the simulation ran from seed 1 until an
invariant was broken. Written by \`node --import tsx scripts/plant-bugs.ts\`; the invariants are
explained in \`test/simulation/oracle/oracle.ts\`, the promises in [reliability.md](reliability.md). The comments
\`planted: …\` in the engine mark where each bug goes.

**${summary}.**

| bug | promise | noticed at seed | invariant |
|---|---|---:|---|
${table}
`;
  writeFileSync(join(root, "docs/planted-bugs.md"), text);
}
