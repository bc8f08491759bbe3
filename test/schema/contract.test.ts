import { describe, expect, it, test } from "vitest";
import { RecordError, SchemaError } from "../../packages/core/src/base/errors.ts";
import type { ContractMode } from "../../packages/core/src/config/plan-types.ts";
import { firstFitter, fitter } from "../../packages/core/src/schema/contract.ts";
import { emptyShape } from "../../packages/core/src/schema/shape.ts";
import { Decimal } from "../../packages/core/src/values/decimal.ts";
import type { JsonObject } from "../../packages/core/src/values/json.ts";
import { planOf, shapeOf } from "./support.ts";

const row = {
  id: 1,
  name: "a",
  size: 5,
  at: "2024-01-01T00:00:00Z",
  address: { city: "x", geo: { lat: 1.5 } },
  lines: [{ sku: "s", count: 1 }],
  maybe: null,
};
const known = () => shapeOf([row, { ...row, maybe: null }]);

/** The record as it is let in, or how it is refused. */
function outcome(record: object, mode: ContractMode, columns = {}): unknown {
  const take = fitter(planOf({ contract: mode, columns }), known());
  const before = structuredClone(record);
  try {
    const fitted = take?.(record as JsonObject) ?? { record, discarded: 0 };
    // The record that was handed in is the API's: quarantine keeps it as it came.
    expect(record).toEqual(before);
    return fitted.discarded === 0 && fitted.record === record ? "the same" : fitted;
  } catch (error) {
    expect(record).toEqual(before);
    if (error instanceof SchemaError)
      return { frozen: error.code, message: error.message, hint: error.hint };
    if (error instanceof RecordError) return { aside: error.code, path: error.path };
    throw error;
  }
}

interface Case {
  what: string;
  record: object;
  columns?: object;
  code: string;
  path: string;
  /** The record without the value that is not let in. */
  left: object;
  /** Nothing was there to leave out. */
  discarded?: number;
}

const without = (name: string) =>
  Object.fromEntries(Object.entries(row).filter(([one]) => one !== name));

const cases: Case[] = [
  {
    what: "a new field",
    record: { ...row, extra: 1 },
    code: "schema.new_field",
    path: "extra",
    left: row,
  },
  {
    what: "a field that was only ever null",
    record: { ...row, maybe: "b" },
    code: "schema.new_field",
    path: "maybe",
    left: without("maybe"),
  },
  {
    what: "a new field of an object",
    record: { ...row, address: { city: "x", zip: 1, geo: { lat: 1.5 } } },
    code: "schema.new_field",
    path: "address.zip",
    left: row,
  },
  {
    what: "a new field of an object in an object",
    record: { ...row, address: { city: "x", geo: { lat: 1.5, lon: 1 } } },
    code: "schema.new_field",
    path: "address.geo.lon",
    left: row,
  },
  {
    what: "a new field of an element of a list",
    record: { ...row, lines: [{ sku: "s", count: 1, tax: 1 }] },
    code: "schema.new_field",
    path: "lines[].tax",
    left: row,
  },
  {
    what: "a text where numbers were",
    record: { ...row, size: "5" },
    code: "schema.type",
    path: "size",
    left: without("size"),
  },
  {
    what: "a fraction where whole numbers were",
    record: { ...row, size: 0.5 },
    code: "schema.type",
    path: "size",
    left: without("size"),
  },
  {
    what: "a plain text where timestamps were",
    record: { ...row, at: "soon" },
    code: "schema.type",
    path: "at",
    left: without("at"),
  },
  {
    what: "a list where an object was",
    record: { ...row, address: [] },
    code: "schema.type",
    path: "address",
    left: without("address"),
  },
  {
    what: "an exact number where an object was",
    record: { ...row, address: new Decimal("1e400") },
    code: "schema.type",
    path: "address",
    left: without("address"),
  },
  {
    what: "another type in an object",
    record: { ...row, address: { city: true, geo: { lat: 1.5 } } },
    code: "schema.type",
    path: "address.city",
    left: { ...row, address: { geo: { lat: 1.5 } } },
  },
  {
    what: "an element of another type",
    record: { ...row, lines: ["s", { sku: "s", count: 1 }] },
    code: "schema.type",
    path: "lines[]",
    left: row,
  },
  {
    what: "a type that is declared and does not fit",
    record: { ...row, size: "five" },
    columns: { size: { data_type: "bigint" } },
    code: "schema.type",
    path: "size",
    left: without("size"),
  },
  {
    what: "null where that is declared away",
    record: { ...row, name: null },
    columns: { name: { nullable: false } },
    code: "schema.null",
    path: "name",
    left: without("name"),
  },
  {
    what: "a field that is missing where it is declared to be there",
    record: without("name"),
    columns: { name: { nullable: false } },
    code: "schema.null",
    path: "name",
    left: without("name"),
    discarded: 0,
  },
];

describe.each(cases)("$what", ({ record, columns, code, path, left, discarded = 1 }) => {
  it("is let in as it is by evolve", () => {
    expect(outcome(record, "evolve", columns)).toBe("the same");
  });

  it("ends the run with freeze, and the error names the field and what to do", () => {
    expect(outcome(record, "freeze", columns)).toEqual({
      frozen: code,
      message: expect.stringContaining(`"${path}"`),
      hint: expect.stringMatching(/schema_contract$/),
    });
  });

  it("sets its record aside with discard_row", () => {
    expect(outcome(record, "discard_row", columns)).toEqual({ aside: code, path });
  });

  it("is left out alone with discard_value, and counted", () => {
    const found = outcome(record, "discard_value", columns);
    expect(found).toEqual(discarded === 0 ? "the same" : { record: left, discarded });
  });
});

const modes: ContractMode[] = ["evolve", "freeze", "discard_row", "discard_value"];

describe.each(modes)("with %s", (mode) => {
  test.each([
    ["the same again", row],
    ["nulls", { ...row, name: null, address: null, lines: [null] }],
    ["less", { id: 2 }],
    ["empty lists and objects", { ...row, lines: [], address: {} }],
    ["a new field that is null", { ...row, extra: null }],
    ["a key of another type", { ...row, id: "abc" }],
    ["a whole number where fractions were", { ...row, address: { city: "x", geo: { lat: 1 } } }],
  ])("%s is handed on as the same object", (_, record) => {
    expect(outcome(record, mode)).toBe("the same");
  });

  it("a declared field is no new one, and is made what it is declared", () => {
    const columns = { extra: { data_type: "bigint" }, note: { description: "any" } };
    const fitted = outcome({ ...row, extra: "5", note: true }, mode, columns);
    expect(fitted).toEqual({ record: { ...row, extra: 5, note: true }, discarded: 0 });
  });

  it("a field that was a number and an object takes either", () => {
    const number = new Decimal("1e400");
    const take = fitter(planOf({ contract: mode }), shapeOf([{ a: number }, { a: { b: 1 } }]));
    for (const record of [{ a: number }, { a: { b: 2 } }]) {
      expect(take?.(record).record ?? record).toBe(record);
    }
  });

  it("names that are data are never new", () => {
    const seen = shapeOf([
      { people: Object.fromEntries(Array.from({ length: 90 }, (_, n) => [`u${n}`, 1])) },
    ]);
    const record = { people: { somebody: 2 } };
    const take = fitter(planOf({ contract: mode }), seen);
    expect(take?.(record).record ?? record).toBe(record);
  });
});

describe("each part of a contract has its own mode", () => {
  const take = fitter(
    planOf({ contract: { columns: "discard_value", data_type: "discard_row" } }),
    known(),
  );

  it("new fields go by columns, types by data_type", () => {
    expect(take?.({ ...row, extra: 1 })).toEqual({ record: row, discarded: 1 });
    expect(() => take?.({ ...row, size: "5" })).toThrow(RecordError);
  });

  it("each record's values are counted for itself", () => {
    expect(take?.({ ...row, a: 1, b: 2 }).discarded).toBe(2);
    expect(() => take?.({ ...row, a: 1, size: "5" })).toThrow(RecordError);
    expect(take?.(row).discarded).toBe(0);
  });
});

describe("a field that is declared without a type", () => {
  it("is held to the type that was seen, and so is what is inside of it", () => {
    const columns = { address: { description: "where" } };
    const address = { ...row.address, zip: 1 };
    expect(outcome({ ...row, address }, "discard_row", columns)).toEqual({
      aside: "schema.new_field",
      path: "address.zip",
    });
  });
});

describe("the first run of a table", () => {
  it.each(modes)("makes its schema whatever the mode of columns and data_type is (%s)", (mode) => {
    expect(firstFitter(planOf({ contract: mode }))).toBeUndefined();
  });

  it("may not begin where tables are frozen", () => {
    const take = firstFitter(planOf({ contract: { tables: "freeze" } }));
    expect(() => take?.(row)).toThrow(SchemaError);
  });

  it.each(["discard_row", "discard_value"] as const)("sets all aside with tables: %s", (tables) => {
    const take = firstFitter(planOf({ contract: { tables } }));
    expect(() => take?.(row)).toThrow(RecordError);
  });

  it("with a schema tables have nothing to say", () => {
    expect(fitter(planOf({ contract: { tables: "freeze" } }), known())).toBeUndefined();
  });

  it("a record costs nothing where there is nothing to do", () => {
    expect(fitter(planOf({ columns: { name: { nullable: true } } }), known())).toBeUndefined();
    expect(
      fitter(planOf({ columns: { id: { data_type: "text" } } }), emptyShape()),
    ).toBeUndefined();
  });
});
