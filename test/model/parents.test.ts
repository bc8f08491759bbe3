import { describe, expect, it } from "vitest";
import type { Reply } from "../support/api.ts";
import { blog, comments, idsOf, posts, type Row, users } from "./blog.ts";
import { shop, source } from "./support.ts";

// One record of a parent that nothing can be asked with does not sink the others.

const bySlug = (more: object = {}) => posts(more, { path: "users/{resources.users.slug}/posts" });

/** Users with a slug, by which their posts are asked for. */
function slugs(...odd: Row[]) {
  const api = blog();
  for (const user of api.users) user.slug = String(user.id);
  api.users.splice(1, 0, ...odd);
  return api;
}

const oddValues: [string, object][] = [
  ["null", { slug: null }],
  ["missing", {}],
  ["empty", { slug: "" }],
  ["..", { slug: ".." }],
  [".", { slug: "." }],
  ["an object", { slug: { en: "a" } }],
  ["a list", { slug: ["a"] }],
];

describe("a record of a parent whose value can not stand in a path", () => {
  it.each(oddValues)("is set aside, and the others are read: %s", async (_, value) => {
    const api = slugs({ id: 9, at: 9, ...value });
    const { run, column, requests } = await shop(source([users(), bySlug()]), api.behave);
    const { of, exit } = await run();
    expect(exit).toBe(0);
    expect(of("posts")).toMatchObject({ status: "succeeded", parents_set_aside: 1, records: 6 });
    expect(await column("posts")).toEqual(idsOf(api.posts));
    expect(await column("users")).toEqual(idsOf(api.users));
    const asked = requests.map(({ path }) => path).filter((path) => path !== "/users");
    expect(asked).toEqual(["/users/1/posts", "/users/2/posts", "/users/3/posts"]);
  });

  it("keeps a refresh from sweeping, which then fails and deletes nothing", async () => {
    const api = slugs();
    const { run, column } = await shop(source([users(), bySlug()]), api.behave);
    await run();
    const before = idsOf(api.posts);
    api.posts.splice(0, 1);
    api.users.push({ id: 9, at: 9, slug: null });
    const { of } = await run("--full-refresh", "--resource", "posts");
    expect(of("posts")).toMatchObject({
      status: "failed",
      deleted: 0,
      error: { code: "run.no_sweep" },
    });
    expect(await column("posts")).toEqual(before);
  });

  it("keeps the children of its children from sweeping, too", async () => {
    const api = slugs();
    const { run, column } = await shop(source([users(), bySlug(), comments()]), api.behave);
    await run();
    const before = idsOf(api.comments);
    api.comments.splice(0, 1);
    api.users.push({ id: 9, at: 9, slug: "" });
    const { of } = await run("--full-refresh", "--resource", "comments");
    expect(of("comments")).toMatchObject({ status: "failed", deleted: 0 });
    expect(await column("comments")).toEqual(before);
  });

  it("is never asked for without its value in the query", async () => {
    const api = blog();
    const child = {
      name: "posts",
      endpoint: { path: "posts", params: { user: "{resources.users.slug}" } },
    };
    for (const user of api.users) user.slug = user.id === 2 ? null : String(user.id);
    const { run, requests } = await shop(source([users(), child]), ({ path, query }) =>
      path === "/posts"
        ? { body: { data: [{ id: query.get("user") }] } }
        : api.behave({ path, query } as never),
    );
    const { of } = await run();
    expect(of("posts")).toMatchObject({ status: "succeeded", parents_set_aside: 1 });
    const asked = requests.filter(({ path }) => path === "/posts");
    expect(asked.map(({ query }) => query.get("user"))).toEqual(["1", "3"]);
  });
});

describe("a record of a parent whose request answers that there is nothing", () => {
  /** User 2 has gone. */
  async function gone(status: number, child: object = {}) {
    const api = blog();
    const answers: Reply[] = [];
    const place = await shop(source([users(), posts(child)]), (request) =>
      request.path === "/users/2/posts" && answers.length > 0
        ? (answers.shift() as Reply)
        : api.behave(request),
    );
    const goes = (times: number) => answers.push(...Array(times).fill({ status, body: "no" }));
    return { api, goes, ...place };
  }

  it.each([404, 410])("does not sink the others: %i", async (status) => {
    const { run, column, goes } = await gone(status);
    goes(9);
    expect((await run()).of("posts").status).toBe("succeeded");
    expect(await column("posts")).toEqual(["11", "12", "31", "32"]);
  });

  it("is asked for once more at the end of the run", async () => {
    const { api, run, column, goes, requests } = await gone(404);
    goes(1);
    expect((await run()).of("posts").status).toBe("succeeded");
    expect(await column("posts")).toEqual(idsOf(api.posts));
    expect(requests.at(-1)?.path).toBe("/users/2/posts");
  });

  it("shows no rows by then, so that a replace deletes those that it had", async () => {
    const { run, column, goes } = await gone(404, { write_disposition: "replace" });
    await run();
    goes(9);
    expect((await run()).of("posts")).toMatchObject({ status: "succeeded", deleted: 2 });
    expect(await column("posts")).toEqual(["11", "12", "31", "32"]);
  });

  it.each([403, 500])("fails the run where the answer says something else: %i", async (status) => {
    const { run, goes } = await gone(status);
    goes(9);
    expect((await run()).of("posts").status).toBe("failed");
  });

  it("is set aside where the config says so, and its rows stay in a replace", async () => {
    const { run, column, goes } = await gone(500, {
      write_disposition: "replace",
      on_parent_error: "skip",
    });
    await run();
    goes(9);
    const { of } = await run();
    expect(of("posts")).toMatchObject({ parents_set_aside: 1, deleted: 0 });
    expect(await column("posts")).toHaveLength(6);
  });

  it("is read by a later run where it was set aside, though its parent has not changed", async () => {
    const { api, run, column, goes } = await gone(500, { on_parent_error: "skip" });
    goes(1);
    expect((await run()).of("posts")).toMatchObject({ status: "succeeded", parents_set_aside: 1 });
    await run("--full-refresh");
    expect(await column("posts")).toEqual(idsOf(api.posts));
  });
});
