import type { ResourcePlan } from "../config/plan-types.ts";
import { Decimal } from "../decimal.ts";
import { RecordError } from "../errors.ts";
import type { JsonObject, JsonValue, KeyedItem, Prepared, Rejection } from "../flow.ts";
import { type At, keysOf } from "./keys.ts";
import { toItem } from "./values.ts";

/**
 * A page's records as items, one for each key: of two records with the same key the later one
 * counts, as if they had been written one after the other. What DynamoDB can not hold is set aside.
 */
export function toItems(
  records: readonly JsonValue[],
  resource: Pick<ResourcePlan, "key">,
  at: At,
): Prepared {
  const keyOf = keysOf(resource.key, at);
  const items = new Map<string, KeyedItem>();
  const rejections: Rejection[] = [];
  let superseded = 0;

  for (const [index, record] of records.entries()) {
    let key: string | undefined;
    try {
      if (!isObject(record)) throw notAnObject();
      const { text, members } = keyOf(record);
      key = text;
      const converted = toItem({ ...record, ...members });
      if (items.delete(text)) superseded += 1;
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

const isObject = (record: JsonValue): record is JsonObject =>
  typeof record === "object" &&
  record !== null &&
  !Array.isArray(record) &&
  !(record instanceof Decimal);

const notAnObject = () =>
  new RecordError({ code: "record.not_object", message: "the record is not an object", path: "" });
