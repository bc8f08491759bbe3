import { runBareLoop } from "../loops/bare.ts";
import { runNaiveLoop } from "../loops/naive.ts";
import { sliceLoop } from "../loops/slice.ts";
import { runTunedLoop } from "../loops/tuned.ts";
import { type Figure, measureLoop, median, runInterleaved, type Scale } from "../measure.ts";
import type { Stubs } from "../stubs.ts";

/** Measures the CPU time of a record from the API to the table, without waits for latency. */
export async function measureCpu(stubs: Stubs, { records, rounds }: Scale): Promise<Figure[]> {
  // With a single page in flight, the slice is comparable with the loops.
  const loops = {
    slice: sliceLoop({ pages: 1 }),
    tuned: runTunedLoop,
    bare: runBareLoop,
    naive: runNaiveLoop,
  };
  const measureMicros = async (loop: (typeof loops)[keyof typeof loops]) =>
    ((await measureLoop(stubs, { records }, loop)).cpuSeconds / records) * 1e6;
  // The first run of each loop includes compilation and is not counted.
  for (const loop of Object.values(loops)) await measureMicros(loop);
  const samples = await runInterleaved(rounds, {
    slice: () => measureMicros(loops.slice),
    tuned: () => measureMicros(runTunedLoop),
    bare: () => measureMicros(runBareLoop),
    naive: () => measureMicros(runNaiveLoop),
  });
  const value = median(samples.slice);
  const compareWith = (id: "tuned" | "bare" | "naive", name: string, most: number): Figure => {
    const baseline = median(samples[id]);
    const target = { most };
    return { id: `cpu-${id}`, name, unit: "µs", value, baseline, ratio: value / baseline, target };
  };
  const [major = 0] = process.versions.node.split(".").map(Number);
  return [
    compareWith("tuned", "CPU per record, beside a tuned loop", 1.2),
    compareWith("bare", "CPU per record, beside the bare bound", major >= 24 ? 2.0 : 2.2),
    compareWith("naive", "CPU per record, beside a naive loop", 0.6),
  ];
}
