import { rest_api_source, type SourceConfig } from "@tidetable/core";
import { findStageValues } from "@tidetable/core/internal";
import { fillStageValues, type Problem, validate } from "@tidetable/core/plan";
import { describe, expect, test } from "vitest";
import {
  expressionProblems,
  parseModule,
  readPython,
} from "../../../packages/cli/src/python/load.ts";
import { jsonToLiteral, literalToConfig } from "../../../packages/cli/src/sources/literal.ts";
import type { DltFile } from "./dlt-files/files.ts";
import { refusedFiles } from "./dlt-files/refused.ts";
import { takenFiles } from "./dlt-files/taken.ts";

function read({ python, beside = {}, name, line }: DltFile) {
  const openModule = (module: string) => {
    const path = `${module.replace(/^\./, "").replaceAll(".", "/")}.py`;
    const text = beside[path];
    return text === undefined ? undefined : parseModule(path, text);
  };
  return readPython("crm.py", python, { name, line, openModule });
}

const sampleValues: Record<string, string> = {
  base_url: "https://api.example.com",
  shop_url: "https://api.example.com",
};

const lineOf = ({ path, message }: Problem) => `${path}: ${message}`;

describe("dlt files that are taken", () => {
  test.each(takenFiles)("a dlt file is taken: $title", ({ config, notes = [], ...file }) => {
    const source = read(file);
    const problems =
      "problems" in source
        ? source.problems
        : [...expressionProblems(source), ...source.unreadUses];
    expect(problems).toEqual([]);
    if ("problems" in source) return;
    expect(literalToConfig(source.config)).toEqual(literalToConfig(jsonToLiteral(config)));
    const remarks = source.remarks.map(lineOf);
    for (const note of notes) expect(remarks.join("\n")).toContain(note);
    expect(remarks).toHaveLength(notes.length);
  });

  test.each(takenFiles)("the config of a dlt file that is taken is valid: $title", ({ config }) => {
    const written = rest_api_source(literalToConfig(jsonToLiteral(config)) as SourceConfig);
    const values = Object.fromEntries(
      findStageValues(written.config).map(({ name }) => [name, sampleValues[name] ?? "eu"]),
    );
    const { source, problems } = fillStageValues(written, values, () => "");
    expect([...problems, ...validate(source, "crm")]).toEqual([]);
  });
});

describe("dlt files that are refused", () => {
  test.each(refusedFiles)("a dlt file is refused: $title", ({ problems, hint, ...file }) => {
    const source = read(file);
    const found =
      "problems" in source
        ? source.problems
        : [...expressionProblems(source), ...source.unreadUses];
    expect(found.map(lineOf)).toEqual(problems.map((problem) => expect.stringContaining(problem)));
    expect(found[0]?.hint).toContain(hint);
  });
});
