import { describe, expect, it, test } from "vitest";
import { planSource } from "../../packages/core/src/config/plan.ts";
import { rest_api_source } from "../../packages/core/src/config/source.ts";
import {
  fillRequest,
  incrementalValues,
  type TemplateValues,
} from "../../packages/core/src/extract/fill-request.ts";
import type { Cursor } from "../../packages/core/src/flow.ts";
import type { JsonValue } from "../../packages/core/src/values/json.ts";

const incremental = { cursor_path: "at", initial_value: 5 };
const base_url = "https://api.example.com/v1";

/** The request of an endpoint, with the values of a run and of a record of its parent. */
function fillEndpoint(
  endpoint: object,
  { start = 5 as Cursor, parent = {} as Record<string, JsonValue>, incrementalChanges = {} } = {},
) {
  const source = rest_api_source({
    client: { base_url },
    resources: [
      {
        name: "rows",
        endpoint: { incremental: { ...incremental, ...incrementalChanges }, ...endpoint },
      },
    ],
  });
  const [resource] = planSource(source, "test").resources;
  if (!resource) throw new Error("no resource");
  const runValues = incrementalValues(resource.incremental, { start, last: start });
  const values: TemplateValues = (reference) =>
    reference.of === "parent" ? parent[reference.field.text] : runValues(reference);
  return fillRequest(resource.request, values);
}

const START = "{incremental.start_value}";

describe("a run's values", () => {
  test("a run's values are filled into the query, headers, path and form of a request", () => {
    const endpoint = { path: `/from/${START}`, params: { q: `at>${START} OR seen>${START}` } };
    const request = fillEndpoint(
      { ...endpoint, headers: { "X-Since": START, [`X-${START}`]: "a" } },
      { start: "2024-01-01T00:00:00+01:00" },
    );
    const start = "2024-01-01T00:00:00+01:00";
    expect(request.url).toBe(`${base_url}/from/${start}`);
    expect(request.params).toEqual({ q: `at>${start} OR seen>${start}` });
    expect(request.headers).toEqual([
      ["X-Since", start],
      [`X-${start}`, "a"],
    ]);
    expect(fillEndpoint({ method: "POST", data: { since: START, a: ["1", START] } }).data).toEqual([
      ["since", "5"],
      ["a", "1"],
      ["a", "5"],
    ]);
  });

  test("a value keeps its type where it is the whole of a JSON string", () => {
    const json = { since: START, note: `from ${START}`, deep: [{ at: START }], plain: "{x}" };
    expect(fillEndpoint({ method: "POST", json }).json).toEqual({
      since: 5,
      note: "from 5",
      deep: [{ at: 5 }],
      plain: "{x}",
    });
  });

  test("a start that is missing leaves its parameter or header out, and is null in JSON", () => {
    const request = fillEndpoint(
      { params: { since: START, q: `a${START}`, x: 1 }, headers: { s: START }, json: { a: START } },
      { start: null },
    );
    expect(request).toMatchObject({ params: { x: 1 }, headers: [], json: { a: null } });
  });

  test("`convert` changes the values that are sent, by a function or by name", () => {
    const convertedStart = (convert: unknown, start: Cursor) =>
      fillEndpoint({ params: { s: START } }, { start, incrementalChanges: { convert } }).params.s;
    expect(convertedStart((value: number) => value * 2, 7)).toBe("14");
    expect(convertedStart("epoch_s", "2026-01-01T00:00:00Z")).toBe("1767225600");
    expect(convertedStart("epoch_ms", "2026-01-01T00:00:00Z")).toBe("1767225600000");
    expect(convertedStart("iso_date", 1767225600)).toBe("2026-01-01");
    expect(convertedStart("iso_datetime", 1767225600000)).toBe("2026-01-01T00:00:00.000Z");
  });

  test("end, initial and last value can be filled in, and start_param and end_param name parameters", () => {
    const incrementalChanges = { end_value: 9, start_param: "since", end_param: "until" };
    const params = { i: "{incremental.initial_value}", l: "{incremental.last_value}" };
    expect(fillEndpoint({ params }, { start: 7, incrementalChanges }).params).toEqual({
      since: "7",
      until: "9",
      i: "5",
      l: "7",
    });
  });
});

describe("a record of the parent", () => {
  it.each([
    ["a/b?c#d%e f", "a%2Fb%3Fc%23d%25e%20f"],
    ["ä:@$&+,;=!*'()~", "%C3%A4:@$&+,;=!*'()~"],
    [9007199254740993n, "9007199254740993"],
    [true, "true"],
    [0, "0"],
  ])("the id %s of a parent record is a single segment of the path", (id, segment) => {
    const { url } = fillEndpoint({ path: "users/{resources.users.id}/posts" }, { parent: { id } });
    expect(url).toBe(`${base_url}/users/${segment}/posts`);
  });

  it("a field of the parent's record is filled into the parameter that `resolve` names", () => {
    const params = { uid: { type: "resolve", resource: "users", field: "meta.id" }, state: "open" };
    const request = fillEndpoint(
      { path: "users/{uid}/posts", params },
      { parent: { "meta.id": 7 } },
    );
    expect(request).toMatchObject({ url: `${base_url}/users/7/posts`, params: { state: "open" } });
  });

  it.each([
    null,
    undefined,
  ])("a parent record with the id %s is an error, and not a path with /None/", (id) => {
    const parent = id === undefined ? {} : { id };
    expect(() => fillEndpoint({ path: "users/{resources.users.id}" }, { parent })).toThrow(
      "there is no value for {resources.users.id}",
    );
  });

  it("a parent record with a list for its id is an error", () => {
    const endpoint = { path: "users/{resources.users.id}" };
    expect(() => fillEndpoint(endpoint, { parent: { id: [1] } })).toThrow("is a list");
  });

  const evil = "x&admin=1+2=3;\"'\\\n{<%";

  it("a value in a query that the path holds adds no parameter", () => {
    const { url } = fillEndpoint({ path: "a?p={resources.b.id}&q=1" }, { parent: { id: evil } });
    expect([...new URL(url).searchParams]).toEqual([
      ["p", evil],
      ["q", "1"],
    ]);
  });

  it.each(["..;", ".;a=b", "..", "."])("the value %s in the path is refused", (id) => {
    const endpoint = { path: "users/{resources.users.id}/posts" };
    expect(() => fillEndpoint(endpoint, { parent: { id } })).toThrow("is . or ..");
  });

  it.each<[string, string, string | undefined, (body: string) => unknown]>([
    ["a form", "a=1&b={resources.b.id}", undefined, (body) => new URLSearchParams(body).get("b")],
    [
      "a form by its type",
      "{resources.b.id}=b",
      "application/x-www-form-urlencoded; charset=utf-8",
      (body) => [...new URLSearchParams(body).keys()][0],
    ],
    ["JSON", '{{"a":"<{resources.b.id}>"}}', undefined, (body) => JSON.parse(body).a.slice(1, -1)],
    ["JSON without quotes", '{{"a":{resources.b.id}}}', undefined, (body) => JSON.parse(body).a],
    [
      "GraphQL",
      '{{ a(id: "{resources.b.id}") {{ b }} }}',
      "application/graphql",
      (body) => JSON.parse(/id: (.*)\) \{ b/.exec(body)?.[1] ?? ""),
    ],
    [
      "XML",
      "<a>{resources.b.id}</a>",
      "text/xml",
      (body) =>
        body
          .slice(3, -4)
          .replaceAll("&lt;", "<")
          .replaceAll("&quot;", '"')
          .replaceAll("&apos;", "'")
          .replaceAll("&amp;", "&"),
    ],
  ])("a value in a body of %s stays a value", (_, data, type, read) => {
    const headers = type ? { "Content-Type": type } : {};
    const request = fillEndpoint({ method: "POST", data, headers }, { parent: { id: evil } });
    expect(read(String(request.data))).toBe(evil);
  });

  it("a value in the text of a GraphQL query stays within its quotes, or is a number or a name", () => {
    const fill = (query: string, id: JsonValue) =>
      fillEndpoint({ method: "POST", json: { query } }, { parent: { id } }).json;
    const quoted = 'query A { a(id: "{resources.b.id}") { b } }';
    expect(fill(quoted, '") { c } #\\')).toEqual({
      query: 'query A { a(id: "\\") { c } #\\\\") { b } }',
    });
    expect(fill("{ a(id: {resources.b.id}) { b } }", 7)).toEqual({ query: "{ a(id: 7) { b } }" });
    expect(() => fill("{ a(id: {resources.b.id}) { b } }", "7) { c } x(id: 7")).toThrow("GraphQL");
    expect(fill("status:{resources.b.id}", 'a"b')).toEqual({ query: 'status:a"b' });
  });
});
