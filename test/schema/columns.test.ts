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

describe("a schema is what is declared over what has been seen", () => {
  const columns = (declared: Record<string, ColumnConfig>, ...records: object[]) =>
    columnsOf(records.length === 0 ? undefined : shapeOf(records), planOf({ columns: declared }));

  it("before anything was seen it is what is declared, and the key", () => {
    expect(columns({ at: { data_type: "timestamp", nullable: false }, note: {} })).toEqual({
      id: { nullable: false, primary_key: true },
      at: { data_type: "timestamp", nullable: false, declared: true },
      note: { nullable: true, declared: true },
    });
  });

  it("the declared type wins, and what stands there in truth is told beside it", () => {
    const declared = { n: { data_type: "bigint" } } as const;
    expect(columns(declared, { n: 1 }).n).toEqual({
      data_type: "bigint",
      nullable: false,
      declared: true,
    });
    expect(columns(declared, { n: 1 }, { n: "many" }).n?.variants).toEqual(["bigint", "text"]);
    expect(columns({ n: { data_type: "decimal" } }, { n: 1 }, { n: 0.5 }).n?.variants).toBe(
      undefined,
    );
  });

  test.each([
    ["true stays nullable, whatever came", { nullable: true }, [{ id: 1, x: 1 }], true],
    ["false holds while it is true", { nullable: false }, [{ id: 1, x: 1 }], false],
    ["false is over when null came", { nullable: false }, [{ id: 1, x: null }], true],
    ["false is over when it was missing", { nullable: false }, [{ id: 1 }, { x: 1 }], true],
    ["nothing: as it was seen", {}, [{ id: 1, x: 1 }], false],
  ])("nullable: %s", (_, hints, records, nullable) => {
    expect(columns({ x: hints }, ...records).x?.nullable).toBe(nullable);
  });

  it("a key is never null and says that it is one, also where it is joined from many", () => {
    const plan = planOf({ fields: ["a", "b", "c"] });
    const found = columnsOf(shapeOf([{ a: 1, b: "x" }, { b: "y" }]), plan);
    expect(found).toMatchObject({
      a: { data_type: "bigint", nullable: false, primary_key: true },
      b: { data_type: "text", nullable: false, primary_key: true },
      c: { nullable: false, primary_key: true },
    });
  });

  it("what else is said of a field stays with it", () => {
    const hints = { description: "paid", precision: 10, scale: 2, timezone: true, unique: true };
    expect(columns({ x: hints }, { x: 1 }).x).toEqual({
      data_type: "bigint",
      nullable: false,
      declared: true,
      ...hints,
    });
  });
});

describe("the hash of a schema", () => {
  it("does not depend on the order in which fields, types or hints were found", () => {
    const records = [
      { a: 1, b: { x: 1, y: "1" } },
      { b: { y: 2, z: null }, a: "1", c: [1] },
    ];
    const turned = records
      .toReversed()
      .map((record) => Object.fromEntries(Object.entries(record).reverse()));
    expect(columnsHash(columnsSeen(turned))).toBe(columnsHash(columnsSeen(records)));
    const [one, other] = [
      { x: { description: "d", precision: 1 } },
      { x: { precision: 1, description: "d" } },
    ];
    const hashOf = (columns: Record<string, ColumnConfig>) =>
      columnsHash(columnsOf(undefined, planOf({ columns })));
    expect(hashOf(one)).toBe(hashOf(other));
    expect(hashOf({ ...one, y: {} })).toBe(hashOf({ y: {}, ...other }));
  });

  it("is another one with each difference, however deep", () => {
    const records = [
      [{ a: { b: [{ c: 1 }] } }],
      [{ a: { b: [{ c: "1" }] } }],
      [{ a: { b: [{ c: null }] } }],
      [{ a: { b: [{ c: 1 }, {}] } }],
      [{ a: { b: [{ c: 1, d: 1 }] } }],
    ];
    const hashes = records.map((one) => columnsHash(columnsSeen(one)));
    expect(new Set(hashes).size).toBe(records.length);
  });
});

describe("what has changed between two schemas", () => {
  const between = (before: object[], after: object[]): string[] =>
    changesOf(columnsSeen(before), columnsSeen([...before, ...after])).map(changeText);

  test.each<[what: string, before: object[], after: object[], told: string[]]>([
    ["nothing", [{ a: 1 }], [{ a: 2 }], []],
    ["a new field", [{ a: 1 }], [{ a: 1, b: "x" }], ['"b" is new (text)']],
    ["a type", [{ a: 1 }], [{ a: "1" }], ['"a" bigint → bigint | text']],
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
      "an object, told once",
      [{ a: 1 }],
      [{ a: 1, b: { c: { d: 1 } } }],
      ['"b" is new (json object)'],
    ],
    ["an object and a list", [{ a: {} }], [{ a: [] }], ['"a" json object → json']],
  ])("%s", (_, before, after, told) => expect(between(before, after)).toEqual(told));

  it("a column that is not declared any more and never came is gone", () => {
    const before: Columns = { a: { nullable: true, data_type: "text" } };
    expect(changesOf(before, {}).map(changeText)).toEqual(['"a" is gone']);
  });
});
