import { existsSync, readdirSync, readFileSync } from "node:fs";
import type { Sources } from "@tidetable/core";
import { planSource } from "@tidetable/core/plan";
import { sources } from "@tidetable/sources";
import { describe, expect, it, test } from "vitest";
import { validate } from "../../packages/core/src/config/check/validate.ts";

/*
 * The dicts of the registered sources equal those of the documents in ./seeds, token by token. Python
 * and TypeScript write these literals with the same tokens, so a single tokenizer reads both.
 */

const documents = new URL("./seeds/", import.meta.url);
const originals = new URL("../../../shared/seeds/", import.meta.url);
const sourceFolder = new URL("../../packages/sources/src/", import.meta.url);

const readText = (url: URL) => readFileSync(url, "utf8");
const files = readdirSync(documents).sort();
const sourceDocuments = ["ticketing", "help_desk", "incidents", "support", "generic"].map(
  (name, i) => [name, files[i] ?? "missing"] as const,
);

const tokenPattern = /\s+|("(?:[^"\\]|\\.)*"|\d+(?:\.\d+)?|[A-Za-z_]\w*|[^\s\w])/g;
const tokenize = (text: string) =>
  [...text.matchAll(tokenPattern)].flatMap(([, word]) => word ?? []);

/** The tokens of the first argument of `rest_api_source(…)`. */
function firstArgument(text: string): string[] {
  const [, argumentsText = ""] = text.split(/rest_api_source\(\s*(?=\{)/);
  const tokens = tokenize(argumentsText);
  let depth = 0;
  const end = tokens.findIndex((token) => {
    if ("{[(".includes(token)) depth += 1;
    if ("}])".includes(token)) depth -= 1;
    return depth === 0;
  });
  return tokens.slice(0, end + 1);
}

const pythonBlock = (document: string) => document.match(/```python\n(.*?)```/s)?.[1] ?? "";

describe("the registered sources and their documents", () => {
  test.each(
    sourceDocuments,
  )("the dict of %s equals that of the document %s, token by token", (name, file) => {
    const expected = firstArgument(pythonBlock(readText(new URL(file, documents))));
    expect(firstArgument(readText(new URL(`${name}.ts`, sourceFolder)))).toEqual(expected);
    expect(expected.length).toBeGreaterThanOrEqual(80);
    expect(expected.at(-1)).toBe("}");
  });

  it("the comparison of tokens notices a changed quote, comma or word", () => {
    const text = readText(new URL("ticketing.ts", sourceFolder));
    for (const [from, to] of [
      ['"limit": 100', '"limit": 101'],
      ['"id"', "'id'"],
      ["100\n", "100,\n"],
      ['["api_key"]', ".api_key"],
    ] as const) {
      expect(text).toContain(from);
      expect(firstArgument(text.replace(from, to))).not.toEqual(firstArgument(text));
    }
  });

  const hasOriginals = existsSync(originals);
  test.skipIf(!hasOriginals)(
    hasOriginals
      ? "the documents equal their originals"
      : "the documents cannot be compared, because their originals are not beside this checkout",
    () => {
      expect(readdirSync(originals).sort()).toEqual(files);
      for (const file of files) {
        expect(readFileSync(new URL(file, documents))).toEqual(
          readFileSync(new URL(file, originals)),
        );
      }
    },
  );
});

describe("the registered sources", () => {
  it("the registered sources are the five files, by name", () => {
    expect(Object.keys(sources)).toEqual(sourceDocuments.map(([name]) => name));
  });

  test.each(
    Object.entries(sources),
  )("the source %s is valid and has a schedule", (name, source) => {
    expect(validate(source, name)).toEqual([]);
    expect(planSource(source, name).schedule?.enabled).toBe(true);
  });

  test.each([
    ["ticketing", "tickets", "data", ["api_key"]],
    ["help_desk", "help_desk_tickets", "data", ["api_key"]],
    ["incidents", "incident_data", "data", ["api_key"]],
    ["support", "support_tickets", "tickets", ["client_id", "client_secret"]],
    ["support", "ticket_comments", "comments", ["client_id", "client_secret"]],
    ["generic", "resource_name", "data", ["api_key"]],
  ])("the resource %s.%s is planned as its document says", (name, table, selector, secrets) => {
    const source = (sources as Sources)[name];
    if (!source) throw new Error(`no source ${name}`);
    const planned = planSource(source, name);
    expect(planned.secrets).toEqual(secrets);
    expect(planned.resources.find((resource) => resource.table === table)).toMatchObject({
      disposition: "merge",
      key: { fields: ["id"], hash: { name: "id", type: "S" }, range: undefined },
      selector: { text: selector },
      paginator: { type: "offset", limit: 100, offset: 0, stopAfterEmptyPage: true },
      retry: { statuses: new Set([429, 500, 502, 503, 504]), maxRetries: 3, backoffFactor: 2 },
    });
  });
});
