import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const root = resolve(import.meta.dirname, "..");
let scratch: string;

beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), "tidetable-lint-"));
  cpSync(join(root, "biome.json"), join(scratch, "biome.json"));
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** The rules that a file with this one import breaks, in the place where it would stand. */
function lint(file: string, line: string): string {
  const path = join(scratch, file);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${line}\n`);
  const biome = join(root, "node_modules/.bin/biome");
  const args = ["lint", "--vcs-enabled=false", "--reporter=summary", path];
  const { stdout, stderr } = spawnSync(biome, args, { cwd: scratch, encoding: "utf8" });
  rmSync(path);
  return stdout + stderr;
}

describe("the linter holds the import direction", () => {
  const forbidden: [file: string, specifier: string][] = [
    ["packages/core/src/extract/planted.ts", "../load/batches.ts"],
    ["packages/core/src/extract/planted.ts", "../normalize/items.ts"],
    ["packages/core/src/normalize/planted.ts", "../extract/pages.ts"],
    ["packages/core/src/normalize/planted.ts", "../load/state.ts"],
    ["packages/core/src/load/planted.ts", "../normalize/items.ts"],
    ["packages/core/src/load/planted.ts", "../extract/pages.ts"],
    ["packages/core/src/config/planted.ts", "../extract/pages.ts"],
    ["packages/core/src/schema/planted.ts", "../extract/json.ts"],
    ["packages/core/src/schema/planted.ts", "../normalize/numbers.ts"],
    ["packages/core/src/schema/planted.ts", "../load/schemas.ts"],
    ["packages/core/src/schema/planted.ts", "@tidetable/local"],
    ["packages/core/src/planted.ts", "@tidetable/sources"],
    ["packages/core/src/planted.ts", "@tidetable/local"],
    ["packages/core/src/load/planted.ts", "../../../../functions/resource.ts"],
    ["packages/sources/src/planted.ts", "@tidetable/local"],
    ["packages/sources/src/planted.ts", "node:fs"],
    ["packages/reader/src/planted.ts", "@tidetable/sources"],
    ["packages/reader/src/planted.ts", "@tidetable/core/validate"],
    ["packages/reader/src/planted.ts", "undici"],
    ["functions/planted.ts", "@tidetable/local"],
    ["functions/planted.ts", "../packages/core/src/run.ts"],
    ["stacks/planted.ts", "@tidetable/local"],
  ];
  it.each(forbidden)("%s may not import %s", (file, specifier) => {
    expect(lint(file, `import "${specifier}";`)).toContain("noRestrictedImports");
  });

  const allowed: [file: string, specifier: string][] = [
    ["packages/core/src/run.ts", "./load/state.ts"],
    ["packages/core/src/extract/planted.ts", "../config/plan-types.ts"],
    ["packages/core/src/load/planted.ts", "../errors.ts"],
    ["packages/core/src/load/planted.ts", "../schema/columns.ts"],
    ["packages/core/src/normalize/planted.ts", "../schema/contract.ts"],
    ["packages/core/src/schema/planted.ts", "../config/plan-types.ts"],
    ["packages/core/src/schema/planted.ts", "../decimal.ts"],
    ["packages/sources/src/planted.ts", "@tidetable/core"],
    ["packages/reader/src/planted.ts", "@tidetable/core"],
    ["functions/planted.ts", "@tidetable/core"],
  ];
  it.each(allowed)("%s may import %s", (file, specifier) => {
    expect(lint(file, `import "${specifier}";`)).not.toContain("noRestrictedImports");
  });

  it("core and the sources may not read the environment", () => {
    expect(lint("packages/core/src/planted.ts", "export const a = process.env.A;")).toContain(
      "noProcessEnv",
    );
    expect(lint("packages/core/src/load/planted.ts", "export const a = process.env.A;")).toContain(
      "noProcessEnv",
    );
    expect(
      lint("packages/core/src/schema/planted.ts", "export const a = process.env.A;"),
    ).toContain("noProcessEnv");
  });
});
