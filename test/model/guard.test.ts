import { describe, expect, it } from "vitest";
import { data, numbers, shop, source, texts } from "./support.ts";

// What keeps a sweep from deleting what it should not.

async function table(more: object = {}) {
  const rows: object[] = numbers(1, 10).map((id) => ({ id, title: `row ${id}` }));
  const place = await shop(source([{ name: "rows", ...more }]), () => data(rows));
  return { rows, ...place };
}
const replaced = { write_disposition: "replace" };

describe("append", () => {
  it("keeps its archive through a full refresh", async () => {
    const { rows, run, items } = await table({ write_disposition: "append" });
    await run();
    rows.splice(0, 4);
    const { of } = await run("--full-refresh", "--yes");
    expect(of("rows")).toMatchObject({ status: "succeeded", deleted: 0 });
    const ids = new Set((await items("rows")).map(({ id }) => id));
    expect(ids).toEqual(new Set(numbers(1, 10)));
  });
});

describe("a sweep", () => {
  it("counts a record that was set aside as seen", async () => {
    const { rows, run, column, cli, file } = await table({
      ...replaced,
      columns: { size: { data_type: "bigint" } },
      schema_contract: { data_type: "discard_row" },
    });
    await run();
    rows[2] = { id: 3, title: "row 3", size: "not a number" };
    const { of } = await run();
    expect(of("rows")).toMatchObject({ status: "succeeded", quarantined: 1, deleted: 0 });
    expect(await column("rows")).toEqual(texts(numbers(1, 10)));
    const listed = (await cli("quarantine", "list", `${file}/rows`, "--json")).json();
    expect(listed.entries).toHaveLength(1);
  });

  it.each([
    ["a replace", replaced, []],
    ["a full refresh", {}, ["--full-refresh"]],
  ])("does not happen behind a record without a key, and %s then fails", async (_, more, args) => {
    const { rows, run, column } = await table(more);
    await run();
    rows[2] = { title: "row 3" };
    const { exit, of } = await run(...args);
    expect(exit).toBe(1);
    expect(of("rows")).toMatchObject({
      status: "failed",
      deleted: 0,
      error: { code: "run.no_sweep" },
    });
    expect(await column("rows")).toEqual(texts(numbers(1, 10)));
    rows.splice(2, 1);
    expect((await run(...args)).of("rows")).toMatchObject({ status: "succeeded", deleted: 1 });
  });

  it("does not happen behind an empty answer", async () => {
    const { rows, run, column } = await table(replaced);
    await run();
    const gone = rows.splice(0);
    expect((await run()).of("rows")).toMatchObject({ status: "failed", deleted: 0 });
    expect(await column("rows")).toHaveLength(10);
    rows.push(...gone);
    expect((await run()).of("rows")).toMatchObject({ status: "succeeded", unchanged: 10 });
  });

  it("does not happen behind a sample", async () => {
    const { rows, run, column } = await table(replaced);
    await run();
    rows.splice(0, 1);
    expect((await run("--limit-pages", "1")).of("rows")).toMatchObject({ deleted: 0 });
    expect(await column("rows")).toHaveLength(10);
  });
});

describe("without a primary key", () => {
  const unkeyed = { ...replaced, primary_key: null };

  it("a replace fails when fewer than half the rows of the last one came", async () => {
    const { rows, run, column } = await table(unkeyed);
    await run();
    rows.splice(0, 6);
    expect((await run()).of("rows")).toMatchObject({ status: "failed", deleted: 0 });
    expect(await column("rows")).toHaveLength(10);
  });

  it("a replace goes through when all rows have changed and as many came", async () => {
    const { rows, run, column } = await table(unkeyed);
    await run();
    rows.splice(0, 10, ...numbers(11, 20).map((id) => ({ id })));
    expect((await run()).of("rows")).toMatchObject({ status: "succeeded", deleted: 10 });
    expect(await column("rows")).toEqual(texts(numbers(11, 20)));
  });

  it("a replace that was refused is compared with the last one that swept", async () => {
    const { rows, run, column } = await table(unkeyed);
    await run();
    rows.splice(0, 6);
    await run();
    expect((await run()).of("rows")).toMatchObject({ status: "failed", deleted: 0 });
    rows.push(...numbers(11, 13).map((id) => ({ id })));
    expect((await run()).of("rows")).toMatchObject({ status: "succeeded", deleted: 6 });
    expect(await column("rows")).toEqual(texts([...numbers(7, 10), ...numbers(11, 13)]));
  });

  it("a replace with allow_shrink goes through whatever came", async () => {
    const { rows, run, column } = await table({ ...unkeyed, allow_shrink: true });
    await run();
    rows.splice(0, 9);
    expect((await run()).of("rows")).toMatchObject({ status: "succeeded", deleted: 9 });
    expect(await column("rows")).toEqual(["10"]);
  });
});
