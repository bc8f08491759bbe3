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
import { forgetResource } from "../packages/core/src/state/forget.ts";
import { readRuns } from "../packages/core/src/state/history.ts";
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

/** Opens an API of users with posts with comments, two records to a page. */
function openBlog(
  users: User[],
  {
    broken = (_: string): boolean => false,
    gone = (_: string): boolean => false,
    passAnswer = () => {},
  } = {},
) {
  return openApi(({ path, query }) => {
    passAnswer();
    if (broken(path)) return { status: 403 };
    if (gone(path)) return { status: 404 };
    const [, kind, id, subkind, under] = path.split("/");
    const offset = Number(query.get("offset"));
    const since = query.get("since") ?? "";
    const records =
      kind === "users" && subkind === undefined
        ? users.filter(({ at = "" }) => at >= since)
        : subkind === "posts" && under === undefined
          ? [1, 2, 3].map((n) => ({ id: `${id}-${n}`, text: `post ${n}` }))
          : [1].map((n) => ({ id: `${id}/${n}` }));
    return { body: { data: records.slice(offset, offset + 2) } };
  });
}

const posts: ResourceConfig = {
  name: "posts",
  endpoint: { path: "users/{resources.users.id}/posts" },
  include_from_parent: ["name"],
};

let blogs = 0;

/** Deploys a source with its tables, and calls its functions as the schedule and the tick do. */
async function deployBlog(api: Api, resources: SourceConfig["resources"], changes: object = {}) {
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
  const invokeWorker = (event: WorkerEvent, world: World = testWorld(engine)) =>
    handleWorkerEvent(event, {
      sources,
      world,
      invocation: `worker/${Math.random()}`,
      localOrigin: () => ({ override: undefined, dynamodbEndpoint: undefined }),
    }).catch((error: unknown): ResourceReport => {
      if (error instanceof RunError) return error.report;
      throw error;
    });

  /** Invokes a worker again and again to the end of its run, as the tick does. */
  async function runToEnd(event: WorkerEvent, most = 50): Promise<ResourceReport> {
    const report = await invokeWorker(event);
    const open = report.status === "running" || report.status === "waiting";
    return open && most > 0 ? runToEnd(event, most - 1) : report;
  }

  async function startRun(event: object, requestId: string): Promise<WorkerEvent[]> {
    const events: WorkerEvent[] = [];
    const world = { ...testWorld(engine), sources, requestId };
    await handleScheduleEvent(
      { source: name, ...event },
      { ...world, invoke: async (event) => void events.push(event) },
    );
    return events;
  }

  return {
    name,
    plans,
    invoke: invokeWorker,
    toItsEnd: runToEnd,
    started: startRun,
    ids: async (resource: string) =>
      (await engine.scan(`tidetable-test-${name}.${resource}`)).map(({ id }) => id?.S).sort(),
    async run(event: object = {}, requestId = `r${Math.random()}`) {
      const events = await startRun(event, requestId);
      const reports = await Promise.all(events.map((event) => runToEnd(event)));
      return Object.fromEntries(reports.map((report) => [report.resource, report]));
    },
  };
}

const usersOf = (...ids: number[]): User[] => ids.map((id) => ({ id, name: `user ${id}` }));
const postIdsOf = (...ids: number[]) => ids.flatMap((id) => [1, 2, 3].map((n) => `${id}-${n}`));

describe("a child", () => {
  it("a child is read for each record of its parent, in an invocation of its own, and gets the parent's fields", async () => {
    const api = await openBlog(usersOf(1, 2, 3));
    const { run, ids, name } = await deployBlog(api, ["users", posts]);
    expect(await run()).toMatchObject({
      users: { status: "done", records: 3 },
      posts: { status: "done", records: 9, written: 9 },
    });
    expect(await ids("posts")).toEqual(postIdsOf(1, 2, 3));
    const [first] = await engine.scan(`tidetable-test-${name}.posts`);
    expect(first?._users_name?.S).toMatch(/^user [123]$/);
    const paths = api.requests.map(({ path }) => path).filter((path) => path.includes("posts"));
    expect(new Set(paths)).toEqual(new Set([1, 2, 3].map((id) => `/users/${id}/posts`)));
  });

  it("a child may have children, in any order of the config", async () => {
    const comments = {
      name: "comments",
      endpoint: { path: "posts/{resources.posts.id}/comments/x" },
      include_from_parent: ["_users_name"],
    };
    const { run, ids, plans } = await deployBlog(await openBlog(usersOf(1, 2)), [
      comments,
      posts,
      "users",
    ]);
    expect(plans.map(({ name }) => name)).toEqual(["users", "posts", "comments"]);
    expect(await run()).toMatchObject({ comments: { status: "done", records: 6 } });
    expect(await ids("comments")).toEqual(postIdsOf(1, 2).map((id) => `${id}/1`));
  });

  it("a run of a child alone reads the parent for it, which is no run of the parent and writes no row of it", async () => {
    const { run, ids, name } = await deployBlog(await openBlog(usersOf(1, 2)), ["users", posts]);
    expect(await run({ resources: ["posts"] })).toMatchObject({
      users: { status: "done", records: 0, written: 0, pages: 2 },
      posts: { status: "done", records: 6 },
    });
    expect(await ids("users")).toEqual([]);
    const [world, place] = [testWorld(engine), { source: name, resource: "users" }];
    expect(await readState(world, place)).toBeUndefined();
    expect(await readRuns(world, place)).toEqual([]);
    expect(await readState(world, place, "for_children")).toMatchObject({
      status: "done",
      succeeded_at: null,
    });
    expect(await run()).toMatchObject({ users: { records: 2 }, posts: { records: 6 } });
  });

  it("a child of a parent that is not selected needs no table of the parent", async () => {
    const hidden = { name: "users", selected: false };
    const { run, ids } = await deployBlog(await openBlog(usersOf(1, 2)), [hidden, posts]);
    expect(await run()).toMatchObject({
      users: { status: "done", records: 0 },
      posts: { records: 6 },
    });
    expect(await ids("posts")).toEqual(postIdsOf(1, 2));
  });

  it("a child continues between records and pages, whenever its slice ends (P6)", async () => {
    const { passAnswer, oneSlice } = slicedTime();
    const api = await openBlog(usersOf(1, 2, 3), { passAnswer });
    const { started, toItsEnd, invoke, ids } = await deployBlog(api, ["users", posts]);
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
    expect(await ids("posts")).toEqual(postIdsOf(1, 2, 3));
  });

  it("a child of a parent that is read whole each time sees only the records of its own run", async () => {
    const list = usersOf(1, 2);
    const api = await openBlog(list);
    const { run, ids } = await deployBlog(api, ["users", posts]);
    await run();
    list.shift();
    const before = api.requests.length;
    expect(await run()).toMatchObject({ posts: { status: "done", records: 3 } });
    const requestedWindows = api.requests.slice(before).map(({ path }) => path);
    expect(requestedWindows.some((path) => path.startsWith("/users/1"))).toBe(false);
    expect(await ids("posts")).toEqual(postIdsOf(1, 2));
  });

  it("a child misses no record of an incremental parent after one of its own runs has failed", async () => {
    const list: User[] = usersOf(1, 2).map((user) => ({ ...user, at: "2026-01-01" }));
    let down = false;
    const api = await openBlog(list, { broken: (path) => down && path.includes("posts") });
    const incremental = { cursor_path: "at", start_param: "since" };
    const parent = { name: "users", endpoint: { incremental } };
    const { run, ids } = await deployBlog(api, [parent, posts]);
    await run();
    list.push({ id: 3, name: "user 3", at: "2026-01-02" });
    down = true;
    expect(await run()).toMatchObject({ users: { status: "done" }, posts: { status: "failed" } });
    down = false;
    list.push({ id: 4, name: "user 4", at: "2026-01-03" });
    // The parent's cursor has moved over user 3. Its next read goes back to where the child is.
    expect(await run()).toMatchObject({ users: { records: 4 }, posts: { status: "done" } });
    expect(await ids("posts")).toEqual(postIdsOf(1, 2, 3, 4));
    const since = api.requests.flatMap(({ path, query }) =>
      path === "/users" && query.get("offset") === "0" ? [query.get("since")] : [],
    );
    expect(since).toEqual([null, "2026-01-01", "2026-01-01"]);
    expect(await run()).toMatchObject({ users: { records: 1 }, posts: { records: 3 } });
  });

  it("a child is skipped when its parent fails, and its report says why (P18)", async () => {
    const api = await openBlog(usersOf(1), { broken: (path) => path === "/users" });
    const { run } = await deployBlog(api, ["users", posts]);
    const { users: parent, posts: child } = await run();
    expect(parent).toMatchObject({ status: "failed" });
    expect(child).toMatchObject({
      status: "skipped",
      error: { code: "run.parent_failed", message: expect.stringContaining("users") },
    });
  });

  it("a full refresh of a child deletes the rows that the API no longer shows", async () => {
    const list = usersOf(1, 2, 3);
    const { run, ids, name } = await deployBlog(await openBlog(list), ["users", posts]);
    const refresh = () => run({ full_refresh: true, confirm: name });
    await refresh();
    list.pop();
    // Behind pages of two by their offset, a row goes only when two whole reads have not seen it.
    expect(await refresh()).toMatchObject({ posts: { deleted: 0 }, users: { deleted: 0 } });
    const refreshed = await refresh();
    expect(refreshed).toMatchObject({
      posts: { status: "done", deleted: 3 },
      users: { deleted: 1 },
    });
    expect(await ids("posts")).toEqual(postIdsOf(1, 2));
  });

  it.each([
    ["raise", "failed", 0],
    ["skip", "done", 0],
    [undefined, "done", 1],
  ] as const)("a null in the parent's field with the option %s ends the child's run as %s with %i parents set aside, and no request has /null/ in its path", async (option, status, setAside) => {
    const api = await openBlog([...usersOf(1), { id: null, name: "nobody" }]);
    // The parent's own key may be null only where nothing of it is stored.
    const hidden = { name: "users", selected: false };
    const child = { ...posts, ...(option && { on_parent_value_missing: option }) };
    const { run } = await deployBlog(api, [hidden, child]);
    const { posts: report } = await run();
    expect(report).toMatchObject({ status, parents_set_aside: setAside });
    if (option === "raise") expect(report?.error?.code).toBe("extract.parent_field");
    expect(api.requests.map(({ path }) => path).join()).not.toMatch(/null|None|undefined/);
  });

  it("a sample of a child leaves out parent records without a value", async () => {
    const api = await openBlog([{ id: null, name: "nobody" }, ...usersOf(1)]);
    const hidden = { name: "users", selected: false };
    const { run } = await deployBlog(api, [hidden, posts]);
    const { posts: report } = await run({ limit_pages: 1 });
    expect(report).toMatchObject({ status: "done", error: null });
  });

  it("a parent whose request answers 404 twice is gone: it shows no rows, and its old ones go", async () => {
    let isGone = false;
    const api = await openBlog(usersOf(1, 2, 3, 4), {
      gone: (path) => isGone && path === "/users/2/posts",
    });
    const { run, ids, name } = await deployBlog(api, ["users", posts]);
    const refresh = () => run({ full_refresh: true, confirm: name });
    await refresh();
    isGone = true;
    await refresh();
    const before = api.requests.length;
    const refreshed = await refresh();
    expect(refreshed.posts).toMatchObject({ status: "done", deleted: 3, parents_set_aside: 0 });
    expect(await ids("posts")).toEqual(postIdsOf(1, 3, 4));
    const asked = api.requests.slice(before).map(({ path }) => path);
    expect(asked.filter((path) => path === "/users/2/posts")).toHaveLength(2);
    // It is asked for once more when all others have been read.
    expect(asked.at(-1)).toBe("/users/2/posts");
  });

  it("a parent whose request fails otherwise fails the run, or is set aside where the config says so, and no row goes", async () => {
    const api = await openBlog(usersOf(1, 2, 3, 4), {
      broken: (path) => path === "/users/2/posts",
    });
    const strict = await deployBlog(api, ["users", posts]);
    expect((await strict.run()).posts).toMatchObject({
      status: "failed",
      error: { code: "extract.status" },
    });
    const { run, ids, name } = await deployBlog(api, [
      "users",
      { ...posts, on_parent_error: "skip" },
    ]);
    expect((await run()).posts).toMatchObject({ status: "done", parents_set_aside: 1 });
    expect(await ids("posts")).toEqual(postIdsOf(1, 3, 4));
    expect((await run({ full_refresh: true, confirm: name })).posts).toMatchObject({
      status: "failed",
      error: { code: "run.no_sweep" },
      deleted: 0,
    });
  });

  it("a check and a sample of a child use records of its parent and leave no trace in the state", async () => {
    const api = await openBlog(usersOf(1, 2, 3));
    const { run, invoke, name } = await deployBlog(api, ["users", posts]);
    const check = { source: name, resource: "posts", run_id: "c", check: true };
    expect(await invoke(check)).toMatchObject({ status: "done", records: 2, requests: 2 });
    expect(await run({ limit_pages: 2 })).toMatchObject({
      posts: { status: "done", pages: 2, limited: true },
    });
    const state = await readState(testWorld(engine), { source: name, resource: "posts" });
    expect(state?.body ?? null).toBeNull();
  });

  it("a child may have a cursor for each record of its parent, so that a late parent is read from its start", async () => {
    const users = [{ id: "a" }];
    const posts: Record<string, { id: string; at: number }[]> = {
      a: [{ id: "a1", at: 10 }],
      b: [{ id: "b1", at: 3 }],
    };
    const requested: string[] = [];
    const api = await openApi(({ path, query }) => {
      if (path === "/users") return { body: { data: users } };
      const id = path.split("/")[2] ?? "";
      const since = Number(query.get("since") ?? 0);
      requested.push(`${id} since ${query.get("since")}`);
      return { body: { data: (posts[id] ?? []).filter(({ at }) => at >= since) } };
    });
    const onePage = { data_selector: "data", paginator: "single_page" as const };
    const { run, ids } = await deployBlog(api, [
      { name: "users", endpoint: onePage },
      {
        name: "posts",
        endpoint: {
          ...onePage,
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
    // One cursor for all parents would request the posts of b from 10 on, and miss b1.
    expect(requested).toEqual([
      "a since null",
      "a since 10",
      "b since null",
      "a since 12",
      "b since 3",
    ]);
    expect(await ids("posts")).toEqual(["a1", "a2", "b1"]);
  });

  it("a child reads a backfill window by window for each record of its parent", async () => {
    const requestedWindows: string[] = [];
    const api = await openApi(({ path, query }) => {
      if (path === "/users") return { body: { data: [{ id: "a" }, { id: "b" }] } };
      requestedWindows.push(`${path.split("/")[2]} ${query.get("from")}-${query.get("to")}`);
      return { body: { data: [] } };
    });
    const onePage = { data_selector: "data", paginator: "single_page" as const };
    const window = {
      initial_value: 1,
      end_value: 5,
      step: 2,
      start_param: "from",
      end_param: "to",
    };
    const { run } = await deployBlog(api, [
      { name: "users", endpoint: onePage },
      {
        name: "posts",
        endpoint: {
          ...onePage,
          path: "users/{resources.users.id}/posts",
          incremental: { cursor_path: "at", ...window },
        },
      },
    ]);
    expect(await run()).toMatchObject({ posts: { status: "done" } });
    expect(requestedWindows).toEqual(["a 1-3", "a 3-5", "b 1-3", "b 3-5"]);
  });

  it("a child begins with the records of its parent again after the parent was reset, whatever its own position", async () => {
    const list: User[] = usersOf(1, 2, 3).map((user) => ({ ...user, at: "2026-01-01" }));
    const api = await openBlog(list);
    const parent = { name: "users", endpoint: { incremental: { cursor_path: "at" } } };
    const { run, ids, name } = await deployBlog(api, [parent, posts]);
    await run();
    await run();
    await forgetResource(
      testWorld(engine),
      { source: name, resource: "users" },
      { owner: "reset" },
    );
    list.push({ id: 4, name: "user 4", at: "2026-01-01" });
    expect(await run()).toMatchObject({ posts: { status: "done", records: 12 } });
    expect(await ids("posts")).toEqual(postIdsOf(1, 2, 3, 4));
  });
});
