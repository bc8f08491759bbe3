import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type Bug, planted } from "./bugs.ts";

const root = resolve(import.meta.dirname, "../..");

/** What a simulation needs of the repository. */
const needed = ["package.json", "tsconfig.json", "packages/core", "test/simulation", "scripts"];

/** A scratch copy of the engine with a bug in it, and the script that runs its simulation. */
export function plantedCopy(bug: Bug): { script: string; remove(): void } {
  const source = planted(bug, join(root, "packages/core/src"));
  const scratch = mkdtempSync(join(tmpdir(), "tidetable-bug-"));
  for (const path of needed) {
    cpSync(join(root, path), join(scratch, path), {
      recursive: true,
      filter: (from) => !from.endsWith("node_modules"),
    });
  }
  symlinkSync(join(root, "node_modules"), join(scratch, "node_modules"));
  writeFileSync(join(scratch, "packages/core/src", bug.file), source);
  return {
    script: join(scratch, "scripts/simulate.ts"),
    remove: () => rmSync(scratch, { recursive: true, force: true }),
  };
}
