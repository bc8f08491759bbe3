import type { JsonObject } from "@tidetable/core";
import { ShapeObserver } from "../../packages/core/src/schema/observer.ts";
import { emptyShape } from "../../packages/core/src/schema/shape.ts";
import { slice } from "../loops/slice.ts";
import { type Figure, interleaved, measure, median, type Scale } from "../measure.ts";
import { PAGE, prepare, type Stubs } from "../stubs.ts";

/** What it costs to infer a schema that shows nothing new, of all that a slice does for a record. */
export async function schema(stubs: Stubs, { records, rounds }: Scale): Promise<Figure[]> {
  await prepare(stubs, { records });
  await observing(stubs, records);
  const samples = await interleaved(rounds, {
    observing: () => observing(stubs, records),
    whole: async () => (await measure(stubs, { records }, slice())).cpuSeconds / records,
  });
  const value = median(samples.observing);
  const baseline = median(samples.whole) * 1e6;
  const name = "inferring the schema, of a slice's CPU";
  return [{ id: "schema", name, unit: "µs", value, baseline, ratio: value / baseline }];
}

/** µs per record, of the pages that the loops read. */
async function observing({ api }: Stubs, records: number): Promise<number> {
  const observer = new ShapeObserver(emptyShape());
  let learnt = 0;
  let micros = 0;
  for (let offset = 0; offset < records; offset += PAGE) {
    const answer = await fetch(`${api}/records?offset=${offset}&limit=${PAGE}`);
    // Fresh from the parser, as a slice has them.
    const { data } = (await answer.json()) as { data: JsonObject[] };
    const began = performance.now();
    for (const record of data) if (observer.observe(record)) learnt += 1;
    micros += (performance.now() - began) * 1000;
  }
  // The first page shows it all.
  if (learnt === 0 || learnt > PAGE) throw new Error(`wrong result: ${learnt} records were new`);
  return micros / records;
}
