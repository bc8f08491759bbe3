import { expect } from "vitest";
import { answerInTurn, recordsWithIds } from "./api.ts";
import { conformance } from "./conformance.ts";
import type { Row } from "./rows.ts";

const a1 = { id: "a", v: 1 };
const a2 = { id: "a", v: 2 };
const b1 = { id: "b", v: 1 };
const c1 = { id: "c", v: 1 };

/** A first run that reads `first`, a second that reads `second`, and the table behind it. */
const writeRow = (
  name: string,
  resource: object,
  [first, second]: [object[], object[]?],
  records: (object | string)[],
  changes: Partial<Row> = {},
): Row => ({
  name,
  routes: { "/rows": first },
  resource,
  ...(second ? { next: [{ routes: { "/rows": second }, records }] } : { records }),
  ...changes,
});

const keyed = { primary_key: "id" };
const merge = { ...keyed, write_disposition: "merge" };
const replace = { ...keyed, write_disposition: "replace" };

const rows: Row[] = [
  writeRow("the default without a key is append", {}, [[a1], [a1, b1]], [a1, a1, b1]),
  writeRow("other than dlt: the default with a key is merge", keyed, [[a1], [a2, b1]], [a2, b1]),
  writeRow(
    "append keeps all records, also those with the same key",
    { ...keyed, write_disposition: "append" },
    [[a1], [a2]],
    [a1, a2],
  ),
  writeRow("append keeps equal records", { write_disposition: "append" }, [[a1, a1]], [a1, a1]),
  writeRow("merge: the last record of a key is kept", merge, [[a1, a2, b1]], [a2, b1], {
    report: { records: 3, written: 2, superseded: 1 },
  }),
  writeRow("merge: the last record of a key on any page is kept", merge, [[]], [a2, b1], {
    routes: { "/rows": answerInTurn({ data: [a1, b1], next: "?p=2" }, { data: [a2] }) },
  }),
  writeRow(
    "merge replaces whole records, so absent fields vanish",
    merge,
    [[{ id: "a", v: 1, w: 2 }], [{ id: "a", x: 3 }]],
    [{ id: "a", x: 3 }],
  ),
  writeRow("merge keeps rows that the API no longer shows", merge, [[a1, b1], [b1]], [a1, b1]),
  writeRow(
    "merge may be written in its long form",
    { ...keyed, write_disposition: { disposition: "merge" } },
    [[a1], [a2]],
    [a2],
  ),
  ...["delete-insert", "upsert"].map((strategy) =>
    writeRow(
      `merge by ${strategy}`,
      { ...keyed, write_disposition: { disposition: "merge", strategy } },
      [[a1, b1], [a2]],
      [a2, b1],
    ),
  ),
  writeRow(
    "merge by insert-only leaves existing rows as they are",
    { ...keyed, write_disposition: { disposition: "merge", strategy: "insert-only" } },
    [[a1], [a2, b1]],
    [a1, b1],
  ),
  writeRow(
    "deduplicated is accepted",
    {
      ...keyed,
      write_disposition: { disposition: "merge", strategy: "delete-insert", deduplicated: true },
    },
    [[a1], [a2]],
    [a2],
  ),
  writeRow(
    "replace leaves the rows that the last run has seen",
    replace,
    [
      [a1, b1, c1],
      [a2, b1],
    ],
    [a2, b1],
  ),
  ...["truncate-and-insert", "insert-from-staging", "staging-optimized"].map((strategy) =>
    writeRow(
      `replace by ${strategy}`,
      { ...keyed, write_disposition: { disposition: "replace", strategy } },
      [
        [a1, b1, c1],
        [a2, b1],
      ],
      [a2, b1],
    ),
  ),
  writeRow(
    "replace works without a key",
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
  writeRow(
    "better than dlt: replace deletes nothing after an empty answer",
    replace,
    [[a1]],
    [a1],
    {
      next: [
        {
          routes: { "/rows": [] },
          fails: ["load.sweep_refused", "nothing was deleted"],
          records: [a1],
        },
      ],
    },
  ),
  writeRow(
    "better than dlt: replace does not delete more rows than stay",
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
  writeRow(
    "allow_shrink allows both deletions",
    { ...replace, allow_shrink: true },
    [[a1, b1, c1], []],
    [],
  ),
  writeRow(
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
  writeRow("skip without children makes no request", { write_disposition: "skip" }, [[a1]], [], {
    requests: [],
  }),
  writeRow("selected false without children makes no request", { selected: false }, [[a1]], [], {
    requests: [],
  }),
  writeRow(
    "--full-refresh of a merge removes rows that the API no longer has",
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
  writeRow("--full-refresh of an append asks before it starts", {}, [[a1]], [a1], {
    next: [{ args: ["--full-refresh"], problems: [["--full-refresh", "appends"]] }],
  }),

  // Keys
  writeRow(
    "a key without a declared type is a string",
    keyed,
    [[{ id: 7, v: 7 }]],
    [{ id: "7", v: 7 }],
  ),
  ...[
    ["bigint", 7],
    ["decimal", 7],
    ["double", 7],
  ].map(([data_type]) =>
    writeRow(
      `a key that is declared ${data_type} is a number`,
      { ...keyed, columns: { id: { data_type } } },
      [[{ id: 7 }], [{ id: "7", v: 2 }]],
      [{ id: 7, v: 2 }],
    ),
  ),
  writeRow(
    '7 and "7" are the same key',
    keyed,
    [[{ id: 7, v: 1 }], [{ id: "7", v: 2 }]],
    [{ id: "7", v: 2 }],
  ),
  writeRow("large keys are exact", keyed, [[]], ['{"id":"9007199254740993"}'], {
    routes: {
      "/rows": () => ({
        body: '[{"id":9007199254740993}]',
        headers: { "content-type": "application/json" },
      }),
    },
  }),
  writeRow(
    "two fields may be one key",
    { primary_key: ["id", "v"] },
    [[a1, a2], [{ ...a1, w: 1 }]],
    [
      { id: "a", v: "1", w: 1 },
      { id: "a", v: "2" },
    ],
  ),
  writeRow(
    "three fields may be one key",
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
  writeRow(
    "primary_key may be declared in columns",
    { columns: { id: { primary_key: true } } },
    [[a1], [a2]],
    [a2],
  ),
  ...[
    ["absent", {}],
    ["null", { id: null }],
    ["empty", { id: "" }],
    ["an object", { id: {} }],
  ].map(([problem, invalidRecord]) =>
    writeRow(
      `better than dlt: a record whose key is ${problem} is set aside, the others stay`,
      keyed,
      [[a1, b1, invalidRecord as object]],
      [a1, b1],
      {
        report: { records: 3, written: 2, quarantined: 1 },
      },
    ),
  ),
  writeRow(
    "table_name names the table",
    { name: "rows", table_name: "other-rows", ...keyed },
    [[a1]],
    [a1],
    {
      report: { resource: "rows", table: expect.stringMatching(/\.other-rows$/) },
    },
  ),

  // Hints
  writeRow(
    "hard_delete: a record with true deletes its row",
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
  writeRow(
    "hard_delete: any value of another type deletes the row, null does not",
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
  writeRow(
    "dedup_sort desc keeps the greatest of a page",
    { ...merge, columns: { v: { dedup_sort: "desc" } } },
    [[a2, a1]],
    [a2],
  ),
  writeRow(
    "dedup_sort asc keeps the least of a page",
    { ...merge, columns: { v: { dedup_sort: "asc" } } },
    [[a1, a2]],
    [a1],
  ),
  writeRow(
    "other than dlt: dedup_sort sorts one page, and of two pages the later one is kept",
    { ...merge, columns: { v: { dedup_sort: "desc" } } },
    [[]],
    [a1, b1],
    {
      routes: { "/rows": answerInTurn({ data: [a2, b1], next: "?p=2" }, { data: [a1] }) },
    },
  ),
  writeRow(
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
    writeRow(
      `${key} is accepted and has no effect`,
      { [key]: key === "parallelized" ? true : key === "max_table_nesting" ? 0 : "x" },
      [[{ a: { b: [1] } }]],
      [{ a: { b: [1] } }],
      {
        says: [`${key}: means nothing`],
      },
    ),
  ),
  writeRow(
    "schema_contract evolve is accepted",
    { schema_contract: "evolve" },
    [[a1], [{ id: "b", w: true }]],
    [a1, { id: "b", w: true }],
  ),
  {
    name: "each resource has records of its own",
    routes: { "/a": recordsWithIds(1, 1), "/b": recordsWithIds(1, 2) },
    resource_defaults: { primary_key: "id" },
    resources: ["a", { name: "b", write_disposition: "append" }],
    records: { a: [{ id: "1" }], b: recordsWithIds(1, 2) },
  },
];

conformance("write dispositions", rows);
