import { describe, expect, it } from "vitest";
import type { IncrementalPlan, KeyPlan } from "../../packages/core/src/config/plan-types.ts";
import { chooseWrites, type EarlierWrites } from "../../packages/core/src/state/choose-writes.ts";

type Plan = Parameters<typeof chooseWrites>[0];

const key: KeyPlan = { fields: ["id"], hash: { name: "id", type: "S" }, range: undefined };
const merge: Plan = {
  writes: undefined,
  writeMode: { kind: "batch" },
  disposition: "merge",
  incremental: undefined,
  key,
};
const replace: Plan = { ...merge, disposition: "replace" };
const incremental = {} as IncrementalPlan;
const cursor: Plan = { ...merge, incremental };

/** Nearly nothing changed in a large table. */
const calm: EarlierWrites = {
  last: { how: "compare", records: 100_000, unchanged: 99_000 },
  log: undefined,
  inDoubt: false,
  rebuild: false,
};
const logged: EarlierWrites = { ...calm, log: 100_000 };
const lastRun = (
  last: Partial<NonNullable<EarlierWrites["last"]>>,
  runHistory = calm,
): EarlierWrites => ({
  ...runHistory,
  last: { how: "compare", records: 1_000, unchanged: 0, ...last },
});

const always = "always";
const compare = "compare";
const compareAndLog = "compare, log";
const fingerprints = "fingerprints, log";

describe("how a run tells which rows it has to put", () => {
  it.each<[string, Plan, EarlierWrites, string]>([
    [
      "appended rows are always put, because they are new",
      { ...merge, disposition: "append" },
      logged,
      always,
    ],
    [
      "rows without a primary key are always put",
      { ...merge, key: { ...key, fields: [] } },
      logged,
      always,
    ],
    [
      "rows of a replace without a primary key are always put",
      { ...replace, key: { ...key, fields: [] } },
      logged,
      always,
    ],
    [
      "rows of an ordered table are always put, on a condition",
      { ...merge, writeMode: { kind: "ordered", versionField: "v", type: "S" } },
      logged,
      always,
    ],
    [
      "rows that are only inserted are always put",
      { ...merge, writeMode: { kind: "insert" } },
      logged,
      always,
    ],
    ["rows after a cursor are always put", cursor, logged, always],
    ["the cursor of a replace does not count", { ...replace, incremental }, logged, fingerprints],

    [
      "the first run puts all rows, because the table is empty",
      merge,
      { ...calm, last: undefined },
      always,
    ],
    ["the second run compares", merge, lastRun({ how: "always" }), compare],
    ["the third keeps a log, for most stayed as it was", merge, calm, compareAndLog],
    ["the fourth goes by it", merge, logged, fingerprints],
    ["a replace as well", replace, logged, fingerprints],

    ["half unchanged is worth a log", merge, lastRun({ unchanged: 500 }), compareAndLog],
    ["less is not", merge, lastRun({ unchanged: 499 }), compare],
    ["a small table is not", merge, lastRun({ records: 999, unchanged: 999 }), compare],
    ["an empty one is not", merge, lastRun({ records: 0 }), compare],

    ["a tenth unchanged is worth a look", merge, lastRun({ unchanged: 100 }), compare],
    ["less is not", merge, lastRun({ unchanged: 99 }), always],
    ["less is not, with a log either", merge, lastRun({ unchanged: 99 }, logged), always],
    ["who did not look does not know", merge, lastRun({ how: "always", unchanged: 0 }), compare],
    ["who goes by prints does", merge, lastRun({ how: "fingerprints", unchanged: 99 }), always],

    ["a death leaves doubts about the log", merge, { ...logged, inDoubt: true }, compareAndLog],
    [
      "and a reason to look, even where most changed",
      merge,
      lastRun({ unchanged: 0 }, { ...logged, inDoubt: true }),
      compare,
    ],

    ["a full refresh makes the log anew", merge, { ...logged, rebuild: true }, compareAndLog],
    [
      "a small table's, too",
      merge,
      lastRun({ how: "always" }, { ...calm, rebuild: true }),
      compareAndLog,
    ],
    ["behind a cursor it has no use", cursor, { ...logged, rebuild: true }, compare],
    ["first of all the table is empty", merge, { ...calm, last: undefined, rebuild: true }, always],

    ["four million prints fit in", merge, { ...calm, log: 4_000_000 }, fingerprints],
    ["more do not", merge, { ...calm, log: 4_000_001 }, compare],
    ["and are not begun", merge, lastRun({ records: 4_000_001, unchanged: 4_000_000 }), compare],
    [
      "not by a full refresh either",
      merge,
      lastRun({ records: 4_000_001 }, { ...calm, rebuild: true }),
      compare,
    ],

    ["who says always", { ...merge, writes: "always" }, logged, always],
    ["who says compare", { ...merge, writes: "compare" }, logged, compare],
    [
      "who says compare, the first time",
      { ...merge, writes: "compare" },
      { ...calm, last: undefined },
      compare,
    ],
    ["who says compare behind a cursor", { ...cursor, writes: "compare" }, logged, compare],
    [
      "who says fingerprints, though most changed",
      { ...merge, writes: "fingerprints" },
      lastRun({}, logged),
      fingerprints,
    ],
    ["who says it behind a cursor", { ...cursor, writes: "fingerprints" }, logged, fingerprints],
    [
      "who says it of a table without a log",
      { ...merge, writes: "fingerprints" },
      lastRun({ records: 10 }),
      compareAndLog,
    ],
    [
      "who says it of an empty table",
      { ...merge, writes: "fingerprints" },
      { ...calm, last: undefined },
      "always, log",
    ],
    [
      "who says it in doubt",
      { ...merge, writes: "fingerprints" },
      { ...logged, inDoubt: true },
      compareAndLog,
    ],
    [
      "who says it for a full refresh",
      { ...merge, writes: "fingerprints" },
      { ...logged, rebuild: true },
      compareAndLog,
    ],
    [
      "who says it of too many rows",
      { ...merge, writes: "fingerprints" },
      { ...calm, log: 5_000_000 },
      compare,
    ],
    [
      "who says it where rows are appended",
      { ...merge, disposition: "append", writes: "fingerprints" },
      logged,
      always,
    ],
  ])("chooseWrites decides how a run puts its rows: %s", (_, plan, history, expected) => {
    const { how, log } = chooseWrites(plan, history);
    expect(log ? `${how}, log` : how).toBe(expected);
  });
});
