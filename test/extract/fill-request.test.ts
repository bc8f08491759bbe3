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
function filled(
  endpoint: object,
  { start = 5 as Cursor, parent = {} as Record<string, JsonValue>, of = {} } = {},
) {
  const source = rest_api_source({
    client: { base_url },
    resources: [
      { name: "rows", endpoint: { incremental: { ...incremental, ...of }, ...endpoint } },
    ],
  });
  const [resource] = planSource(source, "test").resources;
  if (!resource) throw new Error("no resource");
  const own = incrementalValues(resource.incremental, { start, last: start });
  const values: TemplateValues = (one) => (one.of === "parent" ? parent[one.field.text] : own(one));
  return fillRequest(resource.request, values);
}

const START = "{incremental.start_value}";

describe("a run's values", () => {
  test("stand in the query, in headers, in the path, in JSON and in a form", () => {
    const endpoint = { path: `/from/${START}`, params: { q: `at>${START} OR seen>${START}` } };
    const request = filled(
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
    expect(filled({ method: "POST", data: { since: START, a: ["1", START] } }).data).toEqual([
      ["since", "5"],
      ["a", "1"],
      ["a", "5"],
    ]);
  });

  test("keep their type where they are all of a JSON text", () => {
    const json = { since: START, note: `from ${START}`, deep: [{ at: START }], plain: "{x}" };
    expect(filled({ method: "POST", json }).json).toEqual({
      since: 5,
      note: "from 5",
      deep: [{ at: 5 }],
      plain: "{x}",
    });
  });

  test("without a start leave the parameter or the header out, and null in JSON", () => {
    const request = filled(
      { params: { since: START, q: `a${START}`, x: 1 }, headers: { s: START }, json: { a: START } },
      { start: null },
    );
    expect(request).toMatchObject({ params: { x: 1 }, headers: [], json: { a: null } });
  });

  test("are sent as `convert` makes them, by a function or by name", () => {
    const sent = (convert: unknown, start: Cursor) =>
      filled({ params: { s: START } }, { start, of: { convert } }).params.s;
    expect(sent((value: number) => value * 2, 7)).toBe("14");
    expect(sent("epoch_s", "2026-01-01T00:00:00Z")).toBe("1767225600");
    expect(sent("epoch_ms", "2026-01-01T00:00:00Z")).toBe("1767225600000");
    expect(sent("iso_date", 1767225600)).toBe("2026-01-01");
    expect(sent("iso_datetime", 1767225600000)).toBe("2026-01-01T00:00:00.000Z");
  });

  test("are the end, the initial and the last value too, and start_param and end_param name them", () => {
    const of = { end_value: 9, start_param: "since", end_param: "until" };
    const params = { i: "{incremental.initial_value}", l: "{incremental.last_value}" };
    expect(filled({ params }, { start: 7, of }).params).toEqual({
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
  ])("with %s is one segment of the path", (id, segment) => {
    const { url } = filled({ path: "users/{resources.users.id}/posts" }, { parent: { id } });
    expect(url).toBe(`${base_url}/users/${segment}/posts`);
  });

  it("fills what `resolve` names", () => {
    const params = { uid: { type: "resolve", resource: "users", field: "meta.id" }, state: "open" };
    const request = filled({ path: "users/{uid}/posts", params }, { parent: { "meta.id": 7 } });
    expect(request).toMatchObject({ url: `${base_url}/users/7/posts`, params: { state: "open" } });
  });

  it.each([null, undefined])("without a value there (%s) is an error, never /None/", (id) => {
    const parent = id === undefined ? {} : { id };
    expect(() => filled({ path: "users/{resources.users.id}" }, { parent })).toThrow(
      "there is no value for {resources.users.id}",
    );
  });

  it("with a list where a text belongs is an error", () => {
    const endpoint = { path: "users/{resources.users.id}" };
    expect(() => filled(endpoint, { parent: { id: [1] } })).toThrow("is a list");
  });
});
