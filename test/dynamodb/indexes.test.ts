import { afterAll, beforeAll, expect, it, test } from "vitest";
import type { IndexPlan, KeyPlan } from "../../packages/core/src/config/plan-types.ts";
import { writeAll } from "../../packages/core/src/dynamodb/attempts.ts";
import { openBatchWriter } from "../../packages/core/src/dynamodb/batch-writer.ts";
import { tableDefinition } from "../../packages/core/src/dynamodb/tables.ts";
import { toItems } from "../../packages/core/src/normalize/items.ts";
import type { JsonValue } from "../../packages/core/src/values/json.ts";
import { virtualClock } from "../support/clock.ts";
import { type Engine, startDynamodb } from "../support/dynamodb.ts";
import { rowNaming } from "../support/naming.ts";

const key: KeyPlan = {
  fields: ["id"],
  rowId: undefined,
  hash: { name: "id", type: "S" },
  range: undefined,
};
const byStatus: IndexPlan = {
  name: "by_status",
  hash: { name: "status", type: "S" },
  range: { name: "at", type: "N" },
  projection: "all",
};
const table = "indexed";

let engine: Engine;
beforeAll(async () => {
  engine = await startDynamodb();
  await engine.createTables({
    [table]: tableDefinition({ key, storage: { indexes: [byStatus] } }),
  });
});
afterAll(() => engine.close());

async function writeRecords(records: JsonValue[]) {
  const storage = { indexes: [byStatus] };
  const plan = { key, writeMode: { kind: "batch" }, storage } as const;
  const { items, rejections } = toItems(records, plan, rowNaming());
  const clock = virtualClock();
  const ignore = () => {};
  const into = openBatchWriter({
    dynamodb: engine.dynamodb,
    clock,
    random: () => 1,
    log: { debug: ignore, info: ignore, warn: ignore, error: ignore },
    signal: new AbortController().signal,
    deadline: clock.monotonic() + 60_000,
    table,
    key,
    guard: ignore,
  });
  const { written, rejections: refused } = await writeAll(into, items);
  // DynamoDB alone would refuse them with a word that says nothing, after a dozen requests.
  expect(refused).toEqual([]);
  return { written, rejections };
}

const validRecords = (count: number) =>
  Array.from({ length: count }, (_, n) => ({ id: `good-${n}`, status: "open", at: n }));

test.each([
  [
    "a number where the index takes a string",
    { status: 5 },
    /"status" is a number.*by_status takes a string/,
  ],
  [
    "a string where the index takes a number",
    { at: "2026-01-01" },
    /"at" is a string.*takes a number/,
  ],
  ["an object", { status: { code: 5 } }, /is an object/],
  ["an empty string", { status: "" }, /is empty/],
  ["a string that is too long for a key", { status: "x".repeat(2049) }, /2049 bytes/],
])("a record with %s is set aside alone, with the reason", async (problem, fields, message) => {
  const bad = { id: `bad ${problem}`, ...fields };
  const { written, rejections } = await writeRecords([
    ...validRecords(12),
    bad,
    ...validRecords(24).slice(12),
  ]);
  expect(written).toBe(24);
  expect(rejections).toEqual([
    expect.objectContaining({
      index: 12,
      record: bad,
      code: "record.index_key",
      path: Object.keys(fields)[0],
      message: expect.stringMatching(message),
    }),
  ]);
  const ids = (await engine.scan(table)).map(({ id }) => id?.S);
  expect(ids).toHaveLength(24);
  expect(ids).not.toContain(bad.id);
});

it("a null in a field of the index is left out, so that the row is in the table and not in the index", async () => {
  await writeRecords([{ id: "nobody's", status: null, at: 1, text: null }]);
  const rows = await engine.scan(table);
  expect(rows.find(({ id }) => id?.S === "nobody's")).toEqual({
    id: { S: "nobody's" },
    at: { N: "1" },
    text: { NULL: true },
  });
});

it("a record without a field of the index is stored, and is not in the index", async () => {
  const { written, rejections } = await writeRecords([
    { id: "no status", at: 1 },
    { id: "no at", status: "open" },
    { id: "neither" },
  ]);
  expect({ written, rejections }).toEqual({ written: 3, rejections: [] });
});
