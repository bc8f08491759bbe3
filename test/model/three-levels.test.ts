import { describe, expect, it } from "vitest";
import { blog, comments, idsOf, posts, users } from "./blog.ts";
import { shop, source } from "./support.ts";

// What holds for a child holds for its children, and for each way to ask for them.

const replaced = { write_disposition: "replace" };

async function shopOf(resources: object[]) {
  const api = blog();
  const place = await shop(source(resources), api.behave);
  const isWhole = async () => {
    expect(await place.column("users")).toEqual(idsOf(api.users));
    expect(await place.column("posts")).toEqual(idsOf(api.posts));
    expect(await place.column("comments")).toEqual(idsOf(api.comments));
  };
  return { api, isWhole, ...place };
}

describe("a replace grandchild of an incremental resource", () => {
  const three = [users(), posts(), comments(replaced)];

  it("keeps the rows of users that did not change, and loses what is gone", async () => {
    const { api, run, isWhole } = await shopOf(three);
    await run();
    api.add(1, 10);
    api.add(3, 11);
    await run();
    await isWhole();
    api.comments.splice(2, 1);
    expect((await run()).of("comments")).toMatchObject({ status: "succeeded", deleted: 1 });
    await isWhole();
  });

  it("keeps its rows when it is asked for alone, or with its parent", async () => {
    const { api, run, isWhole } = await shopOf(three);
    await run();
    await run("--resource", "comments");
    await isWhole();
    api.add(2, 10);
    await run("--resource", "posts", "--resource", "comments");
    await run();
    await isWhole();
  });

  it("keeps its rows through an interruption at each level", async () => {
    const { api, run, isWhole, interruptedAt } = await shopOf(three);
    await run();
    for (const path of ["/users", "/users/2/posts", "/posts/22/comments"]) {
      api.add(2, api.users.length + api.posts.length);
      await interruptedAt((request) => request.path === path);
    }
    await run();
    await run();
    await isWhole();
  });

  it("deletes nothing while the posts of one user can not be read", async () => {
    const { api, run, column } = await shopOf(three);
    await run();
    const before = idsOf(api.comments);
    api.down = /users\/2\/posts/;
    const { of } = await run();
    expect(of("comments").status).not.toBe("succeeded");
    expect(await column("comments")).toEqual(before);
  });
});

describe("a full refresh", () => {
  const three = [users(), posts(), comments()];

  it("of a whole source deletes at each level what the API no longer shows", async () => {
    const { api, run, isWhole } = await shopOf(three);
    await run();
    api.add(1, 10);
    await run();
    api.users.pop();
    api.posts = api.posts.filter(({ user }) => user !== 3);
    api.comments = api.comments.filter(({ post }) => Number(post) < 30);
    api.comments.shift();
    const { of } = await run("--full-refresh");
    expect(of("users")).toMatchObject({ status: "succeeded", deleted: 1 });
    expect(of("posts")).toMatchObject({ status: "succeeded", deleted: 2 });
    expect(of("comments")).toMatchObject({ status: "succeeded", deleted: 3 });
    await isWhole();
  });

  it("of the middle one deletes nothing below it", async () => {
    const { api, run, column } = await shopOf(three);
    await run();
    const before = idsOf(api.comments);
    api.posts.pop();
    expect((await run("--full-refresh", "--resource", "posts")).of("posts").deleted).toBe(1);
    expect(await column("comments")).toEqual(before);
    api.add(1, 10);
    await run();
    expect(await column("posts")).toEqual(idsOf(api.posts));
  });

  it.each([
    ["at its first request", "/users"],
    ["while posts are read", "/users/2/posts"],
    ["while comments are read", "/posts/22/comments"],
  ])("that is interrupted %s is carried out by the next runs", async (_, path) => {
    const { api, run, isWhole, interruptedAt } = await shopOf(three);
    await run();
    api.comments.splice(1, 1);
    await interruptedAt((request) => request.path === path, "--full-refresh");
    await run();
    await run();
    await isWhole();
  });

  it("that is interrupted stays one when the config has changed", async () => {
    const { api, run, column, interruptedAt, configure, url } = await shopOf([users()]);
    await run();
    api.users.shift();
    await interruptedAt(() => true, "--full-refresh");
    await configure(source([users({ columns: { at: { data_type: "bigint" } } })])(url));
    await run();
    await run();
    expect(await column("users")).toEqual(idsOf(api.users));
  });

  it("after which a child failed sweeps that child in its next refresh", async () => {
    const { api, run, isWhole } = await shopOf(three);
    await run();
    api.comments.splice(1, 1);
    api.down = /posts\/31\/comments/;
    const { of } = await run("--full-refresh");
    expect(of("comments")).toMatchObject({ status: "failed", deleted: 0 });
    api.down = undefined;
    expect((await run("--full-refresh")).of("comments").deleted).toBe(1);
    await isWhole();
  });
});

describe("a child whose parent's event was lost", () => {
  it.each([
    ["is read with the next run", []],
    ["is read with the next refresh", ["--full-refresh"]],
  ])("%s, which does not wait for that event", async (_, more) => {
    const api = blog();
    const { name, run, deliver, column, history } = await shop(
      source([users(), posts(), comments()]),
      api.behave,
    );
    await run();
    api.add(1, 10);
    const event = { source: name, run_id: "2026-01-01T00:01:00Z" };
    expect(await deliver({ ...event, resource: "posts" }, "--worker")).toMatchObject({
      status: "waiting",
    });
    expect((await run(...more)).document.status).toBe("succeeded");
    expect(await column("posts")).toEqual(idsOf(api.posts));
    expect(await column("comments")).toEqual(idsOf(api.comments));
    expect((await history("posts"))[0].status).toBe("done");
  });
});

describe("in steady state", () => {
  it("a parent is read from its own cursor when all of its descendants are served", async () => {
    const { api, run, requests } = await shopOf([users(), posts(), comments()]);
    const starts = async (...args: string[]) => {
      const before = requests.length;
      await run(...args);
      const asked = requests.slice(before).filter(({ path }) => path === "/users");
      return asked.map(({ query }) => query.get("since"));
    };
    expect(await starts()).toEqual([null]);
    expect(await starts()).toEqual(["3"]);
    api.add(1, 10);
    expect(await starts("--resource", "users")).toEqual(["3"]);
    // The children stand at 3 still: the next read goes back for them, and then no more.
    expect(await starts()).toEqual(["3"]);
    expect(await starts()).toEqual(["10"]);
    expect(await starts("--resource", "comments")).toEqual(["10"]);
  });
});
