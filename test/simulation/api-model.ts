import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import type { Random } from "./random.ts";

/** What is wrong with a record; DynamoDB can hold none of these. */
const keyFaults = ["no_key", "null_key", "long_key"] as const;
const valueFaults = ["long_number", "deep", "surrogate"] as const;
const faults = [...keyFaults, ...valueFaults];

/** One row of the API's data. */
export interface Row {
  id: number;
  /** Names the row where it has no usable key. */
  uid: string;
  /** Grows with every change of the row. */
  version: number;
  /** By the API's own clock, which may be wrong. */
  updatedAt: string;
  fault: (typeof faults)[number] | undefined;
  /** Served twice, as some APIs do with joined rows. */
  twin: boolean;
}

/** The truth that the table has to arrive at. */
export interface Model {
  name: string;
  rows: Row[];
  /** How many rows there ever were, twins twice. */
  ever(): number;
  /** Changes one row, or adds or takes one. */
  mutate(): string;
}

export interface ModelOptions {
  name: string;
  /** Rows go, too: the last ones, so that the pages before them stay as they are. */
  shrinks: boolean;
  /** Rows appear some time after the time that stands in them. */
  lateCommits: boolean;
  /** The API's own, which may be wrong. */
  clock: () => number;
}

const BAD_SHARE = 0.04;
const TWIN_SHARE = 0.05;

/** The longest that a transaction takes from its rows' time to their appearance. */
export const LATE_COMMIT_MS = 90_000;

export function openModel(
  { name, shrinks, lateCommits, clock }: ModelOptions,
  random: Random,
): Model {
  const rows: Row[] = [];
  let ids = 0;
  let twins = 0;
  const stamp = (late = 0) => new Date(clock() - late).toISOString();
  const insert = (late = 0) => {
    ids += 1;
    const id = ids;
    const bad = random.chance(BAD_SHARE);
    const twin = !bad && random.chance(TWIN_SHARE);
    if (twin) twins += 1;
    rows.push({
      id,
      uid: `${name}-${id}`,
      version: 1,
      updatedAt: stamp(late),
      fault: bad ? random.pick(faults) : undefined,
      twin,
    });
    return `inserts ${name}-${id}`;
  };
  for (let count = random.between(0, 45); count > 0; count--) insert();
  // A refresh that would take more rows than it leaves is refused, and this is no test of that.
  let mayGo = shrinks ? Math.floor(rows.length / 4) : 0;

  return {
    name,
    rows,
    ever: () => ids + twins,
    mutate() {
      if (rows.length === 0 || random.chance(0.15)) {
        // A transaction that began before others and is seen after them.
        return insert(
          lateCommits && random.chance(0.3) ? random.between(1_000, LATE_COMMIT_MS) : 0,
        );
      }
      if (mayGo > 0 && random.chance(0.25)) {
        mayGo -= 1;
        return `deletes ${rows.pop()?.uid}`;
      }
      const row = random.pick(rows);
      row.version += 1;
      row.updatedAt = stamp();
      if (row.fault || random.chance(0.02)) {
        // A row that was stored keeps its key: without it nobody could tell that it is still there.
        row.fault = row.fault ? undefined : random.pick(valueFaults);
      }
      return `changes ${row.uid} to v${row.version}`;
    },
  };
}

/** As the API lists them. */
export const listed = (rows: readonly Row[]): Row[] =>
  rows.flatMap((row) => (row.twin ? [row, row] : [row]));

/** JSON as text: what a number looks like on the wire is part of the test. */
export function jsonOf(row: Row): string {
  const id = { no_key: undefined, null_key: "null", long_key: `"${"x".repeat(3000)}"` };
  const key =
    row.fault !== undefined && row.fault in id ? id[row.fault as keyof typeof id] : row.id;
  const extra: Record<string, string> = {
    long_number: `"big":${"7".repeat(45)}`,
    deep: `"deep":${"[".repeat(40)}${"]".repeat(40)}`,
    surrogate: `"text":"\\ud800"`,
  };
  return `{${[
    ...(key === undefined ? [] : [`"id":${key}`]),
    `"uid":"${row.uid}"`,
    `"version":${row.version}`,
    `"updated_at":"${row.updatedAt}"`,
    `"amount":${amountOf(row)}`,
    `"tags":["a",null,{"n":${row.version}}]`,
    ...(row.fault && extra[row.fault] ? [extra[row.fault]] : []),
  ].join(",")}}`;
}

/** What the table has to hold for a row, written down without the engine's help. */
export const itemOf = (row: Row): Record<string, AttributeValue> => ({
  id: { S: String(row.id) },
  uid: { S: row.uid },
  version: { N: String(row.version) },
  updated_at: { S: row.updatedAt },
  amount: { N: amountOf(row) },
  tags: { L: [{ S: "a" }, { NULL: true }, { M: { n: { N: String(row.version) } } }] },
});

// More digits than a double has.
const amountOf = ({ id, version }: Row) => `12345678901234567${id}.00${version}7`;
