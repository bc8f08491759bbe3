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

/** Puts a file where it would stand in the repository. */
function plant(file: string, text: string): string {
  const path = join(scratch, file);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${text}\n`);
  return path;
}

/** What the linter says about the files, which are then removed. */
function biome(paths: string[], reporter = "summary"): string {
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

/** The rules that a file with this text breaks, in the place where it would stand. */
const lint = (file: string, text: string): string => biome([plant(file, text)]);

/** Which of these files the linter refuses for what they import. One call of the linter for all. */
function refusedFiles(plants: { file: string; to: string }[]): string[] {
  const paths = plants.map(({ file, to }) => plant(file, `import "${to}";`));
  const said = biome(paths, "github");
  const refused = said
    .split("\n")
    .filter((line) => line.includes("noRestrictedImports"))
    .flatMap((line) =>
      plants.filter(({ file }) => line.includes(`/${file},`) || line.includes(`=${file},`)),
    );
  return [...new Set(refused.map(({ file }) => file))].sort();
}

/** The rooms of core, from left to right: each may import what stands to its left. */
const order = [
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
];
const rooms = order.flat();
const positionOf = (room: string) => order.findIndex((group) => group.includes(room));

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

  it("the root of core has only flow.ts and index.ts", () => {
    const files = readdirSync(core, { withFileTypes: true }).filter((entry) => entry.isFile());
    expect(files.map(({ name }) => name).sort()).toEqual(["flow.ts", "index.ts"]);
  });

  const pairs = rooms.flatMap((room) =>
    rooms.filter((other) => other !== room).map((other) => ({ room, other })),
  );
  const forbidden = pairs.filter(({ room, other }) => positionOf(other) >= positionOf(room));
  const allowed = pairs.filter(({ room, other }) => positionOf(other) < positionOf(room));

  it("the linter refuses an import of a room that does not stand to the left, at each depth", () => {
    const plants = forbidden.flatMap(({ room, other }) => [
      { file: `packages/core/src/${room}/${room}-to-${other}.ts`, to: `../${firstFileOf(other)}` },
      {
        file: `packages/core/src/${room}/deep/${room}-to-${other}.ts`,
        to: `../../${firstFileOf(other)}`,
      },
    ]);
    expect(refusedFiles(plants)).toEqual(plants.map(({ file }) => file).sort());
  });

  it("the linter lets a room import the rooms to its left", () => {
    const plants = allowed.map(({ room, other }) => ({
      file: `packages/core/src/${room}/${room}-to-${other}.ts`,
      to: `../${firstFileOf(other)}`,
    }));
    expect(refusedFiles(plants)).toEqual([]);
  });

  it("the linter refuses sources, local mode and functions in every room of core", () => {
    const outside = ["@tidetable/sources", "@tidetable/local", "../../../../functions/resource.ts"];
    const plants = rooms.flatMap((room) =>
      outside.map((to, index) => ({ file: `packages/core/src/${room}/outside-${index}.ts`, to })),
    );
    expect(refusedFiles(plants)).toEqual(plants.map(({ file }) => file).sort());
  });

  it("the linter refuses a circle of imports, including imports of types", () => {
    const folder = "packages/core/src/base";
    const first = plant(
      `${folder}/first.ts`,
      'import type { B } from "./second.ts";\nexport type A = B;',
    );
    const second = plant(
      `${folder}/second.ts`,
      'import type { A } from "./first.ts";\nexport type B = A | 1;',
    );
    expect(biome([first, second])).toContain("noImportCycles");
  });
});

describe("the linter holds the import direction of the packages", () => {
  const forbidden: [file: string, specifier: string][] = [
    ["packages/core/src/planted.ts", "@tidetable/sources"],
    ["packages/core/src/planted.ts", "@tidetable/local"],
    ["packages/sources/src/planted.ts", "@tidetable/local"],
    ["packages/sources/src/planted.ts", "node:fs"],
    ["packages/reader/src/planted.ts", "@tidetable/sources"],
    ["packages/reader/src/planted.ts", "@tidetable/core/validate"],
    ["packages/reader/src/planted.ts", "undici"],
    ["functions/planted.ts", "@tidetable/local"],
    ["functions/planted.ts", "../packages/core/src/run/run.ts"],
    ["stacks/planted.ts", "@tidetable/local"],
    ["packages/local/src/lambda/planted.ts", "../session/session.ts"],
  ];
  it.each(forbidden)("%s may not import %s", (file, specifier) => {
    expect(lint(file, `import "${specifier}";`)).toContain("noRestrictedImports");
  });

  const allowed: [file: string, specifier: string][] = [
    ["packages/sources/src/planted.ts", "@tidetable/core"],
    ["packages/reader/src/planted.ts", "@tidetable/core"],
    ["functions/planted.ts", "@tidetable/core"],
  ];
  it.each(allowed)("%s may import %s", (file, specifier) => {
    expect(lint(file, `import "${specifier}";`)).not.toContain("noRestrictedImports");
  });

  it("the linter refuses process.env in core", () => {
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
