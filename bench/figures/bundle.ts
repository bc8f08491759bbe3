import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { bundleFiles } from "../../packages/cli/src/runner/function-bundles.ts";
import { repository } from "../../scripts/bundle-packages.ts";
import { type Figure, median, runInterleaved, type Scale } from "../measure.ts";

/** The allowed size of tidetable's code beyond the minimal bundle. */
const OWN_BYTES = 120 * 1024;

/** Builds the deployed worker and the minimal worker in the same way. */
export const workerBundles = (into: string) =>
  bundleFiles(
    repository.folder,
    { worker: "functions/worker.ts", minimal: "bench/minimal.ts" },
    into,
  );

/** Measures the import time and the size of the worker's bundle. */
export async function measureBundle(_: unknown, { rounds }: Scale): Promise<Figure[]> {
  const folder = await mkdtemp(join(tmpdir(), "tidetable-bench-"));
  const { worker, minimal } = await workerBundles(folder);
  const samples = await runInterleaved(Math.max(rounds, 11), {
    worker: () => measureImport(worker.folder),
    minimal: () => measureImport(minimal.folder),
  });
  await rm(folder, { recursive: true });
  const value = median(samples.worker);
  const baseline = median(samples.minimal);
  const allowedBytes = minimal.bytes + OWN_BYTES;
  return [
    {
      ...{ id: "bundle-import", name: "importing the worker's bundle, beside a minimal one" },
      ...{ unit: "ms", value, baseline, ratio: value / baseline },
      target: { most: 1.1 },
    },
    {
      ...{ id: "bundle-size", name: "the worker's bundle, beside a minimal one + 120 KB" },
      ...{ unit: "KB", value: worker.bytes / 1024, baseline: allowedBytes / 1024 },
      ratio: worker.bytes / allowedBytes,
      target: { most: 1 },
    },
  ];
}

/** Measures an import in a new process, like a cold start. */
async function measureImport(folder: string): Promise<number> {
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
