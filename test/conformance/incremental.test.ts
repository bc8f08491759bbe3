import type { ApiRequest } from "../support/api.ts";
import { answerInTurn, recordsWithIds, replyWith, withHeaders } from "./api.ts";
import { conformance } from "./conformance.ts";
import type { Row, Run } from "./rows.ts";

const timeOfDay = (n: number) => `2024-01-0${n}T00:00:00Z`;
const recordsOfDays = (...days: number[]) => days.map((n) => ({ id: n, at: timeOfDay(n) }));
const itemsOfDays = (...days: number[]) => days.map((n) => ({ id: String(n), at: timeOfDay(n) }));

/** One page; `id` is the key, so that what is read twice is there once. */
const sinceRow = (name: string, incremental: object, outcome: Partial<Row>): Row => ({
  name,
  routes: { "/rows": recordsOfDays(1, 2, 3) },
  resource: { primary_key: "id" },
  endpoint: { incremental: { cursor_path: "at", ...incremental } },
  ...outcome,
});

const cursorAfter = (value: unknown) => ({ cursor: { after: value } });

const starts: Row[] = [
  sinceRow(
    "the first run without a start value leaves the parameter out",
    { start_param: "since" },
    {
      requests: ["/rows"],
      records: itemsOfDays(1, 2, 3),
      report: { cursor: { before: null, after: timeOfDay(3) } },
    },
  ),
  sinceRow(
    "initial_value is the first start, and rows before it are dropped",
    { start_param: "since", initial_value: timeOfDay(2) },
    {
      requests: [`/rows?since=${timeOfDay(2)}`],
      records: itemsOfDays(2, 3),
    },
  ),
  sinceRow(
    "the next run starts at the greatest value",
    { start_param: "since", initial_value: timeOfDay(1) },
    {
      next: [
        {
          routes: { "/rows": recordsOfDays(3, 4) },
          requests: [`/rows?since=${timeOfDay(3)}`],
          records: itemsOfDays(1, 2, 3, 4),
          report: { cursor: { before: timeOfDay(3), after: timeOfDay(4) } },
        },
        { requests: [`/rows?since=${timeOfDay(4)}`] },
      ],
    },
  ),
  sinceRow(
    "the order of the records does not matter",
    { start_param: "since" },
    {
      routes: { "/rows": recordsOfDays(3, 1, 2) },
      report: cursorAfter(timeOfDay(3)),
    },
  ),
  sinceRow(
    "rows before the start are dropped, whatever the API sends",
    { start_param: "since" },
    {
      next: [
        {
          routes: { "/rows": recordsOfDays(1, 2, 3, 4) },
          report: { records: 2 },
          requests: [`/rows?since=${timeOfDay(3)}`],
        },
      ],
    },
  ),
  sinceRow(
    "a failed run does not move the cursor",
    { start_param: "since", initial_value: timeOfDay(1) },
    {
      routes: { "/rows": { data: recordsOfDays(1, 2), next: "?p=2" }, "/rows?p=2": replyWith(404) },
      fails: ["extract.status"],
      report: { cursor: { before: null, after: null } },
      next: [
        {
          routes: { "/rows": recordsOfDays(1, 2) },
          report: { cursor: { before: null, after: timeOfDay(2) } },
        },
      ],
    },
  ),
  sinceRow(
    "an empty run does not move the cursor",
    { start_param: "since", initial_value: timeOfDay(1) },
    {
      next: [
        {
          routes: { "/rows": [] },
          report: { records: 0, cursor: { before: timeOfDay(3), after: timeOfDay(3) } },
        },
      ],
    },
  ),
  sinceRow(
    "a cursor does not move back",
    { start_param: "since" },
    {
      next: [
        {
          routes: { "/rows": recordsOfDays(1) },
          report: { records: 0, ...cursorAfter(timeOfDay(3)) },
        },
      ],
    },
  ),
  sinceRow(
    "--full-refresh starts without a cursor",
    { start_param: "since" },
    {
      next: [{ args: ["--full-refresh"], requests: ["/rows"], report: cursorAfter(timeOfDay(3)) }],
    },
  ),
  sinceRow(
    "--limit-pages commits no cursor",
    { start_param: "since" },
    {
      args: ["--limit-pages", "1"],
      next: [{ requests: ["/rows"] }],
    },
  ),
  sinceRow(
    "cursor_path may be a path",
    { cursor_path: "meta.at", start_param: "since" },
    {
      routes: { "/rows": [{ id: 1, meta: { at: timeOfDay(1) } }] },
      report: cursorAfter(timeOfDay(1)),
      next: [{ requests: [`/rows?since=${timeOfDay(1)}`] }],
    },
  ),
  sinceRow(
    "another cursor_path starts anew",
    { start_param: "since" },
    {
      routes: { "/rows": [{ id: 1, at: timeOfDay(1), no: 7 }] },
      next: [
        {
          endpoint: { incremental: { cursor_path: "no", start_param: "after" } },
          requests: ["/rows"],
          report: { cursor: { before: null, after: 7 } },
        },
      ],
    },
  ),
  sinceRow(
    "a cursor may be a number",
    { cursor_path: "id", start_param: "after", initial_value: 2 },
    {
      routes: { "/rows": recordsWithIds(1, 3) },
      requests: ["/rows?after=2"],
      records: [{ id: "2" }, { id: "3" }],
      report: cursorAfter(3),
    },
  ),
  sinceRow(
    "better than dlt: a cursor that is a large number is exact",
    { cursor_path: "no", start_param: "after" },
    {
      routes: {
        "/rows": withHeaders(
          { "content-type": "application/json" },
          '[{"id":1,"no":9007199254740993}]',
        ),
      },
      report: cursorAfter("9007199254740993"),
      next: [{ requests: ["/rows?after=9007199254740993"] }],
    },
  ),
  sinceRow(
    "a cursor may be a date",
    { start_param: "since" },
    {
      routes: { "/rows": [{ id: 1, at: "2024-01-05" }] },
      next: [{ requests: ["/rows?since=2024-01-05"] }],
    },
  ),
  sinceRow(
    "a cursor may be a string",
    { start_param: "since" },
    {
      routes: {
        "/rows": [
          { id: 1, at: "b" },
          { id: 2, at: "a" },
        ],
      },
      report: cursorAfter("b"),
    },
  ),
  sinceRow(
    "better than dlt: strings of digits are compared as numbers",
    { start_param: "since" },
    {
      routes: {
        "/rows": [
          { id: 1, at: "9" },
          { id: 2, at: "10" },
        ],
      },
      report: cursorAfter("10"),
    },
  ),
  sinceRow(
    "an initial_value of another type than the rows' is an error",
    { cursor_path: "id", initial_value: "a" },
    {
      fails: ["extract.cursor", "a number at cursor_path"],
    },
  ),
  sinceRow(
    "without a parameter everything is read, and a warning says so",
    { initial_value: timeOfDay(2) },
    {
      requests: ["/rows"],
      records: itemsOfDays(2, 3),
      says: ["no request says where to start"],
    },
  ),
  sinceRow(
    "better than dlt: a changed initial_value has no effect on a cursor, and it says so",
    { start_param: "since", initial_value: timeOfDay(2) },
    {
      next: [
        {
          endpoint: {
            incremental: { cursor_path: "at", start_param: "since", initial_value: timeOfDay(1) },
          },
          requests: [`/rows?since=${timeOfDay(3)}`],
          says: [`initial_value is ${timeOfDay(1)} now`],
        },
      ],
    },
  ),
  sinceRow(
    "better than dlt: a time goes no further than the API's own clock",
    { start_param: "since" },
    {
      routes: {
        "/rows": withHeaders({ date: "Tue, 02 Jan 2024 12:00:00 GMT" }, recordsOfDays(1, 2, 3)),
      },
      records: itemsOfDays(1, 2, 3),
      report: cursorAfter("2024-01-02T12:00:00Z"),
    },
  ),
];

const places: Row[] = [
  sinceRow(
    "{incremental.start_value} fills a parameter",
    { initial_value: timeOfDay(2) },
    {
      endpoint: {
        incremental: { cursor_path: "at", initial_value: timeOfDay(2) },
        params: { since: "{incremental.start_value}" },
      },
      requests: [`/rows?since=${timeOfDay(2)}`],
      next: [{ requests: [`/rows?since=${timeOfDay(3)}`] }],
    },
  ),
  sinceRow(
    "{incremental.start_value} may be a part of a parameter",
    {},
    {
      endpoint: {
        incremental: { cursor_path: "at", initial_value: timeOfDay(2) },
        params: { q: "at>={incremental.start_value}" },
      },
      requests: [`/rows?q=at>=${timeOfDay(2)}`],
    },
  ),
  sinceRow(
    "a parameter without a start value is left out",
    {},
    {
      endpoint: {
        incremental: { cursor_path: "at" },
        params: { q: "at>={incremental.start_value}", n: 1 },
      },
      requests: ["/rows?n=1"],
    },
  ),
  sinceRow(
    "{incremental.start_value} keeps its type in the JSON body",
    {},
    {
      routes: { "POST /rows": recordsWithIds(1, 3) },
      endpoint: {
        method: "POST",
        incremental: { cursor_path: "id", initial_value: 2 },
        json: { from: "{incremental.start_value}", text: "id {incremental.start_value}" },
      },
      requests: [["POST /rows", { json: { from: 2, text: "id 2" } }]],
      next: [{ requests: [["POST /rows", { json: { from: 3, text: "id 3" } }]] }],
    },
  ),
  sinceRow(
    "{incremental.start_value} may be in headers",
    {},
    {
      endpoint: {
        incremental: { cursor_path: "at", initial_value: timeOfDay(1) },
        headers: { "x-since": "{incremental.start_value}" },
      },
      headers: { "x-since": timeOfDay(1) },
    },
  ),
  sinceRow(
    "{incremental.start_value} may be in a form",
    {},
    {
      routes: { "POST /rows": recordsOfDays(1, 2) },
      endpoint: {
        method: "POST",
        incremental: { cursor_path: "at", initial_value: timeOfDay(1) },
        data: { since: "{incremental.start_value}" },
      },
      requests: [["POST /rows", { form: { since: timeOfDay(1) } }]],
    },
  ),
  sinceRow(
    "{incremental.start_value} may be in the path, and does not make a single entity",
    {},
    {
      routes: { "/rows/2": recordsWithIds(2, 3) },
      endpoint: {
        path: "rows/{incremental.start_value}",
        incremental: { cursor_path: "id", initial_value: 2 },
      },
      requests: ["/rows/2"],
      records: [{ id: "2" }, { id: "3" }],
    },
  ),
  sinceRow(
    "placeholders may name initial_value, last_value and lag",
    {},
    {
      endpoint: {
        incremental: { cursor_path: "id", initial_value: 1, lag: 1 },
        params: {
          i: "{incremental.initial_value}",
          s: "{incremental.start_value}",
          l: "{incremental.last_value}",
          g: "{incremental.lag}",
        },
      },
      routes: { "/rows": recordsWithIds(1, 5) },
      requests: ["/rows?g=1&i=1&l=1&s=1"],
      next: [{ requests: ["/rows?g=1&i=1&l=5&s=4"] }],
    },
  ),
  sinceRow(
    "a parameter with type incremental is accepted as the older form",
    {},
    {
      endpoint: {
        params: { since: { type: "incremental", cursor_path: "at", initial_value: timeOfDay(2) } },
      },
      requests: [`/rows?since=${timeOfDay(2)}`],
      records: itemsOfDays(2, 3),
      next: [{ requests: [`/rows?since=${timeOfDay(3)}`] }],
    },
  ),
  sinceRow(
    "end_param and end_value define a window",
    { initial_value: timeOfDay(1), end_value: timeOfDay(3), start_param: "from", end_param: "to" },
    {
      requests: [`/rows?from=${timeOfDay(1)}&to=${timeOfDay(3)}`],
      records: itemsOfDays(1, 2),
    },
  ),
  sinceRow(
    "every page is requested with the start of the run",
    { start_param: "since", initial_value: timeOfDay(1) },
    {
      routes: {
        "/rows": answerInTurn({ data: recordsOfDays(3), c: "x" }, { data: recordsOfDays(2) }),
      },
      endpoint: {
        incremental: { cursor_path: "at", start_param: "since", initial_value: timeOfDay(1) },
        paginator: { type: "cursor", cursor_path: "c" },
      },
      requests: [`/rows?since=${timeOfDay(1)}`, `/rows?since=${timeOfDay(1)}&cursor=x`],
      report: cursorAfter(timeOfDay(3)),
    },
  ),
];

const options: Row[] = [
  sinceRow(
    "end_value makes a backfill that excludes its end and stores no cursor",
    { initial_value: timeOfDay(1), end_value: timeOfDay(3), start_param: "since" },
    {
      records: itemsOfDays(1, 2),
      report: { cursor: { before: null, after: null } },
      next: [{ requests: [`/rows?since=${timeOfDay(1)}`] }],
    },
  ),
  sinceRow(
    "range_end closed keeps rows at the end",
    { initial_value: timeOfDay(1), end_value: timeOfDay(2), range_end: "closed" },
    {
      records: itemsOfDays(1, 2),
    },
  ),
  sinceRow(
    "range_start closed keeps rows at the start",
    { initial_value: timeOfDay(2), start_param: "s" },
    { records: itemsOfDays(2, 3) },
  ),
  sinceRow(
    "range_start open drops rows at the start",
    { initial_value: timeOfDay(2), range_start: "open" },
    { records: itemsOfDays(3) },
  ),
  sinceRow(
    "last_value_func min moves the cursor down",
    { cursor_path: "id", last_value_func: "min", start_param: "before" },
    {
      routes: { "/rows": recordsWithIds(4, 6) },
      report: cursorAfter(4),
      next: [
        {
          routes: { "/rows": recordsWithIds(2, 5) },
          requests: ["/rows?before=4"],
          report: { records: 3, ...cursorAfter(2) },
        },
      ],
    },
  ),
  sinceRow(
    "last_value_func may be a function",
    {
      cursor_path: "id",
      last_value_func: (values: number[]) => Math.max(...values),
      start_param: "a",
    },
    {
      routes: { "/rows": recordsWithIds(1, 3) },
      report: cursorAfter(3),
    },
  ),
  sinceRow(
    "lag starts earlier: seconds of a time, in its format",
    { start_param: "since", lag: 3600 },
    {
      next: [{ requests: ["/rows?since=2024-01-02T23:00:00Z"] }],
    },
  ),
  sinceRow(
    "lag starts earlier: days of a date",
    { start_param: "since", lag: 2 },
    {
      routes: { "/rows": [{ id: 1, at: "2024-03-01" }] },
      next: [{ requests: ["/rows?since=2024-02-28"] }],
    },
  ),
  sinceRow(
    "lag starts earlier: units of a number",
    { cursor_path: "id", start_param: "after", lag: 10 },
    {
      routes: { "/rows": recordsWithIds(95, 100) },
      next: [{ requests: ["/rows?after=90"] }],
    },
  ),
  sinceRow(
    "lag does not go before initial_value",
    { cursor_path: "id", start_param: "after", lag: 10, initial_value: 95 },
    {
      routes: { "/rows": recordsWithIds(95, 100) },
      next: [{ requests: ["/rows?after=95"] }],
    },
  ),
  sinceRow(
    "lag goes up when last_value_func is min",
    { cursor_path: "id", start_param: "b", lag: 2, last_value_func: "min" },
    {
      routes: { "/rows": recordsWithIds(5, 6) },
      next: [{ requests: ["/rows?b=7"] }],
    },
  ),
  sinceRow(
    "lag does not move the stored value back",
    { cursor_path: "id", start_param: "after", lag: 10 },
    {
      routes: { "/rows": recordsWithIds(95, 100) },
      next: [
        {
          routes: { "/rows": recordsWithIds(92, 93) },
          report: { records: 2, ...cursorAfter(100) },
        },
      ],
    },
  ),
  sinceRow(
    "lag has no effect in a backfill",
    { cursor_path: "id", start_param: "after", lag: 1, initial_value: 2, end_value: 9 },
    {
      routes: { "/rows": recordsWithIds(1, 5) },
      requests: ["/rows?after=2"],
    },
  ),
  sinceRow(
    "row_order desc stops paging at the first row below the start",
    { start_param: "since", initial_value: timeOfDay(3), row_order: "desc" },
    {
      routes: {
        "/rows": answerInTurn(
          { data: recordsOfDays(5, 4, 3, 2), next: "?p=2" },
          { data: recordsOfDays(1) },
        ),
      },
      requests: [`/rows?since=${timeOfDay(3)}`],
      records: itemsOfDays(3, 4, 5),
    },
  ),
  sinceRow(
    "row_order asc stops paging at the end_value",
    { initial_value: timeOfDay(1), end_value: timeOfDay(3), row_order: "asc" },
    {
      routes: {
        "/rows": answerInTurn(
          { data: recordsOfDays(1, 2, 3), next: "?p=2" },
          { data: recordsOfDays(4) },
        ),
      },
      requests: ["/rows"],
      records: itemsOfDays(1, 2),
    },
  ),
  sinceRow(
    "without row_order paging continues",
    { initial_value: timeOfDay(3), start_param: "since" },
    {
      routes: {
        "/rows": answerInTurn(
          { data: recordsOfDays(5, 2), next: "?p=2" },
          { data: recordsOfDays(4) },
        ),
      },
      requests: [`/rows?since=${timeOfDay(3)}`, "/rows?p=2"],
      records: itemsOfDays(4, 5),
    },
  ),
  sinceRow(
    "a row without a cursor is an error",
    {},
    {
      routes: { "/rows": [{ id: 1, at: timeOfDay(1) }, { id: 2 }] },
      fails: ["extract.cursor", 'records[1] of the page has no value at cursor_path "at"'],
    },
  ),
  sinceRow(
    "a null counts as a missing cursor",
    {},
    {
      routes: { "/rows": [{ id: 2, at: null }] },
      fails: ["extract.cursor", "no value"],
    },
  ),
  sinceRow(
    "on_cursor_value_missing include keeps rows without a cursor",
    { on_cursor_value_missing: "include" },
    {
      routes: { "/rows": [{ id: 1, at: timeOfDay(1) }, { id: 2 }, { id: 3, at: null }] },
      records: [...itemsOfDays(1), { id: "2" }, { id: "3", at: null }],
      report: cursorAfter(timeOfDay(1)),
    },
  ),
  sinceRow(
    "on_cursor_value_missing exclude drops rows without a cursor",
    { on_cursor_value_missing: "exclude" },
    {
      routes: { "/rows": [{ id: 1, at: timeOfDay(1) }, { id: 2 }, { id: 3, at: null }] },
      records: itemsOfDays(1),
    },
  ),
  sinceRow(
    "convert changes the value that is sent, and not the stored cursor",
    { start_param: "since", initial_value: "2024-01-01T00:00:00Z", convert: "epoch_s" },
    {
      requests: ["/rows?since=1704067200"],
      report: cursorAfter(timeOfDay(3)),
      next: [{ requests: ["/rows?since=1704240000"] }],
    },
  ),
  ...[
    ["epoch_ms", "1704067200000"],
    ["iso_date", "2024-01-01"],
    ["iso_datetime", "2024-01-01T00:00:00.000Z"],
  ].map(([convert, sent]) =>
    sinceRow(
      `convert ${convert}`,
      { start_param: "since", initial_value: timeOfDay(1), convert },
      {
        requests: [`/rows?since=${sent}`],
      },
    ),
  ),
  sinceRow(
    "convert may be a function",
    { start_param: "since", initial_value: timeOfDay(1), convert: (at: string) => at.slice(0, 4) },
    {
      requests: ["/rows?since=2024"],
    },
  ),
  sinceRow(
    "transform is accepted as another name of convert",
    { start_param: "since", initial_value: timeOfDay(1), transform: "epoch_s" },
    {
      requests: ["/rows?since=1704067200"],
    },
  ),
  sinceRow(
    "end values are converted as well",
    {
      start_param: "f",
      end_param: "t",
      initial_value: timeOfDay(1),
      end_value: timeOfDay(2),
      convert: "epoch_s",
    },
    {
      requests: ["/rows?f=1704067200&t=1704153600"],
    },
  ),
  sinceRow(
    "allow_external_schedulers is accepted",
    { allow_external_schedulers: true, start_param: "s" },
    {
      says: ["has no effect"],
      records: itemsOfDays(1, 2, 3),
    },
  ),
  sinceRow(
    "better than dlt: step divides a backfill into windows",
    {
      cursor_path: "id",
      initial_value: 0,
      end_value: 5,
      step: 2,
      start_param: "from",
      end_param: "to",
    },
    {
      routes: {
        "/rows": ({ query }: ApiRequest) => ({
          body: recordsWithIds(Number(query.get("from")), Number(query.get("to")) - 1),
        }),
      },
      requests: ["/rows?from=0&to=2", "/rows?from=2&to=4", "/rows?from=4&to=5"],
      records: recordsWithIds(0, 4).map(({ id }) => ({ id: String(id) })),
    },
  ),
];

/** Appended rows are named by what they are, so that reading a record again never doubles it. */
const appendRow = (name: string, incremental: object, outcome: Partial<Row>): Row => ({
  ...sinceRow(name, { start_param: "since", ...incremental }, outcome),
  resource: { write_disposition: "append", ...outcome.resource },
});

const boundary: Row[] = [
  appendRow(
    "append: rows at the boundary are not stored twice",
    {},
    {
      next: [{ routes: { "/rows": recordsOfDays(3, 4) }, records: recordsOfDays(1, 2, 3, 4) }],
    },
  ),
  appendRow(
    "append: a new row at the boundary is stored",
    {},
    {
      next: [
        {
          routes: { "/rows": [...recordsOfDays(3), { id: 9, at: timeOfDay(3) }] },
          records: [...recordsOfDays(1, 2, 3), { id: 9, at: timeOfDay(3) }],
        },
      ],
    },
  ),
  appendRow(
    "append: a record at the boundary replaces the row with its primary_key and cursor value",
    {},
    {
      resource: { primary_key: "id" },
      next: [
        {
          routes: { "/rows": [{ id: 3, at: timeOfDay(3), v: 2 }] },
          records: [...recordsOfDays(1, 2), { id: 3, at: timeOfDay(3), v: 2 }],
        },
      ],
    },
  ),
  appendRow(
    "append: with a primary_key each cursor value of a record is a row",
    {},
    {
      resource: { primary_key: "id" },
      next: [
        {
          routes: { "/rows": [{ id: 3, at: timeOfDay(4) }] },
          records: [...recordsOfDays(1, 2, 3), { id: 3, at: timeOfDay(4) }],
        },
      ],
    },
  ),
  appendRow(
    "append: without a key a changed row at the boundary is stored again",
    {},
    {
      next: [
        {
          routes: { "/rows": [{ id: 3, at: timeOfDay(3), v: 2 }] },
          records: [...recordsOfDays(1, 2, 3), { id: 3, at: timeOfDay(3), v: 2 }],
        },
      ],
    },
  ),
  appendRow(
    "append: incremental.primary_key overrides the resource's primary_key",
    { primary_key: "no" },
    {
      routes: { "/rows": [{ id: 1, no: 1, at: timeOfDay(1) }] },
      resource: { primary_key: "id" },
      next: [
        {
          routes: { "/rows": [{ id: 1, no: 2, at: timeOfDay(1) }] },
          records: [1, 2].map((no) => ({ id: 1, no, at: timeOfDay(1) })),
        },
        {
          routes: { "/rows": [{ id: 9, no: 2, at: timeOfDay(1) }] },
          records: [1, 9].map((id, n) => ({ id, no: n + 1, at: timeOfDay(1) })),
        },
      ],
    },
  ),
  appendRow(
    "append: with an empty incremental.primary_key rows are named by their content",
    { primary_key: [] },
    {
      resource: { primary_key: "id" },
      next: [
        {
          routes: { "/rows": [...recordsOfDays(3), { id: 3, at: timeOfDay(3), v: 2 }] },
          report: { records: 2, written: 2 },
          records: [...recordsOfDays(1, 2, 3), { id: 3, at: timeOfDay(3), v: 2 }],
        },
      ],
    },
  ),
  appendRow(
    "append: rows that lag reads again are not stored twice",
    { lag: 86400 },
    {
      next: [
        {
          routes: { "/rows": recordsOfDays(2, 3) },
          report: { records: 2, written: 2 },
          records: recordsOfDays(1, 2, 3),
        },
      ],
    },
  ),
  appendRow(
    "append: range_start open drops the boundary",
    { range_start: "open" },
    {
      next: [{ routes: { "/rows": recordsOfDays(3, 4) }, records: recordsOfDays(1, 2, 3, 4) }],
    },
  ),
];

const invalidRow = (
  name: string,
  endpoint: object,
  problems: NonNullable<Run["problems"]>,
): Row => ({
  name,
  endpoint,
  problems,
});
const endpointPath = (key: string) => `resources[0].endpoint.${key}`;

const problems: Row[] = [
  invalidRow(
    "two incremental parameters are an error",
    {
      params: {
        a: { type: "incremental", cursor_path: "x" },
        b: { type: "incremental", cursor_path: "y" },
      },
    },
    [[endpointPath("params.b"), "has an incremental already"]],
  ),
  invalidRow(
    "an incremental block and an incremental parameter are an error",
    {
      incremental: { cursor_path: "x" },
      params: { b: { type: "incremental", cursor_path: "y" } },
    },
    [[endpointPath("params.b"), "has an incremental already"]],
  ),
  invalidRow(
    "better than dlt: an end without a start is reported before the run",
    { incremental: { cursor_path: "x", end_value: 5 } },
    [[endpointPath("incremental.end_value"), "needs an initial_value"]],
  ),
  invalidRow(
    "better than dlt: an end before the start is reported before the run",
    { incremental: { cursor_path: "x", initial_value: 9, end_value: 5 } },
    [[endpointPath("incremental.end_value"), "before the start"]],
  ),
  invalidRow(
    "an end of another type than the start is an error",
    { incremental: { cursor_path: "x", initial_value: 9, end_value: "x" } },
    [[endpointPath("incremental.end_value"), "another type"]],
  ),
  invalidRow(
    "a placeholder without an incremental is an error",
    { params: { a: "{incremental.start_value}" } },
    [[endpointPath("params.a"), "needs an incremental"]],
  ),
  invalidRow(
    "a placeholder for an unknown value is an error",
    { incremental: { cursor_path: "x" }, params: { a: "{incremental.start}" } },
    [[endpointPath("params.a"), "incremental.start"]],
  ),
  invalidRow("cursor_path is required", { incremental: { initial_value: 1 } }, [
    [endpointPath("incremental.cursor_path"), "missing"],
  ]),
  invalidRow(
    "end_param in an incremental parameter is an error",
    { params: { a: { type: "incremental", cursor_path: "x", end_param: "b" } } },
    [[endpointPath("params.a.end_param"), "unknown key"]],
  ),
  invalidRow(
    "row_order accepts only asc and desc",
    { incremental: { cursor_path: "x", row_order: "descending" } },
    [[endpointPath("incremental.row_order"), "asc, desc"]],
  ),
  invalidRow(
    "convert accepts only known names",
    { incremental: { cursor_path: "x", convert: "epoch" } },
    [[endpointPath("incremental.convert"), "epoch_s"]],
  ),
  invalidRow(
    "step without a backfill is an error",
    { incremental: { cursor_path: "x", step: 5 } },
    [[endpointPath("incremental.step"), "end_value"]],
  ),
];

conformance("incremental", [...starts, ...places, ...options, ...boundary, ...problems]);
