import { describe, expect, test } from "vitest";
import { parseJsonPath } from "../../packages/core/src/config/jsonpath.ts";
import {
  detectSelector,
  findValue,
  selectRecords,
} from "../../packages/core/src/extract/select.ts";
import { Decimal } from "../../packages/core/src/values/decimal.ts";

const a = { id: 1 };
const b = { id: 2 };

describe("the records of a page are selected as in dlt", () => {
  test.each([
    ["a list under a name", { data: [a, b] }, "data", [a, b]],
    ["a path of names", { data: { items: [a] } }, "data.items", [a]],
    ["the body itself", [a, b], "$", [a, b]],
    ["every element", { items: [a, b] }, "items[*]", [a, b]],
    ["lists in lists", { groups: [{ m: [a] }, { m: [b] }] }, "groups[*].m[*]", [a, b]],
    ["a list of lists, as one list", { groups: [{ m: [a] }, { m: [b] }] }, "groups[*].m", [a, b]],
    ["a list whose elements are lists", { rows: [[a], [b]] }, "rows", [a, b]],
    ["a lone record", { ticket: a }, "ticket", [a]],
    ["a position", { pages: [[a], [b]] }, "pages[1]", [b]],
    ["a position from the end", { pages: [[a], [b]] }, "pages[-1]", [b]],
    ["the members of an object", { byId: { x: a, y: b } }, "byId[*]", [a, b]],
    ["a quoted name", { "@odata.value": [a] }, "['@odata.value']", [a]],
    ["the elements with a value", { d: [{ a: 1 }, { a: 2 }] }, "d[?(@.a==1)]", [{ a: 1 }]],
    [
      "the elements with a number, as a string or as a bigint",
      { d: [{ a: "7" }, { a: 7n }] },
      "d[?(@.a==7)]",
      [{ a: "7" }, { a: 7n }],
    ],
    [
      "the elements with a nested value",
      { d: [{ a: { b: "x" } }, {}] },
      "d[?(@.a.b=='x')]",
      [{ a: { b: "x" } }],
    ],
    ["no element where none has the value", { d: [{ a: 1 }] }, "d[?(@.a==true)]", []],
    ["the elements with null", { d: [{ a: null }, {}] }, "d[?(@.a==null)]", [{ a: null }]],
    ["an empty list", { data: [] }, "data", []],
    ["null under a name, which is an empty list of Go", { data: null }, "data", []],
    ["null further down", { result: { items: null } }, "result.items", []],
    ["null as one of several lists", { g: [{ m: null }, { m: [a] }] }, "g[*].m", [a]],
    ["null as each of several lists", { g: [{ m: null }, { m: null }] }, "g[*].m", []],
    ["null within a list, which normalize refuses", { data: [null, a] }, "data[*]", [null, a]],
    ["no elements", { items: [] }, "items[*]", []],
    ["no elements in any list", { g: [{ m: [] }, { m: [] }] }, "g[*].m[*]", []],
    ["scalars, which normalize refuses", { data: ["x", 1n] }, "data", ["x", 1n]],
  ])("a selector finds %s", (_, body, path, records) => {
    expect(selectRecords(body, parseJsonPath(path))).toEqual({ records });
  });
});

describe("no list is not an empty list (P13)", () => {
  test.each([
    ["a missing name", { results: [a] }, "data", "$"],
    ["a name inside of a list", { data: [a] }, "data.items", "data"],
    ["the length of a list", { data: [a] }, "data.length", "data"],
    ["a member that objects inherit", { data: {} }, "data.constructor", "data"],
    ["an index of a string", { data: "abc" }, "data[0]", "data"],
    ["a name in a number", { data: new Decimal("0.1") }, "data.text", "data"],
    ["groups without members", { groups: [{}] }, "groups[*].m[*]", "groups[*]"],
  ])("%s does not count as an empty list (P13)", (_, body, path, reached) => {
    expect(selectRecords(body, parseJsonPath(path))).toMatchObject({ reached });
  });

  test.each([
    ["as the whole body", null, "$", "$"],
    ["on the way to the list", { data: null }, "data.items", "data"],
    ["as the only element", { data: [null] }, "data[0]", "data[0]"],
  ])("null does not count as an empty list %s (P13)", (_, body, path, reached) => {
    expect(selectRecords(body, parseJsonPath(path))).toEqual({ reached, value: null });
  });
});

test("findValue returns the value at a path, or undefined", () => {
  expect(findValue({ meta: { total: 7 } }, parseJsonPath("meta.total"))).toBe(7);
  expect(findValue({ meta: { total: null } }, parseJsonPath("meta.total"))).toBe(null);
  expect(findValue({ meta: {} }, parseJsonPath("meta.total"))).toBe(undefined);
});

describe("without a data_selector the list is detected by its shape", () => {
  test.each([
    ["a body that is a list", [a], "$"],
    ["a usual name before an unusual one", { links: [], results: [a] }, "results"],
    ["a list of an unusual name", { meta: { n: 1 }, tickets: [a] }, "tickets"],
    ["a list inside of an object", { response: { page: { rows: [a] } } }, "response.page.rows"],
    ["a body without a list, which is the record", { id: 1 }, "$"],
    ["null under a usual name, which is an empty list", { items: null, total: 0 }, "items"],
    ["a record without a key that has null deep inside", { page: { content: null } }, "$"],
  ])("without a data_selector, records are found in %s", (_, body, path) => {
    const detected = detectSelector(body);
    expect(detected).toEqual({ text: path, steps: parseJsonPath(path).steps });
  });

  test.each([
    ["a body with the key is the record, whatever is null in it", { id: 1, data: null }, "$"],
    ["a body without the key is none", { response: { items: null } }, "response.items"],
  ])("with a key, %s", (_, body, path) => {
    expect(detectSelector(body, ["id"]).text).toBe(path);
  });
});
