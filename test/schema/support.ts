import fc from "fast-check";
import { planColumns, planContract } from "../../packages/core/src/config/columns.ts";
import type { ContractPlan, ResourcePlan } from "../../packages/core/src/config/plan-types.ts";
import type { ColumnConfig } from "../../packages/core/src/config/types.ts";
import { type Columns, columnsOf, typeText } from "../../packages/core/src/schema/columns.ts";
import { ShapeObserver } from "../../packages/core/src/schema/observer.ts";
import { emptyShape, type Shape } from "../../packages/core/src/schema/shape.ts";
import { Decimal } from "../../packages/core/src/values/decimal.ts";
import type { Members } from "../../packages/core/src/values/json.ts";

/**
 * The part of a plan that the schema reads. Rows have the key `id` unless a test says otherwise.
 */
export function planOf({
  columns = {},
  contract,
  fields = ["id"],
}: {
  columns?: Record<string, ColumnConfig>;
  contract?: Parameters<typeof planContract>[0];
  fields?: string[];
} = {}): Pick<ResourcePlan, "columns" | "key"> & { contract: ContractPlan } {
  const hash = { name: fields[0] ?? "_row_id", type: "S" as const };
  return {
    columns: planColumns(columns),
    contract: planContract(contract),
    key: { fields, hash, range: undefined },
  };
}

/** The shape after the records, from nothing or on top of another shape. */
export function shapeOf(records: readonly unknown[], shape = emptyShape()): Shape {
  const observer = new ShapeObserver(shape);
  for (const record of records) observer.observe(record as Members);
  return shape;
}

/** The schema of records without any declared column. */
export const columnsSeen = (records: readonly unknown[]): Columns =>
  columnsOf(shapeOf(records), planOf({ fields: [] }));

/** The type of a field `x` that has had the values. Undefined stands for a record without `x`. */
export function fieldOf(...values: unknown[]) {
  const records = values.map((x) => (x === undefined ? {} : { x }));
  const column = columnsSeen(records).x;
  if (!column) throw new Error("no record has the field");
  return { type: typeText(column), nullable: column.nullable };
}

/** Records of few names and few values, so that the same names and values often meet. */
export function recordsOf(): fc.Arbitrary<Members[]> {
  const name = fc.constantFrom("a", "b", "c", "__proto__", "constructor", "7");
  const scalar = fc.constantFrom<unknown>(
    ...[null, 1, 2.5, 2n ** 64n, new Decimal("1e400"), true],
    ...["x", "2024-01-01", "2024-01-01T00:00:00Z", "2024-01-01 00:00", "10:00:00"],
  );
  const smallValue = fc.oneof(
    { weight: 4, arbitrary: scalar },
    { weight: 1, arbitrary: fc.array(scalar, { maxLength: 3 }) },
    { weight: 1, arbitrary: fc.array(fc.tuple(name, scalar), { maxLength: 3 }).map(members) },
  );
  // One or two dictionaries together may have more than 64 names. A full shape would depend on the
  // order of records, so they are few and flat enough for the shape to have room.
  const counts = fc.tuple(fc.constantFrom(0, 35), fc.constantFrom(3, 40, 70));
  const dictionary = fc
    .tuple(counts, smallValue)
    .map(([[from, count], value]) =>
      members(Array.from({ length: count }, (_, n) => [`u${from + n}`, value])),
    );
  const { value } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      { weight: 8, arbitrary: scalar },
      { weight: 3, arbitrary: fc.array(tie("value"), { maxLength: 3 }) },
      {
        weight: 3,
        arbitrary: fc.array(fc.tuple(name, tie("value")), { maxLength: 4 }).map(members),
      },
      { weight: 1, arbitrary: dictionary },
    ),
  }));
  const record = fc.array(fc.tuple(name, value), { maxLength: 5 }).map(members);
  return fc.array(record, { maxLength: 6 });
}

const members = (entries: [string, unknown][]) => Object.fromEntries(entries) as Members;
