import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
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

/** Writes a file to its place in the scratch repository. */
function writePlanted(file: string, text: string): string {
  const path = join(scratch, file);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${text}\n`);
  return path;
}

/** The output of the linter for the files, which are then removed. */
function runLinter(paths: string[], reporter = "summary"): string {
  const command = join(root, "node_modules/.bin/biome");
  const args = ["lint", "--vcs-enabled=false", `--reporter=${reporter}`, "--max-diagnostics=none"];
  const { stdout, stderr } = spawnSync(command, [...args, ...paths], {
    cwd: scratch,
    encoding: "utf8",
    maxBuffer: 2 ** 26,
  });
  for (const path of paths) rmSync(path);
  return stdout + stderr;
}

/** The output of the linter for a file with this text at its place. */
const brokenRules = (file: string, text: string): string => runLinter([writePlanted(file, text)]);

/** The files whose imports the linter refuses. One call of the linter checks all of them. */
function refusedFiles(plants: { file: string; to: string }[]): string[] {
  const paths = plants.map(({ file, to }) => writePlanted(file, `import "${to}";`));
  const refused = runLinter(paths, "github")
    .split("\n")
    .filter((line) => line.includes("noRestrictedImports"))
    .flatMap((line) =>
      plants.filter(({ file }) => line.includes(`/${file},`) || line.includes(`=${file},`)),
    );
  return [...new Set(refused.map(({ file }) => file))].sort();
}

/** The rooms of core, from left to right. A room may import the rooms to its left. */
const roomOrder = [
  ["base"],
  ["values"],
  ["secrets"],
  ["config"],
  ["schema"],
  ["report"],
  ["normalize", "extract", "dynamodb"],
  ["state"],
  ["load"],
  ["run"],
  ["preview"],
  ["entry"],
  ["lambda"],
];
const rooms = roomOrder.flat();
const positionOf = (room: string) => roomOrder.findIndex((group) => group.includes(room));

const core = join(root, "packages/core/src");
const firstFileOf = (room: string) => {
  const [file] = readdirSync(join(core, room), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && !name.endsWith(".d.ts"))
    .sort();
  if (file === undefined) throw new Error(`the room ${room} has no file`);
  return `${room}/${file}`;
};

describe("the linter holds the direction of core's rooms", () => {
  it("the test of import directions names every room of core", () => {
    const folders = readdirSync(core, { withFileTypes: true }).filter((entry) =>
      entry.isDirectory(),
    );
    expect(folders.map(({ name }) => name).sort()).toEqual([...rooms].sort());
  });

  it("the root of core has only flow.ts and the entries of package.json", () => {
    const files = readdirSync(core, { withFileTypes: true }).filter((entry) => entry.isFile());
    expect(files.map(({ name }) => name).sort()).toEqual([
      "flow.ts",
      "index.ts",
      "internal-config.ts",
      "internal-tables.ts",
      "internal.ts",
      "lambda.ts",
      "plan.ts",
    ]);
  });

  const pairs = rooms.flatMap((room) =>
    rooms.filter((target) => target !== room).map((target) => ({ room, target })),
  );
  const forbidden = pairs.filter(({ room, target }) => positionOf(target) >= positionOf(room));
  const allowed = pairs.filter(({ room, target }) => positionOf(target) < positionOf(room));

  it("the linter refuses an import of a room that does not stand to the left, at each depth", () => {
    const plants = forbidden.flatMap(({ room, target }) => [
      {
        file: `packages/core/src/${room}/${room}-to-${target}.ts`,
        to: `../${firstFileOf(target)}`,
      },
      {
        file: `packages/core/src/${room}/deep/${room}-to-${target}.ts`,
        to: `../../${firstFileOf(target)}`,
      },
    ]);
    expect(refusedFiles(plants)).toEqual(plants.map(({ file }) => file).sort());
  });

  it("the linter lets a room import the rooms to its left", () => {
    const plants = allowed.map(({ room, target }) => ({
      file: `packages/core/src/${room}/${room}-to-${target}.ts`,
      to: `../${firstFileOf(target)}`,
    }));
    expect(refusedFiles(plants)).toEqual([]);
  });

  it("the linter refuses sources, the CLI and functions in every room of core", () => {
    const outside = ["@tidetable/sources", "tidetable", "../../../../functions/worker.ts"];
    const plants = rooms.flatMap((room) =>
      outside.map((to, index) => ({ file: `packages/core/src/${room}/outside-${index}.ts`, to })),
    );
    expect(refusedFiles(plants)).toEqual(plants.map(({ file }) => file).sort());
  });

  it("the linter refuses a circle of imports, including imports of types", () => {
    const folder = "packages/core/src/base";
    const first = writePlanted(
      `${folder}/first.ts`,
      'import type { B } from "./second.ts";\nexport type A = B;',
    );
    const second = writePlanted(
      `${folder}/second.ts`,
      'import type { A } from "./first.ts";\nexport type B = A | 1;',
    );
    expect(runLinter([first, second])).toContain("noImportCycles");
  });
});

describe("the linter holds the import direction of the packages", () => {
  const forbidden: [file: string, specifier: string][] = [
    ["packages/core/src/planted.ts", "@tidetable/sources"],
    ["packages/core/src/planted.ts", "tidetable"],
    ["packages/sources/src/planted.ts", "tidetable"],
    ["packages/sources/src/planted.ts", "node:fs"],
    ["packages/reader/src/planted.ts", "@tidetable/sources"],
    ["packages/reader/src/planted.ts", "undici"],
    ["functions/planted.ts", "tidetable"],
    ["functions/planted.ts", "../packages/core/src/run/run.ts"],
    ["stacks/planted.ts", "tidetable"],
    ["packages/sst/src/planted.ts", "tidetable"],
    ["packages/sst/src/planted.ts", "@tidetable/core/internal"],
    ["packages/sst/src/planted.ts", "@tidetable/sources"],
    ["packages/cli/src/lambda/planted.ts", "../session/session.ts"],
  ];
  it.each(forbidden)("%s may not import %s", (file, specifier) => {
    expect(brokenRules(file, `import "${specifier}";`)).toContain("noRestrictedImports");
  });

  const allowed: [file: string, specifier: string][] = [
    ["packages/sources/src/planted.ts", "@tidetable/core"],
    ["packages/reader/src/planted.ts", "@tidetable/core"],
    ["packages/reader/src/planted.ts", "@tidetable/core/internal"],
    ["functions/planted.ts", "@tidetable/core/lambda"],
    ["packages/sst/src/planted.ts", "@tidetable/core/plan"],
  ];
  it.each(allowed)("%s may import %s", (file, specifier) => {
    expect(brokenRules(file, `import "${specifier}";`)).not.toContain("noRestrictedImports");
  });

  it("the linter refuses process.env in core", () => {
    expect(
      brokenRules("packages/core/src/planted.ts", "export const a = process.env.A;"),
    ).toContain("noProcessEnv");
    expect(
      brokenRules("packages/core/src/load/planted.ts", "export const a = process.env.A;"),
    ).toContain("noProcessEnv");
    expect(
      brokenRules("packages/core/src/schema/planted.ts", "export const a = process.env.A;"),
    ).toContain("noProcessEnv");
  });
});
