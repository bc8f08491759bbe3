import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { workerBundles } from "../bench/figures/bundle.ts";
import { measureNumbers } from "../bench/figures/numbers.ts";
import { runBareLoop } from "../bench/loops/bare.ts";
import { runNaiveLoop } from "../bench/loops/naive.ts";
import { sliceLoop } from "../bench/loops/slice.ts";
import { runTunedLoop } from "../bench/loops/tuned.ts";
import { type Figure, type Loop, measureLoop, passesTarget } from "../bench/measure.ts";
import { figuresDocument } from "../bench/print.ts";
import { prepareStubs, readStored, startStubs } from "../bench/stubs.ts";

// A fast benchmark that loses records is worthless.

describe("a loop's figures", () => {
  let stubs: Awaited<ReturnType<typeof startStubs>>;
  const env = { ...process.env };
  beforeAll(async () => {
    const credentials = { AWS_ACCESS_KEY_ID: "bench", AWS_SECRET_ACCESS_KEY: "bench" };
    Object.assign(process.env, { AWS_REGION: "us-east-1", ...credentials });
    stubs = await startStubs();
  });
  afterAll(() => {
    stubs.stop();
    process.env = env;
  });

  const records = 250;
  const loops: [string, Loop][] = [
    ["the slice", sliceLoop()],
    ["the tuned loop", runTunedLoop],
    ["the bare bound", runBareLoop],
    ["the naive loop", runNaiveLoop],
  ];
  it.each(loops)("the figures of %s are accepted if every record is there", async (_, loop) => {
    const { seconds, stored } = await measureLoop(stubs, { records }, loop);
    expect(seconds).toBeGreaterThan(0);
    expect(stored.items).toBe(records);
  });

  it("a loop's figures are refused if a record is lost", async () => {
    const losingLoop: Loop = async (at) => {
      await prepareStubs(at, { records: records - 1 });
      await runBareLoop(at);
      return records;
    };
    await expect(measureLoop(stubs, { records }, losingLoop)).rejects.toThrow(
      /wrong result: .*249/,
    );
  });

  it("a loop's figures are refused if a record is written twice", async () => {
    const doublingLoop: Loop = async (at) => {
      await runBareLoop(at);
      return runBareLoop(at);
    };
    await expect(measureLoop(stubs, { records }, doublingLoop)).rejects.toThrow(/"puts":500/);
  });

  it("a loop's figures are refused if it reports a wrong number of records", async () => {
    const boastingLoop: Loop = async (at) => (await runBareLoop(at)) + 1;
    await expect(measureLoop(stubs, { records }, boastingLoop)).rejects.toThrow("read 251 of 250");
  });

  it("a loop's figures include the units that DynamoDB would count", async () => {
    const { stored } = await measureLoop(stubs, { records }, runBareLoop);
    // A record is a little less than 1 KB.
    expect(stored.writeUnits).toBe(records);
    await prepareStubs(stubs, { records, keepTable: true });
    const seen = await readStored(stubs);
    expect(seen).toMatchObject({ puts: 0, writeUnits: 0, items: records });
  });
});

describe("the table", () => {
  const figure: Figure = {
    ...{ id: "cpu", name: "CPU", unit: "µs", value: 12, baseline: 10, ratio: 1.2 },
    target: { most: 1.2 },
  };

  it("bench --json is a document for programs", () => {
    expect(figuresDocument([figure])).toEqual({
      figures: [
        {
          ...{ id: "cpu", name: "CPU (µs)", value: 12, baseline: 10, ratio: 1.2 },
          ...{ target: 1.2, pass: true },
        },
      ],
    });
  });

  it("bench prints NO for a missed target, and no verdict for a figure that is not judged", () => {
    expect(passesTarget({ ...figure, ratio: 1.21 })).toBe(false);
    expect(passesTarget({ ...figure, ratio: 1.21, target: { least: 1 } })).toBe(true);
    expect(passesTarget({ ...figure, ratio: Number.NaN })).toBe(false);
    expect(passesTarget({ ...figure, unjudged: "2 cores" })).toBeUndefined();
  });
});

it("every number of the benchmark's generated corpus is read exactly", async () => {
  const exact = (await measureNumbers(undefined, { records: 0, rounds: 1 })).at(-1);
  expect(exact).toMatchObject({ id: "json-exact", value: 10_000, ratio: 1 });
});

describe("the worker's bundle", () => {
  it("the worker's bundle has not grown since bench/baseline.json was written", async () => {
    const folder = mkdtempSync(join(tmpdir(), "tidetable-bench-"));
    const { worker, minimal } = await workerBundles(folder);
    rmSync(folder, { recursive: true });
    const known = JSON.parse(readFileSync("bench/baseline.json", "utf8"));
    const message = `the worker has ${worker.bytes} bytes, a minimal one ${minimal.bytes}: look at what has come in; if it is worth it, write this into bench/baseline.json`;
    // The size depends a little on esbuild's version.
    expect(worker.bytes, message).toBeLessThan(known.worker * 1.01);
    expect(minimal.bytes, message).toBeLessThan(known.minimal * 1.01);
    expect(worker.bytes).toBeLessThanOrEqual(minimal.bytes + 120 * 1024);
  });
});
