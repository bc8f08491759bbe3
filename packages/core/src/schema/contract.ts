import { RecordError, SchemaError } from "../base/errors.ts";
import type { DataType } from "../config/data-types.ts";
import type { ColumnPlan, ContractMode, ContractPlan, ResourcePlan } from "../config/plan-types.ts";
import type { FieldValue, JsonObject, Members } from "../values/json.ts";
import { coerceValue } from "./coerce.ts";
import { dataTypeOf, dataTypesOf, keepsDataTypes, kindOf, kinds } from "./kinds.ts";
import type { Shape } from "./shape.ts";

export interface FittedRecord {
  record: Members;
  /** The number of values that the record has lost to the contract. */
  discarded: number;
}

/** Throws a RecordError to set the record aside, or a SchemaError to end the run. */
export type FitRecord = (record: JsonObject) => FittedRecord;

type SchemaPlan = Pick<ResourcePlan, "columns" | "contract" | "key">;

/**
 * Returns the function that every record passes before it becomes an item: values get their
 * declared types, and the contract decides about the rest. `priorShape` is the schema from before
 * the run; a run without one makes the schema. Undefined when no record could change.
 */
export function recordFitter(
  plan: SchemaPlan,
  priorShape: Shape | undefined,
): FitRecord | undefined {
  const fitter = new RecordFitter(plan, priorShape);
  return fitter.hasWork() ? (record) => fitter.fitRecord(record) : undefined;
}

/**
 * Returns the same function for the first run of a table. As in dlt, a contract that allows no new
 * tables takes no record.
 */
export function firstRunFitter(plan: SchemaPlan): FitRecord | undefined {
  const { tables } = plan.contract;
  if (tables === "evolve") return recordFitter(plan, undefined);
  return () => {
    throw tables === "freeze"
      ? new SchemaError(newTable)
      : new RecordError({ ...newTable, path: "" });
  };
}

class RecordFitter {
  private readonly contract: ContractPlan;
  /**
   * The attributes of the table's key, which the contract ignores: the table settles their types.
   */
  private readonly keyNames: ReadonlySet<string | undefined>;
  /** The declared columns by name, without those of the key. */
  private readonly declared: ReadonlyMap<string, ColumnPlan>;
  /** The names of the columns that are declared `nullable: false`. */
  private readonly requiredNames: readonly string[];
  /** The schema from before the run. Undefined when the contract refuses no value, too. */
  private readonly priorShape: Shape | undefined;
  /**
   * Counts the values that the current record has lost so far. Zero at the start of each record.
   */
  private discarded = 0;

  constructor({ columns, contract, key }: SchemaPlan, priorShape: Shape | undefined) {
    this.contract = contract;
    this.keyNames = new Set([key.hash.name, key.range?.name]);
    this.declared = new Map(Object.entries(columns).filter(([name]) => !this.keyNames.has(name)));
    this.requiredNames = [...this.declared.keys()].filter(
      (name) => this.declared.get(name)?.nullable === false,
    );
    const refusesValues = contract.columns !== "evolve" || contract.dataType !== "evolve";
    this.priorShape = refusesValues ? priorShape : undefined;
  }

  hasWork(): boolean {
    const declaresTypes = [...this.declared.values()].some(({ dataType }) => dataType);
    return declaresTypes || this.requiredNames.length > 0 || this.priorShape !== undefined;
  }

  fitRecord(record: JsonObject): FittedRecord {
    this.discarded = 0;
    const fitted = this.fitObject(record, this.priorShape, "");
    for (const name of this.requiredNames) {
      if (!Object.hasOwn(record, name)) this.refuseMissing(name);
    }
    return { record: fitted, discarded: this.discarded };
  }

  /** Returns the object itself as long as no member changes: quarantine keeps the original. */
  private fitObject(object: Members, shape: Shape | undefined, parentPath: string): Members {
    let fitted = object;
    for (const name of Object.keys(object)) {
      const value = object[name] as FieldValue;
      const fittedValue = this.fitMember(value, name, shape, parentPath);
      if (fittedValue === value) continue;
      if (fitted === object) fitted = { ...object };
      if (fittedValue === undefined) delete fitted[name];
      else fitted[name] = fittedValue;
    }
    return fitted;
  }

  /** `parentPath` is empty for top-level fields, and columns only declare top-level fields. */
  private fitMember(
    value: FieldValue,
    name: string,
    shape: Shape | undefined,
    parentPath: string,
  ): FieldValue | undefined {
    const path = parentPath + name;
    const isTopLevel = parentPath === "";
    if (isTopLevel && this.keyNames.has(name)) return value;
    const column = isTopLevel ? this.declared.get(name) : undefined;
    if (value === null) {
      if (column?.nullable !== false) return null;
      return this.refuse(this.contract.dataType, value, path, absentField(path, "null"));
    }
    if (column?.dataType) return this.fitDeclared(value, column, column.dataType, path);
    if (!shape) return value;
    // A name that is data is never new, and neither is a field below the deepest described level.
    const fieldShape = shape.fields ? shape.fields.get(name) : shape.values;
    if (fieldShape?.kinds) return this.fitValue(value, fieldShape, path);
    if (column || !shape.fields) return value;
    return this.refuse(this.contract.columns, value, path, newField(path));
  }

  private fitDeclared(
    value: NonNullable<FieldValue>,
    { hints }: ColumnPlan,
    dataType: DataType,
    path: string,
  ): FieldValue | undefined {
    const coerced = coerceValue(value, dataType, hints.precision);
    if (coerced !== undefined) return coerced;
    const refusal = wrongType(path, kindOf(value), dataType);
    return this.refuse(this.contract.dataType, value, path, refusal);
  }

  private fitValue(value: FieldValue, shape: Shape, path: string): FieldValue | undefined {
    if (value === null || shape.kinds === 0) return value;
    const kind = kindOf(value, shape.kinds);
    if (!keepsDataTypes(shape.kinds, kind)) {
      const refusal = wrongType(path, kind, dataTypeOf(shape.kinds));
      return this.refuse(this.contract.dataType, value, path, refusal);
    }
    if (Array.isArray(value)) {
      return shape.items ? this.fitList(value, shape.items, `${path}[]`) : value;
    }
    if (kind !== kinds.object || !(shape.fields || shape.values)) return value;
    return this.fitObject(value as Members, shape, `${path}.`) as JsonObject;
  }

  private fitList(list: FieldValue[], shape: Shape, path: string): FieldValue {
    const fitted = list.map((element) => this.fitValue(element, shape, path));
    const isSame = fitted.every((element, index) => element === list[index]);
    return (isSame ? list : fitted.filter((element) => element !== undefined)) as FieldValue;
  }

  private refuseMissing(name: string): void {
    const { dataType } = this.contract;
    // A missing field has no value to discard.
    const mode = dataType === "discard_value" ? "evolve" : dataType;
    this.refuse(mode, null, name, absentField(name, "missing"));
  }

  /** Returns undefined for a value that is to be left out. */
  private refuse<Value>(
    mode: ContractMode,
    value: Value,
    path: string,
    refusal: Refusal,
  ): Value | undefined {
    if (mode === "freeze") throw new SchemaError(refusal);
    if (mode === "discard_row") throw new RecordError({ ...refusal, path });
    if (mode === "evolve") return value;
    this.discarded += 1;
    return undefined;
  }
}

interface Refusal {
  code: string;
  message: string;
  hint: string;
}

const newTable: Refusal = {
  code: "schema.new_table",
  message: "the table has no schema yet, and the schema_contract allows no new tables",
  hint: 'let the first run make it: "tables": "evolve"',
};

const newField = (path: string): Refusal => ({
  code: "schema.new_field",
  message: `the field "${path}" is new, and the schema_contract allows no new fields`,
  hint: "add it to `columns`, or let it in with another schema_contract",
});

const absentField = (path: string, problem: "null" | "missing"): Refusal => ({
  code: "schema.null",
  message: `the field "${path}" is ${problem}, and it is declared not to be null`,
  hint: "declare it nullable, or let it in with another schema_contract",
});

const wrongType = (path: string, kind: number, expected: DataType | undefined): Refusal => ({
  code: "schema.type",
  message: `the field "${path}" is ${dataTypesOf(kind)[0]}, and the schema has ${expected}`,
  hint: "declare its data_type in `columns`, or let it in with another schema_contract",
});
