import { describe, expect, it, test } from "vitest";
import { ConfigError } from "../../packages/core/src/base/errors.ts";
import { parseJsonPath } from "../../packages/core/src/config/jsonpath.ts";

const parseSteps = (text: string) => parseJsonPath(text).steps;

test.each([
  ["$", []],
  ["data", [{ name: "data" }]],
  ["$.data.items", [{ name: "data" }, { name: "items" }]],
  ["many-results", [{ name: "many-results" }]],
  ["$ref", [{ name: "$ref" }]],
  ["items[*]", [{ name: "items" }, { all: true }]],
  ["groups[*].members[*]", [{ name: "groups" }, { all: true }, { name: "members" }, { all: true }]],
  ["data[0].id", [{ name: "data" }, { index: 0 }, { name: "id" }]],
  ["data[-1].id", [{ name: "data" }, { index: -1 }, { name: "id" }]],
  ["$[*]", [{ all: true }]],
  ["[*]", [{ all: true }]],
  ["*", [{ all: true }]],
  ["data.*", [{ name: "data" }, { all: true }]],
  ["['@odata.nextLink']", [{ name: "@odata.nextLink" }]],
  ["$[\"a b\"]['c.d']", [{ name: "a b" }, { name: "c.d" }]],
  ["['it\\'s']", [{ name: "it's" }]],
  ["größe", [{ name: "größe" }]],
  ["data.[*].id", [{ name: "data" }, { all: true }, { name: "id" }]],
  ["d[?(@.a==true)]", [{ name: "d" }, { where: [{ name: "a" }], is: true }]],
  [
    "d[?(@.a == 'it''s')]".replace("''", "\\'"),
    [{ name: "d" }, { where: [{ name: "a" }], is: "it's" }],
  ],
  [
    'd[?(@.a.b=="x")].id',
    [{ name: "d" }, { where: [{ name: "a" }, { name: "b" }], is: "x" }, { name: "id" }],
  ],
  ["d[?(@['a b']==-1.5)]", [{ name: "d" }, { where: [{ name: "a b" }], is: -1.5 }]],
  ["d[?(@.a==null)]", [{ name: "d" }, { where: [{ name: "a" }], is: null }]],
  ["d[?(@.a==open)]", [{ name: "d" }, { where: [{ name: "a" }], is: "open" }]],
])("the JSONPath %s is parsed into its steps", (text, expected) => {
  expect(parseSteps(text)).toEqual(expected);
});

it("a parsed JSONPath keeps its text for messages", () => {
  expect(parseJsonPath("$.data").text).toBe("$.data");
});

describe("unsupported JSONPath", () => {
  test.each([
    ["", "its end"],
    ["data.", "its end"],
    ["data..id", '"." at position 6'],
    ["$..id", '"." at position 3'],
    ["data[?(@.a>1)]", '"?" at position 6'],
    ["data[?(@.a==1 & @.b==2)]", '"?" at position 6'],
    ["data[?(@.a)]", '"?" at position 6'],
    ["data[0,1]", '"0" at position 6'],
    ["data.`len`", '"`" at position 6'],
    ["data[0:2]", '"0" at position 6'],
    ["data[", "its end"],
    ["data['open", `"'" at position 6`],
    ["data[id]", '"i" at position 6'],
    ["data items", '" " at position 5'],
    ["data[0]id", '"i" at position 8'],
    [".data", '"." at position 1'],
  ])("the JSONPath %j is refused at %s", (text, position) => {
    const parse = () => parseJsonPath(text);
    expect(parse).toThrow(ConfigError);
    expect(parse).toThrow(`not a path that tidetable reads: it did not expect ${position}`);
  });

  it("the error for an unsupported JSONPath lists the supported forms", () => {
    expect(() => parseJsonPath("data[0:2]")).toThrow(
      expect.objectContaining({ hint: expect.stringContaining("[*]") }),
    );
  });
});
