import { readdirSync, readFileSync } from "node:fs";
import { rest_api_source, type SourceConfig } from "@tidetable/core";
import { validate } from "@tidetable/core/plan";
import fc from "fast-check";
import { describe, expect } from "vitest";
import { expressionProblems, readPython } from "../../packages/cli/src/python/load.ts";
import { literalToConfig } from "../../packages/cli/src/sources/literal.ts";
import { sourceFileText } from "../../packages/cli/src/sources/typescript.ts";
import { anyText, fuzz, mutated, repeated } from "../support/fuzz.ts";

// Arbitrary Python files.

const KEY = "canary-77c2d0b1e4";

const folder = new URL("../sources/seeds/", import.meta.url);
const documents = readdirSync(folder).map((name) => readFileSync(new URL(name, folder), "utf8"));
const seeds = documents.map((text) => text.match(/```python\n(.*?)```/s)?.[1] ?? "");
const written = `
import dlt, os
from dlt.sources.rest_api import rest_api_source

HOST = "https://api.example.com"  # the host
config = {
    'client': {"base_url": HOST, "auth": {"type": "bearer", "token": os.environ["TOKEN"]}},
    "resources": ["users", *more, {"name": "posts", "primary_key": ("id",), **common}],
    "x": [1, -2.5e3, 0xFF, 1_000, True, None, r"\\d", b"x", f"{a}", """long
text""", lambda row: row["id"], "a" 'b', {1, 2}, x if y else z],
}

@dlt.source
def crm(api_key=dlt.secrets.value, more=()):
    config["resources"].append("deals")
    yield from rest_api_source(config, name="crm", max_table_nesting=2)
`;
const words = [
  ...["(", ")", "[", "]", "{", "}", ":", ",", "=", "*", "**", ".", "#", "\\", "\n", "\t", "    "],
  ...[
    "'",
    '"',
    '"""',
    "f'",
    "r'",
    "b'",
    "\\N{",
    "\\x",
    "\\u12",
    "0x",
    "1_",
    "1e999",
    "99999999999999999999",
  ],
  ...[
    "rest_api_source",
    "rest_api_source(",
    "config",
    "dlt.secrets",
    'dlt.secrets["a"]',
    "lambda x: x",
  ],
  ...[
    "def f():",
    "return",
    "None",
    "True",
    "-",
    "not",
    "if",
    "for a in b",
    "@",
    "print(config)",
    "del config",
  ],
];
const near = mutated([...seeds, written], words);
const texts = fc.oneof(
  { arbitrary: near, weight: 6 },
  { arbitrary: repeated(words).map((text) => `rest_api_source(${text}`), weight: 1 },
  { arbitrary: repeated(["[", "{", "(", '{"a":', "-", "x=", "def f():\n "]), weight: 1 },
  { arbitrary: anyText, weight: 1 },
  { arbitrary: anyText.map((text) => `rest_api_source(${text})`), weight: 1 },
);

/** Reads a file, and returns everything that a person may see of it, with the resulting source file. */
function readAll(text: string): { messages: string; typescript?: string } {
  const read = readPython("crm.py", text);
  if ("problems" in read) {
    expect(read.problems.length).toBeGreaterThan(0);
    return { messages: JSON.stringify(read.problems) };
  }
  const { config, comments, unreadUses, remarks } = read;
  const remarked = [...expressionProblems(read), ...unreadUses, ...remarks];
  for (const { path, message } of remarked) {
    expect(path).toMatch(/^crm\.py/);
    expect(message).not.toMatch(/undefined|\[object/);
  }
  if (config.kind !== "dict") return { messages: JSON.stringify(remarked) };
  const problems = validate(rest_api_source(literalToConfig(config) as SourceConfig), "crm");
  const typescript = sourceFileText({ config, comments });
  return { messages: JSON.stringify([...remarked, ...problems]), typescript };
}

describe("a Python file", () => {
  fuzz("a Python file of any text has a source or problems", 1500, texts, (text) => {
    readAll(text);
  });

  const named = [...seeds, written].map((text) =>
    text.replace(/dlt\.secrets\["\w+"\]|os\.environ\["TOKEN"\]/g, `"${KEY}"`),
  );
  const withoutQuotes = words.filter((word) => !/["'\\#]/.test(word));
  const mutants = mutated(named, withoutQuotes).filter((text) => text.includes(`"${KEY}"`));
  fuzz("messages about a Python file never show its strings", 2000, mutants, (text) => {
    expect(readAll(text).messages).not.toContain(KEY);
  });
});
