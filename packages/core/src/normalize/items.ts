import { RecordError } from "../base/errors.ts";
import type { WireItem, WireValue } from "../base/wire.ts";
import type { IndexPlan, ResourcePlan } from "../config/plan-types.ts";
import type { KeyedItem, PreparedPage, Rejection } from "../flow.ts";
import type { FitRecord } from "../schema/contract.ts";
import { isObject, type JsonObject, type JsonValue, type Members } from "../values/json.ts";
import { compareNumbers } from "../values/number-parts.ts";
import { parseWireItem } from "../values/wire-text.ts";
import { checkIndexKeys, withoutNullKeys } from "./indexes.ts";
import { type Key, keyMaker, type RowNaming } from "./keys.ts";
import { type ItemText, writeItem } from "./values.ts";

/** The parts of a resource's plan that decide about items. */
type ItemPlan = Pick<ResourcePlan, "key" | "writeMode"> &
  Partial<Pick<ResourcePlan, "hardDelete" | "dedupSort">> & {
    storage: { indexes: readonly IndexPlan[] };
  };

/**
 * Converts the records of a page to items with different keys. The later of two records with the
 * same key wins, as if each record had been written. A record that DynamoDB cannot hold is rejected
 * with the reason. `fitRecord` applies the schema to each record.
 */
export function toItems(
  records: readonly JsonValue[],
  plan: ItemPlan,
  naming: RowNaming,
  fitRecord?: FitRecord | undefined,
): PreparedPage {
  const makeKey = keyMaker(plan.key, naming);
  const items = new Map<string, KeyedItem>();
  const rejections: Rejection[] = [];
  const fitted: Members[] = [];
  let superseded = 0;
  let discarded = 0;

  for (const [index, record] of records.entries()) {
    let keyText: string | undefined;
    try {
      if (!isObject(record)) throw notAnObject();
      const key = makeKey(record);
      keyText = key.text;
      const isDeletion = deletesRow(record, plan.hardDelete);
      // A deletion often has only the key, from which the schema must not conclude missing fields.
      const fit = isDeletion ? undefined : fitRecord?.(record);
      const members = fit?.record ?? record;
      const item = itemOf(members, key, plan.storage.indexes);
      if (!isDeletion) fitted.push(members);
      discarded += fit?.discarded ?? 0;
      const earlier = items.get(keyText);
      if (earlier) superseded += 1;
      if (earlier && earlierWins(earlier, item, plan)) continue;
      // Deleting first puts the key at the end of the map, where its latest record belongs.
      items.delete(keyText);
      items.set(keyText, {
        key: keyText,
        ...item,
        ...(isDeletion && { deletesRow: true as const }),
        index,
        record,
      });
    } catch (error) {
      if (!(error instanceof RecordError)) throw error;
      const { code, message, path } = error;
      const key = keyText === undefined ? {} : { key: keyText };
      rejections.push({ index, code, message, path, record, ...key });
    }
  }
  return {
    items: [...items.values()],
    superseded,
    rejections,
    typedRecords: fitted,
    discardedValues: discarded,
  };
}

function itemOf(members: Members, key: Key, indexes: readonly IndexPlan[]): ItemText {
  if (indexes.length === 0) return writeItem(members, key.members);
  const indexed = withoutNullKeys(members, indexes);
  const item = writeItem(indexed, key.members);
  checkIndexKeys({ ...indexed, ...key.members }, indexes);
  return item;
}

/** Decides between two records with the same key. The later one in API order wins by default. */
function earlierWins(
  earlier: ItemText,
  later: ItemText,
  { writeMode, dedupSort }: Pick<ItemPlan, "writeMode" | "dedupSort">,
): boolean {
  // An existing row stays in the table, too.
  if (writeMode.kind === "insert") return true;
  const field = writeMode.kind === "ordered" ? writeMode.versionField : dedupSort?.field;
  if (field === undefined) return false;
  const order = compareValues(fieldOf(later, field), fieldOf(earlier, field));
  return writeMode.kind === "batch" && dedupSort?.order === "asc" ? order > 0 : order < 0;
}

function fieldOf({ itemText }: ItemText, field: string): WireValue | undefined {
  const item: WireItem = parseWireItem(itemText);
  return Object.hasOwn(item, field) ? item[field] : undefined;
}

/** Returns 0 for values without an order. */
function compareValues(left: WireValue | undefined, right: WireValue | undefined): number {
  if (left?.N !== undefined && right?.N !== undefined) return compareNumbers(left.N, right.N);
  if (left?.S === undefined || right?.S === undefined) return 0;
  // DynamoDB compares strings byte by byte in UTF-8.
  return Buffer.compare(Buffer.from(left.S), Buffer.from(right.S));
}

/** As in dlt, `true` and every value that is not a boolean or null mark a deletion. */
function deletesRow(record: JsonObject, field: string | undefined): boolean {
  const value = field === undefined ? undefined : record[field];
  return typeof value === "boolean" ? value : value != null;
}

const notAnObject = () =>
  new RecordError({ code: "record.not_object", message: "the record is not an object", path: "" });
