import { existsSync, readdirSync, readFileSync } from "node:fs";
import { planSource, type Sources } from "@tidetable/core";
import { sources } from "@tidetable/sources";
import { describe, expect, it, test } from "vitest";
import { validate } from "../../packages/core/src/config/check/validate.ts";

/*
 * The sources' dicts are those of the documents in ./seeds, token by token. Python and TypeScript
 * write these literals with the same tokens, so one tokenizer reads both.
 */

const documents = new URL("./seeds/", import.meta.url);
const originals = new URL("../../../shared/seeds/", import.meta.url);
const code = new URL("../../packages/sources/src/", import.meta.url);

const read = (url: URL) => readFileSync(url, "utf8");
const files = readdirSync(documents).sort();
const pairs = ["ticketing", "help_desk", "incidents", "support", "generic"].map(
  (name, i) => [name, files[i] ?? "missing"] as const,
);

const token = /\s+|("(?:[^"\\]|\\.)*"|\d+(?:\.\d+)?|[A-Za-z_]\w*|[^\s\w])/g;
const tokenize = (text: string) => [...text.matchAll(token)].flatMap(([, word]) => word ?? []);

/** The tokens of the first argument of `rest_api_source(…)`. */
function argument(text: string): string[] {
  const [, after = ""] = text.split(/rest_api_source\(\s*(?=\{)/);
  const tokens = tokenize(after);
  let depth = 0;
  const end = tokens.findIndex((one) => {
    if ("{[(".includes(one)) depth += 1;
    if ("}])".includes(one)) depth -= 1;
    return depth === 0;
  });
  return tokens.slice(0, end + 1);
}

const pythonBlock = (document: string) => document.match(/```python\n(.*?)```/s)?.[1] ?? "";

describe("a source's dict is its document's, token by token", () => {
  test.each(pairs)("%s is %s", (name, file) => {
    const expected = argument(pythonBlock(read(new URL(file, documents))));
    expect(argument(read(new URL(`${name}.ts`, code)))).toEqual(expected);
    expect(expected.length).toBeGreaterThanOrEqual(80);
    expect(expected.at(-1)).toBe("}");
  });

  it("a changed quote, comma or word would be seen", () => {
    const text = read(new URL("ticketing.ts", code));
    for (const [from, to] of [
      ['"limit": 100', '"limit": 101'],
      ['"id"', "'id'"],
      ["100\n", "100,\n"],
      ['["api_key"]', ".api_key"],
    ] as const) {
      expect(text).toContain(from);
      expect(argument(text.replace(from, to))).not.toEqual(argument(text));
    }
  });

  const here = existsSync(originals);
  test.skipIf(!here)(
    here
      ? "the documents are the originals"
      : "the originals are not beside this checkout: not compared",
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
  it("are the five, by the name of their file", () => {
    expect(Object.keys(sources)).toEqual(pairs.map(([name]) => name));
  });

  test.each(Object.entries(sources))("%s is valid and runs on a schedule", (name, source) => {
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
  ])("%s.%s is planned as its document says", (name, table, selector, secrets) => {
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
