import { describe, expect, it } from "vitest";
import { blog, idsOf, posts, users } from "./blog.ts";
import { shop, source } from "./support.ts";

// Coverage decides about deleting: rows go only behind a read that covers everything.

async function shopOf(child: object) {
  const api = blog();
  const place = await shop(source([users(), posts(child)]), api.behave);
  return { api, ...place };
}

/** A user changes, so that a plain read of users shows that one alone. */
const change = (api: ReturnType<typeof blog>) => {
  const [, second] = api.users;
  if (second) second.at = 10;
};

describe("a replace child below an incremental parent", () => {
  const replaced = { write_disposition: "replace" };

  it("keeps the rows of parents that did not change, run after run", async () => {
    const { api, run, column } = await shopOf(replaced);
    await run();
    change(api);
    expect((await run()).of("posts").status).toBe("succeeded");
    expect(await column("posts")).toEqual(idsOf(api.posts));
    await run();
    expect(await column("posts")).toEqual(idsOf(api.posts));
  });

  it("loses the rows that the API no longer shows, of parents that did not change, too", async () => {
    const { api, run, column } = await shopOf(replaced);
    await run();
    change(api);
    api.posts.splice(0, 1);
    const { of } = await run();
    expect(of("posts")).toMatchObject({ status: "succeeded", deleted: 1 });
    expect(await column("posts")).toEqual(idsOf(api.posts));
  });

  it("keeps the rows of parents that did not change when it is asked for alone", async () => {
    const { api, run, column } = await shopOf(replaced);
    await run();
    change(api);
    expect((await run("--resource", "posts")).of("posts").status).toBe("succeeded");
    expect(await column("posts")).toEqual(idsOf(api.posts));
  });

  it("keeps its rows when it is asked for alone while its parent's run is unfinished", async () => {
    const { api, run, column, interruptedAt } = await shopOf(replaced);
    await run();
    change(api);
    await interruptedAt(({ path }) => path === "/users");
    await run("--resource", "posts");
    expect(await column("posts")).toEqual(idsOf(api.posts));
    await run();
    expect(await column("posts")).toEqual(idsOf(api.posts));
  });

  it("keeps its rows without a primary key, too", async () => {
    const { api, run, column } = await shopOf({ ...replaced, primary_key: null });
    await run();
    change(api);
    expect((await run()).of("posts").status).toBe("succeeded");
    expect(await column("posts")).toEqual(idsOf(api.posts));
  });

  it("tells in its plan that its parent is read from the start each time", async () => {
    const { cli, file } = await shopOf(replaced);
    const { exit, stdout } = await cli("plan", file);
    expect(exit).toBe(0);
    expect(stdout).toMatch(/posts[\s\S]*users[^\n]*(whole|from the start|everything)/i);
  });
});

describe("a full refresh of a child below an incremental parent", () => {
  it("keeps the rows of parents that did not change when it is asked for alone", async () => {
    const { api, run, column } = await shopOf({});
    await run();
    change(api);
    api.posts.splice(0, 1);
    const { of } = await run("--full-refresh", "--resource", "posts");
    expect(of("posts")).toMatchObject({ status: "succeeded", deleted: 1 });
    expect(await column("posts")).toEqual(idsOf(api.posts));
  });

  it("keeps its rows while its parent's run is unfinished", async () => {
    const { api, run, column, interruptedAt } = await shopOf({});
    await run();
    change(api);
    await interruptedAt(({ path }) => path.endsWith("posts"));
    api.add(4, 12);
    await interruptedAt(({ path }) => path === "/users");
    await run("--full-refresh", "--resource", "posts");
    await run();
    expect(await column("posts")).toEqual(idsOf(api.posts));
    expect(await column("users")).toEqual(idsOf(api.users));
  });

  it("deletes nothing when one request for a child's records fails", async () => {
    const { api, run, column } = await shopOf({});
    await run();
    const before = idsOf(api.posts);
    api.posts.splice(0, 1);
    api.down = /users\/3\/posts/;
    const { of } = await run("--full-refresh", "--resource", "posts");
    expect(of("posts")).toMatchObject({ status: "failed", deleted: 0 });
    expect(await column("posts")).toEqual(before);
  });

  it("deletes nothing when the parent's read fails", async () => {
    const { api, run, column } = await shopOf({});
    await run();
    const before = idsOf(api.posts);
    api.posts.splice(0, 1);
    api.down = /^\/users$/;
    const { of } = await run("--full-refresh");
    expect(of("posts").status).toBe("skipped");
    expect(await column("posts")).toEqual(before);
  });
});
