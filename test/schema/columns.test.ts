import { describe, expect, it, test } from "vitest";
import type { ColumnConfig } from "../../packages/core/src/config/types.ts";
import {
  type Columns,
  changesOf,
  changeText,
  columnsHash,
  columnsOf,
} from "../../packages/core/src/schema/columns.ts";
import { columnsSeen, planOf, shapeOf } from "./support.ts";

describe("a schema has the declared columns over the observed ones", () => {
  const schemaOf = (declared: Record<string, ColumnConfig>, ...records: object[]) =>
    columnsOf(records.length === 0 ? undefined : shapeOf(records), planOf({ columns: declared }));

  it("before the first record, a schema has the declared columns and the key", () => {
    expect(schemaOf({ at: { data_type: "timestamp", nullable: false }, note: {} })).toEqual({
      id: { nullable: false, primary_key: true },
      at: { data_type: "timestamp", nullable: false, declared: true },
      note: { nullable: true, declared: true },
    });
  });

  it("a declared type wins, and variants list the types of values that do not fit", () => {
    const declared = { n: { data_type: "bigint" } } as const;
    expect(schemaOf(declared, { n: 1 }).n).toEqual({
      data_type: "bigint",
      nullable: false,
      declared: true,
    });
    expect(schemaOf(declared, { n: 1 }, { n: "many" }).n?.variants).toEqual(["bigint", "text"]);
    expect(schemaOf({ n: { data_type: "decimal" } }, { n: 1 }, { n: 0.5 }).n?.variants).toBe(
      undefined,
    );
  });

  test.each([
    [
      "declared nullable stays nullable after any value",
      { nullable: true },
      [{ id: 1, x: 1 }],
      true,
    ],
    [
      "declared not null stays so as long as no record breaks that",
      { nullable: false },
      [{ id: 1, x: 1 }],
      false,
    ],
    [
      "declared not null becomes nullable after a null",
      { nullable: false },
      [{ id: 1, x: null }],
      true,
    ],
    [
      "declared not null becomes nullable after a record without the field",
      { nullable: false },
      [{ id: 1 }, { x: 1 }],
      true,
    ],
    ["that says nothing about null is as nullable as its values", {}, [{ id: 1, x: 1 }], false],
  ])("a column %s", (_, hints, records, nullable) => {
    expect(schemaOf({ x: hints }, ...records).x?.nullable).toBe(nullable);
  });

  it("key columns are marked and not nullable, also in a key that is joined from three fields", () => {
    const plan = planOf({ fields: ["a", "b", "c"] });
    const columns = columnsOf(shapeOf([{ a: 1, b: "x" }, { b: "y" }]), plan);
    expect(columns).toMatchObject({
      a: { data_type: "bigint", nullable: false, primary_key: true },
      b: { data_type: "text", nullable: false, primary_key: true },
      c: { nullable: false, primary_key: true },
    });
  });

  it("the hints of a declared column are part of the schema", () => {
    const hints = { description: "paid", precision: 10, scale: 2, timezone: true, unique: true };
    expect(schemaOf({ x: hints }, { x: 1 }).x).toEqual({
      data_type: "bigint",
      nullable: false,
      declared: true,
      ...hints,
    });
  });
});

describe("the hash of a schema", () => {
  it("the hash does not depend on the order of fields, types or hints", () => {
    const records = [
      { a: 1, b: { x: 1, y: "1" } },
      { b: { y: 2, z: null }, a: "1", c: [1] },
    ];
    const reversed = records
      .toReversed()
      .map((record) => Object.fromEntries(Object.entries(record).reverse()));
    expect(columnsHash(columnsSeen(reversed))).toBe(columnsHash(columnsSeen(records)));
    const first = { x: { description: "d", precision: 1 } };
    const second = { x: { precision: 1, description: "d" } };
    const hashOf = (columns: Record<string, ColumnConfig>) =>
      columnsHash(columnsOf(undefined, planOf({ columns })));
    expect(hashOf(first)).toBe(hashOf(second));
    expect(hashOf({ ...first, y: {} })).toBe(hashOf({ y: {}, ...second }));
  });

  it("the hash changes with every difference between schemas, however deep", () => {
    const variants = [
      [{ a: { b: [{ c: 1 }] } }],
      [{ a: { b: [{ c: "1" }] } }],
      [{ a: { b: [{ c: null }] } }],
      [{ a: { b: [{ c: 1 }, {}] } }],
      [{ a: { b: [{ c: 1, d: 1 }] } }],
    ];
    const hashes = variants.map((records) => columnsHash(columnsSeen(records)));
    expect(new Set(hashes).size).toBe(variants.length);
  });
});

describe("the changes between two schemas", () => {
  const changeTexts = (before: object[], after: object[]): string[] =>
    changesOf(columnsSeen(before), columnsSeen([...before, ...after])).map(changeText);

  test.each<[difference: string, before: object[], after: object[], texts: string[]]>([
    ["an equal record", [{ a: 1 }], [{ a: 2 }], []],
    ["a new field", [{ a: 1 }], [{ a: 1, b: "x" }], ['"b" is new (text)']],
    ["another type", [{ a: 1 }], [{ a: "1" }], ['"a" bigint → bigint | text']],
    ["a wider number", [{ a: 1 }], [{ a: 0.5 }], ['"a" bigint → double']],
    ["a null", [{ a: 1 }], [{ a: null }], ['"a" not null → nullable']],
    ["a field that went missing", [{ a: 1, b: 1 }], [{ a: 1 }], ['"b" not null → nullable']],
    ["a first value", [{ a: null }], [{ a: 1 }], ['"a" null → bigint']],
    [
      "fields of objects, of list elements and of data under names",
      [{ a: { x: 1 }, l: [{ y: 1 }] }],
      [{ a: { x: "1", z: 1 }, l: [{ y: null }] }],
      ['"a.x" bigint → bigint | text', '"a.z" is new (bigint)', '"l[].y" not null → nullable'],
    ],
    [
      "a new object with fields",
      [{ a: 1 }],
      [{ a: 1, b: { c: { d: 1 } } }],
      ['"b" is new (json object)'],
    ],
    ["a list in place of an object", [{ a: {} }], [{ a: [] }], ['"a" json object → json']],
  ])("the changes after %s are worded as expected", (_, before, after, texts) =>
    expect(changeTexts(before, after)).toEqual(texts));

  it("a column that is no longer declared and never had a value is gone", () => {
    const before: Columns = { a: { nullable: true, data_type: "text" } };
    expect(changesOf(before, {}).map(changeText)).toEqual(['"a" is gone']);
  });
});
