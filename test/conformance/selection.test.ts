import { answerInTurn, recordsWithIds, replyWith, withHeaders } from "./api.ts";
import { conformance } from "./conformance.ts";
import type { Row } from "./rows.ts";

const json = { "content-type": "application/json" };

/** A body that is answered once, and the records that it holds. */
const selectionRow = (
  name: string,
  body: unknown,
  records: object[],
  endpoint: object = {},
): Row => ({
  name,
  routes: { "/rows": body },
  endpoint: { paginator: "single_page", ...endpoint },
  requests: ["/rows"],
  records,
});

const selectorRow = (name: string, data_selector: string, body: unknown, records: object[]): Row =>
  selectionRow(`data_selector ${name}`, body, records, { data_selector });

const failureRow = (
  name: string,
  body: unknown,
  fails: NonNullable<Row["fails"]>,
  endpoint: object = {},
): Row => ({ name, routes: { "/rows": body }, endpoint, fails, records: [] });

const ab = [{ k: "a" }, { k: "b" }];
const usualNames = ["data", "items", "results", "entries", "records", "rows", "entities"];
usualNames.push("payload", "content", "objects", "values");

conformance("data selection", [
  // The config has no data_selector.
  selectionRow("a body that is a list has the records", ab, ab),
  ...usualNames.map((name) =>
    selectionRow(
      `"${name}" is preferred to a list before it`,
      { links: [{ no: 1 }], [name]: ab },
      ab,
    ),
  ),
  selectionRow(
    "the first list is used when no list has a usual name",
    { a: 1, tickets: ab, tags: [{ no: 1 }] },
    ab,
  ),
  selectionRow(
    "lists are found in depth-first order",
    { meta: { tickets: ab }, tags: [{ no: 1 }] },
    ab,
  ),
  selectionRow("a list is found three levels down", { a: { b: { c: ab } } }, ab),
  selectionRow(
    "a list four levels down is not found, and the object is the record",
    { a: { b: { c: { d: ab } } } },
    [{ a: { b: { c: { d: ab } } } }],
  ),
  selectionRow(
    "a nested list with a usual name has precedence over a list with another name",
    { tags: [{ no: 1 }], page: { items: ab } },
    ab,
  ),
  selectionRow(
    "the first of two lists with usual names is used",
    { results: ab, data: [{ no: 1 }] },
    ab,
  ),
  selectionRow(
    "a usual name may hold an object, in which a list is found",
    { data: { tickets: ab } },
    ab,
  ),
  selectionRow("lists inside of lists are not searched", { groups: [{ items: ab }] }, [
    { items: ab },
  ]),
  selectionRow("an object without a list is the record", { id: 1, name: "x" }, [
    { id: 1, name: "x" },
  ]),
  selectionRow(
    "an object with a list has its records in the list, as in dlt",
    { id: 1, tags: ab },
    ab,
  ),
  selectionRow("an empty list has no records", { data: [] }, []),
  selectionRow("a body that is an empty list has no records", [], []),
  {
    name: "the selector of the first page is used for all pages",
    routes: {
      "/rows": { results: recordsWithIds(1, 2), next: "$api/rows?p=2" },
      "/rows?p=2": { data: [{ no: 1 }], results: recordsWithIds(3, 4), next: null },
    },
    requests: ["/rows", "/rows?p=2"],
    records: recordsWithIds(1, 4),
  },

  // Selectors.
  selectorRow("names a member", "data", { other: [{ no: 1 }], data: ab }, ab),
  selectorRow("names a member of a member", "data.items", { data: { items: ab, no: [] } }, ab),
  selectorRow("items[*] is each element", "items[*]", { items: ab }, ab),
  selectorRow(
    "groups[*].members[*] joins the lists",
    "groups[*].members[*]",
    { groups: [{ members: recordsWithIds(1, 2) }, { members: recordsWithIds(3, 4) }] },
    recordsWithIds(1, 4),
  ),
  selectorRow(
    "several matches are the records",
    "data[*].user",
    { data: [{ user: { id: 1 } }, { user: { id: 2 } }] },
    recordsWithIds(1, 2),
  ),
  selectorRow("$ is the whole body: a list", "$", ab, ab),
  selectorRow("$ is the whole body: an object", "$", { id: 1, tags: ab }, [{ id: 1, tags: ab }]),
  selectorRow("may begin with $.", "$.data", { data: ab }, ab),
  selectorRow("takes [*] of a body that is a list", "[*]", ab, ab),
  selectorRow("takes $[*] of a body that is a list", "$[*]", ab, ab),
  selectorRow(
    "$[*].node takes a member of each",
    "$[*].node",
    [{ node: { id: 1 } }],
    recordsWithIds(1, 1),
  ),
  selectorRow("reads names with hyphens", "many-results", { "many-results": ab }, ab),
  selectorRow("reads names with underscores and digits", "v2_rows", { v2_rows: ab }, ab),
  selectorRow("reads names in single quotes", "['@odata.value']", { "@odata.value": ab }, ab),
  selectorRow("reads names in double quotes", '["a.b"]', { "a.b": ab }, ab),
  selectorRow("reads quoted names behind others", "d['x y'].z", { d: { "x y": { z: ab } } }, ab),
  selectorRow("takes an element by its index", "pages[0].rows", { pages: [{ rows: ab }] }, ab),
  selectorRow("takes the last element by [-1]", "pages[-1]", { pages: [[{ no: 1 }], ab] }, ab),
  selectorRow("an object is one record", "data", { data: { id: 7 } }, [{ id: 7 }]),
  selectorRow(
    "an index on the list is one record",
    "data[-1]",
    { data: recordsWithIds(1, 3) },
    recordsWithIds(3, 3),
  ),
  selectorRow(
    "a filter keeps elements with true",
    "data[?(@.active==true)]",
    { data: [{ id: 1, active: true }, { id: 2, active: false }, { id: 3 }] },
    [{ id: 1, active: true }],
  ),
  selectorRow(
    "a filter keeps elements with a string",
    "data[?(@.kind=='b')]",
    { data: [{ kind: "a" }, { kind: "b" }] },
    [{ kind: "b" }],
  ),
  selectorRow(
    "a filter keeps elements with a number",
    "data[?(@.n==2)]",
    { data: [{ n: 1 }, { n: 2 }] },
    [{ n: 2 }],
  ),
  selectorRow(
    "a filter may be followed by a member",
    "data[?(@.kind=='b')].rows[*]",
    {
      data: [
        { kind: "a", rows: [{ no: 1 }] },
        { kind: "b", rows: ab },
      ],
    },
    ab,
  ),
  selectorRow(
    "a filter that keeps nothing is an empty page",
    "data[?(@.k=='z')]",
    { data: ab },
    [],
  ),
  selectorRow("[*] of an empty list is an empty page", "data[*]", { data: [] }, []),
  selectorRow("a list that is empty is an empty page", "data", { data: [] }, []),
  selectorRow("goes before the usual names", "tags", { data: [{ no: 1 }], tags: ab }, ab),
  {
    name: "better than dlt: a selector that ends at lists gives their elements",
    routes: {
      "/rows": { groups: [{ members: recordsWithIds(1, 2) }, { members: recordsWithIds(3, 4) }] },
    },
    endpoint: { data_selector: "groups[*].members", paginator: "single_page" },
    records: recordsWithIds(1, 4),
  },

  // No data has to be proved.
  failureRow(
    "better than dlt: a selector that matches nothing fails and names the keys that exist",
    { datas: ab, count: 2 },
    ["extract.selector", 'nothing at data_selector "data"', "the body has: datas, count"],
    { data_selector: "data" },
  ),
  selectorRow("null under the list's name is an empty page", "data", { data: null }, []),
  failureRow(
    "better than dlt: null on the way to the list fails",
    { data: null },
    ["extract.selector", '"data" is null'],
    { data_selector: "data.items" },
  ),
  failureRow(
    "better than dlt: the error for a selector that ends half-way names the part that matches",
    { data: { rows: ab } },
    ["extract.selector", '"data" has: rows'],
    { data_selector: "data.items" },
  ),
  failureRow(
    "better than dlt: a name on a list fails",
    ab,
    ["extract.selector", "the body is a list of 2"],
    { data_selector: "data" },
  ),
  {
    name: "better than dlt: a later page without the selected member fails",
    routes: {
      "/rows": { data: recordsWithIds(1, 2), next: "$api/rows?p=2" },
      "/rows?p=2": { error: "overloaded" },
    },
    endpoint: { data_selector: "data", paginator: "json_link" },
    fails: ["extract.selector", "the body has: error"],
    records: recordsWithIds(1, 2),
  },
  {
    name: "better than dlt: 204 is an empty page",
    routes: { "/rows": replyWith(204) },
    requests: ["/rows"],
    records: [],
  },
  {
    name: "better than dlt: 204 ends the pages",
    routes: { "/rows": answerInTurn({ data: recordsWithIds(1, 2) }, replyWith(204)) },
    endpoint: { paginator: { type: "offset", limit: 2 } },
    requests: ["/rows?offset=0&limit=2", "/rows?offset=2&limit=2"],
    records: recordsWithIds(1, 2),
  },
  failureRow("better than dlt: an HTML page with the status 200 fails", replyWith(200, "<html>"), [
    "extract.body",
    "not JSON",
    "base_url",
  ]),
  failureRow("an empty body with the status 200 fails", replyWith(200, ""), [
    "extract.body",
    "an empty body",
  ]),
  failureRow(
    "JSON that ends early fails after its attempts",
    replyWith(200, '{"data":[{"id":1}', json),
    ["extract.body", "ended early"],
    { error_handler: { max_retries: 1, backoff_factor: 0.01 } },
  ),
  {
    name: "better than dlt: records that are not objects are set aside and counted",
    routes: { "/rows": { data: [...recordsWithIds(1, 9), "x"] } },
    report: { records: 10, written: 9, quarantined: 1 },
    records: recordsWithIds(1, 9),
  },
  {
    name: "better than dlt: a page of scalars is set aside with its reasons",
    routes: { "/rows": { data: ["a", 1] } },
    report: { records: 2, written: 0, quarantined: 2 },
    records: [],
  },

  // Values of records.
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
  selectionRow(
    "null stays null, and an absent member stays absent",
    [{ a: null }, { b: 1 }],
    [{ a: null }, { b: 1 }],
  ),
  selectionRow(
    "names and nesting are kept as they are",
    [{ createdAt: 1, "a-b": { C: [] } }],
    [{ createdAt: 1, "a-b": { C: [] } }],
  ),
  selectionRow(
    "strings stay strings, also those with digits, dates and none",
    [{ a: "12", b: "2024-01-01", c: "" }],
    [{ a: "12", b: "2024-01-01", c: "" }],
  ),
  selectionRow(
    "true and false stay what they are",
    [{ a: true, b: false }],
    [{ a: true, b: false }],
  ),
  selectionRow(
    "strings may have any language and emoji",
    [{ a: "Grüße, 東京 🚲" }],
    [{ a: "Grüße, 東京 🚲" }],
  ),
  selectionRow(
    "members may be named like methods of every object",
    [{ constructor: 1, toString: "x" }],
    [{ constructor: 1, toString: "x" }],
  ),
  {
    name: "the real command writes the same rows",
    spawned: true,
    routes: { "/rows": { data: ab } },
    requests: ["/rows"],
    records: ab,
  },
]);
