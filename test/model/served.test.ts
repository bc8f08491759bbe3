import { describe, expect, it } from "vitest";
import { blog, comments, idsOf, posts, users } from "./blog.ts";
import { type Shop, shop, source } from "./support.ts";

// The API is the log: a parent's read goes back for each descendant that has missed something.

const three = [users(), posts(), comments()];

async function shopOf(resources: object[] = three) {
  const api = blog();
  const place = await shop(source(resources), api.behave);
  return { api, ...place };
}

/**
 * Changes two users. A plain read goes on from the later one and shows that one again, so it is the
 * earlier one that can be missed.
 */
function changeTwo(api: ReturnType<typeof blog>, at: number) {
  api.add(1, at);
  api.add(3, at + 1);
}

/** Nothing is missing, whatever happened before. */
async function expectWhole({ column }: Pick<Shop, "column">, api: ReturnType<typeof blog>) {
  expect(await column("users")).toEqual(idsOf(api.users));
  expect(await column("posts")).toEqual(idsOf(api.posts));
  expect(await column("comments")).toEqual(idsOf(api.comments));
}

describe("a child of an incremental parent", () => {
  it("gets all of its records though its first run failed", async () => {
    const place = await shopOf([users(), posts()]);
    place.api.down = /posts/;
    expect((await place.run()).of("posts").status).toBe("failed");
    place.api.down = undefined;
    expect((await place.run()).of("posts").status).toBe("succeeded");
    expect(await place.column("posts")).toEqual(idsOf(place.api.posts));
  });

  it("gets all of its records again after a reset", async () => {
    const { api, run, reset, column } = await shopOf([users(), posts()]);
    await run();
    await run();
    expect((await reset("posts", "--tables")).exit).toBe(0);
    expect(await column("posts")).toEqual([]);
    await run();
    expect(await column("posts")).toEqual(idsOf(api.posts));
  });

  it("gets all of its records when it is added to a config that has run before", async () => {
    const { api, run, configure, url, column } = await shopOf([users()]);
    await run();
    await configure(source([users(), posts()])(url));
    await run();
    expect(await column("posts")).toEqual(idsOf(api.posts));
  });

  it("gets what changed while its parent was read alone", async () => {
    const { api, run, column } = await shopOf([users(), posts()]);
    await run();
    changeTwo(api, 10);
    await run("--resource", "users");
    await run();
    expect(await column("posts")).toEqual(idsOf(api.posts));
  });

  it("gets what changed while it was interrupted", async () => {
    const { api, run, column, interruptedAt } = await shopOf([users(), posts()]);
    await run();
    changeTwo(api, 10);
    await interruptedAt(({ path }) => path === "/users/3/posts");
    api.add(2, 12);
    await run();
    await run();
    expect(await column("posts")).toEqual(idsOf(api.posts));
  });

  it("gets what it missed in two failed runs, after a few more", async () => {
    const { api, run, column } = await shopOf([users(), posts()]);
    await run();
    for (const at of [10, 20]) {
      changeTwo(api, at);
      api.down = /posts/;
      await run();
    }
    api.down = undefined;
    for (let n = 0; n < 4; n++) await run();
    expect(await column("posts")).toEqual(idsOf(api.posts));
  });

  it("gets what it missed though its parent is not stored", async () => {
    const { api, run, column } = await shopOf([users({ selected: false }), posts()]);
    await run();
    changeTwo(api, 10);
    api.down = /posts/;
    await run();
    api.down = undefined;
    await run();
    expect(await column("posts")).toEqual(idsOf(api.posts));
  });

  it("does not double what its parent appends when the parent goes back for it", async () => {
    const { api, run, items, column } = await shopOf([
      users({ write_disposition: "append" }),
      posts(),
    ]);
    api.down = /posts/;
    await run();
    api.down = undefined;
    await run();
    expect(await items("users")).toHaveLength(api.users.length);
    expect(await column("posts")).toEqual(idsOf(api.posts));
  });
});

describe("a grandchild of an incremental resource", () => {
  it("gets what it missed in one failed run", async () => {
    const place = await shopOf();
    await place.run();
    changeTwo(place.api, 10);
    place.api.down = /comments/;
    expect((await place.run()).of("comments").status).toBe("failed");
    place.api.down = undefined;
    expect((await place.run()).of("comments").status).toBe("succeeded");
    await expectWhole(place, place.api);
  });

  it("gets all of its records though its first run failed", async () => {
    const place = await shopOf();
    place.api.down = /comments/;
    await place.run();
    place.api.down = undefined;
    await place.run();
    await expectWhole(place, place.api);
  });

  it("gets what it missed while the child above it failed", async () => {
    const place = await shopOf();
    await place.run();
    changeTwo(place.api, 10);
    place.api.down = /users\/1\/posts/;
    const { of } = await place.run();
    expect(of("posts").status).toBe("failed");
    expect(of("comments").status).toBe("skipped");
    place.api.down = undefined;
    await place.run();
    await expectWhole(place, place.api);
  });

  it("gets what it missed while the child above it was read alone", async () => {
    const place = await shopOf();
    await place.run();
    changeTwo(place.api, 10);
    await place.run("--resource", "posts");
    await place.run();
    await expectWhole(place, place.api);
  });

  it("gets what it missed while it was interrupted", async () => {
    const place = await shopOf();
    await place.run();
    changeTwo(place.api, 10);
    await place.interruptedAt(({ path }) => path === "/posts/33/comments");
    place.api.add(2, 12);
    await place.run();
    await place.run();
    await expectWhole(place, place.api);
  });

  it("gets all of its records again after a reset, alone or in a whole run", async () => {
    const place = await shopOf();
    await place.run();
    await place.reset("comments", "--tables");
    await place.run("--resource", "comments");
    await expectWhole(place, place.api);
    await place.reset("comments", "--tables");
    await place.run();
    await expectWhole(place, place.api);
  });

  it("loses no row in a full refresh of itself alone, and its gone rows go", async () => {
    const place = await shopOf();
    await place.run();
    changeTwo(place.api, 10);
    await place.run();
    place.api.comments.splice(0, 1);
    const { of } = await place.run("--full-refresh", "--resource", "comments");
    expect(of("comments")).toMatchObject({ status: "succeeded", deleted: 1 });
    await expectWhole(place, place.api);
  });
});

describe("what a person is told", () => {
  it.each([
    "state",
    "status",
  ])("%s says how far a child is served, and where the next read goes back to", async (command) => {
    const { api, run, cli, file, name } = await shopOf([users(), posts()]);
    await run();
    api.down = /posts/;
    changeTwo(api, 20);
    await run();
    const { stdout } = await cli(command, file);
    expect(stdout).toContain(`${name}/users: the next read goes back to `);
    expect(stdout).toMatch(new RegExp(`${name}/posts: served up to .* of users .*failed once`));
    const { resources } = (await cli(command, file, "--json")).json();
    expect(resources[0].next_start.goes_back_for).toMatchObject([{ resource: "posts" }]);
    expect(resources[1].served).toMatchObject({ of: "users", failures: 1 });
  });
});
