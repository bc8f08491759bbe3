import { RecordError } from "../base/errors.ts";
import type { ResourcePlan, TablePlan } from "../config/plan-types.ts";
import type { Item, KeyedItem, Prepared, Rejection } from "../flow.ts";
import type { Fit } from "../schema/contract.ts";
import { compareNumbers } from "../values/compare-numbers.ts";
import { Decimal } from "../values/decimal.ts";
import type { JsonObject, JsonValue, Members } from "../values/json.ts";
import { fitIndexes } from "./indexes.ts";
import { keysOf, type RowNaming } from "./keys.ts";
import { toItem } from "./values.ts";

/**
 * A page's records as items, one for each key: of two records with the same key the later one
 * counts, as if they had been written one after the other. What DynamoDB can not hold is set aside.
 * `fit` makes each record what the schema has.
 */
export function toItems(
  records: readonly JsonValue[],
  resource: Pick<ResourcePlan, "key" | "writeMode"> &
    Partial<Pick<ResourcePlan, "hardDelete" | "dedupSort">> & {
      storage: Pick<TablePlan, "indexes">;
    },
  naming: RowNaming,
  fit?: Fit | undefined,
): Prepared {
  const keyOf = keysOf(resource.key, naming);
  const items = new Map<string, KeyedItem>();
  const rejections: Rejection[] = [];
  const fitted: Members[] = [];
  const { indexes } = resource.storage;
  let superseded = 0;
  let discarded = 0;

  for (const [index, record] of records.entries()) {
    let key: string | undefined;
    try {
      if (!isObject(record)) throw notAnObject();
      const { text, members } = keyOf(record);
      key = text;
      const isGone = isDeleted(record, resource.hardDelete);
      // What says that its row is gone says nothing about fields.
      const fits = isGone ? undefined : fit?.(record);
      const shown = fits?.record ?? record;
      const whole = toItem({ ...shown, ...members });
      const converted = { ...whole, item: fitIndexes(whole.item, indexes) };
      if (!isGone) fitted.push(shown);
      discarded += fits?.discarded ?? 0;
      const before = items.get(text);
      if (before) superseded += 1;
      // In API order the last one counts, unless the config says by what rows get newer.
      if (before && givesWay(converted.item, before.item, resource)) continue;
      items.delete(text);
      const remove = isGone ? { remove: true as const } : {};
      items.set(text, { key: text, ...converted, ...remove, index, record });
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
  return { items: [...items.values()], superseded, rejections, fitted, discarded };
}

/** Whether the earlier one of two records with the same key stays. */
function givesWay(
  item: Item,
  to: Item,
  {
    writeMode,
    dedupSort,
  }: Pick<ResourcePlan, "writeMode"> & Partial<Pick<ResourcePlan, "dedupSort">>,
): boolean {
  // As the table does it: what is there stays.
  if (writeMode.kind === "insert") return true;
  const field = writeMode.kind === "ordered" ? writeMode.versionField : dedupSort?.field;
  if (field === undefined) return false;
  const order = compare(item[field], to[field]);
  return writeMode.kind === "batch" && dedupSort?.order === "asc" ? order > 0 : order < 0;
}

/** 0 for values that have no order. */
function compare(one: Item[string] | undefined, other: Item[string] | undefined): number {
  if (one?.N !== undefined && other?.N !== undefined) return compareNumbers(one.N, other.N);
  if (one?.S === undefined || other?.S === undefined) return 0;
  // As DynamoDB compares texts: byte by byte.
  return Buffer.compare(Buffer.from(one.S), Buffer.from(other.S));
}

/** As in dlt: a boolean says it, and of anything else that it is there. */
function isDeleted(record: JsonObject, field: string | undefined): boolean {
  const value = field === undefined ? undefined : record[field];
  return typeof value === "boolean" ? value : value != null;
}

const isObject = (record: JsonValue): record is JsonObject =>
  typeof record === "object" &&
  record !== null &&
  !Array.isArray(record) &&
  !(record instanceof Decimal);

const notAnObject = () =>
  new RecordError({ code: "record.not_object", message: "the record is not an object", path: "" });
