import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { workerEnvironment } from "@tidetable/core";
import type { RunOptions } from "../loops/slice.ts";
import type { Figure } from "../measure.ts";
import { checkStored, prepare, type Stubs, sumTo, written } from "../stubs.ts";

const RECORDS = Number(process.env.SOAK_RECORDS ?? 1_000_000);
const FEW = RECORDS / 100;

/** The heap of a function of 512 MB. Without a limit, V8 puts off its work on a large machine. */
const HEAP = ["--max-old-space-size=460", workerEnvironment.NODE_OPTIONS];
const MOST_MB = 256;

const ways: { id: string; name: string; options: RunOptions }[] = [
  { id: "merge", name: "merge", options: {} },
  { id: "refresh", name: "refresh with its sweep", options: { refresh: true } },
  { id: "rejects", name: "1 % set aside", options: { path: "/flawed" } },
];

/** Whether memory, or what a record costs, grows with the records. Takes ten minutes. */
export async function soak(stubs: Stubs): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const { id, name, options } of ways) {
    const few = await worker(stubs, FEW, options);
    const all = await worker(stubs, RECORDS, options);
    const beside = (
      kind: string,
      what: string,
      unit: string,
      value: number,
      baseline: number,
      most: number,
    ): Figure => ({
      ...{ id: `soak-${id}-${kind}`, name: `${name}, ${RECORDS} records, ${what}` },
      ...{ unit, value, baseline, ratio: value / baseline, target: { most } },
    });
    figures.push(
      beside("memory", `peak memory beside ${FEW}`, "MB", all.peakMb, few.peakMb, 1.2),
      beside("most", "peak memory beside the most allowed", "MB", all.peakMb, MOST_MB, 1),
      beside("cpu", `CPU per record beside ${FEW}`, "µs", all.cpuMicros, few.cpuMicros, 1.1),
    );
  }
  return figures;
}

/** One worker that reads so many records, in a process of its own. Refuses a run that lost one. */
async function worker(stubs: Stubs, records: number, options: RunOptions) {
  await prepare(stubs, { records, keysOnly: true });
  const program = fileURLToPath(new URL("../loops/slice-process.ts", import.meta.url));
  const order = JSON.stringify({ stubs, options });
  const args = [...HEAP, "--import", "tsx", program, order];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  const {
    peakMb,
    cpuSeconds,
    status,
    records: read,
    written: put,
    quarantined,
  } = JSON.parse(stdout);

  // Of flawed records, every hundredth has no key.
  const aside = options.path === "/flawed" ? Math.floor(records / 100) : 0;
  const items = records - aside;
  const found = `${status}, ${read} read, ${put} written, ${quarantined} set aside`;
  const due = `done, ${records} read, ${items} written, ${aside} set aside`;
  if (found !== due) throw new Error(`wrong result: ${found} instead of ${due}`);
  checkStored(await written(stubs), {
    items,
    sum: sumTo(records) - 100 * sumTo(aside),
    puts: items,
  });
  return { peakMb: peakMb as number, cpuMicros: (cpuSeconds / records) * 1e6 };
}
