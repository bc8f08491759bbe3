import { describe, expect, it } from "vitest";
import type { ApiRequest, Reply } from "../support/api.ts";
import { numbers, shop, source, texts } from "./support.ts";

// Behind numbered pages a row goes only when two whole reads in a row have not seen it.

const numberedPages = { type: "page_number", base_page: 1 };

async function list(paginator: object, more: object = {}, size = 10) {
  const rows = numbers(1, 25).map((id) => ({ id }));
  const place = await shop(
    source([{ name: "rows", endpoint: { paginator }, ...more }]),
    ({ query }: ApiRequest): Reply => {
      const page = Number(query.get("page") ?? query.get("after") ?? 1);
      const start = Number(query.get("offset") ?? (page - 1) * size);
      const part = rows.slice(start, start + size);
      return { body: { data: part, next: start + size < rows.length ? page + 1 : null } };
    },
  );
  return { rows, ...place };
}

const replaced = { write_disposition: "replace" };
const all = texts(numbers(1, 25));

describe("behind numbered pages", () => {
  it.each([
    ["a replace", replaced, []],
    ["a full refresh", {}, ["--full-refresh"]],
  ])("%s deletes a row when it has not been seen twice in a row", async (_, more, args) => {
    const { rows, run, column } = await list(numberedPages, more);
    await run(...args);
    rows.splice(3, 1);
    expect((await run(...args)).of("rows")).toMatchObject({ status: "succeeded", deleted: 0 });
    expect(await column("rows")).toEqual(all);
    expect((await run(...args)).of("rows")).toMatchObject({ status: "succeeded", deleted: 1 });
    expect(await column("rows")).toEqual(texts(rows.map(({ id }) => id)));
  });

  it("offsets of an API that caps its pages below ten rows are such pages", async () => {
    const { rows, run, column } = await list({ type: "offset", limit: 50 }, replaced, 5);
    await run();
    rows.splice(3, 1);
    expect((await run()).of("rows")).toMatchObject({ status: "succeeded", deleted: 0 });
    expect((await run()).of("rows")).toMatchObject({ status: "succeeded", deleted: 1 });
    expect(await column("rows")).toEqual(texts(rows.map(({ id }) => id)));
  });

  it("a row that is hidden now and then stays", async () => {
    const { rows, run, column } = await list(numberedPages, replaced);
    for (let n = 0; n < 4; n++) {
      await run();
      const [hidden] = rows.splice(3, 1);
      await run();
      expect(await column("rows")).toEqual(all);
      if (hidden) rows.splice(3, 0, hidden);
    }
  });

  it("a failed run between two others is no read", async () => {
    const { rows, run, column, hooks } = await list(numberedPages, replaced);
    await run();
    const [hidden] = rows.splice(3, 1);
    await run();
    hooks.before = ({ query }) => (query.get("page") === "2" ? { status: 500 } : undefined);
    await run();
    hooks.before = undefined;
    if (hidden) rows.splice(3, 0, hidden);
    expect((await run()).of("rows")).toMatchObject({ status: "succeeded", deleted: 0 });
    expect(await column("rows")).toEqual(all);
  });

  it("ordinary runs and a failed one between two refreshes do not put deleting off", async () => {
    const { rows, run, column, hooks } = await list(numberedPages);
    await run("--full-refresh");
    rows.splice(3, 1);
    await run("--full-refresh");
    await run();
    hooks.before = ({ query }) => (query.get("page") === "2" ? { status: 500 } : undefined);
    await run();
    hooks.before = undefined;
    await run();
    expect((await run("--full-refresh")).of("rows")).toMatchObject({ deleted: 1 });
    expect(await column("rows")).toEqual(texts(rows.map(({ id }) => id)));
  });

  it("a row that came after a refresh and is hidden from the next one stays", async () => {
    const { rows, run, column } = await list(numberedPages);
    await run("--full-refresh");
    rows.push({ id: 26 });
    await run();
    rows.pop();
    expect((await run("--full-refresh")).of("rows")).toMatchObject({ deleted: 0 });
    expect(await column("rows")).toEqual([...all, "26"]);
    expect((await run("--full-refresh")).of("rows")).toMatchObject({ deleted: 1 });
  });

  it("a replace that could delete a row only later looks for it even when nothing has changed", async () => {
    const { rows, run, column } = await list(numberedPages, {
      ...replaced,
      writes: "fingerprints",
    });
    for (let n = 0; n < 3; n++) await run();
    rows.splice(3, 1);
    expect((await run()).of("rows")).toMatchObject({ deleted: 0 });
    expect((await run()).of("rows")).toMatchObject({ deleted: 1 });
    expect(await column("rows")).toEqual(texts(rows.map(({ id }) => id)));
  });

  it("a row that others hide by coming and going at once is not deleted", async () => {
    const { rows, run, column, hooks } = await list(numberedPages, replaced);
    await run();
    hooks.before = ({ query }) => {
      if (query.get("page") === "2" && rows[0]?.id === 1) {
        rows.shift();
        rows.push({ id: 26 });
      }
      return undefined;
    };
    await run();
    const live = texts(rows.map(({ id }) => id));
    expect(await column("rows")).toEqual(expect.arrayContaining(live));
    await run();
    await run();
    expect(await column("rows")).toEqual(live);
  });
});

describe("below a parent that is read in numbered pages", () => {
  it("rows of a parent that is hidden once stay", async () => {
    const parent = { name: "rows", endpoint: { paginator: numberedPages } };
    const child = { name: "parts", endpoint: { path: "rows/{resources.rows.id}" }, ...replaced };
    const rows = numbers(1, 12).map((id) => ({ id }));
    const { run, column } = await shop(source([parent, child]), ({ path, query }): Reply => {
      const [, , id] = path.split("/");
      if (id) return { body: { data: [{ id: Number(id) * 10 }] } };
      const page = Number(query.get("page"));
      return { body: { data: rows.slice(page * 5 - 5, page * 5) } };
    });
    await run();
    const [hidden] = rows.splice(3, 1);
    await run();
    expect(await column("parts")).toContain("40");
    if (hidden) rows.push(hidden);
    await run();
    expect(await column("parts")).toHaveLength(12);
    rows.pop();
    await run();
    await run();
    expect(await column("parts")).toHaveLength(11);
  });
});

describe("a child that is read in numbered pages", () => {
  it("rows that are hidden once stay, although the parent has one page", async () => {
    const parent = { name: "rows", endpoint: { paginator: { type: "single_page" } } };
    const endpoint = { path: "rows/{resources.rows.id}", paginator: numberedPages };
    const parts = numbers(1, 6).map((id) => ({ id }));
    const { run, column } = await shop(
      source([parent, { name: "parts", endpoint, ...replaced }]),
      ({ path, query }): Reply => {
        const [, , id] = path.split("/");
        if (!id) return { body: { data: [{ id: 1 }, { id: 2 }] } };
        const page = Number(query.get("page"));
        return { body: { data: id === "1" ? parts.slice(page * 2 - 2, page * 2) : [] } };
      },
    );
    await run();
    const [hidden] = parts.splice(3, 1);
    expect((await run()).of("parts")).toMatchObject({ status: "succeeded", deleted: 0 });
    expect(await column("parts")).toContain(`${hidden?.id}`);
    expect((await run()).of("parts")).toMatchObject({ deleted: 1 });
  });
});

describe("behind pages that can not hide rows", () => {
  it.each([
    ["offsets that overlap", { type: "offset", limit: 10 }],
    ["a cursor", { type: "cursor", cursor_path: "next", cursor_param: "after" }],
  ])("a row goes at once: %s", async (_, paginator) => {
    const { rows, run, column } = await list(paginator, replaced);
    await run();
    rows.splice(3, 1);
    expect((await run()).of("rows")).toMatchObject({ status: "succeeded", deleted: 1 });
    expect(await column("rows")).toEqual(texts(rows.map(({ id }) => id)));
  });
});
