import type { JsonObject } from "@tidetable/core";
import { emptyShape, observer } from "../packages/core/src/schema/shape.ts";
import { PAGE, type Stubs } from "./loops.ts";

/** What a record costs that shows nothing new: µs. The pages are those that the loops read. */
export async function observing({ api }: Stubs, records: number): Promise<number> {
  const observe = observer(emptyShape());
  let learnt = 0;
  let micros = 0;
  for (let offset = 0; offset < records; offset += PAGE) {
    const answer = await fetch(`${api}/records?offset=${offset}`);
    // Fresh from the parser, as a slice has them.
    const { data } = (await answer.json()) as { data: JsonObject[] };
    const began = performance.now();
    for (const record of data) if (observe(record)) learnt += 1;
    micros += (performance.now() - began) * 1000;
  }
  // The first page shows it all.
  if (learnt === 0 || learnt > PAGE) throw new Error(`wrong result: ${learnt} records were new`);
  return micros / records;
}
