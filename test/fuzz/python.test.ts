import { readdirSync, readFileSync } from "node:fs";
import { rest_api_source, type SourceConfig } from "@tidetable/core";
import { validate } from "@tidetable/core/validate";
import fc from "fast-check";
import { describe, expect } from "vitest";
import {
  commentsAbove,
  readPython,
  expressionProblems,
  expressionText,
} from "../../packages/local/src/python/load.ts";
import { literalToConfig } from "../../packages/local/src/sources/literal.ts";
import { sourceFileText } from "../../packages/local/src/sources/typescript.ts";
import { anyText, fuzz, mutated, repeated } from "../support/fuzz.ts";

// Whatever a Python file holds.

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

/** All that a person may read about a file, and what is made of it. */
function outcome(text: string): { told: string; typescript?: string } {
  const read = readPython("crm.py", text, undefined);
  if ("problems" in read) {
    expect(read.problems.length).toBeGreaterThan(0);
    return { told: JSON.stringify(read.problems) };
  }
  const { file, config, statement, unread, remarks } = read;
  const found = [...expressionProblems(read), ...unread, ...remarks];
  for (const { path, message } of found) {
    expect(path).toMatch(/^crm\.py/);
    expect(message).not.toMatch(/undefined|\[object/);
  }
  if (config.kind !== "dict") return { told: JSON.stringify(found) };
  const problems = validate(rest_api_source(literalToConfig(config) as SourceConfig), "crm");
  const comments = commentsAbove(file, statement);
  const typescript = sourceFileText({ config, comments, textOf: expressionText(file) });
  return { told: JSON.stringify([...found, ...problems]), typescript };
}

describe("a Python file", () => {
  fuzz("of any text has a source in it, or problems", 1500, texts, (text) => {
    outcome(text);
  });

  const named = [...seeds, written].map((text) =>
    text.replace(/dlt\.secrets\["\w+"\]|os\.environ\["TOKEN"\]/g, `"${KEY}"`),
  );
  const withoutQuotes = words.filter((word) => !/["'\\#]/.test(word));
  const mutants = mutated(named, withoutQuotes).filter((text) => text.includes(`"${KEY}"`));
  fuzz("tells nothing of the texts in it", 2000, mutants, (text) => {
    expect(outcome(text).told).not.toContain(KEY);
  });
});
