import { RecordError, SchemaError } from "../base/errors.ts";
import type { DataType } from "../config/data-types.ts";
import type { ContractMode, ResourcePlan } from "../config/plan-types.ts";
import type { FieldValue, JsonObject, Members } from "../values/json.ts";
import { coerce } from "./coerce.ts";
import { dataTypeOf, isSameType, kindOf, kinds, typesOf } from "./kinds.ts";
import type { Shape } from "./shape.ts";

/** Says how many values of the record it has left out. */
export interface Fitted {
  record: Members;
  discarded: number;
}

/** Throws a RecordError for a record that is to be set aside, a SchemaError where the run has to end. */
export type Fit = (record: JsonObject) => Fitted;

interface Refusal {
  code: string;
  message: string;
  hint: string;
}

/**
 * The function through which each record goes before it becomes an item: declared types are made,
 * and what the schema does not have is let in or not. `known` is the schema as it was before this
 * run; where there is none, the run makes it. Undefined: there is nothing to do.
 */
export function fitter(
  { columns, contract, key }: Pick<ResourcePlan, "columns" | "contract" | "key">,
  known: Shape | undefined,
): Fit | undefined {
  // The type of a key was settled when its table was made.
  const keys = new Set([key.hash.name, key.range?.name]);
  const declared = new Map(Object.entries(columns).filter(([name]) => !keys.has(name)));
  const required = [...declared].filter(([, { nullable }]) => nullable === false);
  const isTyped = [...declared.values()].some(({ dataType }) => dataType);
  const isWatched = contract.columns !== "evolve" || contract.dataType !== "evolve";
  const seen = isWatched ? known : undefined;
  if (!isTyped && required.length === 0 && !seen) return undefined;
  let discarded = 0;

  /** Undefined: the value is left out. */
  function refuse<T>(mode: ContractMode, value: T, path: string, refusal: Refusal): T | undefined {
    if (mode === "freeze") throw new SchemaError(refusal);
    if (mode === "discard_row") throw new RecordError({ ...refusal, path });
    if (mode === "evolve") return value;
    discarded += 1;
    return undefined;
  }

  function fitObject(object: Members, shape: Shape | undefined, path: string): Members {
    let made = object;
    for (const name of Object.keys(object)) {
      const value = object[name] as FieldValue;
      const fitted = fitMember(value, name, shape, path);
      if (fitted === value) continue;
      if (made === object) made = { ...object };
      if (fitted === undefined) delete made[name];
      else made[name] = fitted;
    }
    return made;
  }

  function fitMember(value: FieldValue, name: string, shape: Shape | undefined, path: string) {
    const at = path + name;
    if (path === "" && keys.has(name)) return value;
    const column = path === "" ? declared.get(name) : undefined;
    if (value === null) {
      const isAllowed = column?.nullable !== false;
      return isAllowed ? null : refuse(contract.dataType, value, at, isAbsent(at, "null"));
    }
    if (column?.dataType) return fitDeclared(value, column.dataType, column.hints.precision, at);
    if (!shape) return value;
    // Names that are data, and what is too deep to be described, are never new.
    const field = shape.fields ? shape.fields.get(name) : shape.values;
    if (field?.kinds) return fitValue(value, field, at);
    return column || !shape.fields ? value : refuse(contract.columns, value, at, isNew(at));
  }

  const fitDeclared = (
    value: NonNullable<FieldValue>,
    type: DataType,
    precision: number | undefined,
    at: string,
  ) =>
    coerce(value, type, precision) ??
    refuse(contract.dataType, value, at, isOther(at, kindOf(value), type));

  function fitValue(value: FieldValue, shape: Shape, at: string): FieldValue | undefined {
    if (value === null || shape.kinds === 0) return value;
    const kind = kindOf(value, shape.kinds);
    if (!isSameType(shape.kinds, kind)) {
      const expected = dataTypeOf(shape.kinds) ?? "nothing";
      return refuse(contract.dataType, value, at, isOther(at, kind, expected));
    }
    if (Array.isArray(value)) return shape.items ? fitList(value, shape.items, `${at}[]`) : value;
    if (kind !== kinds.object || !(shape.fields || shape.values)) return value;
    return fitObject(value as Members, shape, `${at}.`) as JsonObject;
  }

  function fitList(list: FieldValue[], shape: Shape, at: string): FieldValue {
    const fitted = list.map((element) => fitValue(element, shape, at));
    const isSame = fitted.every((element, index) => element === list[index]);
    return (isSame ? list : fitted.filter((element) => element !== undefined)) as FieldValue;
  }

  // Of what is missing there is nothing to leave out.
  const missing = contract.dataType === "discard_value" ? "evolve" : contract.dataType;

  return (record) => {
    discarded = 0;
    const fitted = fitObject(record, seen, "");
    for (const [name] of required) {
      if (!Object.hasOwn(record, name)) refuse(missing, null, name, isAbsent(name, "missing"));
    }
    return { record: fitted, discarded };
  };
}

/** The same for the first run of a table. As in dlt, one that may not begin takes no record. */
export function firstFitter(plan: Pick<ResourcePlan, "columns" | "contract" | "key">) {
  const { tables } = plan.contract;
  if (tables === "evolve") return fitter(plan, undefined);
  return (): Fitted => {
    throw tables === "freeze"
      ? new SchemaError(newTable)
      : new RecordError({ ...newTable, path: "" });
  };
}

const newTable: Refusal = {
  code: "schema.new_table",
  message: "the table has no schema yet, and the schema_contract lets in no new tables",
  hint: 'let the first run make it: "tables": "evolve"',
};

const isNew = (path: string): Refusal => ({
  code: "schema.new_field",
  message: `the field "${path}" is new, and the schema_contract lets in no new ones`,
  hint: "add it to `columns`, or let it in with another schema_contract",
});

const isAbsent = (path: string, what: "null" | "missing"): Refusal => ({
  code: "schema.null",
  message: `the field "${path}" is ${what}, and it is declared not to be`,
  hint: "declare it nullable, or let it in with another schema_contract",
});

const isOther = (path: string, kind: number, expected: string): Refusal => ({
  code: "schema.type",
  message: `the field "${path}" is ${typesOf(kind)[0]}, and the schema has ${expected}`,
  hint: "declare its data_type in `columns`, or let it in with another schema_contract",
});
