import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { bugs } from "./bugs.ts";
import { coreFolder, findMarkers, Planter, unpairedMarkers } from "./plant.ts";

describe("the planted bugs", () => {
  it("have a marker each in the engine, and every marker has a bug", () => {
    expect(unpairedMarkers(findMarkers(coreFolder))).toEqual([]);
  });

  const planter = new Planter(coreFolder);
  const named = bugs.map((bug) => [bug.name, bug] as const);
  it.each(named)("%s: the engine as it is has a place for this bug", (_, bug) => {
    const { file, text } = planter.plant(bug);
    expect(text).not.toBe(readFileSync(file, "utf8"));
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
    return new Planter(folder).plant(bug).text;
  }

  it("replaces the statement after a line comment", () => {
    const text = "let a = 1;\n// planted: here\na += 2 + 3;\na += 4;\n";
    expect(plant({ "a.ts": text }, "a -= 1; $&")).toBe(
      "let a = 1;\n// planted: here\na -= 1; a += 2 + 3;\na += 4;\n",
    );
  });

  it("replaces the whole expression after an inline comment, and no more", () => {
    const text = "export const f = (n: number) => n === 0 || /* planted: here */ n + 1 > 2;\n";
    expect(plant({ "a.ts": text }, "n > 7")).toBe(
      "export const f = (n: number) => n === 0 || /* planted: here */ n > 7;\n",
    );
  });

  it("does not take a marker for one whose name is longer", () => {
    const text = "export let a = 1;\n// planted: here-too\na = 2;\n";
    expect(() => plant({ "a.ts": text }, "")).toThrow('the marker "here" stands 0 times');
  });

  it("refuses a marker that stands in two files", () => {
    const text = "export const a = /* planted: here */ 1;\n";
    expect(() => plant({ "a.ts": text, "b.ts": text }, "2")).toThrow(
      'the marker "here" stands 2 times',
    );
  });

  it("refuses a bug that does not compile", () => {
    const text = "export const a: number = /* planted: here */ 1;\n";
    expect(() => plant({ "a.ts": text }, "absent")).toThrow(
      "\"a bug\" does not compile: Cannot find name 'absent'.",
    );
    expect(() => plant({ "a.ts": text }, '"1"')).toThrow("is not assignable to type 'number'");
    expect(() => plant({ "a.ts": text }, "1 +")).toThrow("Expression expected");
  });
});
