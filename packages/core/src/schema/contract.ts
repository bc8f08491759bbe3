import type { ColumnPlan, ContractMode, ResourcePlan } from "../config/plan-types.ts";
import { RecordError, SchemaError } from "../errors.ts";
import type { JsonObject } from "../flow.ts";
import { coerce } from "./coerce.ts";
import { dataTypeOf, type FieldValue, isSameType, kindOf, type Members, typesOf } from "./kinds.ts";
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
}

/**
 * The function through which each record goes before it becomes an item: declared types are made,
 * and what the schema does not have is let in or not. `known` is the schema as it was before this
 * run; a resource without one is new, and its first run makes it. Undefined: there is nothing to do.
 */
export function fitter(
  { columns, contract, key }: Pick<ResourcePlan, "columns" | "contract" | "key">,
  known: Shape | undefined,
): Fit | undefined {
  // The type of a key was settled when its table was made.
  const keys = new Set([key.hash.name, key.range?.name]);
  const declared = new Map(
    Object.entries(columns).filter(
      ([name, { dataType, nullable }]) => !keys.has(name) && (dataType || nullable === false),
    ),
  );
  const required = [...declared].filter(([, { nullable }]) => nullable === false);
  const isWatched = contract.columns !== "evolve" || contract.dataType !== "evolve";
  const seen = isWatched ? known : undefined;
  if (declared.size === 0 && !seen) return undefined;
  let discarded = 0;

  /** Undefined: the value is left out. */
  function refuse<T>(mode: ContractMode, value: T, path: string, refusal: Refusal): T | undefined {
    if (mode === "freeze") throw new SchemaError({ ...refusal, hint: FROZEN });
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
    const column = path === "" ? declared.get(name) : undefined;
    if (column) return fitDeclared(value, column, at);
    if (!shape || value === null || (path === "" && Object.hasOwn(columns, name))) return value;
    // Names that are data, and what is too deep to be described, are never new.
    const field = shape.fields ? shape.fields.get(name) : shape.values;
    if (shape.fields && !field?.kinds) return refuse(contract.columns, value, at, isNew(at));
    return field ? fitValue(value, field, at) : value;
  }

  function fitDeclared(value: FieldValue, { dataType, nullable, hints }: ColumnPlan, at: string) {
    if (value === null) {
      return nullable === false
        ? refuse(contract.dataType, value, at, isAbsent(at, "null"))
        : value;
    }
    if (!dataType) return value;
    return (
      coerce(value, dataType, hints.precision) ??
      refuse(contract.dataType, value, at, isOther(at, kindOf(value), dataType))
    );
  }

  function fitValue(value: FieldValue, shape: Shape, at: string): FieldValue | undefined {
    if (value === null || shape.kinds === 0) return value;
    const kind = kindOf(value, shape.kinds);
    if (!isSameType(shape.kinds, kind)) {
      const expected = dataTypeOf(shape.kinds) ?? "nothing";
      return refuse(contract.dataType, value, at, isOther(at, kind, expected));
    }
    if (Array.isArray(value)) return shape.items ? fitList(value, shape.items, `${at}[]`) : value;
    if (typeof value !== "object" || !(shape.fields || shape.values)) return value;
    return fitObject(value as Members, shape, `${at}.`) as JsonObject;
  }

  function fitList(list: FieldValue[], shape: Shape, at: string): FieldValue {
    const fitted = list.map((element) => fitValue(element, shape, at));
    const isSame = fitted.every((element, index) => element === list[index]);
    return (isSame ? list : fitted.filter((element) => element !== undefined)) as FieldValue;
  }

  return (record) => {
    discarded = 0;
    const fitted = fitObject(record, seen, "");
    for (const [name] of required) {
      if (!Object.hasOwn(record, name))
        refuse(contract.dataType, null, name, isAbsent(name, "missing"));
    }
    return { record: fitted, discarded };
  };
}

const FROZEN = "add it to `columns`, or let it in with another schema_contract";

const isNew = (path: string): Refusal => ({
  code: "schema.new_field",
  message: `the field "${path}" is new, and the schema_contract lets in no new ones`,
});

const isAbsent = (path: string, what: "null" | "missing"): Refusal => ({
  code: "schema.null",
  message: `the field "${path}" is ${what}, and it is declared not to be`,
});

const isOther = (path: string, kind: number, expected: string): Refusal => ({
  code: "schema.type",
  message: `the field "${path}" is ${typesOf(kind)[0]}, and the schema has ${expected}`,
});
