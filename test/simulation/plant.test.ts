import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { bugs } from "./bugs.ts";
import {
  compileErrors,
  coreFolder,
  findMarkers,
  plantBug,
  replaceMarked,
  unpairedMarkers,
} from "./plant.ts";

describe("the planted bugs", () => {
  it("every planted bug has a marker in the engine, and every marker has a bug", () => {
    expect(unpairedMarkers(findMarkers(coreFolder))).toEqual([]);
  });

  let errors: string[][];
  beforeAll(() => {
    errors = compileErrors(bugs.map((bug) => replaceMarked(bug, coreFolder)));
  });
  const numbered = bugs.map((bug, n) => [bug.name, bug, n] as const);
  it.each(numbered)("the bug has a place in the engine and compiles: %s", (_, bug, n) => {
    const { file, text } = replaceMarked(bug, coreFolder);
    expect(text).not.toBe(readFileSync(file, "utf8"));
    expect(errors[n]).toEqual([]);
  });
});

describe("the planter", () => {
  /** Plants a bug in files of a scratch folder, and returns the text of the changed file. */
  function plant(files: Record<string, string>, replacement: string): string {
    const folder = mkdtempSync(join(tmpdir(), "tidetable-planter-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    writeFileSync(join(folder, "package.json"), '{"type":"module"}');
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    const bug = { name: "a bug", promise: "P1", marker: "here", replacement };
    return plantBug(bug, folder).text;
  }

  it("a bug replaces the statement after a line comment", () => {
    const text = "let a = 1;\n// planted: here\na += 2 + 3;\na += 4;\n";
    expect(plant({ "a.ts": text }, "a -= 1; $&")).toBe(
      "let a = 1;\n// planted: here\na -= 1; a += 2 + 3;\na += 4;\n",
    );
  });

  it("a bug replaces the whole expression after an inline comment, and no more", () => {
    const text = "export const f = (n: number) => n === 0 || /* planted: here */ n + 1 > 2;\n";
    expect(plant({ "a.ts": text }, "n > 7")).toBe(
      "export const f = (n: number) => n === 0 || /* planted: here */ n > 7;\n",
    );
  });

  it("a marker is not found in another one with a longer name", () => {
    const text = "export let a = 1;\n// planted: here-too\na = 2;\n";
    expect(() => plant({ "a.ts": text }, "")).toThrow('the marker "here" stands 0 times');
  });

  it("a marker that stands in two files is refused", () => {
    const text = "export const a = /* planted: here */ 1;\n";
    expect(() => plant({ "a.ts": text, "b.ts": text }, "2")).toThrow(
      'the marker "here" stands 2 times',
    );
  });

  it("a bug that does not compile is refused", () => {
    const text = "export const a: number = /* planted: here */ 1;\n";
    expect(() => plant({ "a.ts": text }, "absent")).toThrow(
      "\"a bug\" does not compile: Cannot find name 'absent'.",
    );
    expect(() => plant({ "a.ts": text }, '"1"')).toThrow("is not assignable to type 'number'");
    expect(() => plant({ "a.ts": text }, "1 +")).toThrow("Expression expected");
  });
});
