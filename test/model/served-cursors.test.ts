import { describe, expect, it } from "vitest";
import { blog, comments, idsOf, posts, users } from "./blog.ts";
import { data, numbers, shop, source } from "./support.ts";

// How far a child has been served, where its parent's cursor is of another kind, or it has its own.

describe("a child that failed gets what it missed", () => {
  it.each([
    ["of a parent with a lag", { lag: 1 }, 1],
    ["of a parent with an open start", { range_start: "open" }, 1],
    ["of a parent whose cursor falls", { last_value_func: "min", start_param: "until" }, -1],
    ["of a parent with an initial value", { initial_value: 1 }, 1],
  ])("%s", async (_, incremental, sign) => {
    const api = blog();
    for (const user of api.users) user.at = sign * Number(user.at);
    const { run, column } = await shop(source([users({}, incremental), posts()]), api.behave);
    await run();
    for (const [n, user] of [1, 2, 3].entries()) api.add(user, sign * (10 * n + 10));
    api.down = /users\/1\/posts/;
    await run();
    api.down = undefined;
    await run();
    await run();
    expect(await column("posts")).toEqual(idsOf(api.posts));
  });

  it("of a parent whose pages end at the first record before the start", async () => {
    const rows = numbers(1, 9).map((id) => ({ id, at: id }));
    let isDown = false;
    const parent = {
      name: "users",
      endpoint: {
        paginator: { type: "page_number", base_page: 1 },
        incremental: { cursor_path: "at", row_order: "desc" },
      },
    };
    const { run, column } = await shop(source([parent, posts()]), ({ path, query }) => {
      const [, , user] = path.split("/");
      if (user) return isDown ? { status: 500 } : data([{ id: Number(user) * 10 }]);
      const page = Number(query.get("page"));
      return data([...rows].sort((a, b) => b.at - a.at).slice(page * 2 - 2, page * 2));
    });
    isDown = true;
    await run();
    isDown = false;
    await run();
    expect(await column("posts")).toEqual(idsOf(rows.map(({ id }) => ({ id: id * 10 }))));
  });
});

describe("a child with a cursor of its own", () => {
  const own = { incremental: { cursor_path: "id", start_param: "from" } };
  const perParent = { incremental: { ...own.incremental, per_parent: true } };

  it.each([
    ["a child", [users(), posts({}, own)]],
    [
      "a grandchild",
      [users(), posts(), { ...comments(), endpoint: { ...comments().endpoint, ...own } }],
    ],
  ])("below an incremental resource is refused without per_parent: %s", async (_, resources) => {
    const { run, requests } = await shop(source(resources), blog().behave);
    const { exit, document } = await run();
    expect(exit).toBe(2);
    expect(JSON.stringify(document.problems)).toContain("per_parent");
    expect(requests).toHaveLength(0);
  });

  it("below a resource that is read whole each time may have one cursor", async () => {
    const api = blog();
    const { run, column } = await shop(source(["users", posts({}, own)]), api.behave);
    expect((await run()).exit).toBe(0);
    expect(await column("posts")).toEqual(idsOf(api.posts));
  });

  it("for each parent gets what it missed in a failed run", async () => {
    const api = blog();
    const { run, column } = await shop(source([users(), posts({}, perParent)]), api.behave);
    await run();
    for (const user of [1, 2, 3]) api.add(user, 10 + user);
    api.down = /users\/2\/posts/;
    await run();
    api.down = undefined;
    await run();
    expect(await column("posts")).toEqual(idsOf(api.posts));
  });

  it("for each parent has its records read again from the start after a reset", async () => {
    const api = blog();
    const { run, reset, column } = await shop(source([users(), posts({}, perParent)]), api.behave);
    await run();
    await run();
    await reset("posts", "--tables");
    await run();
    expect(await column("posts")).toEqual(idsOf(api.posts));
  });

  it("for each parent is read whole for its own children, or the config is refused", async () => {
    const api = blog();
    const resources = ["users", posts({}, perParent), comments()];
    const place = await shop(source(resources), ({ path, query }) => {
      const reply = api.behave({ path, query } as Parameters<typeof api.behave>[0]);
      const rows = (reply.body as { data: { id: number }[] } | undefined)?.data ?? [];
      const from = Number(query.get("from") ?? 0);
      return reply.status ? reply : data(rows.filter(({ id }) => id >= from));
    });
    api.down = /comments/;
    const { exit, document } = await place.run();
    if (exit === 2) {
      expect(JSON.stringify(document.problems)).toContain("per_parent");
      return;
    }
    api.down = undefined;
    for (const user of [1, 2, 3]) api.add(user, 10);
    await place.run();
    await place.run();
    expect(await place.column("posts")).toEqual(idsOf(api.posts));
    expect(await place.column("comments")).toEqual(idsOf(api.comments));
  });
});
