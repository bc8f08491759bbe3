import { readdirSync, readFileSync } from "node:fs";
import { rest_api_source, type SourceConfig } from "@tidetable/core";
import { ConfigError } from "@tidetable/core/internal";
import { type Problem, planSource } from "@tidetable/core/plan";
import { sources } from "@tidetable/sources";
import { describe, expect, it, test } from "vitest";
import { expressionProblems, readPython } from "../../../packages/cli/src/python/load.ts";
import { literalToConfig } from "../../../packages/cli/src/sources/literal.ts";

const documents = new URL("../../sources/seeds/", import.meta.url);
const pythonBlock = (document: string) => document.match(/```python\n(.*?)```/s)?.[1] ?? "";
const seeds = readdirSync(documents)
  .sort()
  .map((file) => pythonBlock(readFileSync(new URL(file, documents), "utf8")));

/** Reads the config of a file, or the problems. */
function readConfig(text: string, name?: string): { config: unknown } | { problems: Problem[] } {
  const python = readPython("crm.py", text, { name });
  if ("problems" in python) return python;
  const problems = [...expressionProblems(python), ...python.unreadUses];
  return problems.length > 0 ? { problems } : { config: literalToConfig(python.config) };
}

function configOf(text: string, name?: string): unknown {
  const result = readConfig(text, name);
  if ("problems" in result) throw new ConfigError({ code: "", message: "", ...result });
  return result.config;
}

const problemsOf = (text: string, name?: string): Problem[] => {
  const result = readConfig(text, name);
  return "problems" in result ? result.problems : [];
};

const valueOfExpression = (expression: string) =>
  (configOf(`rest_api_source({"v": ${expression}})`) as { v: unknown }).v;

describe("the five documents", () => {
  const documents = Object.entries(sources).map(
    ([name, { config }], i) => [name, config, i] as const,
  );
  test.each(
    documents,
  )("the Python document of %s is the registered source", (name, registered, i) => {
    const source = rest_api_source(configOf(seeds[i] ?? "") as SourceConfig);
    expect(planSource(source, name)).toEqual(planSource(rest_api_source(registered), name));
    expect(planSource(source, name).secrets.length).toBeGreaterThan(0);
  });
});

// The values were compared with CPython's own: ast.literal_eval.
describe("literals", () => {
  test.each<[expression: string, value: unknown]>([
    ["None", null],
    ["True", true],
    ["False", false],
    ["-1.5", -1.5],
    ["- 7", -7],
    ["+2", 2],
    ["1_000", 1000],
    ["0xFF", 255],
    ["0o17", 15],
    ["0b11", 3],
    [".5", 0.5],
    ["1_0.5e1_0", 105e9],
    ["9007199254740991", 9007199254740991],
    ["0.1", 0.1],
    ["()", []],
    ["(1)", 1],
    ["(1,)", [1]],
    ["[1, (2, [3]),]", [1, [2, [3]]]],
    ["[ # one\n1 # two\n, # three\n]", [1]],
    ["{}", {}],
    [`{"a": {'b': None,},}`, { a: { b: null } }],
    [`("a" 'b'\n  """c""")`, "abc"],
    [`"""line\n"two\\"""""`.replace('\\"""""', '\\""""'), 'line\n"two"'],
    ["'it\\'s'", "it's"],
    ["''", ""],
    [String.raw`"\x41\u00e9\U0001F600\101\t\\\d"`, "Aé😀A\t\\\\d"],
    ['"one \\\nline"', "one line"],
    [String.raw`r"\d\n"`, String.raw`\d\n`],
    ["u'é'", "é"],
    ["'#no comment'", "#no comment"],
  ])("the Python literal %s has the value that Python gives it", (expression, expected) => {
    expect(valueOfExpression(expression)).toEqual(expected);
  });

  it("Python's line ends are read as \\n, even inside a string", () => {
    expect(configOf('\ufeffrest_api_source({\r\n"v": """a\r\nb"""})')).toEqual({ v: "a\nb" });
  });

  it("__proto__ is an ordinary key of a Python dict", () => {
    expect(Object.keys(valueOfExpression(`{"__proto__": 1}`) as object)).toEqual(["__proto__"]);
  });

  it("dlt.secrets is a reference to a secret, even as the default of a parameter", () => {
    const text = `
@dlt.source
def crm(token: str = dlt.secrets.value, *, key=dlt.secrets["crm.key"], other=find()):
    return rest_api_source({"a": token, "b": key, "c": dlt.secrets['x' "y"]})`;
    expect(configOf(text)).toMatchObject({
      a: { name: "token" },
      b: { name: "crm.key" },
      c: { name: "xy" },
    });
    expect(problemsOf(text.replace(": token", ": other"))).toHaveLength(1);
    expect(problemsOf(text.replace("    return", "    token = 'x'\n    return"))).toHaveLength(1);
  });
});

describe("the dict's place in the file", () => {
  test.each([
    ["as the argument", `source = rest_api_source({"a": 1})`],
    ["by its keyword", `rest_api_source(name="crm", config={"a": 1})`],
    ["in a call through a module", `dlt.sources.rest_api.rest_api_source(({"a": 1}))`],
    ["in a variable", `config = {"a": 1}\nsource = rest_api_source(config)\nprint(config)`],
    ["in a typed variable", `config: RESTAPIConfig = {"a": 1}\nrest_api_source(config, "crm")`],
    [
      "inside a source function",
      `@dlt.source(name="crm")\ndef crm():\n    config: RESTAPIConfig = {"a": 1}\n    yield from rest_api_resources(config)`,
    ],
    [
      "beside another function's variable of that name",
      `def f():\n    config = {"b": 1}\n    config["c"] = 2\n\ndef g():\n    config = {"a": 1}\n    return rest_api_source(config)`,
    ],
    [
      "in the midst of a call",
      `if __name__ == "__main__":\n    pipeline.run(rest_api_source({"a": 1}))`,
    ],
  ])("a Python dict is found %s", (_, text) => {
    expect(configOf(text)).toEqual({ a: 1 });
  });

  test.each([
    ["set twice", `config = {}\nconfig = {"a": 1}\n`, "crm.py:2:1: a name that gets a value twice"],
    ["a key set", `config = {}\nconfig["a"]["b"] = 1\n`, "crm.py:2:1: a dict that may change here"],
    ["updated", `config = {}\nconfig.update(x)\n`, "crm.py:2:1: a dict that may change here"],
    ["merged", `config = {}\nconfig |= x\n`, "crm.py:2:1: a name that gets a value twice"],
    ["a key deleted", `config = {}\ndel config["a"]\n`, "crm.py:2:5: a dict that may change here"],
    ["appended to", `config = {}\nconfig["a"].append(1)\n`, "crm.py:2:1: a dict that may change"],
    ["handed on", `config = {}\nfill(config)\n`, "crm.py:2:6: a dict that may change here"],
    [
      "from elsewhere",
      `from x import config\n`,
      'crm.py:2:17: a name from "x", which is no file of this project',
    ],
    ["unpacked", `config, b = {}, 1\n`, "crm.py:2:17: a name without one value in this file"],
  ])("a Python config in a variable that is %s is refused", (_, text, message) => {
    const [problem] = problemsOf(`${text}rest_api_source(config)`);
    expect(`${problem?.path}: ${problem?.message}`).toContain(message);
    expect(problem?.hint).toMatch(/write (the whole value|the value|its value)/);
  });

  it("--name chooses one of several Python sources by variable, function or name=", () => {
    const text = `
one = rest_api_source({"a": 1})
two = rest_api_source({"a": 2}, name="deux")
def three():
    return rest_api_source({"a": 3})
`;
    const configs = ["one", "two", "deux", "three"].map((name) => configOf(text, name));
    expect(configs).toEqual([{ a: 1 }, { a: 2 }, { a: 2 }, { a: 3 }]);
    expect(problemsOf(text)).toEqual([
      {
        path: "crm.py",
        message:
          "3 sources are in this file: one (crm.py:2:7), deux (crm.py:3:7), three (crm.py:5:12)",
        hint: "choose one by its name with --name, or by its line as crm.py:LINE",
      },
    ]);
    expect(problemsOf(text, "thre")[0]?.hint).toBe("none of them is thre: did you mean three?");
    // A single source needs no choice, and --name only changes the source's name.
    expect(configOf(`x = rest_api_source({"a": 1})`, "crm")).toEqual({ a: 1 });
  });

  it("a Python file without a source gets a hint on what to write", () => {
    expect(problemsOf("import dlt\n")).toMatchObject([
      { path: "crm.py", message: "there is no call of rest_api_source in this file" },
    ]);
    expect(problemsOf("rest_api_source()")).toMatchObject([{ path: "crm.py:1:1" }]);
    expect(problemsOf("rest_api_source([1])")[0]?.message).toMatch(/has to be a dict/);
  });

  it("a Python argument beside the dict is named if it has no effect, and refused otherwise", () => {
    const text = (more: string) => `rest_api_source({"a": 1}, ${more})`;
    expect(readPython("crm.py", text("max_table_nesting=2"))).toMatchObject({
      remarks: [
        { path: "crm.py:1:45 max_table_nesting", message: expect.stringMatching(/no effect/) },
      ],
    });
    expect(problemsOf(text(`schema_contract="freeze"`))[0]?.hint).toMatch(/resource_defaults/);
    expect(problemsOf(text("**more"))).toHaveLength(1);
  });
});

describe("expressions", () => {
  test.each([
    ["a call", "JSONLinkPaginator(next_url_path=find())", /write the value itself/],
    ["a call", "requests.Session()", /leave it out/],
    ["a function", "lambda r: r", /tidetable import crm\.py/],
    ["a bytes string", `b"x"`, /write the string itself/],
    ["an escape in this string", String.raw`"\N{DASH}"`, /write the string itself/],
    ["an expression", `"a" * 3`, /write the value itself/],
    ["a member of an object", "requests.x", /write the value itself/],
    ["a value without its name", "dlt.secrets.value", /dlt\.secrets\["name"\]/],
    ["a set", "{1}", /list/],
    ["an if without a known answer", "1 if x else 2", /write the branch that you want/],
    ["a number that a double cannot hold", "9007199254740993", /in quotes/],
    ["a number that a double cannot hold", "1e999", /in quotes/],
    ["a list inside a list by *", "[*{}]", /write its elements here/],
    ["a dict inside a dict by **", "{**[]}", /write its keys here/],
    ["a key that is not a string", "{1: 2}", /in quotes/],
    [`the key "a" a second time`, `{"a": 1, 'a': 2}`, /keep one/],
  ])("a Python config with %s is refused: %s", (subject, expression, hint) => {
    const [problem, ...more] = problemsOf(`rest_api_source({"v": ${expression}})`);
    expect(problem?.message).toContain(`${subject} cannot be read: `);
    expect(problem?.hint).toMatch(hint);
    expect(more).toEqual([]);
  });

  it("all unreadable expressions of a Python config are reported at once, each with its line and a caret", () => {
    const text = `source = rest_api_source({
    "client": {
        "base_url": HOST,
        "auth": {"type": "bearer", "token": find("TOKEN")},  # see the wiki
    },
})`;
    const foundProblems = problemsOf(text);
    expect(foundProblems.map(({ path, message }) => `${path}: ${message}`)).toEqual([
      "crm.py:3:21: a name without one value in this file: HOST",
      'crm.py:4:45: a call cannot be read: find("…")',
    ]);
    expect(foundProblems[1]?.snippet).toBe(
      [
        `4 |         "auth": {"type": "…", "token": find("…")},`,
        "  |                                        ^",
      ].join("\n"),
    );
  });

  it("problems of a Python file show none of its strings except names (P15)", () => {
    const text = `rest_api_source({
  "a": "sk-1" + x, "b": get("sk-2", k='sk-3'), "c": f"sk-4{x}", "sk-no": "sk-5" "sk-6" b"", # sk-7
  "d": fill("""sk-8
sk-9"""), "e": x["name"] if y == "sk-0" else z,
})`;
    const foundProblems = problemsOf(text);
    expect(foundProblems).toHaveLength(6);
    expect(JSON.stringify(foundProblems)).not.toMatch(/sk-\d/);
    expect(JSON.stringify(foundProblems)).toContain("sk-no");
  });
});

describe("invalid Python", () => {
  test.each([
    ["an unclosed bracket", `rest_api_source({"a": 1`],
    ["a missing comma", `rest_api_source({"a": 1 "b": 2})`],
    ["a missing value", `rest_api_source({"a": })`],
    ["an unclosed string", `rest_api_source({"a": 'b\n})`],
    ["an unclosed long string", `x = """a\nrest_api_source({"a": 1})`],
    ["a null byte", `rest_api_source({"a": 1})\n\0`],
    ["a line that is indented", `x = 1\n  rest_api_source({"a": 1})`],
    ["a block that is not indented", `if x:\nrest_api_source({"a": 1})`],
    ["lines indented differently", `if x:\n    y = 1\n\tsource = rest_api_source({"a": 1})`],
    ["JavaScript", `const x = rest_api_source({ a: 1 });`],
  ])("a Python file with %s is one clear problem", (_, text) => {
    const [problem, ...more] = problemsOf(text);
    expect(problem?.path).toMatch(/^crm\.py:\d+:\d+$/);
    expect(problem?.message).toBe("this is not valid Python");
    expect(problem).not.toHaveProperty("snippet");
    expect(more).toEqual([]);
  });

  // These files have the largest allowed size.
  const size = 1024 * 1024;
  test.each([
    ["nested lists", `rest_api_source(${"[".repeat(size / 2)}${"]".repeat(size / 2)})`],
    ["nested dicts", `rest_api_source(${'{"a":'.repeat(5000)}1${"}".repeat(5000)})`],
    ["101 levels", `rest_api_source({"a": ${"[".repeat(101)}${"]".repeat(101)}})`],
    ["open brackets", "(".repeat(size)],
    ["signs", `rest_api_source({"a": ${"- ".repeat(size / 2)}1})`],
    ["digits", `rest_api_source({"a": ${"9".repeat(size)}})`],
    ["sums", `rest_api_source({"a": ${"1+".repeat(size / 2)}1})`],
    ["quotes", `rest_api_source({"a": ${"'".repeat(size)}`],
    ["backslashes", `rest_api_source({"a": '${"\\".repeat(size + 1)}'})`],
    ["indented blocks", Array.from({ length: 1400 }, (_, i) => `${" ".repeat(i)}if a:`).join("\n")],
  ])("a hostile Python file with %s is one short problem", { timeout: 60_000 }, (_, text) => {
    const foundProblems = problemsOf(text);
    expect(foundProblems).toHaveLength(1);
    expect(foundProblems[0]?.message.length).toBeLessThan(200);
  });
});
