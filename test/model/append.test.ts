import { describe, expect, it } from "vitest";
import type { ApiRequest, Reply } from "../support/api.ts";
import { data, numbers, shop, source, texts } from "./support.ts";

// What is appended is added once, whatever becomes of the runs.

interface Event {
  id: number;
  at: number | string;
  title?: string;
}

interface Wanted {
  incremental?: object;
  more?: object;
  /** Records on a page: with 10 pages overlap by two, with 25 by five. */
  limit?: number;
}

/** Events in offset pages. */
async function events({ incremental, more = {}, limit = 10 }: Wanted = {}) {
  const world = {
    rows: numbers(1, 2 * limit + 5).map((id): Event => ({ id, at: id })),
    broken: false,
  };
  const config = (range: object | undefined) =>
    source([
      {
        name: "events",
        primary_key: null,
        write_disposition: "append",
        endpoint: {
          paginator: { type: "offset", limit },
          ...(range ? { incremental: { cursor_path: "at", start_param: "since", ...range } } : {}),
        },
        ...more,
      },
    ]);
  const behave = ({ query }: ApiRequest): Reply => {
    const offset = Number(query.get("offset"));
    if (world.broken && offset > 0) return { status: 500 };
    const since = query.get("since");
    const rows = world.rows.filter(({ at }) => since === null || at >= typed(since, at));
    return data(rows.slice(offset, offset + limit));
  };
  const place = await shop(config(incremental), behave);
  return { world, config, ...place };
}

const typed = (text: string, like: number | string) =>
  typeof like === "number" ? Number(text) : text;
const keyed = { primary_key: "id" };
const all = texts(numbers(1, 25));

describe("append with a cursor", () => {
  it("adds the new version of the record at the boundary", async () => {
    const { world, run, items } = await events({ incremental: {}, more: keyed });
    await run();
    world.rows[24] = { id: 25, at: 26, title: "new" };
    await run();
    await run();
    const versions = (await items("events")).filter(({ id }) => id === 25);
    expect(versions.map(({ at }) => at).sort()).toEqual([25, 26]);
  });

  it("adds records that come later at the boundary's own value", async () => {
    const { world, run, column } = await events({ incremental: {}, more: keyed });
    await run();
    world.rows.push({ id: 26, at: 25 });
    await run();
    expect(await column("events")).toEqual(texts(numbers(1, 26)));
  });

  it.each([
    ["with a key", keyed],
    ["without a key", {}],
  ])("doubles nothing after a failed run: %s", async (_, more) => {
    const { world, run, column } = await events({ incremental: {}, more });
    world.broken = true;
    expect((await run()).of("events").status).toBe("failed");
    world.broken = false;
    await run();
    expect(await column("events")).toEqual(all);
    await run();
    expect(await column("events")).toEqual(all);
  });

  it("doubles and deletes nothing by the records of a full refresh", async () => {
    const { world, run, column } = await events({ incremental: { initial_value: 1 } });
    await run();
    world.rows.splice(4, 2);
    const refresh = ["--full-refresh", "--yes"];
    expect((await run(...refresh)).of("events")).toMatchObject({ status: "succeeded", deleted: 0 });
    expect((await run(...refresh)).exit).toBe(0);
    expect(await column("events")).toEqual(all);
  });

  it("doubles nothing that its lag reads again", async () => {
    const { run, column } = await events({ incremental: { lag: 9 } });
    await run();
    await run();
    await run();
    expect(await column("events")).toEqual(all);
  });

  it("doubles nothing that lies beyond the API's own clock", async () => {
    const { world, run, column } = await events({ incremental: {} });
    for (const row of world.rows) row.at = `2999-01-01T00:00:${10 + row.id}Z`;
    for (let n = 0; n < 3; n++) {
      expect((await run()).of("events").status).toBe("succeeded");
      expect(await column("events")).toEqual(all);
    }
  });

  it("doubles nothing after a sample", async () => {
    const { run, column } = await events({ incremental: {} });
    await run("--limit-pages", "2");
    await run();
    expect(await column("events")).toEqual(all);
  });

  it("takes many records at one boundary value without failing", async () => {
    const { world, run, column } = await events({ incremental: {} });
    world.rows = numbers(1, 3_000).map((id) => ({ id, at: 1 }));
    expect((await run()).of("events").status).toBe("succeeded");
    world.rows.push({ id: 3_001, at: 1 });
    expect((await run()).of("events").status).toBe("succeeded");
    expect(await column("events")).toEqual(texts(numbers(1, 3_001)));
  });
});

describe("append with an end_value", () => {
  const range = { initial_value: 1, end_value: 26, end_param: "until" };

  it.each([
    ["with a key", keyed],
    ["without a key", {}],
  ])("has each record once after two runs: %s", async (_, more) => {
    const { run, column } = await events({ incremental: range, more });
    await run();
    await run();
    expect(await column("events")).toEqual(all);
  });

  it("reads the end of the range again after its table was emptied", async () => {
    const { run, reset, column } = await events({ incremental: range });
    await run();
    await run();
    await reset("events", "--tables");
    await run();
    expect(await column("events")).toEqual(all);
  });

  it("adds what has come in at the end of the range", async () => {
    const { world, run, column } = await events({ incremental: range });
    await run();
    world.rows.push({ id: 26, at: 25 });
    await run();
    expect(await column("events")).toEqual(texts(numbers(1, 26)));
  });

  it("in steps has each record once after two runs", async () => {
    const { run, column } = await events({ incremental: { ...range, step: 7 } });
    await run();
    await run();
    expect(await column("events")).toEqual(all);
  });
});

describe("append without a cursor", () => {
  it("adds all records once with each run that succeeds, and none twice by one that fails", async () => {
    const { world, run, items, column } = await events();
    world.broken = true;
    await run();
    world.broken = false;
    await run();
    expect(await column("events")).toEqual(all);
    await run();
    expect(await items("events")).toHaveLength(50);
  });

  it("adds all records once though its run was interrupted", async () => {
    const { run, column, interruptedAt } = await events();
    await interruptedAt(({ query }) => query.get("offset") !== "0");
    await run();
    expect(await column("events")).toEqual(all);
  });

  it("doubles no row behind one that changes while pages are read", async () => {
    const { world, run, column, hooks } = await events({ limit: 25 });
    hooks.before = ({ query }) => {
      const row = world.rows[21];
      if (query.get("offset") !== "0" && row) row.title = "changed";
      return undefined;
    };
    await run();
    const ids = await column("events");
    const but22 = (id: string) => id !== "22";
    expect(ids.filter(but22)).toEqual(texts(world.rows.map(({ id }) => id)).filter(but22));
    expect(ids).toContain("22");
  });

  it("doubles no row when rows go while pages are read", async () => {
    const { world, run, column, hooks } = await events();
    hooks.before = ({ query }) => {
      if (Number(query.get("offset")) >= 16 && world.rows.length === 25) world.rows.splice(5, 13);
      return undefined;
    };
    expect((await run()).of("events").status).toBe("succeeded");
    expect(await column("events")).toEqual(all);
  });
});

describe("a sample of an append without a cursor", () => {
  it.each([
    ["with a key", keyed],
    ["without a key", {}],
  ])("doubles nothing in a sample or a run after it: %s", async (_, more) => {
    const { run, column } = await events({ more });
    await run("--limit-pages", "1");
    await run("--limit-pages", "2");
    await run();
    expect(await column("events")).toEqual(all);
    await run("--limit-pages", "2");
    await run("--limit-pages", "1");
    await run();
    expect(await column("events")).toEqual(texts([...numbers(1, 25), ...numbers(1, 25)]));
    await run();
    expect(await column("events")).toHaveLength(75);
  });

  it("doubles nothing between a failed run and its successor", async () => {
    const { world, run, column } = await events();
    world.broken = true;
    await run();
    world.broken = false;
    await run("--limit-pages", "1");
    await run();
    expect(await column("events")).toEqual(all);
  });
});
