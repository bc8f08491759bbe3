import type { JsonObject } from "@tidetable/core";
import { ShapeObserver } from "../../packages/core/src/schema/observer.ts";
import { emptyShape } from "../../packages/core/src/schema/shape.ts";
import { sliceLoop } from "../loops/slice.ts";
import { type Figure, measureLoop, median, runInterleaved, type Scale } from "../measure.ts";
import { PAGE_SIZE, prepareStubs, type Stubs } from "../stubs.ts";

/** Measures inferring a schema from familiar records, as a share of a slice's CPU time per record. */
export async function measureSchema(stubs: Stubs, { records, rounds }: Scale): Promise<Figure[]> {
  await prepareStubs(stubs, { records });
  await observeMicros(stubs, records);
  const samples = await runInterleaved(rounds, {
    observing: () => observeMicros(stubs, records),
    whole: async () => (await measureLoop(stubs, { records }, sliceLoop())).cpuSeconds / records,
  });
  const value = median(samples.observing);
  const baseline = median(samples.whole) * 1e6;
  const name = "inferring the schema, of a slice's CPU";
  return [{ id: "schema", name, unit: "µs", value, baseline, ratio: value / baseline }];
}

/** Observes the loops' pages and returns the microseconds per record. */
async function observeMicros({ api }: Stubs, records: number): Promise<number> {
  const observer = new ShapeObserver(emptyShape());
  let newCount = 0;
  let micros = 0;
  for (let offset = 0; offset < records; offset += PAGE_SIZE) {
    const answer = await fetch(`${api}/records?offset=${offset}&limit=${PAGE_SIZE}`);
    // The records come directly from the parser, as in a slice.
    const { data } = (await answer.json()) as { data: JsonObject[] };
    const startedAt = performance.now();
    for (const record of data) if (observer.observe(record)) newCount += 1;
    micros += (performance.now() - startedAt) * 1000;
  }
  // The first page already contains every field.
  if (newCount === 0 || newCount > PAGE_SIZE)
    throw new Error(`wrong result: ${newCount} records were new`);
  return micros / records;
}
