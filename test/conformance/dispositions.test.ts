import { expect } from "vitest";
import { ids, inTurn } from "./api.ts";
import { conformance } from "./conformance.ts";
import type { Row } from "./rows.ts";

const a1 = { id: "a", v: 1 };
const a2 = { id: "a", v: 2 };
const b1 = { id: "b", v: 1 };
const c1 = { id: "c", v: 1 };

/** A first run that reads `first`, a second that reads `second`, and the table behind it. */
const writes = (
  name: string,
  resource: object,
  [first, second]: [object[], object[]?],
  records: (object | string)[],
  more: Partial<Row> = {},
): Row => ({
  name,
  routes: { "/rows": first },
  resource,
  ...(second ? { next: [{ routes: { "/rows": second }, records }] } : { records }),
  ...more,
});

const keyed = { primary_key: "id" };
const merge = { ...keyed, write_disposition: "merge" };
const replace = { ...keyed, write_disposition: "replace" };

const rows: Row[] = [
  writes("without a key the default is append", {}, [[a1], [a1, b1]], [a1, a1, b1]),
  writes("other than dlt: with a key the default is merge", keyed, [[a1], [a2, b1]], [a2, b1]),
  writes(
    "append keeps all, also of one key",
    { ...keyed, write_disposition: "append" },
    [[a1], [a2]],
    [a1, a2],
  ),
  writes(
    "append keeps records that are equal",
    { write_disposition: "append" },
    [[a1, a1]],
    [a1, a1],
  ),
  writes("merge: the last one of a key counts", merge, [[a1, a2, b1]], [a2, b1], {
    report: { records: 3, written: 2, superseded: 1 },
  }),
  writes("merge: over the pages, too", merge, [[]], [a2, b1], {
    routes: { "/rows": inTurn({ data: [a1, b1], next: "?p=2" }, { data: [a2] }) },
  }),
  writes(
    "merge puts whole records: absent fields vanish",
    merge,
    [[{ id: "a", v: 1, w: 2 }], [{ id: "a", x: 3 }]],
    [{ id: "a", x: 3 }],
  ),
  writes("merge keeps what the API shows no longer", merge, [[a1, b1], [b1]], [a1, b1]),
  writes(
    "merge in its long form",
    { ...keyed, write_disposition: { disposition: "merge" } },
    [[a1], [a2]],
    [a2],
  ),
  ...["delete-insert", "upsert"].map((strategy) =>
    writes(
      `merge by ${strategy}`,
      { ...keyed, write_disposition: { disposition: "merge", strategy } },
      [[a1, b1], [a2]],
      [a2, b1],
    ),
  ),
  writes(
    "merge by insert-only leaves what is there",
    { ...keyed, write_disposition: { disposition: "merge", strategy: "insert-only" } },
    [[a1], [a2, b1]],
    [a1, b1],
  ),
  writes(
    "deduplicated is accepted",
    {
      ...keyed,
      write_disposition: { disposition: "merge", strategy: "delete-insert", deduplicated: true },
    },
    [[a1], [a2]],
    [a2],
  ),
  writes(
    "replace leaves what the last run saw",
    replace,
    [
      [a1, b1, c1],
      [a2, b1],
    ],
    [a2, b1],
  ),
  ...["truncate-and-insert", "insert-from-staging", "staging-optimized"].map((strategy) =>
    writes(
      `replace by ${strategy}`,
      { ...keyed, write_disposition: { disposition: "replace", strategy } },
      [
        [a1, b1, c1],
        [a2, b1],
      ],
      [a2, b1],
    ),
  ),
  writes(
    "replace without a key",
    { write_disposition: "replace" },
    [
      [a1, b1],
      [a2, b1],
    ],
    [a2, b1],
    {
      resource: { write_disposition: "replace", allow_shrink: true },
    },
  ),
  writes("better than dlt: replace by an empty answer deletes nothing", replace, [[a1]], [a1], {
    next: [
      {
        routes: { "/rows": [] },
        fails: ["load.sweep_refused", "nothing was deleted"],
        records: [a1],
      },
    ],
  }),
  writes(
    "better than dlt: replace does not delete more than it leaves",
    replace,
    [[a1, b1, c1]],
    [a1, b1, c1],
    {
      next: [
        {
          routes: { "/rows": [a1] },
          fails: ["load.sweep_refused", "2 of 3 rows"],
          records: [a1, b1, c1],
        },
      ],
    },
  ),
  writes("allow_shrink allows both", { ...replace, allow_shrink: true }, [[a1, b1, c1], []], []),
  writes(
    "better than dlt: a replace that fails half way deletes nothing",
    replace,
    [[a1, b1]],
    [a1, b1],
    {
      next: [
        {
          routes: { "/rows": { data: [c1], next: "$api/gone" } },
          fails: ["extract.status"],
          records: [a1, b1, c1],
        },
      ],
    },
  ),
  writes("skip without children asks for nothing", { write_disposition: "skip" }, [[a1]], [], {
    requests: [],
  }),
  writes("selected false without children asks for nothing", { selected: false }, [[a1]], [], {
    requests: [],
  }),
  writes(
    "--full-refresh of a merge removes what is not there any more",
    merge,
    [[a1, b1, c1]],
    [a1, b1, c1],
    {
      next: [
        {
          args: ["--full-refresh"],
          routes: { "/rows": [a2, b1] },
          records: [a2, b1],
          report: { deleted: 1 },
        },
      ],
    },
  ),
  writes("--full-refresh of an append asks first", {}, [[a1]], [a1], {
    next: [{ args: ["--full-refresh"], problems: [["--full-refresh", "appends"]] }],
  }),

  // Keys
  writes(
    "a key is text where nothing is declared",
    keyed,
    [[{ id: 7, v: 7 }]],
    [{ id: "7", v: 7 }],
  ),
  ...[
    ["bigint", 7],
    ["decimal", 7],
    ["double", 7],
  ].map(([data_type]) =>
    writes(
      `a key that is declared ${data_type} is a number`,
      { ...keyed, columns: { id: { data_type } } },
      [[{ id: 7 }], [{ id: "7", v: 2 }]],
      [{ id: 7, v: 2 }],
    ),
  ),
  writes(
    '7 and "7" are one key',
    keyed,
    [[{ id: 7, v: 1 }], [{ id: "7", v: 2 }]],
    [{ id: "7", v: 2 }],
  ),
  writes("large keys are exact", keyed, [[]], ['{"id":"9007199254740993"}'], {
    routes: {
      "/rows": () => ({
        body: '[{"id":9007199254740993}]',
        headers: { "content-type": "application/json" },
      }),
    },
  }),
  writes(
    "two fields are one key",
    { primary_key: ["id", "v"] },
    [[a1, a2], [{ ...a1, w: 1 }]],
    [
      { id: "a", v: "1", w: 1 },
      { id: "a", v: "2" },
    ],
  ),
  writes(
    "three fields are one key",
    { primary_key: ["id", "v", "w"] },
    [
      [
        { id: "a", v: "b-c", w: "d" },
        { id: "a", v: "b", w: "c-d" },
      ],
    ],
    [
      { id: "a", v: "b-c", w: "d", _key: '["b-c","d"]' },
      { id: "a", v: "b", w: "c-d", _key: '["b","c-d"]' },
    ],
  ),
  writes("primary_key in columns", { columns: { id: { primary_key: true } } }, [[a1], [a2]], [a2]),
  ...[
    ["absent", {}],
    ["null", { id: null }],
    ["empty", { id: "" }],
    ["an object", { id: {} }],
  ].map(([what, bad]) =>
    writes(
      `better than dlt: a record whose key is ${what} is set aside, the others stay`,
      keyed,
      [[a1, b1, bad as object]],
      [a1, b1],
      {
        report: { records: 3, written: 2, quarantined: 1 },
      },
    ),
  ),
  writes(
    "table_name names the table",
    { name: "rows", table_name: "other-rows", ...keyed },
    [[a1]],
    [a1],
    {
      report: { resource: "rows", table: expect.stringMatching(/\.other-rows$/) },
    },
  ),

  // Hints
  writes(
    "hard_delete: a record that says true deletes its row",
    { ...merge, columns: { gone: { hard_delete: true } } },
    [
      [a1, b1],
      [
        { id: "a", gone: true },
        { ...b1, gone: false },
      ],
    ],
    [{ ...b1, gone: false }],
  ),
  writes(
    "hard_delete: any value of another type deletes, null does not",
    { ...merge, columns: { gone: { hard_delete: true } } },
    [
      [a1, b1],
      [
        { id: "a", gone: "2024-01-01" },
        { ...b1, gone: null },
      ],
    ],
    [{ ...b1, gone: null }],
  ),
  writes(
    "dedup_sort desc keeps the greatest of a page",
    { ...merge, columns: { v: { dedup_sort: "desc" } } },
    [[a2, a1]],
    [a2],
  ),
  writes(
    "dedup_sort asc keeps the least of a page",
    { ...merge, columns: { v: { dedup_sort: "asc" } } },
    [[a1, a2]],
    [a1],
  ),
  writes(
    "other than dlt: dedup_sort looks at a page; of two pages the later one read counts",
    { ...merge, columns: { v: { dedup_sort: "desc" } } },
    [[]],
    [a1, b1],
    {
      routes: { "/rows": inTurn({ data: [a2, b1], next: "?p=2" }, { data: [a1] }) },
    },
  ),
  writes(
    "better than dlt: write_mode ordered keeps the newer row",
    {
      ...merge,
      write_mode: "ordered",
      version_field: "v",
      columns: { v: { data_type: "bigint" } },
    },
    [[a2], [a1, b1]],
    [a2, b1],
  ),
  ...[
    "max_table_nesting",
    "file_format",
    "table_format",
    "references",
    "nested_hints",
    "parallelized",
  ].map((key) =>
    writes(
      `${key} is accepted and has no effect`,
      { [key]: key === "parallelized" ? true : key === "max_table_nesting" ? 0 : "x" },
      [[{ a: { b: [1] } }]],
      [{ a: { b: [1] } }],
      {
        says: [`${key}: means nothing`],
      },
    ),
  ),
  writes(
    "schema_contract evolve is accepted",
    { schema_contract: "evolve" },
    [[a1], [{ id: "b", w: true }]],
    [a1, { id: "b", w: true }],
  ),
  {
    name: "records stay apart by resource",
    routes: { "/a": ids(1, 1), "/b": ids(1, 2) },
    resource_defaults: { primary_key: "id" },
    resources: ["a", { name: "b", write_disposition: "append" }],
    records: { a: [{ id: "1" }], b: ids(1, 2) },
  },
];

conformance("write dispositions", rows);
