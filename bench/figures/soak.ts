import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { workerEnvironment } from "@tidetable/core/plan";
import type { RunOptions } from "../loops/slice.ts";
import type { Figure } from "../measure.ts";
import { checkStored, prepareStubs, readStored, type Stubs, sumOfKeys } from "../stubs.ts";

const MANY_RECORDS = Number(process.env.SOAK_RECORDS ?? 1_000_000);
const FEW_RECORDS = MANY_RECORDS / 100;

/** The heap limit of a function with 512 MB. Without a limit, V8 collects less on a large machine. */
const HEAP_OPTIONS = ["--max-old-space-size=460", workerEnvironment.NODE_OPTIONS];
const MAX_MEMORY_MB = 256;

const scenarios: { id: string; name: string; options: RunOptions }[] = [
  { id: "merge", name: "merge", options: {} },
  { id: "refresh", name: "refresh with its sweep", options: { refresh: true } },
  { id: "rejects", name: "1 % set aside", options: { path: "/flawed" } },
];

/** Shows whether memory or CPU per record grows with the records. Takes ten minutes. */
export async function measureSoak(stubs: Stubs): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const { id, name, options } of scenarios) {
    const few = await runWorker(stubs, FEW_RECORDS, options);
    const many = await runWorker(stubs, MANY_RECORDS, options);
    const compare = (
      kind: string,
      quantity: string,
      unit: string,
      value: number,
      baseline: number,
      most: number,
    ): Figure => ({
      ...{ id: `soak-${id}-${kind}`, name: `${name}, ${MANY_RECORDS} records, ${quantity}` },
      ...{ unit, value, baseline, ratio: value / baseline, target: { most } },
    });
    figures.push(
      compare("memory", `peak memory beside ${FEW_RECORDS}`, "MB", many.peakMb, few.peakMb, 1.2),
      compare("most", "peak memory beside the most allowed", "MB", many.peakMb, MAX_MEMORY_MB, 1),
      compare(
        "cpu",
        `CPU per record beside ${FEW_RECORDS}`,
        "µs",
        many.cpuMicros,
        few.cpuMicros,
        1.1,
      ),
    );
  }
  return figures;
}

/** Runs a worker in a separate process. Refuses a run with a lost record. */
async function runWorker(stubs: Stubs, records: number, options: RunOptions) {
  await prepareStubs(stubs, { records, keysOnly: true });
  const program = fileURLToPath(new URL("../loops/slice-process.ts", import.meta.url));
  const parameters = JSON.stringify({ stubs, options });
  const args = [...HEAP_OPTIONS, "--import", "tsx", program, parameters];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  const {
    peakMb,
    cpuSeconds,
    status,
    records: read,
    written: put,
    quarantined,
  } = JSON.parse(stdout);

  // Every hundredth flawed record has no key.
  const flawedCount = options.path === "/flawed" ? Math.floor(records / 100) : 0;
  const items = records - flawedCount;
  const actualText = `${status}, ${read} read, ${put} written, ${quarantined} set aside`;
  const expectedText = `done, ${records} read, ${items} written, ${flawedCount} set aside`;
  if (actualText !== expectedText) {
    throw new Error(`wrong result: ${actualText} instead of ${expectedText}`);
  }
  checkStored(await readStored(stubs), {
    items,
    sum: sumOfKeys(records) - 100 * sumOfKeys(flawedCount),
    puts: items,
  });
  return { peakMb: peakMb as number, cpuMicros: (cpuSeconds / records) * 1e6 };
}
