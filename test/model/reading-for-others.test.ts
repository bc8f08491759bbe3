import { describe, expect, it } from "vitest";
import type { ApiRequest } from "../support/api.ts";
import { blog, comments, idsOf, posts } from "./blog.ts";
import { data, shop, source } from "./support.ts";

// What is read for the sake of others is no run of the resource.

/** Users come two to a page, so that their reading can be interrupted in between. */
async function shopOf({
  incremental = true,
  more = {},
}: {
  incremental?: boolean;
  more?: object;
} = {}) {
  const api = blog();
  const cursor = { incremental: { cursor_path: "at", start_param: "since" } };
  const parent = {
    name: "users",
    endpoint: {
      paginator: { type: "page_number", base_page: 1 },
      ...(incremental ? cursor : {}),
    },
    ...more,
  };
  const place = await shop(source([parent, posts(), comments()]), (request) => {
    const reply = api.behave(request);
    if (request.path !== "/users" || reply.status) return reply;
    const page = Number(request.query.get("page"));
    return data((reply.body as { data: unknown[] }).data.slice(page * 2 - 2, page * 2));
  });
  return { api, ...place };
}

const atSecondPage = ({ path, query }: ApiRequest) =>
  path === "/users" && query.get("page") === "2";

describe("a child that is asked for alone", () => {
  it.each([
    ["at its parent's second page", atSecondPage],
    ["at its parent's first page", ({ path }: ApiRequest) => path === "/users"],
    ["at its own first request", ({ path }: ApiRequest) => path === "/users/1/posts"],
    ["at its own last request", ({ path }: ApiRequest) => path === "/users/3/posts"],
  ])("and is interrupted %s leaves its parent's own run alone", async (_, isIt) => {
    const { api, run, column, interruptedAt } = await shopOf();
    await interruptedAt(isIt, "--resource", "posts");
    const { of } = await run();
    expect(of("users").status).toBe("succeeded");
    expect(await column("users")).toEqual(idsOf(api.users));
    await run();
    expect(await column("posts")).toEqual(idsOf(api.posts));
    expect(await column("comments")).toEqual(idsOf(api.comments));
  });

  it("and is interrupted leaves the run of a parent that is read whole alone", async () => {
    const { api, run, column, interruptedAt } = await shopOf({ incremental: false });
    await interruptedAt(atSecondPage, "--resource", "posts");
    const { of } = await run();
    expect(of("users").status).toBe("succeeded");
    expect(await column("users")).toEqual(idsOf(api.users));
    expect(await column("posts")).toEqual(idsOf(api.posts));
  });

  it("moves no cursor of its parent, and is no run in its history", async () => {
    const { run, state, history, column } = await shopOf();
    await run("--resource", "posts");
    expect(await column("users")).toEqual([]);
    expect((await state("users")).cursor).toBeNull();
    expect(await history("users")).toEqual([]);
    await run();
    const [last] = await history("users");
    expect(last.records).toBe(3);
  });

  it("does not end its parent's unfinished run", async () => {
    const { api, run, column, interruptedAt } = await shopOf();
    await interruptedAt(atSecondPage, "--resource", "users");
    await run("--resource", "posts");
    expect(await column("posts")).toEqual(idsOf(api.posts));
    await run("--resource", "users");
    expect(await column("users")).toEqual(idsOf(api.users));
  });

  it("in a full refresh writes and deletes nothing of its parent", async () => {
    const { api, run, column } = await shopOf();
    await run();
    api.users.pop();
    api.users.push({ id: 7, at: 7 });
    for (let n = 0; n < 2; n++) await run("--full-refresh", "--resource", "posts");
    expect(await column("users")).toEqual(["1", "2", "3"]);
    expect(await column("posts")).toEqual(["11", "12", "21", "22"]);
  });

  it("leaves a change of its parent to the parent's next run", async () => {
    const { api, run, items } = await shopOf({
      incremental: false,
      more: { writes: "fingerprints" },
    });
    await run();
    await run();
    const [first] = api.users;
    if (first) first.name = "another";
    await run("--resource", "posts");
    await run();
    expect((await items("users")).map(({ name }) => name)).toContain("another");
  });
});

describe("a grandchild that is asked for alone", () => {
  it.each([
    ["while users are read", atSecondPage],
    ["while posts are read", ({ path }: ApiRequest) => path === "/users/2/posts"],
    ["while comments are read", ({ path }: ApiRequest) => path === "/posts/22/comments"],
  ])("and is interrupted %s harms no later run", async (_, isIt) => {
    const { api, run, column, interruptedAt } = await shopOf();
    await interruptedAt(isIt, "--resource", "comments");
    await run("--resource", "posts");
    expect(await column("posts")).toEqual(idsOf(api.posts));
    await run();
    await run();
    expect(await column("users")).toEqual(idsOf(api.users));
    expect(await column("comments")).toEqual(idsOf(api.comments));
  });
});

describe("a sample", () => {
  it("moves no cursor and leaves no run open, of a parent and of its children", async () => {
    const { api, run, state, column } = await shopOf();
    const { document } = await run("--limit-pages", "1");
    expect(document.limited).toBe(true);
    for (const name of ["users", "posts", "comments"]) {
      expect(await state(name)).toMatchObject({ cursor: null, lease: null, status: "new" });
    }
    await run();
    expect(await column("users")).toEqual(idsOf(api.users));
    expect(await column("posts")).toEqual(idsOf(api.posts));
    expect(await column("comments")).toEqual(idsOf(api.comments));
  });

  it("between two runs keeps no row from being written again", async () => {
    const { api, run, items } = await shopOf({
      incremental: false,
      more: { writes: "fingerprints" },
    });
    await run();
    await run();
    const [first] = api.users;
    if (first) first.name = "for a while";
    await run("--limit-pages", "1");
    if (first) delete first.name;
    await run();
    expect((await items("users")).map(({ name }) => name)).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  it("of a child alone leaves an interrupted run of it to go on", async () => {
    const { api, run, column, interruptedAt } = await shopOf();
    await interruptedAt(({ path }) => path === "/users/2/posts");
    await run("--limit-pages", "1", "--resource", "posts");
    await run();
    await run();
    expect(await column("posts")).toEqual(idsOf(api.posts));
  });
});
