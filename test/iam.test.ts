import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { ResourceConfig } from "../packages/core/src/config/types.ts";
import type { Statement } from "../stacks/permissions.ts";
import { offsetPages, openApi, type Reply } from "./support/api.ts";
import { type Changes, openStage, type Stage, source } from "./support/iam-stage.ts";
import { declared, grantedAllTheSame } from "./support/permissions.ts";

// The roles of `stacks/permissions.ts`, held against everything that the functions do.

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());
afterEach(() => {
  stage.iam.decisions.length = 0;
  expect(stage.iam.faults.splice(0)).toEqual([]);
});

const denied = () => stage.iam.decisions.filter(({ allowedBy }) => allowedBy === undefined);

interface Row {
  id: number;
  v: number;
}
const makeRows = (count: number): Row[] =>
  Array.from({ length: count }, (_, n) => ({ id: n, v: n }));

/** What a scenario starts from: rows behind a key, deployed under the roles that are declared. */
type Open = (
  rows: object[],
  resource?: Partial<ResourceConfig>,
  more?: ResourceConfig[],
) => ReturnType<typeof opened>;

async function opened(
  rows: object[],
  resource: Partial<ResourceConfig> = {},
  more: ResourceConfig[] = [],
  changes: Changes = {},
) {
  const api = { key: "first", answer: offsetPages(rows) };
  const { url } = await openApi((request, response) =>
    request.query.get("key") === api.key ? api.answer(request, response) : { status: 401 },
  );
  const resources = [{ name: "rows", ...resource }, ...more];
  const deployed = await stage.deploy(source(url, resources), changes);
  return { api, ...deployed };
}

const done = (report: object = {}) => ({ status: "done", error: null, ...report });

/** Everything that a worker and the schedule function do. */
const scenarios: Record<string, (open: Open) => Promise<void>> = {
  async "a merge fills its table and tells the history"(open) {
    const { run, rows, kept } = await open(makeRows(150));
    expect(await run()).toMatchObject([done({ written: 150 })]);
    expect(await rows()).toHaveLength(150);
    expect(await kept("run#")).toMatchObject([{ status: { S: "done" } }]);
  },

  async "an append keeps what is there"(open) {
    const { run, rows } = await open(makeRows(3), { write_disposition: "append" });
    await run();
    expect(await run()).toMatchObject([done({ written: 3 })]);
    expect(await rows()).toHaveLength(6);
  },

  async "a replace sweeps what is gone"(open) {
    const all = makeRows(30);
    const { run, rows } = await open(all, { write_disposition: "replace" });
    await run();
    all.splice(0, 10);
    expect(await run()).toMatchObject([done({ deleted: 10 })]);
    expect(await rows()).toHaveLength(20);
  },

  async "a full refresh of a merge sweeps what is gone"(open) {
    const all = makeRows(30);
    const { name, run, rows } = await open(all);
    await run();
    all.splice(0, 10);
    expect(await run({ full_refresh: true, confirm: name })).toMatchObject([done({ deleted: 10 })]);
    expect(await rows()).toHaveLength(20);
  },

  async "ordered writes leave what is newer"(open) {
    const all = [{ id: 1, v: 2 }];
    const { run, rows } = await open(all, {
      write_mode: "ordered",
      version_field: "v",
      columns: { v: { data_type: "bigint" } },
    });
    await run();
    all[0] = { id: 1, v: 1 };
    expect(await run()).toMatchObject([done({ superseded: 1 })]);
    expect(await rows()).toMatchObject([{ v: { N: "2" } }]);
  },

  async "an incremental moves its cursor"(open) {
    const all = makeRows(5);
    const { run } = await open(all, {
      endpoint: { incremental: { cursor_path: "v", start_param: "since", initial_value: 0 } },
    });
    expect(await run()).toMatchObject([done({ cursor: { before: null, after: 4 } })]);
    all.push({ id: 9, v: 9 });
    expect(await run()).toMatchObject([done({ cursor: { before: 4, after: 9 } })]);
  },

  async "a record that can not be stored is set aside"(open) {
    const { run, kept } = await open([...makeRows(30), { v: 1 }]);
    expect(await run()).toMatchObject([done({ written: 30, quarantined: 1 })]);
    expect(await kept("quarantine#")).toHaveLength(1);
  },

  async "a 429 stops all workers of a source, and the tick goes on when it is over"(open) {
    const { api, run, tick, kept, letTimePass } = await open(makeRows(3), {}, [{ name: "others" }]);
    const busy: Reply = { status: 429, headers: { "retry-after": "120" } };
    api.answer = () => busy;
    expect(await run()).toMatchObject([
      { status: "waiting", error: { code: "extract.status" } },
      { status: "waiting", error: { code: "extract.blocked" } },
    ]);
    expect(await kept("gate")).toHaveLength(1);
    expect(await tick()).toEqual([]);
    api.answer = offsetPages(makeRows(3));
    await letTimePass();
    expect(await tick()).toMatchObject([done({ slices: 2 }), done({ slices: 2 })]);
  },

  async "a check reads one page and writes nothing"(open) {
    const { run, rows, kept } = await open(makeRows(3));
    expect(await run({ check: true })).toMatchObject([done({ records: 3 })]);
    expect([...(await rows()), ...(await kept(""))]).toEqual([]);
  },

  async "a sample writes some pages"(open) {
    const { run, rows } = await open(makeRows(150));
    expect(await run({ limit_pages: 1 })).toMatchObject([done({ limited: true })]);
    expect(await rows()).toHaveLength(100);
  },

  async "a run that fails tells the history, and the next one starts anew"(open) {
    const { api, run, kept } = await open(makeRows(3));
    const { answer } = api;
    api.answer = () => ({ body: { items: [] } });
    const error = { code: "extract.selector" };
    expect(await run()).toMatchObject([{ status: "failed", error }]);
    expect(await kept("run#")).toMatchObject([{ error_code: { S: error.code } }]);
    api.answer = answer;
    expect(await run()).toMatchObject([done({ written: 3 })]);
  },

  async "a secret that was rotated is read again after a 401"(open) {
    const { api, run, fill } = await open(makeRows(3));
    await run();
    api.key = "second";
    fill("second");
    expect(await run()).toMatchObject([done({ unchanged: 3, requests: 3 })]);
  },

  async "a secret without a value skips the run"(open) {
    const { run, fill, kept } = await open(makeRows(3));
    fill();
    expect(await run()).toMatchObject([{ status: "skipped", error: { code: "secrets.empty" } }]);
    expect(await kept("run#")).toMatchObject([{ status: { S: "skipped" } }]);
  },

  async "a child reads what its parent has left for it"(open) {
    const posts = { name: "posts", endpoint: { path: "rows/{resources.rows.id}/posts" } };
    const { api, run } = await open(makeRows(2), {}, [posts]);
    const { answer } = api;
    api.answer = (request, response) =>
      request.path === "/rows"
        ? answer(request, response)
        : { body: { data: request.query.get("offset") === "0" ? [{ id: request.path }] : [] } };
    expect(await run()).toMatchObject([done({ written: 2 }), done({ written: 2 })]);
    expect(await run({ resources: ["posts"] })).toHaveLength(2);
  },
};

/** What the scenarios ask for, by statement. */
const used = new Set<string>();

describe("what a role allows is enough when", () => {
  afterEach(() => {
    for (const { allowedBy, action } of stage.iam.decisions) used.add(`${allowedBy} ${action}`);
  });

  it.each(Object.entries(scenarios))("%s", async (_, scenario) => {
    await scenario(opened);
    expect(denied()).toEqual([]);
    expect(stage.iam.decisions).not.toEqual([]);
  });

  it("a source has no secret, and its worker no statement on one", async () => {
    const api = await openApi(offsetPages(makeRows(3)));
    const { run, roles } = await stage.deploy(source(api.url, [{ name: "rows" }], false));
    expect(roles.worker.statements.map(({ Sid }) => Sid)).not.toContain("ItsSecret");
    expect(await run()).toMatchObject([done({ written: 3 })]);
    expect(denied()).toEqual([]);
  });
});

/** What is granted, as `Sid action`. */
const granted = Object.entries(declared).flatMap(([role, statements]) =>
  statements
    .filter(({ Effect }) => Effect === "Allow")
    .flatMap(({ Sid, Action }) =>
      Action.map((action) => [role as keyof typeof declared, `${Sid} ${action}`] as const),
    ),
);

const without = (grant: string) => (statements: Statement[]) =>
  statements.map((one) => ({
    ...one,
    Action: one.Action.filter((action) => `${one.Sid} ${action}` !== grant),
  }));

/** The first scenario that fails for want of an action. */
async function firstToFail(role: keyof typeof declared, grant: string) {
  const [, action] = grant.split(" ");
  const lacking: Open = (rows, resource, more) =>
    opened(rows, resource, more, { [role]: without(grant) });
  for (const [name, scenario] of Object.entries(scenarios)) {
    stage.iam.decisions.length = 0;
    const failed = await scenario(lacking).then(
      () => false,
      () => true,
    );
    if (failed && denied().some((one) => one.action === action)) return name;
  }
  return undefined;
}

describe("no action is granted without need", () => {
  const needed = granted.filter(([, grant]) => !grantedAllTheSame[grant]);
  it.each(needed)("a %s fails without %s", async (role, grant) => {
    expect(await firstToFail(role, grant)).toBeDefined();
  });

  const others = granted.filter(([, grant]) => grantedAllTheSame[grant]);
  it.each(
    others.map(([role, grant]) => [role, grant, grantedAllTheSame[grant]] as const),
  )("no code of a %s uses %s (%s)", (_, grant) => {
    expect(used.size).toBeGreaterThan(0);
    expect(used).not.toContain(grant);
  });
});
