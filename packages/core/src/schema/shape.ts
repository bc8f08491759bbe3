import { joinKinds, kinds } from "./kinds.ts";

/**
 * Everything observed of a field: the kinds of its values, whether it was ever null or missing, and
 * the shapes of nested values. Shapes only grow, and the order of records makes no difference.
 */
export interface Shape {
  kinds: number;
  wasNull: boolean;
  /** True when at least one object that could have the field did not have it. */
  wasMissing: boolean;
  /** Shapes by name, for objects. Undefined without objects, and when `values` describes them. */
  fields: Map<string, Shape> | undefined;
  /**
   * Describes objects with so many names that the names are data, as in `{ "u17": …, "u18": … }`.
   */
  values: Shape | undefined;
  /** Describes every element of lists. */
  items: Shape | undefined;
  /** The number of fields that every object so far has had. Not stored. */
  alwaysPresentCount: number;
  /** The observer's number of the last object with this field. Not stored. */
  lastObject: number;
}

/** Keeps a schema small, whatever an API sends. */
export const shapeLimits = Object.freeze({
  recordNames: 1000, // of one record: DynamoDB holds more, a person reads fewer
  objectNames: 64, // of one nested object: with more, its names are taken for data
  levels: 8, // deeper values are described as json
  bytes: 150_000, // of the stored text: an item of 400 KB has to hold two texts
});

export const emptyShape = (): Shape => ({
  kinds: 0,
  wasNull: false,
  wasMissing: false,
  fields: undefined,
  values: undefined,
  items: undefined,
  alwaysPresentCount: 0,
  lastObject: 0,
});

/** Adds `source` to `target`. The result is the same as if `target` had observed its records. */
export function mergeShape(target: Shape, source: Shape, level = 0): void {
  const targetHadObjects = (target.kinds & kinds.object) > 0;
  target.kinds = joinKinds(target.kinds, source.kinds);
  target.wasNull ||= source.wasNull;
  target.wasMissing ||= source.wasMissing;
  if (source.items) {
    target.items ??= emptyShape();
    mergeShape(target.items, source.items, level + 1);
  }
  if (target.values || source.values) mergeValues(target, source, level);
  else if (source.fields) mergeFields(target, source.fields, targetHadObjects, level);
}

function mergeValues(target: Shape, source: Shape, level: number): void {
  if (!source.fields && !source.values) return;
  const values = collapseNames(target);
  const sourceValues = source.values ? [source.values] : (source.fields?.values() ?? []);
  for (const value of sourceValues) mergeShape(values, { ...value, wasMissing: false }, level + 1);
}

function mergeFields(
  target: Shape,
  sourceFields: Map<string, Shape>,
  targetHadObjects: boolean,
  level: number,
): void {
  target.fields ??= new Map();
  for (const [name, sourceField] of sourceFields) {
    const field = target.fields.get(name) ?? { ...emptyShape(), wasMissing: targetHadObjects };
    mergeShape(field, sourceField, level + 1);
    target.fields.set(name, field);
  }
  for (const [name, field] of target.fields) {
    if (!sourceFields.has(name)) field.wasMissing = true;
  }
  target.alwaysPresentCount = countAlwaysPresent(target.fields);
  if (target.fields.size > maxNames(level)) collapseNames(target);
}

/**
 * Takes the names of an object for data: a single shape then describes the values of its fields.
 */
export function collapseNames(shape: Shape): Shape {
  if (shape.values) return shape.values;
  const values = emptyShape();
  for (const field of shape.fields?.values() ?? []) {
    mergeShape(values, { ...field, wasMissing: false }, 1);
  }
  shape.values = values;
  shape.fields = undefined;
  shape.alwaysPresentCount = 0;
  return values;
}

const countAlwaysPresent = (fields: Map<string, Shape>): number =>
  [...fields.values()].filter(({ wasMissing }) => !wasMissing).length;

export const maxNames = (level: number): number =>
  level === 0 ? shapeLimits.recordNames : shapeLimits.objectNames;

/** An upper bound for the bytes that a new field adds to the stored text. */
export const fieldBytes = (name: string): number => 60 + Buffer.byteLength(JSON.stringify(name));

/** An upper bound for the bytes of the stored text. */
export function shapeBytes({ fields, values, items }: Shape): number {
  const fieldSizes = [...(fields ?? [])].map(
    ([name, field]) => fieldBytes(name) + shapeBytes(field),
  );
  const nestedSizes = [values, items].map((nested) =>
    nested ? fieldBytes("items") + shapeBytes(nested) : 0,
  );
  return [...fieldSizes, ...nestedSizes].reduce((sum, bytes) => sum + bytes, 0);
}

/** A shape as the state table stores it, in JSON. */
interface StoredShape {
  kinds?: number;
  null?: true;
  missing?: true;
  fields?: Record<string, StoredShape>;
  values?: StoredShape;
  items?: StoredShape;
}

/** Equal shapes have equal texts. */
export const shapeText = (shape: Shape): string => JSON.stringify(toStored(shape));

export const parseShape = (text: string): Shape => fromStored(JSON.parse(text));

function toStored(shape: Shape): StoredShape {
  const { fields, values, items } = shape;
  const sortedFields = fields && sortByName(fields);
  return {
    ...(shape.kinds > 0 && { kinds: shape.kinds }),
    ...(shape.wasNull && { null: true }),
    ...(shape.wasMissing && { missing: true }),
    ...(sortedFields && {
      fields: Object.fromEntries(sortedFields.map(([name, field]) => [name, toStored(field)])),
    }),
    ...(values && { values: toStored(values) }),
    ...(items && { items: toStored(items) }),
  };
}

function fromStored(stored: StoredShape): Shape {
  const fields =
    stored.fields &&
    new Map(Object.entries(stored.fields).map(([name, field]) => [name, fromStored(field)]));
  return {
    kinds: stored.kinds ?? 0,
    wasNull: stored.null ?? false,
    wasMissing: stored.missing ?? false,
    fields,
    values: stored.values && fromStored(stored.values),
    items: stored.items && fromStored(stored.items),
    alwaysPresentCount: fields ? countAlwaysPresent(fields) : 0,
    lastObject: 0,
  };
}

/** Sorts named things by their UTF-16 code units, the same in every locale. */
export const sortByName = <Value>(named: Iterable<[string, Value]>): [string, Value][] =>
  [...named].sort(([left], [right]) => (left < right ? -1 : 1));
