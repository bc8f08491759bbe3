import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { bare, type Loop, PAGE, type Stubs, slice } from "./loops.ts";
import { observing } from "./schema.ts";

/*
 * Both loops in one run, one after the other and several times, against the same two servers in
 * another process. Read the ratio; the rest depends on the machine.
 */

const json = process.argv.includes("--json");
const RECORDS = Number(process.env.BENCH_RECORDS ?? 20_000);
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 5);

Object.assign(process.env, {
  AWS_REGION: "us-east-1",
  AWS_ACCESS_KEY_ID: "bench",
  AWS_SECRET_ACCESS_KEY: "bench",
});

const servers = spawn(
  process.execPath,
  ["--import", "tsx", new URL("stubs.ts", import.meta.url).pathname, `${RECORDS}`, `${PAGE}`],
  { stdio: ["pipe", "pipe", "inherit"] },
);
const [line] = await once(createInterface(servers.stdout), "line");
const stubs: Stubs = JSON.parse(line);

interface Sample {
  perSecond: number;
  cpuMicros: number;
}

/** Runs a loop once and refuses its figures when a record or a key is missing. */
async function measure(loop: Loop): Promise<Sample> {
  const before = process.cpuUsage();
  const began = performance.now();
  const records = await loop(stubs);
  const seconds = (performance.now() - began) / 1000;
  const { user, system } = process.cpuUsage(before);
  const written = (await (await fetch(`${stubs.dynamodb}/written`)).json()) as {
    items: number;
    sum: number;
  };
  const sum = (RECORDS * (RECORDS + 1)) / 2;
  if (records !== RECORDS || written.items !== RECORDS || written.sum !== sum) {
    throw new Error(`wrong result: read ${records}, written ${written.items} of ${RECORDS}`);
  }
  return { perSecond: records / seconds, cpuMicros: (user + system) / records };
}

const loops = { bare, slice };
const samples: Record<keyof typeof loops, Sample[]> = { bare: [], slice: [] };
const schema: number[] = [];
for (const loop of Object.values(loops)) await measure(loop); // Warm up: JIT and connections.
await observing(stubs, RECORDS);
for (let round = 0; round < ROUNDS; round++) {
  for (const name of ["bare", "slice"] as const) samples[name].push(await measure(loops[name]));
  schema.push(await observing(stubs, RECORDS));
}
servers.stdin.end();

const median = (values: number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] as number;
const of = (name: keyof typeof loops, figure: keyof Sample) =>
  median(samples[name].map((sample) => sample[figure]));

const figures = (
  [
    ["throughput", "records per second", "perSecond"],
    ["cpu", "CPU µs per record", "cpuMicros"],
  ] as const
).map(([id, name, figure]) => {
  const value = of("slice", figure);
  const baseline = of("bare", figure);
  return { id, name, value, baseline, ratio: value / baseline };
});
// Beside all that the slice does for a record.
const inferring = {
  id: "schema",
  name: "µs per record to infer its schema, of the slice's CPU",
  value: median(schema),
  baseline: of("slice", "cpuMicros"),
  ratio: median(schema) / of("slice", "cpuMicros"),
};

if (json) {
  console.log(JSON.stringify({ figures: [...figures, inferring] }));
} else {
  console.log(
    `${RECORDS} records of 1 KB, pages of ${PAGE}, ${ROUNDS} rounds, Node ${process.version}`,
  );
  console.log(
    `${"".padEnd(22)}${"tidetable".padStart(12)}${"bare loop".padStart(12)}${"ratio".padStart(8)}`,
  );
  for (const { name, value, baseline, ratio } of figures) {
    const numbers = [value.toFixed(0).padStart(12), baseline.toFixed(0).padStart(12)];
    console.log(`${name.padEnd(22)}${numbers.join("")}${ratio.toFixed(2).padStart(8)}`);
  }
  const { name, value, baseline, ratio } = inferring;
  const share = (ratio * 100).toFixed(1);
  console.log(`${value.toFixed(2)} ${name}: ${share} % of ${baseline.toFixed(0)}`);
}
