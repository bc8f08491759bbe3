import type { ResourcePlan, TablePlan, WriteModePlan } from "../config/plan-types.ts";
import { Decimal } from "../decimal.ts";
import { RecordError } from "../errors.ts";
import { compareNumbers } from "../exact-number.ts";
import type { Item, JsonObject, JsonValue, KeyedItem, Prepared, Rejection } from "../flow.ts";
import { fitIndexes } from "./indexes.ts";
import { type At, keysOf } from "./keys.ts";
import { toItem } from "./values.ts";

/**
 * A page's records as items, one for each key: of two records with the same key the later one
 * counts, as if they had been written one after the other. What DynamoDB can not hold is set aside.
 */
export function toItems(
  records: readonly JsonValue[],
  resource: Pick<ResourcePlan, "key" | "writeMode"> & { storage: Pick<TablePlan, "indexes"> },
  at: At,
): Prepared {
  const keyOf = keysOf(resource.key, at);
  const items = new Map<string, KeyedItem>();
  const rejections: Rejection[] = [];
  const { indexes } = resource.storage;
  let superseded = 0;

  for (const [index, record] of records.entries()) {
    let key: string | undefined;
    try {
      if (!isObject(record)) throw notAnObject();
      const { text, members } = keyOf(record);
      key = text;
      const whole = toItem({ ...record, ...members });
      const converted = { ...whole, item: fitIndexes(whole.item, indexes) };
      const before = items.get(text);
      if (before) superseded += 1;
      // In API order the last one counts, unless the config says by what rows get newer.
      if (before && isOlder(converted.item, before.item, resource.writeMode)) continue;
      items.delete(text);
      items.set(text, { key: text, ...converted, index, record });
    } catch (error) {
      if (!(error instanceof RecordError)) throw error;
      const { code, message, path } = error;
      rejections.push({
        index,
        code,
        message,
        path,
        record,
        ...(key === undefined ? {} : { key }),
      });
    }
  }
  return { items: [...items.values()], superseded, rejections };
}

function isOlder(item: Item, than: Item, mode: WriteModePlan): boolean {
  if (mode.kind === "batch") return false;
  const [one, other] = [item, than].map((of) => of[mode.versionField]?.[mode.type]);
  if (one === undefined || other === undefined) return false;
  if (mode.type === "N") return compareNumbers(one, other) < 0;
  // As DynamoDB compares texts: byte by byte.
  return Buffer.compare(Buffer.from(one), Buffer.from(other)) < 0;
}

const isObject = (record: JsonValue): record is JsonObject =>
  typeof record === "object" &&
  record !== null &&
  !Array.isArray(record) &&
  !(record instanceof Decimal);

const notAnObject = () =>
  new RecordError({ code: "record.not_object", message: "the record is not an object", path: "" });
