import { isNameWithSecret } from "../secrets/redact.ts";
import type { FieldValue, Members } from "../values/json.ts";
import { joinKinds, kindOf, kinds } from "./kinds.ts";
import {
  collapseNames,
  emptyShape,
  fieldBytes,
  maxNames,
  type Shape,
  shapeBytes,
  shapeLimits,
} from "./shape.ts";

/**
 * Adds records to a shape. Every record of every run goes through an observer, so a record that
 * changes nothing has to cost no more than a look-up per field. A shape has at most one observer.
 */
export class ShapeObserver {
  /** The shape of a whole record. The observer alone changes the shape. */
  private readonly shape: Shape;
  /**
   * Counts observed objects, nested ones included. The count is the number of the latest object.
   */
  private objectCount = 0;
  /** Bytes that new fields may still add to the stored text. Fields without room are not added. */
  private freeBytes: number;

  constructor(shape: Shape) {
    this.shape = shape;
    this.freeBytes = shapeLimits.bytes - shapeBytes(shape);
  }

  /** Adds a record, and returns true when the shape has changed. */
  observe(record: Members): boolean {
    return this.observeObject(this.shape, record, 0);
  }

  private observeObject(shape: Shape, object: Members, level: number): boolean {
    const isFirst = (shape.kinds & kinds.object) === 0;
    shape.kinds |= kinds.object;
    if (shape.values) return this.observeMembers(shape.values, object, level);
    shape.fields ??= new Map();
    let hasChanged = isFirst;
    let presentCount = 0;
    const objectNumber = ++this.objectCount;
    for (const name of Object.keys(object)) {
      const value = object[name];
      if (value === undefined) continue;
      let field = shape.fields.get(name);
      if (field === undefined) {
        if (shape.fields.size === maxNames(level)) {
          this.collapseAndObserve(shape, object, level);
          return true;
        }
        field = this.addField(shape, shape.fields, name, isFirst);
        if (field === undefined) continue;
        hasChanged = true;
      }
      if (!field.wasMissing) presentCount += 1;
      field.lastObject = objectNumber;
      if (this.observeValue(field, value, level + 1)) hasChanged = true;
    }
    // Looking for the missing fields takes another loop, which most objects are spared by the
    // count.
    if (presentCount < shape.alwaysPresentCount) {
      markMissing(shape, objectNumber);
      hasChanged = true;
    }
    return hasChanged;
  }

  /**
   * Returns undefined when the stored text has no room for another field, or when the API repeats a
   * credential as a name: it must not be stored in the schema.
   */
  private addField(
    shape: Shape,
    fields: Map<string, Shape>,
    name: string,
    isFirstObject: boolean,
  ): Shape | undefined {
    if (fieldBytes(name) > this.freeBytes || isNameWithSecret(name)) return undefined;
    this.takeBytes(name);
    const field = emptyShape();
    field.wasMissing = !isFirstObject;
    if (isFirstObject) shape.alwaysPresentCount += 1;
    fields.set(name, field);
    return field;
  }

  private collapseAndObserve(shape: Shape, object: Members, level: number): void {
    const values = collapseNames(shape);
    this.freeBytes = shapeLimits.bytes - shapeBytes(this.shape);
    this.observeMembers(values, object, level);
  }

  /** Observes an object whose names are data, with a single shape for its members. */
  private observeMembers(shape: Shape, object: Members, level: number): boolean {
    let hasChanged = false;
    for (const name of Object.keys(object)) {
      const value = object[name];
      if (value !== undefined && this.observeValue(shape, value, level + 1)) hasChanged = true;
    }
    return hasChanged;
  }

  private observeValue(shape: Shape, value: FieldValue, level: number): boolean {
    if (value === null) {
      if (shape.wasNull) return false;
      shape.wasNull = true;
      return true;
    }
    const kind = kindOf(value, shape.kinds);
    if (kind === kinds.object && level < shapeLimits.levels) {
      return this.observeObject(shape, value as Members, level);
    }
    let hasChanged = false;
    if ((shape.kinds & kind) === 0) {
      const joined = joinKinds(shape.kinds, kind);
      hasChanged = joined !== shape.kinds;
      shape.kinds = joined;
    }
    if (kind !== kinds.list || level >= shapeLimits.levels) return hasChanged;
    for (const element of value as FieldValue[]) {
      if (shape.items === undefined) {
        if (!this.takeBytes("items")) break;
        shape.items = emptyShape();
      }
      if (this.observeValue(shape.items, element, level + 1)) hasChanged = true;
    }
    return hasChanged;
  }

  /**
   * Reserves room in the stored text for a new field, and returns false when there is too little.
   */
  private takeBytes(name: string): boolean {
    const bytes = fieldBytes(name);
    if (bytes > this.freeBytes) return false;
    this.freeBytes -= bytes;
    return true;
  }
}

/** Marks the fields that every earlier object had and the current object does not have. */
function markMissing(shape: Shape, objectNumber: number): void {
  for (const field of shape.fields?.values() ?? []) {
    if (field.wasMissing || field.lastObject === objectNumber) continue;
    field.wasMissing = true;
    shape.alwaysPresentCount -= 1;
  }
}
