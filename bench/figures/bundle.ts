import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { bundleFiles } from "../../packages/local/src/runner/function-bundles.ts";
import { type Figure, interleaved, median, type Scale } from "../measure.ts";

/** What a worker may have in its bundle beside the packages that it can not do without. */
const OWN_BYTES = 120 * 1024;

/** The worker as AWS runs it, and the least that any could be, built in the same way. */
export const workerBundles = (into: string) =>
  bundleFiles({ worker: "functions/resource.ts", minimal: "bench/minimal.ts" }, into);

/** How long a cold worker takes to load, and how large it is. */
export async function bundle(_: unknown, { rounds }: Scale): Promise<Figure[]> {
  const folder = await mkdtemp(join(tmpdir(), "tidetable-bench-"));
  const { worker, minimal } = await workerBundles(folder);
  const samples = await interleaved(Math.max(rounds, 11), {
    worker: () => importing(worker.folder),
    minimal: () => importing(minimal.folder),
  });
  await rm(folder, { recursive: true });
  const value = median(samples.worker);
  const baseline = median(samples.minimal);
  const most = minimal.bytes + OWN_BYTES;
  return [
    {
      ...{ id: "bundle-import", name: "importing the worker's bundle, beside a minimal one" },
      ...{ unit: "ms", value, baseline, ratio: value / baseline },
      target: { most: 1.1 },
    },
    {
      ...{ id: "bundle-size", name: "the worker's bundle, beside a minimal one + 120 KB" },
      ...{ unit: "KB", value: worker.bytes / 1024, baseline: most / 1024 },
      ratio: worker.bytes / most,
      target: { most: 1 },
    },
  ];
}

/** In a process of its own, as a cold start has it. */
async function importing(folder: string): Promise<number> {
  const file = pathToFileURL(join(folder, "bundle.mjs"));
  const code = `const began = performance.now();
    await import("${file}");
    process.stdout.write(String(performance.now() - began));
    process.exit();`;
  const { stdout } = await promisify(execFile)(process.execPath, [
    "--input-type=module",
    "-e",
    code,
  ]);
  return Number(stdout);
}
