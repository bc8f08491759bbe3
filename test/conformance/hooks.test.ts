import { ids, inTurn, reply, withHeaders } from "./api.ts";
import { conformance } from "./conformance.ts";
import type { Row } from "./rows.ts";

type Rec = Record<string, number | string>;
interface Answer {
  status: number;
  headers: Record<string, string>;
  body: never;
}

const steps = (
  name: string,
  processing_steps: object[],
  records: object[],
  more: Partial<Row> = {},
): Row => ({
  name: `processing_steps: ${name}`,
  routes: { "/rows": ids(1, 4) },
  resource: { processing_steps },
  records,
  ...more,
});

const stepRows: Row[] = [
  steps(
    "filter keeps what it says yes to",
    [{ filter: ({ id }: Rec) => Number(id) % 2 === 0 }],
    [{ id: 2 }, { id: 4 }],
    {
      report: { records: 2, written: 2 },
    },
  ),
  steps(
    "map makes another record",
    [{ map: ({ id }: Rec) => ({ no: id, twice: 2 * Number(id) }) }],
    [1, 2, 3, 4].map((no) => ({ no, twice: 2 * no })),
  ),
  steps(
    "map may change the record in place",
    [
      {
        map: (record: Rec) => {
          record.seen = "yes";
          return record;
        },
      },
    ],
    ids(1, 4).map((one) => ({ ...one, seen: "yes" })),
  ),
  steps(
    "yield_map makes several, or none",
    [
      {
        yield_map: function* ({ id }: Rec) {
          for (let n = 1; n < Number(id); n++) yield { id, n };
        },
      },
    ],
    [
      { id: 2, n: 1 },
      { id: 3, n: 1 },
      { id: 3, n: 2 },
      { id: 4, n: 1 },
      { id: 4, n: 2 },
      { id: 4, n: 3 },
    ],
  ),
  steps(
    "yield_map may return a list",
    [{ yield_map: ({ id }: Rec) => (id === 1 ? [{ a: 1 }, { a: 2 }] : []) }],
    [{ a: 1 }, { a: 2 }],
  ),
  steps(
    "they act in order",
    [
      { map: ({ id }: Rec) => ({ id: Number(id) + 1 }) },
      { filter: ({ id }: Rec) => id === 2 || id === 5 },
      { map: ({ id }: Rec) => ({ id: Number(id) * 10 }) },
    ],
    [{ id: 20 }, { id: 50 }],
  ),
  steps("an empty list changes nothing", [], ids(1, 4)),
  steps(
    "they act before the incremental filter",
    [{ map: ({ id }: Rec) => ({ no: Number(id) + 10 }) }],
    [{ no: 13 }, { no: 14 }],
    {
      endpoint: { incremental: { cursor_path: "no", initial_value: 13, start_param: "after" } },
      report: { cursor: { before: null, after: 14 } },
    },
  ),
  steps(
    "a page that they empty is not the last",
    [{ filter: ({ id }: Rec) => Number(id) > 2 }],
    ids(3, 4),
    {
      routes: { "/rows": inTurn({ data: ids(1, 2), next: "?p=2" }, { data: ids(3, 4) }) },
      requests: ["/rows", "/rows?p=2"],
    },
  ),
  steps(
    "a key may be made by them",
    [{ map: ({ id }: Rec) => ({ key: `k${id}` }) }],
    [1, 2, 3, 4].map((id) => ({ key: `k${id}` })),
    {
      resource: {
        primary_key: "key",
        processing_steps: [{ map: ({ id }: Rec) => ({ key: `k${id}` }) }],
      },
    },
  ),
  steps("resource_defaults can have them", [], [{ id: 4 }], {
    resource: {},
    resource_defaults: { processing_steps: [{ filter: ({ id }: Rec) => id === 4 }] },
  }),
  steps("a child's steps see the parent's fields", [], [], {
    routes: { "/users": [{ id: 1, name: "ada" }], "/users/1/rows": ids(1, 1) },
    resources: [
      "users",
      {
        name: "rows",
        endpoint: "users/{resources.users.id}/rows",
        include_from_parent: ["name"],
        processing_steps: [{ map: ({ id, _users_name: by }: Rec) => ({ id, by }) }],
      },
    ],
    records: [{ id: 1, by: "ada" }],
  }),
  steps(
    "one that throws fails the run and quotes no record",
    [
      {
        map: ({ id }: Rec) => {
          throw new TypeError(`canary ${id}`);
        },
      },
    ],
    [],
    {
      fails: ["extract.step", "processing_steps[0] (map) threw TypeError"],
    },
  ),
  steps("one that returns no record fails the run", [{ map: () => undefined }], [], {
    fails: ["extract.step", "processing_steps[0] (map) returned no record"],
  }),
  steps("an unknown kind is a config error", [{ fliter: () => true }], [], {
    problems: [["resources[0].processing_steps[0].fliter", "unknown key", "filter"]],
    records: {},
  }),
  steps("what is no function is a config error", [{ filter: "id > 2" }], [], {
    problems: [["resources[0].processing_steps[0].filter", "has to be a function"]],
    records: {},
  }),
];

const acts = (
  name: string,
  response_actions: unknown[],
  answer: unknown,
  shows: Partial<Row>,
): Row => ({
  name: `response_actions: ${name}`,
  routes: { "/rows": answer },
  endpoint: { response_actions },
  ...shows,
});

const ignore = (more: object) => ({ action: "ignore", ...more });
const notFound = reply(404, { error: "nothing here" });

const actionRows: Row[] = [
  acts("an ignored status is an empty end", [ignore({ status_code: 404 })], notFound, {
    requests: ["/rows"],
    report: { status: "succeeded", records: 0 },
    records: [],
  }),
  acts(
    "earlier pages are kept",
    [ignore({ status_code: 404 })],
    inTurn({ data: ids(1, 2), next: "?p=2" }, notFound),
    {
      requests: ["/rows", "/rows?p=2"],
      records: ids(1, 2),
    },
  ),
  acts(
    "an ignored answer ends its pages",
    [ignore({ content: "stop" })],
    inTurn({ data: ids(1, 2), next: "?p=2" }, { data: ids(3, 4), stop: 1, next: "?p=3" }),
    {
      requests: ["/rows", "/rows?p=2"],
      records: ids(1, 2),
    },
  ),
  acts("content is a part of the body", [ignore({ content: "nothing here" })], notFound, {
    records: [],
  }),
  acts(
    "status and content have both to match",
    [ignore({ status_code: 404, content: "other" })],
    notFound,
    {
      fails: ["extract.status", "answered 404"],
    },
  ),
  acts(
    "status and content that both match",
    [ignore({ status_code: 404, content: "nothing" })],
    notFound,
    { records: [] },
  ),
  acts("another status is no match", [ignore({ status_code: 410 })], notFound, {
    fails: ["extract.status"],
  }),
  acts(
    "the first of several that match",
    [ignore({ status_code: 410 }), ignore({ status_code: 404 })],
    notFound,
    { records: [] },
  ),
  acts(
    "content of a good answer",
    [ignore({ status_code: 200, content: "maintenance" })],
    { message: "maintenance" },
    { records: [] },
  ),
  acts(
    "they go before the attempts: an ignored 503 is not tried again",
    [ignore({ status_code: 503 })],
    reply(503),
    {
      requests: ["/rows"],
      report: { retries: 0 },
    },
  ),
  acts(
    "what matches none is tried again as ever",
    [ignore({ status_code: 404 })],
    inTurn(reply(503), ids(1, 2)),
    {
      endpoint: {
        response_actions: [ignore({ status_code: 404 })],
        error_handler: { backoff_factor: 0.01 },
      },
      requests: ["/rows", "/rows"],
      records: ids(1, 2),
    },
  ),
  {
    name: "response_actions: the other parents go on",
    routes: {
      "/users": ids(1, 3),
      "/users/1/rows": [{ n: 1 }],
      "/users/2/rows": notFound,
      "/users/3/rows": [{ n: 3 }],
    },
    resources: [
      "users",
      {
        name: "rows",
        endpoint: {
          path: "users/{resources.users.id}/rows",
          response_actions: [ignore({ status_code: 404 })],
        },
      },
    ],
    records: [{ n: 1 }, { n: 3 }],
  },
  {
    name: "response_actions: of resource_defaults",
    routes: { "/rows": notFound },
    resource_defaults: { endpoint: { response_actions: [ignore({ status_code: 404 })] } },
    records: [],
  },
  acts(
    "a function may change the body",
    [
      {
        status_code: 200,
        action: (answer: Answer) => {
          answer.body = ids(7, 8) as never;
        },
      },
    ],
    ids(1, 2),
    { records: ids(7, 8) },
  ),
  acts(
    "a list of functions acts in order",
    [
      {
        status_code: 200,
        action: [
          (answer: Answer) => {
            (answer.body as Rec[]).push({ id: 3 });
          },
          (answer: Answer) => {
            (answer.body as Rec[]).push({ id: 4 });
          },
        ],
      },
    ],
    ids(1, 2),
    { records: ids(1, 4) },
  ),
  acts(
    "a bare function sees every answer",
    [
      (answer: Answer) => {
        (answer.body as { data: Rec[] }).data.push({ seen: answer.headers["x-n"] ?? "" });
      },
    ],
    withHeaders({ "x-n": "7" }, { data: ids(1, 1) }),
    { records: [{ id: 1 }, { seen: "7" }] },
  ),
  acts(
    "a function sees text where the body is no JSON",
    [
      (answer: Answer) => {
        answer.body = [{ text: answer.body }] as never;
      },
    ],
    reply(200, "a,b"),
    { records: [{ text: "a,b" }] },
  ),
  acts(
    "a function does not make an error good",
    [{ status_code: 404, action: () => {} }],
    notFound,
    {
      fails: ["extract.status", "answered 404"],
    },
  ),
  acts(
    "a function may make an error good",
    [
      {
        status_code: 404,
        action: (answer: Answer) => {
          answer.status = 200;
          answer.body = [] as never;
        },
      },
    ],
    notFound,
    { records: [] },
  ),
  acts(
    "numbers stay exact behind a function",
    [() => {}],
    withHeaders({ "content-type": "application/json" }, '[{"n":9007199254740993}]'),
    {
      records: ['{"n":9007199254740993}'],
    },
  ),
  acts(
    "a function that throws fails the run",
    [
      () => {
        throw new Error("canary");
      },
    ],
    ids(1, 2),
    {
      fails: ["extract.action", "threw Error"],
    },
  ),
  acts(
    "better than dlt: an unknown action is a config error",
    [{ status_code: 404, action: "ignroe" }],
    notFound,
    {
      problems: [["resources[0].endpoint.response_actions[0].action", "ignore"]],
    },
  ),
  acts("an unknown key is a config error", [ignore({ status: 404 })], notFound, {
    problems: [["resources[0].endpoint.response_actions[0].status", "unknown key", "status_code"]],
  }),
];

conformance("functions", [...stepRows, ...actionRows]);
