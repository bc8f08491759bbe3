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

describe("the records of a page, as in dlt", () => {
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
    ["those with a value", { d: [{ a: 1 }, { a: 2 }] }, "d[?(@.a==1)]", [{ a: 1 }]],
    [
      "those with a number, whatever holds it",
      { d: [{ a: "7" }, { a: 7n }] },
      "d[?(@.a==7)]",
      [{ a: "7" }, { a: 7n }],
    ],
    [
      "those with a nested value",
      { d: [{ a: { b: "x" } }, {}] },
      "d[?(@.a.b=='x')]",
      [{ a: { b: "x" } }],
    ],
    ["none with the value", { d: [{ a: 1 }] }, "d[?(@.a==true)]", []],
    ["those with null", { d: [{ a: null }, {}] }, "d[?(@.a==null)]", [{ a: null }]],
    ["an empty list", { data: [] }, "data", []],
    ["no elements", { items: [] }, "items[*]", []],
    ["no elements in any list", { g: [{ m: [] }, { m: [] }] }, "g[*].m[*]", []],
    ["scalars, for the next room to refuse", { data: ["x", 1n] }, "data", ["x", 1n]],
  ])("%s", (_, body, path, records) => {
    expect(selectRecords(body, parseJsonPath(path))).toEqual({ records });
  });
});

describe("no list is not an empty list (P13)", () => {
  test.each([
    ["a name that is not there", { results: [a] }, "data", "$"],
    ["a name inside of a list", { data: [a] }, "data.items", "data"],
    ["the length of a list", { data: [a] }, "data.length", "data"],
    ["what objects inherit", { data: {} }, "data.constructor", "data"],
    ["a name in a text", { data: "abc" }, "data[0]", "data"],
    ["a name in a number", { data: new Decimal("0.1") }, "data.text", "data"],
    ["groups without members", { groups: [{}] }, "groups[*].m[*]", "groups[*]"],
  ])("%s", (_, body, path, reached) => {
    expect(selectRecords(body, parseJsonPath(path))).toMatchObject({ reached });
  });

  test("null is told apart", () => {
    expect(selectRecords({ data: null }, parseJsonPath("data"))).toEqual({
      reached: "data",
      found: null,
    });
  });
});

test("find gives the one value, or undefined", () => {
  expect(findValue({ meta: { total: 7 } }, parseJsonPath("meta.total"))).toBe(7);
  expect(findValue({ meta: { total: null } }, parseJsonPath("meta.total"))).toBe(null);
  expect(findValue({ meta: {} }, parseJsonPath("meta.total"))).toBe(undefined);
});

describe("without a data_selector the list is found by its shape", () => {
  test.each([
    ["the body", [a], "$"],
    ["a usual name before an unusual one", { links: [], results: [a] }, "results"],
    ["any list", { meta: { n: 1 }, tickets: [a] }, "tickets"],
    ["a list inside of an object", { response: { page: { rows: [a] } } }, "response.page.rows"],
    ["a body without a list", { id: 1 }, "$"],
  ])("%s", (_, body, path) => {
    const detected = detectSelector(body);
    expect(detected).toEqual({ text: path, steps: parseJsonPath(path).steps });
  });
});
