import { describe, expect, it } from "vitest";
import { blog, idsOf, posts, users } from "./blog.ts";
import { data, numbers, shop, source, texts } from "./support.ts";

// What the range of a read leaves out is not gone.

/** Events with a number as their cursor; the API filters by `since` and `until`. */
async function events(incremental: object, more: object = {}) {
  const rows = numbers(1, 10).map((id) => ({ id, at: id }));
  const config = (changes: object) =>
    source([
      {
        name: "events",
        endpoint: {
          incremental: { cursor_path: "at", start_param: "since", ...incremental, ...changes },
        },
        ...more,
      },
    ]);
  const place = await shop(config({}), ({ query }) => {
    const since = Number(query.get("since") ?? 0);
    const until = Number(query.get("until") ?? Number.POSITIVE_INFINITY);
    const isAll = !query.has("since") && !query.has("until");
    return data(isAll ? rows : rows.filter(({ at }) => at >= since && at <= until));
  });
  const [request] = place.requests;
  const change = (changes: object) => place.configure(config(changes)(place.url));
  return { rows, change, request, ...place };
}

describe("a full refresh of an incremental resource", () => {
  it("leaves rows alone that are older than its initial_value", async () => {
    const { run, column, change } = await events({ initial_value: 1 });
    await run();
    await change({ initial_value: 4 });
    expect((await run("--full-refresh")).of("events")).toMatchObject({
      status: "succeeded",
      deleted: 0,
    });
    expect(await column("events")).toEqual(texts(numbers(1, 10)));
  });

  it("deletes what is gone within its range, and nothing before it", async () => {
    const { rows, run, column, change } = await events({ initial_value: 1 });
    await run();
    await change({ initial_value: 4 });
    rows.splice(6, 1);
    rows.splice(1, 1);
    expect((await run("--full-refresh")).of("events")).toMatchObject({
      status: "succeeded",
      deleted: 1,
    });
    expect(await column("events")).toEqual(texts([1, 2, 3, 4, 5, 6, 8, 9, 10]));
  });

  it("leaves rows alone that lie behind its end_value", async () => {
    const { run, column, change } = await events({ initial_value: 1 });
    await run();
    await change({ initial_value: 1, end_value: 8, end_param: "until" });
    expect((await run("--full-refresh")).of("events").status).toBe("succeeded");
    expect(await column("events")).toEqual(texts(numbers(1, 10)));
  });

  it("leaves a row alone whose cursor can not be compared", async () => {
    const { rows, run, column, change } = await events({
      initial_value: 1,
      on_cursor_value_missing: "include",
    });
    rows.push({ id: 11 } as (typeof rows)[number]);
    await change({ start_param: null, on_cursor_value_missing: "include" });
    await run();
    rows.splice(3, 1);
    await change({ initial_value: 3, on_cursor_value_missing: "include" });
    expect((await run("--full-refresh")).of("events")).toMatchObject({ deleted: 1 });
    expect(await column("events")).toEqual(texts([1, 2, 3, 5, 6, 7, 8, 9, 10, 11]));
  });

  it("of a backfill in steps deletes what is gone in all of its windows", async () => {
    const { rows, run, column } = await events({
      initial_value: 1,
      end_value: 11,
      end_param: "until",
      step: 3,
    });
    await run();
    rows.splice(8, 1);
    rows.splice(2, 1);
    expect((await run("--full-refresh")).of("events")).toMatchObject({
      status: "succeeded",
      deleted: 2,
    });
    expect(await column("events")).toEqual(texts([1, 2, 4, 5, 6, 7, 8, 10]));
  });
});

describe("a child below an incremental with a range", () => {
  const replaced = { write_disposition: "replace" };

  it("is refused where it is replaced and its rows do not tell their parent's range", async () => {
    const api = blog();
    const { run, requests } = await shop(
      source([users({}, { initial_value: 1 }), posts(replaced)]),
      api.behave,
    );
    const { exit, document } = await run();
    expect(exit).toBe(2);
    expect(JSON.stringify(document.problems)).toContain("include_from_parent");
    expect(requests).toHaveLength(0);
  });

  it("keeps the rows of parents that the range leaves out, where its rows tell it", async () => {
    const api = blog();
    const config = (initial_value: number) =>
      source([users({}, { initial_value }), posts({ ...replaced, include_from_parent: ["at"] })]);
    const { run, column, configure, url } = await shop(config(1), api.behave);
    expect((await run()).exit).toBe(0);
    await configure(config(2)(url));
    api.posts.splice(2, 1);
    expect((await run("--full-refresh")).of("posts")).toMatchObject({
      status: "succeeded",
      deleted: 1,
    });
    expect(await column("posts")).toEqual(["11", "12", "22", "31", "32"]);
  });

  it("that is merged never loses rows of parents that the range leaves out", async () => {
    const api = blog();
    const config = (initial_value: number) => source([users({}, { initial_value }), posts()]);
    const { run, column, configure, url } = await shop(config(1), api.behave);
    await run();
    await configure(config(2)(url));
    await run("--full-refresh");
    expect(await column("posts")).toEqual(idsOf(api.posts));
  });
});
