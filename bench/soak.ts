import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { PAGE, type RunOptions, type Stubs } from "./loops.ts";

/*
 * Whether memory grows with the records: the peak of a worker that reads a tenth of them, and of one
 * that reads all, each in a process of its own. Nothing here depends on how fast the machine is.
 */

const json = process.argv.includes("--json");
const RECORDS = Number(process.env.SOAK_RECORDS ?? 1_000_000);
const TARGET = 1.15;

/** The heap of a function of 512 MB. Without a limit, V8 puts off its work on a large machine. */
const HEAP = "--max-old-space-size=460";

const ways: { id: string; name: string; options: RunOptions }[] = [
  { id: "merge", name: "merge", options: {} },
  { id: "refresh", name: "refresh with its sweep", options: { refresh: true } },
  { id: "rejects", name: "1 % set aside", options: { path: "/flawed" } },
];

const script = (file: string, ...args: string[]) => [
  ...["--import", "tsx", fileURLToPath(new URL(file, import.meta.url))],
  ...args,
];
const env = {
  ...process.env,
  AWS_REGION: "us-east-1",
  AWS_ACCESS_KEY_ID: "soak",
  AWS_SECRET_ACCESS_KEY: "soak",
};

/** The peak in MB of one worker that reads so many records. Refuses a run that lost one. */
async function peak(records: number, options: RunOptions): Promise<number> {
  const servers = spawn(process.execPath, script("stubs.ts", `${records}`, `${PAGE}`), {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const [line] = await once(createInterface(servers.stdout), "line");
  const stubs: Stubs = JSON.parse(line);
  const order = JSON.stringify({ stubs, options });
  const worker = [HEAP, ...script("soak-slice.ts", order)];
  const { stdout } = await promisify(execFile)(process.execPath, worker, { env });
  const { peakMb, ...counts } = JSON.parse(stdout);
  const stored = (await (await fetch(`${stubs.dynamodb}/written`)).json()) as object;
  servers.stdin.end();

  // Of flawed records, every hundredth has no key.
  const aside = options.path === "/flawed" ? Math.floor(records / 100) : 0;
  const written = records - aside;
  const due = {
    ...{ status: "done", records, written, quarantined: aside },
    ...{ items: written, sum: sumTo(records) - 100 * sumTo(aside) },
  };
  const found = JSON.stringify({ ...counts, ...stored });
  if (found !== JSON.stringify(due)) {
    throw new Error(`wrong result: ${found} instead of ${JSON.stringify(due)}`);
  }
  return peakMb;
}

const sumTo = (last: number) => (last * (last + 1)) / 2;

const figures = [];
for (const { id, name, options } of ways) {
  const baseline = await peak(RECORDS / 10, options);
  const value = await peak(RECORDS, options);
  const ratio = value / baseline;
  figures.push({ id, name, value, baseline, ratio, target: TARGET, pass: ratio <= TARGET });
}

if (json) {
  console.log(JSON.stringify({ figures }));
} else {
  const few = `${RECORDS / 10} records`;
  const all = `${RECORDS} records`;
  console.log(`peak memory of a worker in MB, records of 1 KB, Node ${process.version}`);
  console.log(`${"".padEnd(24)}${few.padStart(16)}${all.padStart(16)}${"ratio".padStart(8)}`);
  for (const { name, value, baseline, ratio, pass } of figures) {
    const peaks = [baseline, value].map((mb) => mb.toFixed(0).padStart(16)).join("");
    const verdict = pass ? "" : `, more than ${TARGET}`;
    console.log(`${name.padEnd(24)}${peaks}${ratio.toFixed(2).padStart(8)}${verdict}`);
  }
}
if (figures.some(({ pass }) => !pass)) process.exitCode = 1;
