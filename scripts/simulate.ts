// Histories of the real engine in a simulated world, on all cores; test/simulation says what is
// simulated. Exits 1 and names the seed as soon as an invariant is broken.
//
//   npm run simulate -- --seeds 100000 --first-seed 1
//   npm run simulate -- --bug "no guard before a batch"
import { type ChildProcess, fork } from "node:child_process";
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { bugs } from "../test/simulation/bugs.ts";
import { plantedCopy } from "../test/simulation/plant.ts";
import { simulate } from "../test/simulation/simulate.ts";
import { add, merge, noTotals, type Totals, tell } from "../test/simulation/totals.ts";

/** The seeds per message to a child. With a small number, the cores end at about the same time. */
const CHUNK_SIZE = 50;

interface SeedRange {
  first: number;
  count: number;
}

if (process.send) runChild(process.send.bind(process));
else process.exitCode = await runParent();

/** Runs the seeds of the parent's messages. A child ends with the parent. */
function runChild(send: (totals: Totals) => void): void {
  process.on("message", async ({ first, count }: SeedRange) => {
    const totals = noTotals();
    for (let seed = first; seed < first + count && totals.failures.length === 0; seed++) {
      add(totals, await simulate(seed));
    }
    send(totals);
  });
  process.on("disconnect", () => process.exit());
}

async function runParent(): Promise<number> {
  const { values } = parseArgs({
    options: {
      seeds: { type: "string", default: "1000" },
      "first-seed": { type: "string", default: "1" },
      bug: { type: "string" },
      json: { type: "boolean", default: false },
    },
  });
  const first = Number(values["first-seed"]);
  const count = Number(values.seeds);
  if (!Number.isSafeInteger(first) || !Number.isSafeInteger(count) || count < 1) {
    console.error("usage: npm run simulate -- --seeds N [--first-seed K] [--bug NAME] [--json]");
    return 2;
  }
  const bug = bugs.find(({ name }) => name === values.bug);
  if (values.bug !== undefined && !bug) {
    console.error(
      `there is no bug "${values.bug}"; they are:\n${bugs.map(({ name }) => name).join("\n")}`,
    );
    return 2;
  }
  const copy = bug && plantedCopy(bug);
  const startedAt = performance.now();
  const totals = await runInChildren({ first, count }, copy?.script ?? import.meta.filename);
  copy?.remove();
  const seconds = (performance.now() - startedAt) / 1000;
  if (values.json) console.log(JSON.stringify({ ...totals, seconds }));
  else printTotals(totals, seconds);
  return totals.failures.length > 0 ? 1 : 0;
}

/** Sends the seeds to children in ascending order, and stops after the first failure. */
async function runInChildren({ first, count }: SeedRange, script: string): Promise<Totals> {
  const totals = noTotals();
  const end = first + count;
  let nextSeed = first;
  const driveChild = (child: ChildProcess) =>
    new Promise<void>((resolve, reject) => {
      const sendChunk = () => {
        if (nextSeed >= end || totals.failures.length > 0) {
          child.disconnect();
          return resolve();
        }
        const size = Math.min(CHUNK_SIZE, end - nextSeed);
        child.send({ first: nextSeed, count: size } satisfies SeedRange);
        nextSeed += CHUNK_SIZE;
      };
      child.on("message", (chunkTotals: Totals) => {
        merge(totals, chunkTotals);
        if (process.stderr.isTTY) process.stderr.write(`\r${totals.histories} of ${count}`);
        sendChunk();
      });
      child.on("exit", (code) => code && reject(new Error(`a child ended with code ${code}`)));
      sendChunk();
    });
  const childCount = Math.min(availableParallelism(), Math.ceil(count / CHUNK_SIZE));
  await Promise.all(Array.from({ length: childCount }, () => driveChild(fork(script))));
  if (process.stderr.isTTY) process.stderr.write("\r\x1b[K");
  totals.failures.sort((a, b) => a.seed - b.seed);
  return totals;
}

function printTotals(totals: Totals, seconds: number): void {
  const rows = {
    "virtual hours": Math.round(totals.hours),
    "steps (calls of a worker)": totals.steps,
    ...Object.fromEntries(
      Object.entries(totals.counters).map(([name, count]) => [name.replaceAll("_", " "), count]),
    ),
  };
  const width = Math.max(...Object.keys(rows).map((name) => name.length));
  for (const [name, count] of Object.entries(rows)) {
    console.log(`${name.padEnd(width)}  ${count.toLocaleString("en").padStart(12)}`);
  }
  const { histories, failures } = totals;
  console.log(
    `${histories} histories, ${failures.length} with a broken invariant, ${seconds.toFixed(1)} s`,
  );
  const [failure] = totals.failures;
  if (failure) console.log(`\n${tell(failure)}`);
}
