// Plants each bug of test/simulation/bugs.ts in a copy of the engine, runs the simulation until it
// notices, and writes docs/planted-bugs.md. Exits 1 when one goes unnoticed.
//
//   node --import tsx scripts/plant-bugs.ts [--seeds 2000]
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { type Bug, bugs } from "../test/simulation/bugs.ts";
import type { Totals } from "../test/simulation/totals.ts";

const root = resolve(import.meta.dirname, "..");
const { values } = parseArgs({ options: { seeds: { type: "string", default: "2000" } } });

const rows = bugs.map((bug) => {
  const { failures, histories } = simulate(bug);
  const [failure] = failures;
  const seed = failure ? String(failure.seed) : `not in ${histories}`;
  const row = [bug.name, bug.promise, seed, failure?.violation.invariant ?? ""];
  console.log(`${seed.padStart(12)}  ${row[3]?.padEnd(2)}  ${bug.name}`);
  return { row, caught: failure !== undefined };
});

const caught = rows.filter((row) => row.caught).length;
writeFileSync(
  join(root, "docs/planted-bugs.md"),
  `# Planted bugs

Each of these bugs was planted in a copy of the engine, and the simulation ran from seed 1 until an
invariant was broken. Written by \`node --import tsx scripts/plant-bugs.ts\`; the invariants are
explained in \`test/simulation/oracle.ts\`, the promises in \`docs/reliability.md\`.

**${caught} of ${rows.length} noticed.**

| bug | promise | noticed at seed | invariant |
|---|---|---:|---|
${rows.map(({ row }) => `| ${row.join(" | ")} |`).join("\n")}
`,
);
process.exitCode = caught === rows.length ? 0 : 1;

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
