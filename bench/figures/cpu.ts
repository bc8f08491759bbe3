import { bare } from "../loops/bare.ts";
import { naive } from "../loops/naive.ts";
import { slice } from "../loops/slice.ts";
import { tuned } from "../loops/tuned.ts";
import { type Figure, interleaved, measure, median, type Scale } from "../measure.ts";
import type { Stubs } from "../stubs.ts";

/** What a record costs from the API to the table when nobody waits for anything. */
export async function cpu(stubs: Stubs, { records, rounds }: Scale): Promise<Figure[]> {
  // One page in flight, as all of them have: more of them only make the servers' processes busier.
  const loops = { slice: slice({ pages: 1 }), tuned, bare, naive };
  const micros = async (loop: (typeof loops)[keyof typeof loops]) =>
    ((await measure(stubs, { records }, loop)).cpuSeconds / records) * 1e6;
  // Once without counting: what runs once costs most.
  for (const loop of Object.values(loops)) await micros(loop);
  const samples = await interleaved(rounds, {
    slice: () => micros(loops.slice),
    tuned: () => micros(tuned),
    bare: () => micros(bare),
    naive: () => micros(naive),
  });
  const value = median(samples.slice);
  const beside = (id: "tuned" | "bare" | "naive", name: string, most: number): Figure => {
    const baseline = median(samples[id]);
    const target = { most };
    return { id: `cpu-${id}`, name, unit: "µs", value, baseline, ratio: value / baseline, target };
  };
  const [major = 0] = process.versions.node.split(".").map(Number);
  return [
    beside("tuned", "CPU per record, beside a tuned loop", 1.2),
    beside("bare", "CPU per record, beside the bare bound", major >= 24 ? 2.0 : 2.2),
    beside("naive", "CPU per record, beside a naive loop", 0.6),
  ];
}
