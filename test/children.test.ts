import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { World } from "../packages/core/src/base/world.ts";
import { rest_api_source } from "../packages/core/src/config/source.ts";
import type { ResourceConfig, SourceConfig } from "../packages/core/src/config/types.ts";
import { stateTable, tableDefinition } from "../packages/core/src/dynamodb/tables.ts";
import type { WorkerEvent } from "../packages/core/src/entry/events.ts";
import { handleScheduleEvent } from "../packages/core/src/entry/schedule.ts";
import { handleWorkerEvent, RunError } from "../packages/core/src/entry/worker.ts";
import type { ResourceReport } from "../packages/core/src/report/types.ts";
import { planOf } from "../packages/core/src/run/reach.ts";
import { forget } from "../packages/core/src/state/forget.ts";
import { readState } from "../packages/core/src/state/state-item.ts";
import { type Api, openApi } from "./support/api.ts";
import { slicedTime } from "./support/clock.ts";
import { type Engine, startDynamodb } from "./support/dynamodb.ts";
import { testWorld } from "./support/world.ts";

let engine: Engine;
beforeAll(async () => {
  engine = await startDynamodb();
  await engine.createTables({ "tidetable-test-state": stateTable });
});
afterAll(() => engine.close());

interface User {
  id: number | null;
  name: string;
  at?: string;
}

/** Users, each with posts, each with comments: two of each to a page. */
function blog(
  users: User[],
  { broken = (_: string): boolean => false, passAnswer = () => {} } = {},
) {
  return openApi(({ path, query }) => {
    passAnswer();
    if (broken(path)) return { status: 404 };
    const [, kind, id, what, under] = path.split("/");
    const offset = Number(query.get("offset"));
    const since = query.get("since") ?? "";
    const all =
      kind === "users" && what === undefined
        ? users.filter(({ at = "" }) => at >= since)
        : what === "posts" && under === undefined
          ? [1, 2, 3].map((n) => ({ id: `${id}-${n}`, text: `post ${n}` }))
          : [1].map((n) => ({ id: `${id}/${n}` }));
    return { body: { data: all.slice(offset, offset + 2) } };
  });
}

const posts: ResourceConfig = {
  name: "posts",
  endpoint: { path: "users/{resources.users.id}/posts" },
  include_from_parent: ["name"],
};

let blogs = 0;

/** A source with its tables, and what the schedule function and the tick do with its workers. */
async function deploy(api: Api, resources: SourceConfig["resources"], changes: object = {}) {
  blogs += 1;
  const name = `blog${blogs}`;
  const source = rest_api_source({
    client: { base_url: api.url },
    resource_defaults: {
      primary_key: "id",
      write_disposition: "merge",
      endpoint: { data_selector: "data", paginator: { type: "offset", limit: 2 } },
    },
    resources,
    ...changes,
  });
  const sources = { [name]: source };
  const plans = planOf(sources, name).resources;
  for (const plan of plans.filter(({ selected }) => selected)) {
    await engine.createTables({ [`tidetable-test-${name}.${plan.table}`]: tableDefinition(plan) });
  }
  const invoke = (event: WorkerEvent, world: World = testWorld(engine)) =>
    handleWorkerEvent(event, {
      sources,
      world,
      invocation: `worker/${Math.random()}`,
      localOrigin: () => ({ override: undefined, dynamodbEndpoint: undefined }),
    }).catch((error: unknown): ResourceReport => {
      if (error instanceof RunError) return error.report;
      throw error;
    });

  /** One worker to the end of its run, as the tick would take it there. */
  async function toItsEnd(event: WorkerEvent, most = 50): Promise<ResourceReport> {
    const report = await invoke(event);
    const open = report.status === "running" || report.status === "waiting";
    return open && most > 0 ? toItsEnd(event, most - 1) : report;
  }

  async function started(event: object, requestId: string): Promise<WorkerEvent[]> {
    const events: WorkerEvent[] = [];
    const world = { ...testWorld(engine), sources, requestId };
    await handleScheduleEvent(
      { source: name, ...event },
      { ...world, invoke: async (one) => void events.push(one) },
    );
    return events;
  }

  return {
    name,
    plans,
    invoke,
    toItsEnd,
    started,
    ids: async (resource: string) =>
      (await engine.scan(`tidetable-test-${name}.${resource}`)).map(({ id }) => id?.S).sort(),
    async run(event: object = {}, requestId = `r${Math.random()}`) {
      const events = await started(event, requestId);
      const reports = await Promise.all(events.map((one) => toItsEnd(one)));
      return Object.fromEntries(reports.map((report) => [report.resource, report]));
    },
  };
}

const users = (...ids: number[]): User[] => ids.map((id) => ({ id, name: `user ${id}` }));
const postsOf = (...ids: number[]) => ids.flatMap((id) => [1, 2, 3].map((n) => `${id}-${n}`));

describe("a child", () => {
  it("is read for each record of its parent, one invocation per resource, and gets its fields", async () => {
    const api = await blog(users(1, 2, 3));
    const { run, ids, name } = await deploy(api, ["users", posts]);
    expect(await run()).toMatchObject({
      users: { status: "done", records: 3 },
      posts: { status: "done", records: 9, written: 9 },
    });
    expect(await ids("posts")).toEqual(postsOf(1, 2, 3));
    const [first] = await engine.scan(`tidetable-test-${name}.posts`);
    expect(first?._users_name?.S).toMatch(/^user [123]$/);
    const paths = api.requests.map(({ path }) => path).filter((path) => path.includes("posts"));
    expect(new Set(paths)).toEqual(new Set([1, 2, 3].map((id) => `/users/${id}/posts`)));
  });

  it("may have children itself, whatever the order in the config", async () => {
    const comments = {
      name: "comments",
      endpoint: { path: "posts/{resources.posts.id}/comments/x" },
      include_from_parent: ["_users_name"],
    };
    const { run, ids, plans } = await deploy(await blog(users(1, 2)), [comments, posts, "users"]);
    expect(plans.map(({ name }) => name)).toEqual(["users", "posts", "comments"]);
    expect(await run()).toMatchObject({ comments: { status: "done", records: 6 } });
    expect(await ids("comments")).toEqual(postsOf(1, 2).map((id) => `${id}/1`));
  });

  it("asked for alone runs its parent for the spool only: no row of it is written", async () => {
    const { run, ids, name } = await deploy(await blog(users(1, 2)), ["users", posts]);
    expect(await run({ resources: ["posts"] })).toMatchObject({
      users: { status: "done", records: 0, written: 0, pages: 2 },
      posts: { status: "done", records: 6 },
    });
    expect(await ids("users")).toEqual([]);
    const state = await readState(testWorld(engine), { source: name, resource: "users" });
    expect(state?.succeeded_at).toBeNull();
    expect(await run()).toMatchObject({ users: { records: 2 }, posts: { records: 6 } });
  });

  it("of a parent that is not selected needs no table of that", async () => {
    const hidden = { name: "users", selected: false };
    const { run, ids } = await deploy(await blog(users(1, 2)), [hidden, posts]);
    expect(await run()).toMatchObject({
      users: { status: "done", records: 0 },
      posts: { records: 6 },
    });
    expect(await ids("posts")).toEqual(postsOf(1, 2));
  });

  it("goes on between records and pages, whenever its slice ends (P6)", async () => {
    const { passAnswer, oneSlice } = slicedTime();
    const api = await blog(users(1, 2, 3), { passAnswer });
    const { started, toItsEnd, invoke, ids } = await deploy(api, ["users", posts]);
    const [parent, child] = await started({}, "r1");
    if (!parent || !child) throw new Error("not started");
    await toItsEnd(parent);
    let slices = 0;
    for (let open = true; open; slices += 1) {
      const world = testWorld(engine, { ...oneSlice(), random: () => 0 });
      const report = await invoke(child, world);
      open = report.status === "running" || report.status === "waiting";
      if (slices > 60) throw new Error("does not end");
    }
    expect(slices).toBeGreaterThan(1);
    expect(await ids("posts")).toEqual(postsOf(1, 2, 3));
  });

  it("sees the records of its own run only, when the parent is read whole each time", async () => {
    const list = users(1, 2);
    const api = await blog(list);
    const { run, ids } = await deploy(api, ["users", posts]);
    await run();
    list.shift();
    const before = api.requests.length;
    expect(await run()).toMatchObject({ posts: { status: "done", records: 3 } });
    const asked = api.requests.slice(before).map(({ path }) => path);
    expect(asked.some((path) => path.startsWith("/users/1"))).toBe(false);
    expect(await ids("posts")).toEqual(postsOf(1, 2));
  });

  it("misses no record of an incremental parent, though a run of its own comes to nothing", async () => {
    const list: User[] = users(1, 2).map((user) => ({ ...user, at: "2026-01-01" }));
    let down = false;
    const api = await blog(list, { broken: (path) => down && path.includes("posts") });
    const incremental = { cursor_path: "at", start_param: "since" };
    const parent = { name: "users", endpoint: { incremental } };
    const { run, ids } = await deploy(api, [parent, posts]);
    await run();
    list.push({ id: 3, name: "user 3", at: "2026-01-02" });
    down = true;
    expect(await run()).toMatchObject({ users: { status: "done" }, posts: { status: "failed" } });
    down = false;
    list.push({ id: 4, name: "user 4", at: "2026-01-03" });
    // The parent's cursor has moved over user 3: only the spool still knows of it.
    expect(await run()).toMatchObject({ users: { records: 2 }, posts: { status: "done" } });
    expect(await ids("posts")).toEqual(postsOf(1, 2, 3, 4));
  });

  it("is skipped when its parent fails, and says why (P18)", async () => {
    const api = await blog(users(1), { broken: (path) => path === "/users" });
    const { run } = await deploy(api, ["users", posts]);
    const { users: parent, posts: child } = await run();
    expect(parent).toMatchObject({ status: "failed" });
    expect(child).toMatchObject({
      status: "skipped",
      error: { code: "run.parent_failed", message: expect.stringContaining("users") },
    });
  });

  it("ends with the sweep of what the API no longer shows, in a full refresh", async () => {
    const list = users(1, 2, 3);
    const { run, ids, name } = await deploy(await blog(list), ["users", posts]);
    await run();
    list.pop();
    const refreshed = await run({ full_refresh: true, confirm: name });
    expect(refreshed).toMatchObject({
      posts: { status: "done", deleted: 3 },
      users: { deleted: 1 },
    });
    expect(await ids("posts")).toEqual(postsOf(1, 2));
  });

  it.each([
    ["raise", "failed"],
    ["skip", "done"],
  ] as const)("meets a null in the parent: %s, and never asks for /null/", async (option, status) => {
    const api = await blog([...users(1), { id: null, name: "nobody" }]);
    // The parent's own key may be null only where nothing of it is stored.
    const hidden = { name: "users", selected: false };
    const child = { ...posts, on_parent_value_missing: option };
    const { run } = await deploy(api, [hidden, child]);
    const { posts: report } = await run();
    expect(report?.status).toBe(status);
    if (option === "raise") expect(report?.error?.code).toBe("extract.parent_field");
    expect(api.requests.map(({ path }) => path).join()).not.toMatch(/null|None|undefined/);
  });

  it("is checked and sampled with a record of its parent, and neither leaves a trace", async () => {
    const api = await blog(users(1, 2, 3));
    const { run, invoke, name } = await deploy(api, ["users", posts]);
    const check = { source: name, resource: "posts", run_id: "c", check: true };
    expect(await invoke(check)).toMatchObject({ status: "done", records: 2, requests: 2 });
    expect(await run({ limit_pages: 2 })).toMatchObject({
      posts: { status: "done", pages: 2, limited: true },
    });
    const state = await readState(testWorld(engine), { source: name, resource: "posts" });
    expect(state?.body ?? null).toBeNull();
  });

  it("may have a cursor for each record of its parent, so that a late parent is read from its start", async () => {
    const users = [{ id: "a" }];
    const posts: Record<string, { id: string; at: number }[]> = {
      a: [{ id: "a1", at: 10 }],
      b: [{ id: "b1", at: 3 }],
    };
    const asked: string[] = [];
    const api = await openApi(({ path, query }) => {
      if (path === "/users") return { body: { data: users } };
      const id = path.split("/")[2] ?? "";
      const since = Number(query.get("since") ?? 0);
      asked.push(`${id} since ${query.get("since")}`);
      return { body: { data: (posts[id] ?? []).filter(({ at }) => at >= since) } };
    });
    const one = { data_selector: "data", paginator: "single_page" as const };
    const { run, ids } = await deploy(api, [
      { name: "users", endpoint: one },
      {
        name: "posts",
        endpoint: {
          ...one,
          path: "users/{resources.users.id}/posts",
          incremental: { cursor_path: "at", start_param: "since", per_parent: true },
        },
      },
    ]);
    await run();
    users.push({ id: "b" });
    posts.a?.push({ id: "a2", at: 12 });
    await run();
    await run();
    // With one cursor for all, b would be asked for what is newer than 10.
    expect(asked).toEqual([
      "a since null",
      "a since 10",
      "b since null",
      "a since 12",
      "b since 3",
    ]);
    expect(await ids("posts")).toEqual(["a1", "a2", "b1"]);
  });

  it("reads a backfill window by window for each record of its parent", async () => {
    const asked: string[] = [];
    const api = await openApi(({ path, query }) => {
      if (path === "/users") return { body: { data: [{ id: "a" }, { id: "b" }] } };
      asked.push(`${path.split("/")[2]} ${query.get("from")}-${query.get("to")}`);
      return { body: { data: [] } };
    });
    const one = { data_selector: "data", paginator: "single_page" as const };
    const window = {
      initial_value: 1,
      end_value: 5,
      step: 2,
      start_param: "from",
      end_param: "to",
    };
    const { run } = await deploy(api, [
      { name: "users", endpoint: one },
      {
        name: "posts",
        endpoint: {
          ...one,
          path: "users/{resources.users.id}/posts",
          incremental: { cursor_path: "at", ...window },
        },
      },
    ]);
    expect(await run()).toMatchObject({ posts: { status: "done" } });
    expect(asked).toEqual(["a 1-3", "a 3-5", "b 1-3", "b 3-5"]);
  });

  it("begins with its parent's records when that was reset, whatever its own place was", async () => {
    const list: User[] = users(1, 2, 3).map((user) => ({ ...user, at: "2026-01-01" }));
    const api = await blog(list);
    const parent = { name: "users", endpoint: { incremental: { cursor_path: "at" } } };
    const { run, ids, name } = await deploy(api, [parent, posts]);
    await run();
    await run();
    await forget(testWorld(engine), { source: name, resource: "users" }, { owner: "reset" });
    list.push({ id: 4, name: "user 4", at: "2026-01-01" });
    expect(await run()).toMatchObject({ posts: { status: "done", records: 12 } });
    expect(await ids("posts")).toEqual(postsOf(1, 2, 3, 4));
  });
});
