// Histories of the real engine in a simulated world, on all cores; test/simulation says what is
// simulated. Exits 1 and names the seed as soon as an invariant is broken.
//
//   npm run simulate -- --seeds 20000 --first-seed 1
//   npm run simulate -- --bug "a wish is forgotten"
//   npm run simulate -- --seeds 5000 --first-seed 5001 --json > part-2.json     one of several parts
//   npm run simulate -- --sum part-1.json part-2.json --docs          writes docs/reliability.md
import { type ChildProcess, fork } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { bugs } from "../test/simulation/bugs.ts";
import { holesIn, matrixText } from "../test/simulation/features.ts";
import { plantedCopy } from "../test/simulation/plant.ts";
import { simulate } from "../test/simulation/simulate.ts";
import { add, merge, noTotals, type Totals, tell } from "../test/simulation/totals.ts";

/** The seeds per message to a child. With a small number, the cores end at about the same time. */
const CHUNK_SIZE = 20;

const usage =
  "usage: npm run simulate -- [--seeds N] [--first-seed K] [--bug NAME] [--json] [--sum FILE…] [--docs]";

interface SeedRange {
  first: number;
  count: number;
}

/** What `--json` prints: files of it can be summed. */
interface Part extends Totals {
  seconds: number;
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
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      seeds: { type: "string", default: "1000" },
      "first-seed": { type: "string", default: "1" },
      bug: { type: "string" },
      json: { type: "boolean", default: false },
      sum: { type: "boolean", default: false },
      docs: { type: "boolean", default: false },
    },
  });
  const first = Number(values["first-seed"]);
  const count = Number(values.seeds);
  if (!Number.isSafeInteger(first) || !Number.isSafeInteger(count) || count < 1) {
    console.error(usage);
    return 2;
  }
  const part = values.sum ? sumOf(positionals) : await runPart({ first, count }, values.bug);
  if (!part) return 2;
  if (values.json) console.log(JSON.stringify(part));
  else printPart(part);
  if (values.docs) writeDocs(part);
  return part.failures.length > 0 ? 1 : 0;
}

function sumOf(files: readonly string[]): Part {
  const totals: Part = { ...noTotals(), seconds: 0 };
  for (const file of files) {
    const part: Part = JSON.parse(readFileSync(file, "utf8"));
    merge(totals, part);
    totals.seconds += part.seconds;
  }
  return totals;
}

async function runPart(range: SeedRange, bugName: string | undefined): Promise<Part | undefined> {
  const bug = bugs.find(({ name }) => name === bugName);
  if (bugName !== undefined && !bug) {
    const names = bugs.map(({ name }) => name).join("\n");
    console.error(`there is no bug "${bugName}"; they are:\n${names}`);
    return undefined;
  }
  const copy = bug && plantedCopy(bug);
  const startedAt = performance.now();
  const totals = await runInChildren(range, copy?.script ?? import.meta.filename);
  copy?.remove();
  return { ...totals, seconds: (performance.now() - startedAt) / 1000 };
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

function printPart(part: Part): void {
  console.log(figuresText(part));
  console.log(`${part.seconds.toFixed(1)} s\n\n${matrixText(part.cells)}`);
  const holes = holesIn(part.cells);
  if (holes.length > 0) console.log(`\nnever drawn: ${holes.join("; ")}`);
  const [failure] = part.failures;
  if (failure) console.log(`\n${tell(failure)}`);
}

function figuresText({ histories, failures, hours, steps, counters }: Totals): string {
  const figures = {
    histories,
    "with a broken invariant": failures.length,
    "virtual hours": Math.round(hours),
    "steps (calls of a worker)": steps,
    ...Object.fromEntries(
      Object.entries(counters).map(([name, count]) => [name.replaceAll("_", " "), count]),
    ),
  };
  const width = Math.max(...Object.keys(figures).map((name) => name.length));
  return Object.entries(figures)
    .map(([name, count]) => `${name.padEnd(width)}  ${count.toLocaleString("en").padStart(12)}`)
    .join("\n");
}

/** Replaces what stands between the markers in docs/reliability.md. */
function writeDocs(part: Part): void {
  const file = join(resolve(import.meta.dirname, ".."), "docs/reliability.md");
  const text = readFileSync(file, "utf8");
  const [begin, end] = ["<!-- simulation:begin -->", "<!-- simulation:end -->"];
  const [before, rest = ""] = text.split(begin);
  const [, after] = rest.split(end);
  if (before === undefined || after === undefined) {
    throw new Error(`${file} has no place for the figures: ${begin} … ${end}`);
  }
  const figures = `\`\`\`\n${figuresText(part)}\n\`\`\``;
  writeFileSync(
    file,
    `${before}${begin}\n\n${figures}\n\n${matrixText(part.cells)}\n\n${end}${after}`,
  );
}
