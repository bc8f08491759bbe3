import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stateTableName } from "../../packages/core/src/base/names.ts";
import { stateTable } from "../../packages/core/src/dynamodb/tables.ts";
import type { KeyedItem } from "../../packages/core/src/flow.ts";
import { ChangedRows } from "../../packages/core/src/load/changed-rows.ts";
import { readFingerprints } from "../../packages/core/src/load/fingerprint-log.ts";
import { isSeenIn } from "../../packages/core/src/load/fingerprints.ts";
import {
  noKnownRows,
  rowsAfterRun,
  rowsAtResume,
  rowsAtStart,
} from "../../packages/core/src/state/changed-rows-state.ts";
import type { RowsState } from "../../packages/core/src/state/run-state.ts";
import { type Engine, startDynamodb } from "../support/dynamodb.ts";
import { textsOf } from "../support/items.ts";
import { testWorld } from "../support/world.ts";

const key = { fields: ["id"], hash: { name: "id", type: "S" }, range: undefined } as const;
const resource = {
  writes: "fingerprints",
  writeMode: { kind: "batch" },
  disposition: "merge",
  incremental: undefined,
  selected: true,
  key: { ...key, fields: ["id"] },
} as Parameters<typeof rowsAtStart>[0];

const place = { source: "shop", resource: "rows" };

const itemOf = (id: string, v = "1"): KeyedItem => ({
  key: id,
  ...textsOf({ id: { S: id }, v: { S: v } }),
  bytes: 10,
  index: 0,
  record: { id, v },
});

const rowsOfRun = (runId: string, rows?: RowsState) =>
  rowsAtStart(
    resource,
    { runId, refresh: false, rebuild: false, spoolOnly: false },
    rows && { rows, isDone: true },
  );

describe("a log that has grown from run to run", () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await startDynamodb();
    const world = testWorld(engine);
    await engine.createTables({ [stateTableName(world.names)]: stateTable });
  });
  afterAll(() => engine.close());

  it("a log of fingerprints is written anew before it has many small blocks, and has every row", async () => {
    const world = testWorld(engine);
    let savedRows: RowsState | undefined;
    const ids = new Set<string>();
    let longest = 0;
    for (let run = 0; run < 120; run++) {
      const runId = `run${run}`;
      const runOptions = { ...world, table: "rows", key, resourceRef: place, runId, token: 1 };
      const rows = await ChangedRows.open(
        { ...runOptions, refresh: false, isLater: false, isNamedByContent: false },
        { rows: rowsOfRun(runId, savedRows), last_whole: null },
      );
      const { put, fingerprints } = await rows.changesOf([itemOf(`id${run}`)]);
      expect(put).toHaveLength(1);
      await rows.keep(fingerprints, []);
      savedRows = rowsAfterRun(await rows.close(), { records: 1, unchanged: 0 });
      ids.add(`id${run}`);
      const log = savedRows.known ?? { id: "", start: 0, end: 0 };
      longest = Math.max(longest, log.end - log.start);
    }
    expect(longest).toBeGreaterThan(50);
    expect(longest).toBeLessThan(110);
    const log = savedRows?.known ?? { id: "", start: 0, end: 0 };
    const isSeen = isSeenIn(
      await readFingerprints(world, { resourceRef: place, log: log.id }, log),
    );
    expect([...ids].filter((id) => !isSeen(id))).toEqual([]);
  });

  it.each([
    ["counts as repeated where rows are named by their content", true, [0, 1]],
    ["is put again where rows have a key, because it may have changed", false, [1, 0]],
  ])("a row of an earlier page of the read %s", async (_, isNamedByContent, expected) => {
    const world = testWorld(engine);
    const options = { ...world, table: "rows", key, resourceRef: place, runId: "run1", token: 1 };
    const rows = await ChangedRows.open(
      { ...options, refresh: false, isLater: false, isNamedByContent },
      { rows: noKnownRows, last_whole: null },
    );
    expect(await rows.changesOf([itemOf("a"), itemOf("b")])).toMatchObject({ repeated: 0 });
    const { put, repeated } = await rows.changesOf([itemOf("b")]);
    expect([put.length, repeated]).toEqual(expected);
  });
});

describe("what is known of rows from run to run", () => {
  const log = { id: "run1", start: 0, end: 3, rows: 10 };
  const done: RowsState = {
    ...noKnownRows,
    how: "always",
    known: log,
    last: { how: "always", records: 10, unchanged: 0 },
  };

  it("a run continues the log of fingerprints that the last run has left", () => {
    expect(rowsOfRun("run2", done)).toMatchObject({
      how: "fingerprints",
      known: log,
      log: { ...log, kept: true },
      open: true,
      in_doubt: false,
    });
  });

  it("after a slice that was not closed, neither this run nor the next uses fingerprints", () => {
    const died = { ...rowsOfRun("run2", done), open: true };
    const next = rowsAtResume(died, "run2");
    expect(next).toMatchObject({ how: "compare", known: null, log: null, in_doubt: true });
    const savedRows = rowsAfterRun({ ...next, open: false }, { records: 10, unchanged: 10 });
    expect(savedRows.known).toBeNull();
    expect(rowsOfRun("run3", savedRows)).toMatchObject({ how: "compare", known: null });
  });

  it("a run that reads only for children leaves the fingerprints and their doubt as they are", () => {
    const order = { runId: "run2", refresh: false, rebuild: false, spoolOnly: true };
    expect(rowsAtStart(resource, order, { rows: done, isDone: true })).toEqual({
      ...done,
      open: false,
    });
    expect(rowsAtStart(resource, order, { rows: done, isDone: false }).in_doubt).toBe(true);
  });

  it("a refresh writes a log of its own, beside the log that it uses", () => {
    const replacing = { ...resource, disposition: "replace" } as typeof resource;
    const order = { runId: "run2", refresh: true, rebuild: false, spoolOnly: false };
    const first = rowsAtStart(replacing, order, { rows: done, isDone: true });
    expect(first).toMatchObject({ how: "fingerprints", known: log, log: { id: "run2" } });
    // Each log has a place of its own, so no log is too long for the one before it.
    const place = first.log?.start ?? 0;
    expect(place).toBeGreaterThan(100_000);
    const startNextRun = (id: string, start: number) => {
      const log = { id, start, end: start + 3, rows: 10, kept: true };
      const rows = rowsAfterRun({ ...first, log }, { records: 10, unchanged: 10 });
      return rowsAtStart(replacing, { ...order, runId: "next" }, { rows, isDone: true });
    };
    expect(startNextRun("run2", place)).toMatchObject({ known: { id: "run2" }, log: { start: 0 } });
    expect(startNextRun("run3", 0)).toMatchObject({ known: { id: "run3" }, log: { start: place } });
  });

  it("a refresh writes its log beside the keys that the whole read before it saw", () => {
    const order = { runId: "run2", refresh: true, rebuild: true, spoolOnly: false };
    const lastWhole = { id: "run1", start: 0, end: 4, rows: 10 };
    const place = 1_000_000;
    const before = { rows: { ...done, known: null }, lastWhole, isDone: true };
    expect(rowsAtStart(resource, order, before).log).toMatchObject({ id: "run2", start: place });
    // A log that the run goes by stands there as well.
    const both = { ...before, rows: { ...done, known: { ...log, start: place, end: place + 3 } } };
    const replacing = { ...resource, disposition: "replace" } as typeof resource;
    expect(rowsAtStart(replacing, { ...order, rebuild: false }, both).log).toMatchObject({
      start: 2 * place,
    });
  });

  it("after a run that failed, and after one that nobody ended, fingerprints are in doubt", () => {
    const next = { runId: "run2", refresh: false, rebuild: false, spoolOnly: false };
    const inDoubt = { how: "compare", known: null, in_doubt: true };
    expect(rowsAtStart(resource, next, { rows: done, isDone: false })).toMatchObject(inDoubt);
    const open = { ...done, open: true };
    expect(rowsAtStart(resource, next, { rows: open, isDone: true })).toMatchObject(inDoubt);
    // The doubt of a sample is over when a run has compared the rows.
    const sampled = { ...done, known: null, in_doubt: true };
    const run = rowsAtStart(resource, next, { rows: sampled, isDone: true });
    expect(run).toMatchObject({ how: "compare", known: null, in_doubt: false });
  });
});
