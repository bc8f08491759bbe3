import type { ApiRequest } from "../support/api.ts";
import { ids, inTurn, reply, withHeaders } from "./api.ts";
import { conformance } from "./conformance.ts";
import type { Row, Run } from "./rows.ts";

const day = (n: number) => `2024-01-0${n}T00:00:00Z`;
const made = (...days: number[]) => days.map((n) => ({ id: n, at: day(n) }));
const kept = (...days: number[]) => days.map((n) => ({ id: String(n), at: day(n) }));

/** One page; `id` is the key, so that what is read twice is there once. */
const since = (name: string, incremental: object, shows: Partial<Row>): Row => ({
  name,
  routes: { "/rows": made(1, 2, 3) },
  resource: { primary_key: "id" },
  endpoint: { incremental: { cursor_path: "at", ...incremental } },
  ...shows,
});

const after = (value: unknown) => ({ cursor: { after: value } });

const starts: Row[] = [
  since(
    "the first run has no start and leaves the parameter out",
    { start_param: "since" },
    {
      requests: ["/rows"],
      records: kept(1, 2, 3),
      report: { cursor: { before: null, after: day(3) } },
    },
  ),
  since(
    "initial_value is the first start, and rows before it are dropped",
    { start_param: "since", initial_value: day(2) },
    {
      requests: [`/rows?since=${day(2)}`],
      records: kept(2, 3),
    },
  ),
  since(
    "the next run starts at the greatest value",
    { start_param: "since", initial_value: day(1) },
    {
      next: [
        {
          routes: { "/rows": made(3, 4) },
          requests: [`/rows?since=${day(3)}`],
          records: kept(1, 2, 3, 4),
          report: { cursor: { before: day(3), after: day(4) } },
        },
        { requests: [`/rows?since=${day(4)}`] },
      ],
    },
  ),
  since(
    "the order of the records does not matter",
    { start_param: "since" },
    {
      routes: { "/rows": made(3, 1, 2) },
      report: after(day(3)),
    },
  ),
  since(
    "rows before the start are dropped, whatever the API sends",
    { start_param: "since" },
    {
      next: [
        {
          routes: { "/rows": made(1, 2, 3, 4) },
          report: { records: 2 },
          requests: [`/rows?since=${day(3)}`],
        },
      ],
    },
  ),
  since(
    "a failed run leaves the cursor",
    { start_param: "since", initial_value: day(1) },
    {
      routes: { "/rows": { data: made(1, 2), next: "?p=2" }, "/rows?p=2": reply(404) },
      fails: ["extract.status"],
      report: { cursor: { before: null, after: null } },
      next: [
        { routes: { "/rows": made(1, 2) }, report: { cursor: { before: null, after: day(2) } } },
      ],
    },
  ),
  since(
    "an empty run leaves the cursor",
    { start_param: "since", initial_value: day(1) },
    {
      next: [
        {
          routes: { "/rows": [] },
          report: { records: 0, cursor: { before: day(3), after: day(3) } },
        },
      ],
    },
  ),
  since(
    "a cursor does not move back",
    { start_param: "since" },
    {
      next: [{ routes: { "/rows": made(1) }, report: { records: 0, ...after(day(3)) } }],
    },
  ),
  since(
    "--full-refresh starts without a cursor",
    { start_param: "since" },
    {
      next: [{ args: ["--full-refresh"], requests: ["/rows"], report: after(day(3)) }],
    },
  ),
  since(
    "--limit-pages commits no cursor",
    { start_param: "since" },
    {
      args: ["--limit-pages", "1"],
      next: [{ requests: ["/rows"] }],
    },
  ),
  since(
    "cursor_path may be a path",
    { cursor_path: "meta.at", start_param: "since" },
    {
      routes: { "/rows": [{ id: 1, meta: { at: day(1) } }] },
      report: after(day(1)),
      next: [{ requests: [`/rows?since=${day(1)}`] }],
    },
  ),
  since(
    "another cursor_path starts anew",
    { start_param: "since" },
    {
      routes: { "/rows": [{ id: 1, at: day(1), no: 7 }] },
      next: [
        {
          endpoint: { incremental: { cursor_path: "no", start_param: "after" } },
          requests: ["/rows"],
          report: { cursor: { before: null, after: 7 } },
        },
      ],
    },
  ),
  since(
    "numbers are cursors",
    { cursor_path: "id", start_param: "after", initial_value: 2 },
    {
      routes: { "/rows": ids(1, 3) },
      requests: ["/rows?after=2"],
      records: [{ id: "2" }, { id: "3" }],
      report: after(3),
    },
  ),
  since(
    "better than dlt: large numbers are exact cursors",
    { cursor_path: "no", start_param: "after" },
    {
      routes: {
        "/rows": withHeaders(
          { "content-type": "application/json" },
          '[{"id":1,"no":9007199254740993}]',
        ),
      },
      report: after("9007199254740993"),
      next: [{ requests: ["/rows?after=9007199254740993"] }],
    },
  ),
  since(
    "dates are cursors",
    { start_param: "since" },
    {
      routes: { "/rows": [{ id: 1, at: "2024-01-05" }] },
      next: [{ requests: ["/rows?since=2024-01-05"] }],
    },
  ),
  since(
    "texts are cursors",
    { start_param: "since" },
    {
      routes: {
        "/rows": [
          { id: 1, at: "b" },
          { id: 2, at: "a" },
        ],
      },
      report: after("b"),
    },
  ),
  since(
    "better than dlt: digits as text are compared as numbers",
    { start_param: "since" },
    {
      routes: {
        "/rows": [
          { id: 1, at: "9" },
          { id: 2, at: "10" },
        ],
      },
      report: after("10"),
    },
  ),
  since(
    "an initial_value of another type than the rows' is an error",
    { cursor_path: "id", initial_value: "a" },
    {
      fails: ["extract.cursor", "a number at cursor_path"],
    },
  ),
  since(
    "without a parameter everything is read, and a warning says so",
    { initial_value: day(2) },
    {
      requests: ["/rows"],
      records: kept(2, 3),
      says: ["no request says where to start"],
    },
  ),
  since(
    "better than dlt: a changed initial_value has no effect on a cursor, and it says so",
    { start_param: "since", initial_value: day(2) },
    {
      next: [
        {
          endpoint: {
            incremental: { cursor_path: "at", start_param: "since", initial_value: day(1) },
          },
          requests: [`/rows?since=${day(3)}`],
          says: [`initial_value is ${day(1)} now`],
        },
      ],
    },
  ),
  since(
    "better than dlt: a time goes no further than the API's own clock",
    { start_param: "since" },
    {
      routes: {
        "/rows": withHeaders({ date: "Tue, 02 Jan 2024 12:00:00 GMT" }, made(1, 2, 3)),
      },
      records: kept(1, 2, 3),
      report: after("2024-01-02T12:00:00Z"),
    },
  ),
];

const places: Row[] = [
  since(
    "{incremental.start_value} in params",
    { initial_value: day(2) },
    {
      endpoint: {
        incremental: { cursor_path: "at", initial_value: day(2) },
        params: { since: "{incremental.start_value}" },
      },
      requests: [`/rows?since=${day(2)}`],
      next: [{ requests: [`/rows?since=${day(3)}`] }],
    },
  ),
  since(
    "within a text",
    {},
    {
      endpoint: {
        incremental: { cursor_path: "at", initial_value: day(2) },
        params: { q: "at>={incremental.start_value}" },
      },
      requests: [`/rows?q=at>=${day(2)}`],
    },
  ),
  since(
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
  since(
    "in the JSON body it keeps its type",
    {},
    {
      routes: { "POST /rows": ids(1, 3) },
      endpoint: {
        method: "POST",
        incremental: { cursor_path: "id", initial_value: 2 },
        json: { from: "{incremental.start_value}", text: "id {incremental.start_value}" },
      },
      requests: [["POST /rows", { json: { from: 2, text: "id 2" } }]],
      next: [{ requests: [["POST /rows", { json: { from: 3, text: "id 3" } }]] }],
    },
  ),
  since(
    "in headers",
    {},
    {
      endpoint: {
        incremental: { cursor_path: "at", initial_value: day(1) },
        headers: { "x-since": "{incremental.start_value}" },
      },
      headers: { "x-since": day(1) },
    },
  ),
  since(
    "in a form",
    {},
    {
      routes: { "POST /rows": made(1, 2) },
      endpoint: {
        method: "POST",
        incremental: { cursor_path: "at", initial_value: day(1) },
        data: { since: "{incremental.start_value}" },
      },
      requests: [["POST /rows", { form: { since: day(1) } }]],
    },
  ),
  since(
    "in the path, which is no single entity",
    {},
    {
      routes: { "/rows/2": ids(2, 3) },
      endpoint: {
        path: "rows/{incremental.start_value}",
        incremental: { cursor_path: "id", initial_value: 2 },
      },
      requests: ["/rows/2"],
      records: [{ id: "2" }, { id: "3" }],
    },
  ),
  since(
    "initial_value, last_value and lag can be named as well",
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
      routes: { "/rows": ids(1, 5) },
      requests: ["/rows?g=1&i=1&l=1&s=1"],
      next: [{ requests: ["/rows?g=1&i=1&l=5&s=4"] }],
    },
  ),
  since(
    "params { type: incremental } is the older form",
    {},
    {
      endpoint: {
        params: { since: { type: "incremental", cursor_path: "at", initial_value: day(2) } },
      },
      requests: [`/rows?since=${day(2)}`],
      records: kept(2, 3),
      next: [{ requests: [`/rows?since=${day(3)}`] }],
    },
  ),
  since(
    "end_param and end_value make a window",
    { initial_value: day(1), end_value: day(3), start_param: "from", end_param: "to" },
    {
      requests: [`/rows?from=${day(1)}&to=${day(3)}`],
      records: kept(1, 2),
    },
  ),
  since(
    "every page has the start of the run",
    { start_param: "since", initial_value: day(1) },
    {
      routes: { "/rows": inTurn({ data: made(3), c: "x" }, { data: made(2) }) },
      endpoint: {
        incremental: { cursor_path: "at", start_param: "since", initial_value: day(1) },
        paginator: { type: "cursor", cursor_path: "c" },
      },
      requests: [`/rows?since=${day(1)}`, `/rows?since=${day(1)}&cursor=x`],
      report: after(day(3)),
    },
  ),
];

const options: Row[] = [
  since(
    "end_value is a backfill: open at its end, and it remembers nothing",
    { initial_value: day(1), end_value: day(3), start_param: "since" },
    {
      records: kept(1, 2),
      report: { cursor: { before: null, after: null } },
      next: [{ requests: [`/rows?since=${day(1)}`] }],
    },
  ),
  since(
    "range_end closed keeps rows at the end",
    { initial_value: day(1), end_value: day(2), range_end: "closed" },
    {
      records: kept(1, 2),
    },
  ),
  since(
    "range_start closed keeps rows at the start",
    { initial_value: day(2), start_param: "s" },
    { records: kept(2, 3) },
  ),
  since(
    "range_start open drops rows at the start",
    { initial_value: day(2), range_start: "open" },
    { records: kept(3) },
  ),
  since(
    "last_value_func min goes down",
    { cursor_path: "id", last_value_func: "min", start_param: "before" },
    {
      routes: { "/rows": ids(4, 6) },
      report: after(4),
      next: [
        {
          routes: { "/rows": ids(2, 5) },
          requests: ["/rows?before=4"],
          report: { records: 3, ...after(2) },
        },
      ],
    },
  ),
  since(
    "last_value_func may be a function",
    {
      cursor_path: "id",
      last_value_func: (values: number[]) => Math.max(...values),
      start_param: "a",
    },
    {
      routes: { "/rows": ids(1, 3) },
      report: after(3),
    },
  ),
  since(
    "lag starts earlier: seconds of a time, in its format",
    { start_param: "since", lag: 3600 },
    {
      next: [{ requests: ["/rows?since=2024-01-02T23:00:00Z"] }],
    },
  ),
  since(
    "lag starts earlier: days of a date",
    { start_param: "since", lag: 2 },
    {
      routes: { "/rows": [{ id: 1, at: "2024-03-01" }] },
      next: [{ requests: ["/rows?since=2024-02-28"] }],
    },
  ),
  since(
    "lag starts earlier: units of a number",
    { cursor_path: "id", start_param: "after", lag: 10 },
    {
      routes: { "/rows": ids(95, 100) },
      next: [{ requests: ["/rows?after=90"] }],
    },
  ),
  since(
    "lag goes not before initial_value",
    { cursor_path: "id", start_param: "after", lag: 10, initial_value: 95 },
    {
      routes: { "/rows": ids(95, 100) },
      next: [{ requests: ["/rows?after=95"] }],
    },
  ),
  since(
    "lag goes up for min",
    { cursor_path: "id", start_param: "b", lag: 2, last_value_func: "min" },
    {
      routes: { "/rows": ids(5, 6) },
      next: [{ requests: ["/rows?b=7"] }],
    },
  ),
  since(
    "lag does not move the stored value back",
    { cursor_path: "id", start_param: "after", lag: 10 },
    {
      routes: { "/rows": ids(95, 100) },
      next: [{ routes: { "/rows": ids(92, 93) }, report: { records: 2, ...after(100) } }],
    },
  ),
  since(
    "lag is off in a backfill",
    { cursor_path: "id", start_param: "after", lag: 1, initial_value: 2, end_value: 9 },
    {
      routes: { "/rows": ids(1, 5) },
      requests: ["/rows?after=2"],
    },
  ),
  since(
    "row_order desc stops paging at the first row below the start",
    { start_param: "since", initial_value: day(3), row_order: "desc" },
    {
      routes: { "/rows": inTurn({ data: made(5, 4, 3, 2), next: "?p=2" }, { data: made(1) }) },
      requests: [`/rows?since=${day(3)}`],
      records: kept(3, 4, 5),
    },
  ),
  since(
    "row_order asc stops paging at the end_value",
    { initial_value: day(1), end_value: day(3), row_order: "asc" },
    {
      routes: { "/rows": inTurn({ data: made(1, 2, 3), next: "?p=2" }, { data: made(4) }) },
      requests: ["/rows"],
      records: kept(1, 2),
    },
  ),
  since(
    "without row_order paging goes on",
    { initial_value: day(3), start_param: "since" },
    {
      routes: { "/rows": inTurn({ data: made(5, 2), next: "?p=2" }, { data: made(4) }) },
      requests: [`/rows?since=${day(3)}`, "/rows?p=2"],
      records: kept(4, 5),
    },
  ),
  since(
    "a row without a cursor is an error",
    {},
    {
      routes: { "/rows": [{ id: 1, at: day(1) }, { id: 2 }] },
      fails: ["extract.cursor", 'records[1] of the page has no value at cursor_path "at"'],
    },
  ),
  since(
    "null counts as missing",
    {},
    {
      routes: { "/rows": [{ id: 2, at: null }] },
      fails: ["extract.cursor", "no value"],
    },
  ),
  since(
    "on_cursor_value_missing include keeps such rows",
    { on_cursor_value_missing: "include" },
    {
      routes: { "/rows": [{ id: 1, at: day(1) }, { id: 2 }, { id: 3, at: null }] },
      records: [...kept(1), { id: "2" }, { id: "3", at: null }],
      report: after(day(1)),
    },
  ),
  since(
    "on_cursor_value_missing exclude drops such rows",
    { on_cursor_value_missing: "exclude" },
    {
      routes: { "/rows": [{ id: 1, at: day(1) }, { id: 2 }, { id: 3, at: null }] },
      records: kept(1),
    },
  ),
  since(
    "convert makes what is sent, and the state stays",
    { start_param: "since", initial_value: "2024-01-01T00:00:00Z", convert: "epoch_s" },
    {
      requests: ["/rows?since=1704067200"],
      report: after(day(3)),
      next: [{ requests: ["/rows?since=1704240000"] }],
    },
  ),
  ...[
    ["epoch_ms", "1704067200000"],
    ["iso_date", "2024-01-01"],
    ["iso_datetime", "2024-01-01T00:00:00.000Z"],
  ].map(([convert, sent]) =>
    since(
      `convert ${convert}`,
      { start_param: "since", initial_value: day(1), convert },
      {
        requests: [`/rows?since=${sent}`],
      },
    ),
  ),
  since(
    "convert may be a function",
    { start_param: "since", initial_value: day(1), convert: (at: string) => at.slice(0, 4) },
    {
      requests: ["/rows?since=2024"],
    },
  ),
  since(
    "transform is another word for it",
    { start_param: "since", initial_value: day(1), transform: "epoch_s" },
    {
      requests: ["/rows?since=1704067200"],
    },
  ),
  since(
    "end values are converted, too",
    {
      start_param: "f",
      end_param: "t",
      initial_value: day(1),
      end_value: day(2),
      convert: "epoch_s",
    },
    {
      requests: ["/rows?f=1704067200&t=1704153600"],
    },
  ),
  since(
    "allow_external_schedulers is accepted",
    { allow_external_schedulers: true, start_param: "s" },
    {
      says: ["has no effect"],
      records: kept(1, 2, 3),
    },
  ),
  since(
    "better than dlt: step reads a backfill in windows",
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
          body: ids(Number(query.get("from")), Number(query.get("to")) - 1),
        }),
      },
      requests: ["/rows?from=0&to=2", "/rows?from=2&to=4", "/rows?from=4&to=5"],
      records: ids(0, 4).map(({ id }) => ({ id: String(id) })),
    },
  ),
];

/** Appended rows are told apart at the boundary, where the next run reads again. */
const append = (name: string, incremental: object, shows: Partial<Row>): Row => ({
  ...since(name, { start_param: "since", ...incremental }, shows),
  resource: { write_disposition: "append", ...shows.resource },
});

const boundary: Row[] = [
  append(
    "append: rows at the boundary are not stored twice",
    {},
    {
      next: [{ routes: { "/rows": made(3, 4) }, records: made(1, 2, 3, 4) }],
    },
  ),
  append(
    "append: a new row at the boundary is stored",
    {},
    {
      next: [
        {
          routes: { "/rows": [...made(3), { id: 9, at: day(3) }] },
          records: [...made(1, 2, 3), { id: 9, at: day(3) }],
        },
      ],
    },
  ),
  append(
    "append: by primary_key, a changed row at the boundary is known",
    {},
    {
      resource: { primary_key: "id" },
      next: [{ routes: { "/rows": [{ id: 3, at: day(3), v: 2 }] }, records: made(1, 2, 3) }],
    },
  ),
  append(
    "append: without a key a changed row is another one",
    {},
    {
      next: [
        {
          routes: { "/rows": [{ id: 3, at: day(3), v: 2 }] },
          records: [...made(1, 2, 3), { id: 3, at: day(3), v: 2 }],
        },
      ],
    },
  ),
  append(
    "append: incremental.primary_key goes over the resource's",
    { primary_key: "no" },
    {
      routes: { "/rows": [{ id: 1, no: 1, at: day(1) }] },
      resource: { primary_key: "id" },
      next: [{ routes: { "/rows": [{ id: 1, no: 2, at: day(1) }] }, report: { records: 1 } }],
    },
  ),
  append(
    "append: an empty primary_key stores the boundary again",
    { primary_key: [] },
    {
      next: [{ routes: { "/rows": made(3) }, records: [...made(1, 2, 3), ...made(3)] }],
    },
  ),
  append(
    "append: lag stores again what it reads again",
    { lag: 86400 },
    {
      next: [{ routes: { "/rows": made(2, 3) }, records: [...made(1, 2, 3), ...made(2, 3)] }],
    },
  ),
  append(
    "append: range_start open drops the boundary",
    { range_start: "open" },
    {
      next: [{ routes: { "/rows": made(3, 4) }, records: made(1, 2, 3, 4) }],
    },
  ),
];

const invalid = (name: string, endpoint: object, problems: NonNullable<Run["problems"]>): Row => ({
  name,
  endpoint,
  problems,
});
const at = (key: string) => `resources[0].endpoint.${key}`;

const problems: Row[] = [
  invalid(
    "two incremental parameters are an error",
    {
      params: {
        a: { type: "incremental", cursor_path: "x" },
        b: { type: "incremental", cursor_path: "y" },
      },
    },
    [[at("params.b"), "has an incremental already"]],
  ),
  invalid(
    "a block and a parameter are two",
    {
      incremental: { cursor_path: "x" },
      params: { b: { type: "incremental", cursor_path: "y" } },
    },
    [[at("params.b"), "has an incremental already"]],
  ),
  invalid(
    "better than dlt: an end without a start is told before the run",
    { incremental: { cursor_path: "x", end_value: 5 } },
    [[at("incremental.end_value"), "needs an initial_value"]],
  ),
  invalid(
    "better than dlt: an end before the start, too",
    { incremental: { cursor_path: "x", initial_value: 9, end_value: 5 } },
    [[at("incremental.end_value"), "before the start"]],
  ),
  invalid(
    "an end of another type than the start",
    { incremental: { cursor_path: "x", initial_value: 9, end_value: "x" } },
    [[at("incremental.end_value"), "another type"]],
  ),
  invalid("a placeholder needs an incremental", { params: { a: "{incremental.start_value}" } }, [
    [at("params.a"), "needs an incremental"],
  ]),
  invalid(
    "a placeholder names a value that there is",
    { incremental: { cursor_path: "x" }, params: { a: "{incremental.start}" } },
    [[at("params.a"), "incremental.start"]],
  ),
  invalid("cursor_path is required", { incremental: { initial_value: 1 } }, [
    [at("incremental.cursor_path"), "missing"],
  ]),
  invalid(
    "end_param in a parameter is unknown",
    { params: { a: { type: "incremental", cursor_path: "x", end_param: "b" } } },
    [[at("params.a.end_param"), "unknown key"]],
  ),
  invalid(
    "row_order has two words",
    { incremental: { cursor_path: "x", row_order: "descending" } },
    [[at("incremental.row_order"), "asc, desc"]],
  ),
  invalid("convert has names", { incremental: { cursor_path: "x", convert: "epoch" } }, [
    [at("incremental.convert"), "epoch_s"],
  ]),
  invalid("step is for a backfill", { incremental: { cursor_path: "x", step: 5 } }, [
    [at("incremental.step"), "end_value"],
  ]),
];

conformance("incremental", [...starts, ...places, ...options, ...boundary, ...problems]);
