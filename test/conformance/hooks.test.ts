import { answerInTurn, recordsWithIds, replyWith, withHeaders } from "./api.ts";
import { conformance } from "./conformance.ts";
import type { Row } from "./rows.ts";

type Rec = Record<string, number | string>;
interface Answer {
  status: number;
  headers: Record<string, string>;
  body: never;
}

const stepsRow = (
  name: string,
  processing_steps: object[],
  records: object[],
  changes: Partial<Row> = {},
): Row => ({
  name: `processing_steps: ${name}`,
  routes: { "/rows": recordsWithIds(1, 4) },
  resource: { processing_steps },
  records,
  ...changes,
});

const stepRows: Row[] = [
  stepsRow(
    "filter keeps the records for which it returns true",
    [{ filter: ({ id }: Rec) => Number(id) % 2 === 0 }],
    [{ id: 2 }, { id: 4 }],
    {
      report: { records: 2, written: 2 },
    },
  ),
  stepsRow(
    "map returns another record",
    [{ map: ({ id }: Rec) => ({ no: id, twice: 2 * Number(id) }) }],
    [1, 2, 3, 4].map((no) => ({ no, twice: 2 * no })),
  ),
  stepsRow(
    "map may change the record in place",
    [
      {
        map: (record: Rec) => {
          record.seen = "yes";
          return record;
        },
      },
    ],
    recordsWithIds(1, 4).map((record) => ({ ...record, seen: "yes" })),
  ),
  stepsRow(
    "yield_map returns several records, or none",
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
  stepsRow(
    "yield_map may return a list",
    [{ yield_map: ({ id }: Rec) => (id === 1 ? [{ a: 1 }, { a: 2 }] : []) }],
    [{ a: 1 }, { a: 2 }],
  ),
  stepsRow(
    "the steps act in order",
    [
      { map: ({ id }: Rec) => ({ id: Number(id) + 1 }) },
      { filter: ({ id }: Rec) => id === 2 || id === 5 },
      { map: ({ id }: Rec) => ({ id: Number(id) * 10 }) },
    ],
    [{ id: 20 }, { id: 50 }],
  ),
  stepsRow("an empty list changes nothing", [], recordsWithIds(1, 4)),
  stepsRow(
    "the steps act before the incremental filter",
    [{ map: ({ id }: Rec) => ({ no: Number(id) + 10 }) }],
    [{ no: 13 }, { no: 14 }],
    {
      endpoint: { incremental: { cursor_path: "no", initial_value: 13, start_param: "after" } },
      report: { cursor: { before: null, after: 14 } },
    },
  ),
  stepsRow(
    "a page that the steps empty is not the last",
    [{ filter: ({ id }: Rec) => Number(id) > 2 }],
    recordsWithIds(3, 4),
    {
      routes: {
        "/rows": answerInTurn(
          { data: recordsWithIds(1, 2), next: "?p=2" },
          { data: recordsWithIds(3, 4) },
        ),
      },
      requests: ["/rows", "/rows?p=2"],
    },
  ),
  stepsRow(
    "the steps may make a key",
    [{ map: ({ id }: Rec) => ({ key: `k${id}` }) }],
    [1, 2, 3, 4].map((id) => ({ key: `k${id}` })),
    {
      resource: {
        primary_key: "key",
        processing_steps: [{ map: ({ id }: Rec) => ({ key: `k${id}` }) }],
      },
    },
  ),
  stepsRow("resource_defaults can have them", [], [{ id: 4 }], {
    resource: {},
    resource_defaults: { processing_steps: [{ filter: ({ id }: Rec) => id === 4 }] },
  }),
  stepsRow("a child's steps see the parent's fields", [], [], {
    routes: { "/users": [{ id: 1, name: "ada" }], "/users/1/rows": recordsWithIds(1, 1) },
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
  stepsRow(
    "a step that throws fails the run, and the error quotes no record",
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
  stepsRow("a step that returns no record fails the run", [{ map: () => undefined }], [], {
    fails: ["extract.step", "processing_steps[0] (map) returned no record"],
  }),
  stepsRow("an unknown kind is a config error", [{ fliter: () => true }], [], {
    problems: [["resources[0].processing_steps[0].fliter", "unknown key", "filter"]],
    records: {},
  }),
  stepsRow("a step that is not a function is a config error", [{ filter: "id > 2" }], [], {
    problems: [["resources[0].processing_steps[0].filter", "has to be a function"]],
    records: {},
  }),
];

const actionRow = (
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

const ignoreAction = (conditions: object) => ({ action: "ignore", ...conditions });
const notFound = replyWith(404, { error: "nothing here" });

const actionRows: Row[] = [
  actionRow(
    "an ignored status ends the run without records",
    [ignoreAction({ status_code: 404 })],
    notFound,
    {
      requests: ["/rows"],
      report: { status: "succeeded", records: 0 },
      records: [],
    },
  ),
  actionRow(
    "earlier pages are kept",
    [ignoreAction({ status_code: 404 })],
    answerInTurn({ data: recordsWithIds(1, 2), next: "?p=2" }, notFound),
    {
      requests: ["/rows", "/rows?p=2"],
      records: recordsWithIds(1, 2),
    },
  ),
  actionRow(
    "an ignored answer ends its pages",
    [ignoreAction({ content: "stop" })],
    answerInTurn(
      { data: recordsWithIds(1, 2), next: "?p=2" },
      { data: recordsWithIds(3, 4), stop: 1, next: "?p=3" },
    ),
    {
      requests: ["/rows", "/rows?p=2"],
      records: recordsWithIds(1, 2),
    },
  ),
  actionRow(
    "content matches a part of the body",
    [ignoreAction({ content: "nothing here" })],
    notFound,
    {
      records: [],
    },
  ),
  actionRow(
    "status and content both have to match",
    [ignoreAction({ status_code: 404, content: "other" })],
    notFound,
    {
      fails: ["extract.status", "answered 404"],
    },
  ),
  actionRow(
    "an answer is ignored when status and content match",
    [ignoreAction({ status_code: 404, content: "nothing" })],
    notFound,
    { records: [] },
  ),
  actionRow(
    "an answer with another status does not match",
    [ignoreAction({ status_code: 410 })],
    notFound,
    {
      fails: ["extract.status"],
    },
  ),
  actionRow(
    "the first of several matching actions is used",
    [ignoreAction({ status_code: 410 }), ignoreAction({ status_code: 404 })],
    notFound,
    { records: [] },
  ),
  actionRow(
    "content may match an answer with the status 200",
    [ignoreAction({ status_code: 200, content: "maintenance" })],
    { message: "maintenance" },
    { records: [] },
  ),
  actionRow(
    "actions have precedence over retries, so an ignored 503 is not tried again",
    [ignoreAction({ status_code: 503 })],
    replyWith(503),
    {
      requests: ["/rows"],
      report: { retries: 0 },
    },
  ),
  actionRow(
    "an answer that matches no action is tried again",
    [ignoreAction({ status_code: 404 })],
    answerInTurn(replyWith(503), recordsWithIds(1, 2)),
    {
      endpoint: {
        response_actions: [ignoreAction({ status_code: 404 })],
        error_handler: { backoff_factor: 0.01 },
      },
      requests: ["/rows", "/rows"],
      records: recordsWithIds(1, 2),
    },
  ),
  {
    name: "response_actions: an ignored answer of one parent does not end the others",
    routes: {
      "/users": recordsWithIds(1, 3),
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
          response_actions: [ignoreAction({ status_code: 404 })],
        },
      },
    ],
    records: [{ n: 1 }, { n: 3 }],
  },
  {
    name: "response_actions: resource_defaults may have them",
    routes: { "/rows": notFound },
    resource_defaults: { endpoint: { response_actions: [ignoreAction({ status_code: 404 })] } },
    records: [],
  },
  actionRow(
    "a function may change the body",
    [
      {
        status_code: 200,
        action: (answer: Answer) => {
          answer.body = recordsWithIds(7, 8) as never;
        },
      },
    ],
    recordsWithIds(1, 2),
    { records: recordsWithIds(7, 8) },
  ),
  actionRow(
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
    recordsWithIds(1, 2),
    { records: recordsWithIds(1, 4) },
  ),
  actionRow(
    "a bare function sees every answer",
    [
      (answer: Answer) => {
        (answer.body as { data: Rec[] }).data.push({ seen: answer.headers["x-n"] ?? "" });
      },
    ],
    withHeaders({ "x-n": "7" }, { data: recordsWithIds(1, 1) }),
    { records: [{ id: 1 }, { seen: "7" }] },
  ),
  actionRow(
    "a function receives a string when the body is not JSON",
    [
      (answer: Answer) => {
        answer.body = [{ text: answer.body }] as never;
      },
    ],
    replyWith(200, "a,b"),
    { records: [{ text: "a,b" }] },
  ),
  actionRow(
    "a function that returns the answer does not turn an error into a success",
    [{ status_code: 404, action: () => {} }],
    notFound,
    {
      fails: ["extract.status", "answered 404"],
    },
  ),
  actionRow(
    "a function may turn an error into a success",
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
  actionRow(
    "numbers stay exact after a function",
    [() => {}],
    withHeaders({ "content-type": "application/json" }, '[{"n":9007199254740993}]'),
    {
      records: ['{"n":9007199254740993}'],
    },
  ),
  actionRow(
    "a function that throws fails the run",
    [
      () => {
        throw new Error("canary");
      },
    ],
    recordsWithIds(1, 2),
    {
      fails: ["extract.action", "threw Error"],
    },
  ),
  actionRow(
    "better than dlt: an unknown action is a config error",
    [{ status_code: 404, action: "ignroe" }],
    notFound,
    {
      problems: [["resources[0].endpoint.response_actions[0].action", "ignore"]],
    },
  ),
  actionRow("an unknown key is a config error", [ignoreAction({ status: 404 })], notFound, {
    problems: [["resources[0].endpoint.response_actions[0].status", "unknown key", "status_code"]],
  }),
];

conformance("functions in a config", [...stepRows, ...actionRows]);
