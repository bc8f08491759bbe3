import type { FieldValue, Members } from "../values/json.ts";
import { join, kindOf, kinds } from "./kinds.ts";

/**
 * What has been seen of a field: every kind of value, whether it was ever null or missing, and what
 * is inside of it. Shapes only grow, and the order in which records come makes no difference.
 */
export interface Shape {
  kinds: number;
  isNull: boolean;
  /** It was not in some of the objects that it belongs to. */
  isMissing: boolean;
  /** Of objects, by name. Undefined when there were none, or when `values` has them all. */
  fields: Map<string, Shape> | undefined;
  /** Of objects with so many names that these are data themselves, as in `{ "u17": …, "u18": … }`. */
  values: Shape | undefined;
  /** Of lists: what all elements have in common. */
  items: Shape | undefined;
  /** How many fields were in every object so far, and the last object that a field was in. */
  constant: number;
  last: number;
}

/** A schema stays small, whatever an API sends. */
const limits = Object.freeze({
  recordNames: 1000, // of one record; DynamoDB holds more, a person reads fewer
  objectNames: 64, // of one nested object: beyond, its names are taken for data
  levels: 8, // deeper is described as json
  bytes: 150_000, // of its stored text, of which two have to go into an item of 400 KB
});

export const emptyShape = (): Shape => ({
  kinds: 0,
  isNull: false,
  isMissing: false,
  fields: undefined,
  values: undefined,
  items: undefined,
  constant: 0,
  last: 0,
});

/**
 * Makes a function that adds a record to a shape, and says whether it has learnt something from it.
 * It is called for every record: one that shows nothing new costs a look-up per field. One for a
 * shape.
 */
export function observer(shape: Shape): (record: Members) => boolean {
  let turn = 0;
  let room = limits.bytes - bytesOf(shape);

  function takes(name: string): boolean {
    const bytes = placeBytes(name);
    if (bytes > room) return false;
    room -= bytes;
    return true;
  }

  function seeObject(seen: Shape, object: Members, level: number): boolean {
    const isFirst = (seen.kinds & kinds.object) === 0;
    seen.kinds |= kinds.object;
    if (seen.values) return seeValues(seen.values, object, level);
    let learnt = isFirst;
    seen.fields ??= new Map();
    const mine = ++turn;
    let met = 0;
    for (const name of Object.keys(object)) {
      const value = object[name];
      if (value === undefined) continue;
      let field = seen.fields.get(name);
      if (field === undefined) {
        if (seen.fields.size === mostNames(level)) {
          collapse(seen);
          room = limits.bytes - bytesOf(shape);
          seeValues(seen.values as unknown as Shape, object, level);
          return true;
        }
        if (!takes(name)) continue;
        field = emptyShape();
        field.isMissing = !isFirst;
        if (isFirst) seen.constant += 1;
        seen.fields.set(name, field);
        learnt = true;
      }
      if (!field.isMissing) met += 1;
      field.last = mine;
      if (see(field, value, level + 1)) learnt = true;
    }
    // Only then is it worth finding out which.
    if (met < seen.constant) {
      missing(seen, mine);
      learnt = true;
    }
    return learnt;
  }

  function seeValues(seen: Shape, object: Members, level: number): boolean {
    let learnt = false;
    for (const name of Object.keys(object)) {
      const value = object[name];
      if (value !== undefined && see(seen, value, level + 1)) learnt = true;
    }
    return learnt;
  }

  function see(seen: Shape, value: FieldValue, level: number): boolean {
    if (value === null) {
      if (seen.isNull) return false;
      seen.isNull = true;
      return true;
    }
    const kind = kindOf(value, seen.kinds);
    if (kind === kinds.object && level < limits.levels) {
      return seeObject(seen, value as Members, level);
    }
    let learnt = false;
    if ((seen.kinds & kind) === 0) {
      const joined = join(seen.kinds, kind);
      learnt = joined !== seen.kinds;
      seen.kinds = joined;
    }
    if (kind !== kinds.list || level >= limits.levels) return learnt;
    for (const element of value as FieldValue[]) {
      if (seen.items === undefined) {
        if (!takes("items")) break;
        seen.items = emptyShape();
      }
      if (see(seen.items, element, level + 1)) learnt = true;
    }
    return learnt;
  }

  return (record) => seeObject(shape, record, 0);
}

/** Marks what was in every object so far and is not in this one. */
function missing(seen: Shape, turn: number): void {
  for (const field of seen.fields?.values() ?? []) {
    if (field.isMissing || field.last === turn) continue;
    field.isMissing = true;
    seen.constant -= 1;
  }
}

/** Adds what another shape has seen: the same as if this one had seen its records. */
export function merge(into: Shape, from: Shape, level = 0): void {
  const [wereObjects, areObjects] = [into, from].map((one) => (one.kinds & kinds.object) > 0);
  into.kinds = join(into.kinds, from.kinds);
  into.isNull ||= from.isNull;
  into.isMissing ||= from.isMissing;
  if (from.items) {
    into.items ??= emptyShape();
    merge(into.items, from.items, level + 1);
  }
  if (!areObjects || !(from.fields || from.values)) return;
  if (into.values || from.values) {
    collapse(into);
    for (const other of from.values ? [from.values] : (from.fields?.values() ?? [])) {
      merge(into.values as Shape, { ...other, isMissing: false }, level + 1);
    }
    return;
  }
  into.fields ??= new Map();
  for (const [name, theirs] of from.fields ?? []) {
    const mine = into.fields.get(name) ?? { ...emptyShape(), isMissing: wereObjects === true };
    merge(mine, theirs, level + 1);
    into.fields.set(name, mine);
  }
  for (const [name, mine] of into.fields) if (!from.fields?.has(name)) mine.isMissing = true;
  into.constant = constantOf(into.fields);
  if (into.fields.size > mostNames(level)) collapse(into);
}

/** From here on names are data, and what was seen under any of them was seen of one value. */
function collapse(seen: Shape): void {
  if (seen.values) return;
  seen.values = emptyShape();
  for (const field of seen.fields?.values() ?? []) {
    merge(seen.values, { ...field, isMissing: false }, 1);
  }
  seen.fields = undefined;
  seen.constant = 0;
}

const constantOf = (fields: Map<string, Shape>): number =>
  [...fields.values()].filter(({ isMissing }) => !isMissing).length;

const mostNames = (level: number): number =>
  level === 0 ? limits.recordNames : limits.objectNames;

/** What the text of a shape grows by with one more place: never more than this. */
const placeBytes = (name: string): number => 60 + Buffer.byteLength(JSON.stringify(name));

function bytesOf({ fields, values, items }: Shape): number {
  const named = [...(fields ?? [])].map(([name, one]) => placeBytes(name) + bytesOf(one));
  const others = [values, items].map((one) => (one ? placeBytes("items") + bytesOf(one) : 0));
  return [...named, ...others].reduce((sum, bytes) => sum + bytes, 0);
}

/** As it is stored. */
interface Stored {
  kinds?: number;
  null?: true;
  missing?: true;
  fields?: Record<string, Stored>;
  values?: Stored;
  items?: Stored;
}

/** The same text for equal shapes. */
export const shapeText = (shape: Shape): string => JSON.stringify(toStored(shape));

export const parseShape = (text: string): Shape => fromStored(JSON.parse(text));

function toStored({ kinds, isNull, isMissing, fields, values, items }: Shape): Stored {
  const named = fields && [...fields].sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    ...(kinds > 0 && { kinds }),
    ...(isNull && { null: true }),
    ...(isMissing && { missing: true }),
    ...(named && { fields: Object.fromEntries(named.map(([name, one]) => [name, toStored(one)])) }),
    ...(values && { values: toStored(values) }),
    ...(items && { items: toStored(items) }),
  };
}

function fromStored(stored: Stored): Shape {
  const fields =
    stored.fields &&
    new Map(Object.entries(stored.fields).map(([name, one]) => [name, fromStored(one)]));
  return {
    kinds: stored.kinds ?? 0,
    isNull: stored.null ?? false,
    isMissing: stored.missing ?? false,
    fields,
    values: stored.values && fromStored(stored.values),
    items: stored.items && fromStored(stored.items),
    constant: fields ? constantOf(fields) : 0,
    last: 0,
  };
}
