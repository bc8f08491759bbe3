import { ids, inTurn, reply, withHeaders } from "./api.ts";
import { conformance } from "./conformance.ts";
import type { Row } from "./rows.ts";

const json = { "content-type": "application/json" };

/** A body that is answered once, and the records that it holds. */
const found = (name: string, body: unknown, records: object[], endpoint: object = {}): Row => ({
  name,
  routes: { "/rows": body },
  endpoint: { paginator: "single_page", ...endpoint },
  requests: ["/rows"],
  records,
});

const selected = (name: string, data_selector: string, body: unknown, records: object[]): Row =>
  found(`data_selector ${name}`, body, records, { data_selector });

const failing = (
  name: string,
  body: unknown,
  fails: NonNullable<Row["fails"]>,
  endpoint: object = {},
): Row => ({ name, routes: { "/rows": body }, endpoint, fails, records: [] });

const ab = [{ k: "a" }, { k: "b" }];
const usualNames = ["data", "items", "results", "entries", "records", "rows", "entities"];
usualNames.push("payload", "content", "objects", "values");

conformance("data selection", [
  // Without a selector.
  found("a body that is a list is the records", ab, ab),
  ...usualNames.map((name) =>
    found(`"${name}" is preferred to a list before it`, { links: [{ no: 1 }], [name]: ab }, ab),
  ),
  found("without a usual name the first list counts", { a: 1, tickets: ab, tags: [{ no: 1 }] }, ab),
  found("lists are found in depth-first order", { meta: { tickets: ab }, tags: [{ no: 1 }] }, ab),
  found("a list is found three levels down", { a: { b: { c: ab } } }, ab),
  found(
    "a list four levels down is not looked for: the object is the record",
    { a: { b: { c: { d: ab } } } },
    [{ a: { b: { c: { d: ab } } } }],
  ),
  found(
    "a usual name further down goes before a list of any name",
    { tags: [{ no: 1 }], page: { items: ab } },
    ab,
  ),
  found("the first of two usual names counts", { results: ab, data: [{ no: 1 }] }, ab),
  found(
    "a usual name that holds an object is no list, but one in it may be",
    { data: { tickets: ab } },
    ab,
  ),
  found("lists inside of lists are not looked at", { groups: [{ items: ab }] }, [{ items: ab }]),
  found("an object without a list is the record", { id: 1, name: "x" }, [{ id: 1, name: "x" }]),
  found("an object with a list in it gives the list, as in dlt", { id: 1, tags: ab }, ab),
  found("an empty list is no record", { data: [] }, []),
  found("an empty body list is no record", [], []),
  {
    name: "what the first page showed holds for all pages",
    routes: {
      "/rows": { results: ids(1, 2), next: "$api/rows?p=2" },
      "/rows?p=2": { data: [{ no: 1 }], results: ids(3, 4), next: null },
    },
    requests: ["/rows", "/rows?p=2"],
    records: ids(1, 4),
  },

  // Selectors.
  selected("names a member", "data", { other: [{ no: 1 }], data: ab }, ab),
  selected("names a member of a member", "data.items", { data: { items: ab, no: [] } }, ab),
  selected("items[*] is each element", "items[*]", { items: ab }, ab),
  selected(
    "groups[*].members[*] joins the lists",
    "groups[*].members[*]",
    { groups: [{ members: ids(1, 2) }, { members: ids(3, 4) }] },
    ids(1, 4),
  ),
  selected(
    "several matches are the records",
    "data[*].user",
    { data: [{ user: { id: 1 } }, { user: { id: 2 } }] },
    ids(1, 2),
  ),
  selected("$ is the whole body: a list", "$", ab, ab),
  selected("$ is the whole body: an object", "$", { id: 1, tags: ab }, [{ id: 1, tags: ab }]),
  selected("may begin with $.", "$.data", { data: ab }, ab),
  selected("takes [*] of a body that is a list", "[*]", ab, ab),
  selected("takes $[*] of a body that is a list", "$[*]", ab, ab),
  selected("$[*].node takes a member of each", "$[*].node", [{ node: { id: 1 } }], ids(1, 1)),
  selected("reads names with hyphens", "many-results", { "many-results": ab }, ab),
  selected("reads names with underscores and digits", "v2_rows", { v2_rows: ab }, ab),
  selected("reads names in single quotes", "['@odata.value']", { "@odata.value": ab }, ab),
  selected("reads names in double quotes", '["a.b"]', { "a.b": ab }, ab),
  selected("reads quoted names behind others", "d['x y'].z", { d: { "x y": { z: ab } } }, ab),
  selected("takes an element by its index", "pages[0].rows", { pages: [{ rows: ab }] }, ab),
  selected("takes the last element by [-1]", "pages[-1]", { pages: [[{ no: 1 }], ab] }, ab),
  selected("an object is one record", "data", { data: { id: 7 } }, [{ id: 7 }]),
  selected("an index on the list is one record", "data[-1]", { data: ids(1, 3) }, ids(3, 3)),
  selected(
    "keeps what equals true",
    "data[?(@.active==true)]",
    { data: [{ id: 1, active: true }, { id: 2, active: false }, { id: 3 }] },
    [{ id: 1, active: true }],
  ),
  selected(
    "keeps what equals a text",
    "data[?(@.kind=='b')]",
    { data: [{ kind: "a" }, { kind: "b" }] },
    [{ kind: "b" }],
  ),
  selected("keeps what equals a number", "data[?(@.n==2)]", { data: [{ n: 1 }, { n: 2 }] }, [
    { n: 2 },
  ]),
  selected(
    "takes a member of what a filter keeps",
    "data[?(@.kind=='b')].rows[*]",
    {
      data: [
        { kind: "a", rows: [{ no: 1 }] },
        { kind: "b", rows: ab },
      ],
    },
    ab,
  ),
  selected("a filter that keeps nothing is an empty page", "data[?(@.k=='z')]", { data: ab }, []),
  selected("[*] of an empty list is an empty page", "data[*]", { data: [] }, []),
  selected("a list that is empty is an empty page", "data", { data: [] }, []),
  selected("goes before the usual names", "tags", { data: [{ no: 1 }], tags: ab }, ab),
  {
    name: "better than dlt: a selector that ends at lists gives their elements",
    routes: { "/rows": { groups: [{ members: ids(1, 2) }, { members: ids(3, 4) }] } },
    endpoint: { data_selector: "groups[*].members", paginator: "single_page" },
    records: ids(1, 4),
  },

  // No data has to be proved.
  failing(
    "better than dlt: a selector that matches nothing fails and names the keys that exist",
    { datas: ab, count: 2 },
    ["extract.selector", 'nothing at data_selector "data"', "the body has: datas, count"],
    { data_selector: "data" },
  ),
  selected("null under the list's name is an empty page", "data", { data: null }, []),
  failing(
    "better than dlt: null on the way to the list fails",
    { data: null },
    ["extract.selector", '"data" is null'],
    { data_selector: "data.items" },
  ),
  failing(
    "better than dlt: a selector that ends half way says how far it came",
    { data: { rows: ab } },
    ["extract.selector", '"data" has: rows'],
    { data_selector: "data.items" },
  ),
  failing(
    "better than dlt: a name that a list can not have fails",
    ab,
    ["extract.selector", "the body is a list of 2"],
    { data_selector: "data" },
  ),
  {
    name: "better than dlt: a later page without the selected member fails",
    routes: {
      "/rows": { data: ids(1, 2), next: "$api/rows?p=2" },
      "/rows?p=2": { error: "overloaded" },
    },
    endpoint: { data_selector: "data", paginator: "json_link" },
    fails: ["extract.selector", "the body has: error"],
    records: ids(1, 2),
  },
  {
    name: "better than dlt: 204 is an empty page",
    routes: { "/rows": reply(204) },
    requests: ["/rows"],
    records: [],
  },
  {
    name: "better than dlt: 204 ends the pages",
    routes: { "/rows": inTurn({ data: ids(1, 2) }, reply(204)) },
    endpoint: { paginator: { type: "offset", limit: 2 } },
    requests: ["/rows?offset=0&limit=2", "/rows?offset=2&limit=2"],
    records: ids(1, 2),
  },
  failing("better than dlt: HTML with 200 fails", reply(200, "<html>"), [
    "extract.body",
    "not JSON",
    "base_url",
  ]),
  failing("an empty body with 200 fails", reply(200, ""), ["extract.body", "an empty body"]),
  failing(
    "JSON that ends early fails after its attempts",
    reply(200, '{"data":[{"id":1}', json),
    ["extract.body", "ended early"],
    { error_handler: { max_retries: 1, backoff_factor: 0.01 } },
  ),
  {
    name: "better than dlt: records that are no objects are set aside and counted",
    routes: { "/rows": { data: [...ids(1, 9), "x"] } },
    report: { records: 10, written: 9, quarantined: 1 },
    records: ids(1, 9),
  },
  {
    name: "better than dlt: a page of scalars is set aside with its reasons",
    routes: { "/rows": { data: ["a", 1] } },
    report: { records: 2, written: 0, quarantined: 2 },
    records: [],
  },

  // What a record keeps.
  {
    name: "numbers keep all their digits",
    routes: {
      "/rows": withHeaders(
        json,
        '{"data":[{"a":1234567890123456789,"b":0.1234567890123456789,"c":-1e30,"d":1.50}]}',
      ),
    },
    records: ['{"a":1234567890123456789,"b":0.1234567890123456789,"c":-1e30,"d":1.5}'],
  },
  found(
    "null stays null, and an absent member absent",
    [{ a: null }, { b: 1 }],
    [{ a: null }, { b: 1 }],
  ),
  found(
    "names are kept as they are, and nested values nested",
    [{ createdAt: 1, "a-b": { C: [] } }],
    [{ createdAt: 1, "a-b": { C: [] } }],
  ),
  found(
    "texts stay texts, also of digits, dates and none",
    [{ a: "12", b: "2024-01-01", c: "" }],
    [{ a: "12", b: "2024-01-01", c: "" }],
  ),
  found("true and false stay what they are", [{ a: true, b: false }], [{ a: true, b: false }]),
  found("any language and emoji", [{ a: "Grüße, 東京 🚲" }], [{ a: "Grüße, 東京 🚲" }]),
  found(
    "members may be named like those of an object",
    [{ constructor: 1, toString: "x" }],
    [{ constructor: 1, toString: "x" }],
  ),
  {
    name: "the real command writes the same",
    spawned: true,
    routes: { "/rows": { data: ab } },
    requests: ["/rows"],
    records: ab,
  },
]);
