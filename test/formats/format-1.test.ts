import { PutItemCommand } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { replayQuarantine } from "../../packages/core/src/run/replay-quarantine.ts";
import { readRun, readRuns } from "../../packages/core/src/state/history.ts";
import { listQuarantine } from "../../packages/core/src/state/quarantine.ts";
import { readSchema, readVersions } from "../../packages/core/src/state/schemas.ts";
import { readState } from "../../packages/core/src/state/state-item.ts";
import { type Engine, startDynamodb } from "../support/dynamodb.ts";
import { type Answers, restore } from "./restore.ts";

// Deploys today's version over tables and states that were written in format 1, by commit 5e51d57.

let engine: Engine;
beforeAll(async () => {
  engine = await startDynamodb();
});
afterAll(() => engine.close());

const makeRows = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, n) => ({ id: from + n, v: 1 }));
const configChanged = "the config changed since the interrupted run; starting anew";

/** The users whose posts the recordings have read, and one more. */
const users = (count: number) =>
  Array.from({ length: count }, (_, n) => ({
    id: n + 1,
    name: `user ${n + 1}`,
    at: `2026-01-0${n + 1}`,
  }));
const blog = (count: number): Answers => ({
  "/users": users(count),
  ...Object.fromEntries(
    users(count).map(({ id }) => [`/users/${id}/posts`, [{ id: `${id}-1` }, { id: `${id}-2` }]]),
  ),
});
const postIdsOf = (...ids: number[]) => ids.flatMap((id) => [`${id}-1`, `${id}-2`]);

type Restored = Awaited<ReturnType<typeof restore>>;
const ids = async ({ rows }: Restored, resource: string) =>
  (await rows(resource)).map(({ id }) => id?.S ?? "").sort((a, b) => Number(a) - Number(b));
const postIds = async ({ rows }: Restored) => (await rows("posts")).map(({ id }) => id?.S).sort();
const idTexts = (from: number, to: number) => makeRows(from, to).map(({ id }) => String(id));

describe("a resource whose last run was done", () => {
  const restoreFinished = () => {
    const shown = makeRows(1, 25).map((row) => (row.id === 4 ? { ...row, v: 2 } : row));
    const answers: Answers = { "/rows": [...shown, { v: "no id" }] as never };
    return restore(engine, "finished", answers).then((restored) => ({ restored, answers }));
  };

  it("its history, its schema and its quarantine read as they were written", async () => {
    const { restored } = await restoreFinished();
    const { world, place } = restored;
    expect(await readRuns(world, place("rows"))).toMatchObject([
      { run_id: "run3", status: "done", records: 26, unchanged: 25, epoch: null },
      { run_id: "run2", status: "done", written: 1, quarantined: 1, parents_set_aside: 0 },
      { run_id: "run1", status: "done", written: 25, cursor: null, error: null },
    ]);
    expect(await readSchema(world, place("rows"))).toMatchObject({ version: 1, revision: 2 });
    expect(await readVersions(world, place("rows"))).toMatchObject([
      { version: 1, run_id: "run1", columns: { v: { data_type: "bigint" } } },
    ]);
    const entries = [];
    for await (const page of listQuarantine(world, place("rows"))) entries.push(...page);
    expect(entries).toMatchObject([
      { code: "record.key_missing", record: '{"v":"no id"}', naming: null },
    ]);
  });

  it("its quarantine can be replayed, and what cannot be stored stays set aside", async () => {
    const { restored } = await restoreFinished();
    const { world, resource } = restored;
    expect(await replayQuarantine(resource("rows"), world, "me")).toMatchObject({
      replayed: 0,
      kept: [{ code: "record.key_missing" }],
    });
    expect(await restored.rows("rows")).toHaveLength(25);
  });

  it("its next run goes on as if nothing had happened, and looks at the rows again once", async () => {
    const { restored, answers } = await restoreFinished();
    answers["/rows"] = [...makeRows(1, 25), { v: "no id" }] as never;
    const { send, warnings } = restored;
    // The fingerprints of format 1 depend on the order of members, so that rows are compared.
    expect(await send({}, "next")).toMatchObject({
      rows: { status: "done", written: 1, unchanged: 24, schema: { version: 1, changed: 0 } },
    });
    expect(warnings).toEqual([]);
    expect((await restored.rows("rows")).find(({ id }) => id?.S === "4")?.v).toEqual({ N: "1" });
    expect(await send({}, "later")).toMatchObject({
      rows: { status: "done", written: 0, unchanged: 25 },
    });
    expect(await ids(restored, "rows")).toEqual(idTexts(1, 25));
  });

  it("a second delivery of its last event finds that it is done", async () => {
    const { restored } = await restoreFinished();
    const { send, requests } = restored;
    expect(await send({ time: "run3" }, "again")).toMatchObject({
      rows: { run_id: "run3", status: "done" },
    });
    expect(requests).toEqual([]);
  });

  it("a full refresh deletes the rows that are gone, and no other", async () => {
    const { restored, answers } = await restoreFinished();
    answers["/rows"] = makeRows(3, 25) as never;
    const refresh = { full_refresh: true, confirm: "shop" };
    expect(await restored.send(refresh, "weekly")).toMatchObject({
      rows: { status: "done", deleted: 2 },
    });
    expect(await ids(restored, "rows")).toEqual(idTexts(3, 25));
  });
});

describe("a run that was under way", () => {
  it("an interrupted run starts anew at the next tick, and says so", async () => {
    const shown = makeRows(1, 25).map((row) => (row.id === 25 ? { ...row, v: 2 } : row));
    const restored = await restore(engine, "interrupted", { "/rows": shown as never });
    expect(await readState(restored.world, restored.place("rows"))).toMatchObject({
      status: "running",
      run_id: "run2",
      body: { page: 1, slices: 1 },
    });
    expect(await restored.send({ resume: true }, "tick")).toMatchObject({
      rows: { run_id: "run2", status: "done", records: 25, written: 1, unchanged: 24 },
    });
    expect(restored.warnings).toEqual([configChanged]);
    expect(restored.requests[0]).toBe("/rows @0");
    expect((await restored.rows("rows")).find(({ id }) => id?.S === "25")?.v).toEqual({ N: "2" });
    expect(await ids(restored, "rows")).toEqual(idTexts(1, 25));
  });

  it("an interrupted run starts anew at the next event, whose run answers both", async () => {
    const restored = await restore(engine, "interrupted", { "/rows": makeRows(1, 25) as never });
    expect(await restored.send({}, "next")).toMatchObject({ rows: { status: "done" } });
    expect(restored.warnings).toEqual([configChanged]);
    const { world, place } = restored;
    for (const runId of ["run2", "next"]) {
      expect(await readRun(world, place("rows"), runId)).toMatchObject({ status: "done" });
    }
  });

  it("a refresh that waited for the end of a run takes place", async () => {
    const restored = await restore(engine, "waiting-with-refresh-next", {
      "/rows": makeRows(1, 20) as never,
    });
    restored.clock.advance(36_000_000);
    expect(await restored.send({ resume: true }, "tick")).toMatchObject({
      rows: { status: "done" },
    });
    expect(restored.warnings).toEqual([configChanged]);
    await restored.send({}, "next");
    expect(await ids(restored, "rows")).toEqual(idTexts(1, 20));
  });

  it("a refresh that was cut off before its sweep starts anew as a refresh, and deletes no row that is there", async () => {
    const restored = await restore(engine, "interrupted-sweep", {
      // 25 were stored. The refresh of format 1 has seen 20 of them, and one has come back since.
      "/rows": makeRows(5, 25) as never,
    });
    expect(await restored.send({ resume: true }, "tick")).toMatchObject({
      rows: { run_id: "run2", status: "done", deleted: 4 },
    });
    expect(restored.warnings).toEqual([configChanged]);
    expect(await ids(restored, "rows")).toEqual(idTexts(5, 25));
  });
});

describe("a child of a parent with a cursor", () => {
  const firstOf = ({ requests }: Restored) =>
    requests.filter((request) => request.startsWith("/users ") && request.endsWith("@0"));

  it("counts as never served, so that the parent is read from the start once, and then from its cursor", async () => {
    const restored = await restore(engine, "child-of-incremental", blog(4));
    const { send, world, place } = restored;
    expect(await readState(world, place("users"))).toMatchObject({
      body: { cursor: "2026-01-03" },
    });
    expect(await send({}, "next")).toMatchObject({
      users: { status: "done", records: 4, cursor: { before: "2026-01-03", after: "2026-01-04" } },
      posts: { status: "done", records: 8 },
    });
    expect(await send({}, "later")).toMatchObject({
      users: { status: "done", records: 1 },
      posts: { status: "done", records: 2 },
    });
    expect(firstOf(restored)).toEqual(["/users @0", "/users 2026-01-04@0"]);
    expect(await postIds(restored)).toEqual(postIdsOf(1, 2, 3, 4));
    expect(restored.warnings).toEqual([]);
  });

  it("that had failed misses no record of its parent", async () => {
    const restored = await restore(engine, "child-that-failed", blog(3));
    expect(await postIds(restored)).toEqual(postIdsOf(1, 2));
    expect(await restored.send({}, "next")).toMatchObject({
      users: { status: "done" },
      posts: { status: "done" },
    });
    expect(await postIds(restored)).toEqual(postIdsOf(1, 2, 3));
  });

  it("that was under way loses nothing, though the records of its fan-out are not read any more", async () => {
    const restored = await restore(engine, "child-under-way", blog(3));
    const { send, warnings } = restored;
    expect(await send({ resume: true }, "tick")).toMatchObject({
      posts: { run_id: "fan1", status: "skipped", error: { code: "run.parent_failed" } },
    });
    expect(warnings).toEqual([configChanged]);
    expect(await send({}, "next")).toMatchObject({ posts: { status: "done", records: 6 } });
    expect(await postIds(restored)).toEqual(postIdsOf(1, 2, 3));
  });

  it("that was asked for alone leaves its parent's cursor where that was", async () => {
    const restored = await restore(engine, "read-for-children", blog(3));
    expect(await restored.send({ resources: ["posts"] }, "alone")).toMatchObject({
      users: { status: "done", records: 0 },
      posts: { status: "done", records: 6 },
    });
    expect(await restored.send({}, "next")).toMatchObject({
      users: { status: "done", records: 1, cursor: { before: "2026-01-03", after: "2026-01-03" } },
    });
    expect(await restored.rows("users")).toHaveLength(3);
  });
});

describe("rows without a key of their own", () => {
  it("a replace without a key has each row once, under its new name", async () => {
    const tags = ["a", "b", "c", "c"].map((tag) => ({ tag }));
    const restored = await restore(engine, "replace-without-key", { "/tags": tags as never });
    const before = await restored.rows("tags");
    expect(await restored.send({}, "next")).toMatchObject({ tags: { status: "done" } });
    const after = await restored.rows("tags");
    expect(after.map(({ tag }) => tag?.S).sort()).toEqual(["a", "b", "c", "c"]);
    const names = new Set(before.map(({ _row_id }) => _row_id?.S));
    expect(after.filter(({ _row_id }) => names.has(_row_id?.S))).toEqual([]);
  });

  it("an append with a cursor doubles no record at its boundary, though rows have new names", async () => {
    const events = [1, 2, 3, 3, 4].map((at, n) => ({ n, at: `2026-01-0${at}` }));
    const restored = await restore(engine, "append-with-cursor", { "/events": events });
    for (const run of ["next", "later"]) {
      expect(await restored.send({}, run)).toMatchObject({ events: { status: "done" } });
    }
    const stored = (await restored.rows("events")).map(({ n }) => Number(n?.N));
    expect(stored.sort()).toEqual([0, 1, 2, 3, 4]);
  });
});

describe("versions side by side", () => {
  it("a state that a newer version has written is left alone, and the report says so", async () => {
    const restored = await restore(engine, "interrupted", { "/rows": makeRows(1, 25) as never });
    const { world, place, send, stateItems } = restored;
    const [item] = (await stateItems()).filter(({ sk }) => sk?.S === "state");
    const TableName = `tidetable-${world.names.stage}-state`;
    await engine.dynamodb.send(
      new PutItemCommand({ TableName, Item: { ...item, format: { N: "99" } } }),
    );
    const before = await stateItems();
    for (const event of [{}, { full_refresh: true, confirm: "shop" }, { limit_pages: 1 }]) {
      expect(await send(event, `next${JSON.stringify(event)}`)).toMatchObject({
        rows: { status: "skipped", error: { code: "state.newer_format" } },
      });
    }
    expect(await send({ resume: true }, "tick")).toEqual({});
    const kept = (items: typeof before) => items.filter(({ sk }) => !sk?.S?.startsWith("run#"));
    expect(kept(await stateItems())).toEqual(kept(before));
    expect(await readState(world, place("rows"))).toMatchObject({ isNewer: true, body: null });
    expect(restored.requests).toEqual([]);
  });

  it("a body that an older worker has written into an item of today is understood by its own format", async () => {
    const restored = await restore(engine, "interrupted", { "/rows": makeRows(1, 25) as never });
    const { world, send, stateItems, place } = restored;
    const [item] = (await stateItems()).filter(({ sk }) => sk?.S === "state");
    const wishes = { S: JSON.stringify([{ id: "weekly", refresh: true, serves: null }]) };
    const TableName = `tidetable-${world.names.stage}-state`;
    await engine.dynamodb.send(
      new PutItemCommand({ TableName, Item: { ...item, format: { N: "2" }, wishes } }),
    );
    expect(await readState(world, place("rows"))).toMatchObject({ wishes: [{ id: "weekly" }] });
    expect(await send({ resume: true }, "tick")).toMatchObject({ rows: { status: "done" } });
    expect(await readRun(world, place("rows"), "weekly")).toMatchObject({ status: "done" });
  });
});
