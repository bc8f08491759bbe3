import { describe, expect, it } from "vitest";
import type { Reply } from "../support/api.ts";
import { blog, idsOf, posts, users } from "./blog.ts";
import { data, numbers, shop, source, texts } from "./support.ts";

// Rows without a key of their own are named by what they are.

type Rows = Record<string, unknown>[];

/** A list in offset pages of ten, whose second page can be broken. */
async function list(more: object, rows: Rows, endpoint: object = {}) {
  const world = { rows, broken: false };
  const paging = { paginator: { type: "offset", limit: 10 }, ...endpoint };
  const place = await shop(
    source([{ name: "rows", primary_key: null, endpoint: paging, ...more }]),
    ({ query }): Reply => {
      const offset = Number(query.get("offset"));
      if (world.broken && offset > 0) return { status: 500 };
      return data(world.rows.slice(offset, offset + Number(query.get("limit"))));
    },
  );
  return { world, ...place };
}

const numbered = (from: number, to: number): Rows =>
  numbers(from, to).map((id) => ({ id, title: `row ${id}` }));

describe("a replace without a primary key", () => {
  const replaced = { write_disposition: "replace" };

  it.each([
    ["its first row", 0],
    ["a row in the middle", 7],
    ["its last row", 24],
  ])("goes through when the API has lost %s", async (_, index) => {
    const { world, run, column } = await list(replaced, numbered(1, 25));
    await run();
    world.rows.splice(index, 1);
    const { of } = await run();
    expect(of("rows")).toMatchObject({ status: "succeeded", deleted: 1 });
    expect(await column("rows")).toEqual(texts(world.rows.map(({ id }) => String(id))));
  });

  it("goes through when a row has come in front, and takes no other for gone", async () => {
    const { world, run, column } = await list(replaced, numbered(1, 25));
    await run();
    world.rows.unshift({ id: 0, title: "row 0" });
    expect((await run()).of("rows")).toMatchObject({ status: "succeeded", deleted: 0 });
    expect(await column("rows")).toEqual(texts(numbers(0, 25)));
  });

  it("goes through after a run that failed, as if that had not been", async () => {
    const { world, run, column } = await list(replaced, numbered(1, 25));
    await run();
    world.broken = true;
    world.rows.shift();
    expect((await run()).of("rows").status).toBe("failed");
    world.broken = false;
    for (let n = 0; n < 2; n++) {
      expect((await run()).of("rows").status).toBe("succeeded");
      expect(await column("rows")).toEqual(texts(numbers(2, 25)));
    }
  });

  it("goes through though its first run failed", async () => {
    const { world, run, column } = await list(replaced, numbered(1, 25));
    world.broken = true;
    await run();
    world.broken = false;
    expect((await run()).of("rows").status).toBe("succeeded");
    expect(await column("rows")).toEqual(texts(numbers(1, 25)));
  });

  it("names a row by its content, however that is written", async () => {
    const rows: Rows = [{ id: 1, size: 2, color: "red", none: null }, { id: 2 }, { id: 3 }];
    const { world, run, items, hooks } = await list(replaced, rows);
    await run();
    const before = await items("rows");
    world.rows = [{ color: "red", id: 1, size: 2 }, { none: null, id: 2 }, { id: 3 }];
    await run();
    const names = ({ _row_id }: Record<string, unknown>) => _row_id;
    expect((await items("rows")).map(names)).toEqual(before.map(names));
    hooks.before = ({ query }) =>
      query.get("offset") === "0"
        ? {
            body: '{"data":[{"size":2.0,"color":"red","id":1e0},{"id":2},{"id":3}]}',
            headers: json,
          }
        : undefined;
    await run();
    expect((await items("rows")).map(names)).toEqual(before.map(names));
  });

  it("keeps equal records of one page apart, and takes those of different pages for one", async () => {
    const same = { title: "same" };
    const { world, run, items } = await list(replaced, [same, same, ...numbered(1, 8)]);
    await run();
    expect(await items("rows")).toHaveLength(10);
    world.rows = [same, ...numbered(1, 12), same];
    const { of } = await run();
    expect(of("rows")).toMatchObject({ status: "succeeded", superseded: 1 });
    expect(await items("rows")).toHaveLength(13);
  });

  it("keeps equal records of two parents apart", async () => {
    const api = blog();
    const child = posts({ primary_key: null, write_disposition: "replace" });
    const { run, items } = await shop(source(["users", child]), ({ path, query }) =>
      path === "/users" ? api.behave({ path, query } as never) : data([{ title: "same" }]),
    );
    await run();
    await run();
    expect(await items("posts")).toHaveLength(3);
  });

  it("does not name a row by what it takes over from its parent", async () => {
    const api = blog();
    const child = posts({
      primary_key: null,
      write_disposition: "replace",
      include_from_parent: ["name"],
    });
    for (const user of api.users) user.name = "before";
    const { run, items } = await shop(source(["users", child]), api.behave);
    await run();
    const before = (await items("posts")).map(({ _row_id }) => _row_id);
    for (const user of api.users) user.name = "after";
    await run();
    const rows = await items("posts");
    expect(rows.map(({ _row_id }) => _row_id)).toEqual(before);
    expect(new Set(rows.map(({ _users_name }) => _users_name))).toEqual(new Set(["after"]));
  });
});

const json = { "content-type": "application/json" };

describe("an append child below an incremental parent", () => {
  const appended = { primary_key: null, write_disposition: "append" };

  it("does not double the records of a parent that is read again", async () => {
    const api = blog();
    const { run, column } = await shop(source([users(), posts(appended)]), api.behave);
    await run();
    api.add(1, 10);
    await run();
    api.add(1, 20);
    await run();
    await run();
    expect(await column("posts")).toEqual(idsOf(api.posts));
  });

  it("neither doubles nor loses anything after a failed run", async () => {
    const api = blog();
    const { run, column } = await shop(source([users(), posts(appended)]), api.behave);
    api.down = /users\/2\/posts/;
    await run();
    api.down = undefined;
    await run();
    expect(await column("posts")).toEqual(idsOf(api.posts));
    await run("--full-refresh", "--yes");
    expect(await column("posts")).toEqual(idsOf(api.posts));
  });
});
