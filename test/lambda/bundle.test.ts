import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { esbuildVersion } from "../../packages/cli/src/runner/function-bundles.ts";
import { buildBundles } from "./support.ts";

// Compares our bundles with the bundles of `sst deploy` (built by `npm run infra:smoke`).

/** The esbuild inside of sst 4.17.1. */
const SST_ESBUILD = "0.27.2";

const root = resolve(import.meta.dirname, "../..");
const artifacts = join(root, ".sst/artifacts");
const built = existsSync(artifacts)
  ? readdirSync(artifacts).filter((name) => name.endsWith("-src"))
  : [];

const missing = reason();
if (missing) process.stdout.write(`skipped: SST's bundles beside ours: ${missing}\n`);

describe.skipIf(missing)("a bundle", () => {
  const bundles = buildBundles();

  it.each(built)("the bundle of %s is the same as SST's", (name) => {
    const { folder, bytes } = /(^|-)schedule-src$/.test(name) ? bundles.schedule : bundles.worker;
    const [ours, theirs] = [folder, join(artifacts, name)].map((one) => join(one, "bundle.mjs"));
    if (esbuildVersion === SST_ESBUILD) {
      expect(text(ours).equals(text(theirs))).toBe(true);
      return;
    }
    // The text of helpers depends on esbuild's version.
    const difference = Math.abs(text(theirs).length - bytes);
    expect(difference).toBeLessThan(bytes / 1000);
    expect(exportsOf(ours)).toEqual(exportsOf(theirs));
    expect(exportsOf(ours)).toContain("handler");
  });
});

const text = (path = "") => readFileSync(path);
/** The names in `export{a as handler,b as worker};`, which stands at the end. */
function exportsOf(path?: string): (string | undefined)[] {
  const code = text(path).toString();
  const [list = ""] = code.slice(code.lastIndexOf("export{")).split("}");
  return [...list.matchAll(/ as (\w+)/g)].map(([, name]) => name).sort();
}

/** The reason for skipping the comparison. */
function reason(): string | undefined {
  if (built.length === 0) return "there are none; npm run infra:smoke builds them";
  const builtAt = Math.min(...built.map((name) => changedAt(join(artifacts, name, "bundle.mjs"))));
  const inputs = ["functions", "packages/core/src", "packages/sources/src"].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true }).map((file) =>
      join(root, folder, String(file)),
    ),
  );
  const changed = inputs.find((file) => changedAt(file) > builtAt);
  return changed && `${changed} has changed since they were built; npm run infra:smoke`;
}

function changedAt(path: string): number {
  return statSync(path).mtimeMs;
}
