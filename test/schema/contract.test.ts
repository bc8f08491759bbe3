import { describe, expect, it, test } from "vitest";
import { RecordError, SchemaError } from "../../packages/core/src/base/errors.ts";
import type { ContractMode } from "../../packages/core/src/config/plan-types.ts";
import { firstRunFitter, recordFitter } from "../../packages/core/src/schema/contract.ts";
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
const priorShape = () => shapeOf([row, { ...row, maybe: null }]);

/** The fitted record, or the way in which it is refused. */
function outcome(record: object, mode: ContractMode, columns = {}): unknown {
  const fitRecord = recordFitter(planOf({ contract: mode, columns }), priorShape());
  const original = structuredClone(record);
  try {
    const fitted = fitRecord?.(record as JsonObject) ?? { record, discarded: 0 };
    // Quarantine stores the record as the API sent it, so it must not change.
    expect(record).toEqual(original);
    return fitted.discarded === 0 && fitted.record === record ? "the same" : fitted;
  } catch (error) {
    expect(record).toEqual(original);
    if (error instanceof SchemaError)
      return { frozen: error.code, message: error.message, hint: error.hint };
    if (error instanceof RecordError) return { aside: error.code, path: error.path };
    throw error;
  }
}

interface Violation {
  problem: string;
  record: object;
  columns?: object;
  code: string;
  path: string;
  /** The record without the refused value. */
  remaining: object;
  /** The number of values that discard_value leaves out. Default: 1. */
  discarded?: number;
}

const without = (name: string) =>
  Object.fromEntries(Object.entries(row).filter(([field]) => field !== name));

const violations: Violation[] = [
  {
    problem: "a new field",
    record: { ...row, extra: 1 },
    code: "schema.new_field",
    path: "extra",
    remaining: row,
  },
  {
    problem: "a field that was only ever null",
    record: { ...row, maybe: "b" },
    code: "schema.new_field",
    path: "maybe",
    remaining: without("maybe"),
  },
  {
    problem: "a new field of an object",
    record: { ...row, address: { city: "x", zip: 1, geo: { lat: 1.5 } } },
    code: "schema.new_field",
    path: "address.zip",
    remaining: row,
  },
  {
    problem: "a new field of an object in an object",
    record: { ...row, address: { city: "x", geo: { lat: 1.5, lon: 1 } } },
    code: "schema.new_field",
    path: "address.geo.lon",
    remaining: row,
  },
  {
    problem: "a new field of an element of a list",
    record: { ...row, lines: [{ sku: "s", count: 1, tax: 1 }] },
    code: "schema.new_field",
    path: "lines[].tax",
    remaining: row,
  },
  {
    problem: "a string where numbers were",
    record: { ...row, size: "5" },
    code: "schema.type",
    path: "size",
    remaining: without("size"),
  },
  {
    problem: "a fraction where whole numbers were",
    record: { ...row, size: 0.5 },
    code: "schema.type",
    path: "size",
    remaining: without("size"),
  },
  {
    problem: "plain text where timestamps were",
    record: { ...row, at: "soon" },
    code: "schema.type",
    path: "at",
    remaining: without("at"),
  },
  {
    problem: "a list where an object was",
    record: { ...row, address: [] },
    code: "schema.type",
    path: "address",
    remaining: without("address"),
  },
  {
    problem: "an exact number where an object was",
    record: { ...row, address: new Decimal("1e400") },
    code: "schema.type",
    path: "address",
    remaining: without("address"),
  },
  {
    problem: "another type in an object",
    record: { ...row, address: { city: true, geo: { lat: 1.5 } } },
    code: "schema.type",
    path: "address.city",
    remaining: { ...row, address: { geo: { lat: 1.5 } } },
  },
  {
    problem: "an element of another type",
    record: { ...row, lines: ["s", { sku: "s", count: 1 }] },
    code: "schema.type",
    path: "lines[]",
    remaining: row,
  },
  {
    problem: "a value that does not fit its declared type",
    record: { ...row, size: "five" },
    columns: { size: { data_type: "bigint" } },
    code: "schema.type",
    path: "size",
    remaining: without("size"),
  },
  {
    problem: "null in a column that is declared not null",
    record: { ...row, name: null },
    columns: { name: { nullable: false } },
    code: "schema.null",
    path: "name",
    remaining: without("name"),
  },
  {
    problem: "a record without a field that is declared not null",
    record: without("name"),
    columns: { name: { nullable: false } },
    code: "schema.null",
    path: "name",
    remaining: without("name"),
    discarded: 0,
  },
];

describe.each(violations)("the contract meets $problem", ({
  problem,
  record,
  columns,
  code,
  path,
  remaining,
  discarded = 1,
}) => {
  it(`evolve lets ${problem} in unchanged`, () => {
    expect(outcome(record, "evolve", columns)).toBe("the same");
  });

  it(`freeze ends the run at ${problem}, and the error names the field and the next step`, () => {
    expect(outcome(record, "freeze", columns)).toEqual({
      frozen: code,
      message: expect.stringContaining(`"${path}"`),
      hint: expect.stringMatching(/schema_contract$/),
    });
  });

  it(`discard_row sets the whole record aside for ${problem}`, () => {
    expect(outcome(record, "discard_row", columns)).toEqual({ aside: code, path });
  });

  it(`discard_value leaves out and counts only the refused value for ${problem}`, () => {
    const result = outcome(record, "discard_value", columns);
    expect(result).toEqual(discarded === 0 ? "the same" : { record: remaining, discarded });
  });
});

const modes: ContractMode[] = ["evolve", "freeze", "discard_row", "discard_value"];

describe.each(modes)("records that break nothing, with %s", (mode) => {
  test.each([
    ["the known fields", row],
    ["nulls in known fields", { ...row, name: null, address: null, lines: [null] }],
    ["only some of the fields", { id: 2 }],
    ["empty lists and objects", { ...row, lines: [], address: {} }],
    ["a new field that is null", { ...row, extra: null }],
    ["a key of another type", { ...row, id: "abc" }],
    ["a whole number where fractions were", { ...row, address: { city: "x", geo: { lat: 1 } } }],
  ])(`${mode} returns a record with %s as the same object`, (_, record) => {
    expect(outcome(record, mode)).toBe("the same");
  });

  it(`a declared field is not new to ${mode}, and gets its declared type`, () => {
    const columns = { extra: { data_type: "bigint" }, note: { description: "any" } };
    const fitted = outcome({ ...row, extra: "5", note: true }, mode, columns);
    expect(fitted).toEqual({ record: { ...row, extra: 5, note: true }, discarded: 0 });
  });

  it(`${mode} takes a number and an object in a field that has had both`, () => {
    const number = new Decimal("1e400");
    const fitRecord = recordFitter(
      planOf({ contract: mode }),
      shapeOf([{ a: number }, { a: { b: 1 } }]),
    );
    for (const record of [{ a: number }, { a: { b: 2 } }]) {
      expect(fitRecord?.(record).record ?? record).toBe(record);
    }
  });

  it(`a name that is data is never new to ${mode}`, () => {
    const people = shapeOf([
      { people: Object.fromEntries(Array.from({ length: 90 }, (_, n) => [`u${n}`, 1])) },
    ]);
    const record = { people: { somebody: 2 } };
    const fitRecord = recordFitter(planOf({ contract: mode }), people);
    expect(fitRecord?.(record).record ?? record).toBe(record);
  });
});

describe("each part of a contract has its own mode", () => {
  const fitRecord = recordFitter(
    planOf({ contract: { columns: "discard_value", data_type: "discard_row" } }),
    priorShape(),
  );

  it("the mode of columns decides about new fields, and the mode of data_type about types", () => {
    expect(fitRecord?.({ ...row, extra: 1 })).toEqual({ record: row, discarded: 1 });
    expect(() => fitRecord?.({ ...row, size: "5" })).toThrow(RecordError);
  });

  it("discarded values are counted per record", () => {
    expect(fitRecord?.({ ...row, a: 1, b: 2 }).discarded).toBe(2);
    expect(() => fitRecord?.({ ...row, a: 1, size: "5" })).toThrow(RecordError);
    expect(fitRecord?.(row).discarded).toBe(0);
  });
});

describe("a field that is declared without a type", () => {
  it("a field that is declared without a type keeps its observed type, nested fields included", () => {
    const columns = { address: { description: "where" } };
    const address = { ...row.address, zip: 1 };
    expect(outcome({ ...row, address }, "discard_row", columns)).toEqual({
      aside: "schema.new_field",
      path: "address.zip",
    });
  });
});

describe("the first run of a table", () => {
  it.each(modes)("the first run of a table may make its schema with the mode %s", (mode) => {
    expect(firstRunFitter(planOf({ contract: mode }))).toBeUndefined();
  });

  it("the first run of a table fails with tables: freeze", () => {
    const fitRecord = firstRunFitter(planOf({ contract: { tables: "freeze" } }));
    expect(() => fitRecord?.(row)).toThrow(SchemaError);
  });

  it.each([
    "discard_row",
    "discard_value",
  ] as const)("the first run of a table sets every record aside with tables: %s", (tables) => {
    const fitRecord = firstRunFitter(planOf({ contract: { tables } }));
    expect(() => fitRecord?.(row)).toThrow(RecordError);
  });

  it("the mode of tables does not matter once there is a schema", () => {
    const plan = planOf({ contract: { tables: "freeze" } });
    expect(recordFitter(plan, priorShape())).toBeUndefined();
  });

  it("there is no fitter when no record could change", () => {
    const nullable = planOf({ columns: { name: { nullable: true } } });
    expect(recordFitter(nullable, priorShape())).toBeUndefined();
    expect(
      recordFitter(planOf({ columns: { id: { data_type: "text" } } }), emptyShape()),
    ).toBeUndefined();
  });
});
