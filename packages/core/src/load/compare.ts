import { WriteError } from "../base/errors.ts";
import type { WireItem, WireValue } from "../base/wire.ts";
import { forEachConcurrently, type WriterOptions } from "../dynamodb/attempts.ts";
import { batchSenderOf } from "../dynamodb/batch-commands.ts";
import { classifyError, errorName, retryTransient } from "../dynamodb/client.ts";
import { keyAttributes, missingTableError } from "../dynamodb/tables.ts";
import type { KeyedItem } from "../flow.ts";
import { isSameNumber, numberIdentity } from "../values/number-parts.ts";
import { parseWireItem } from "../values/wire-text.ts";

/*
 * Reads rows to find the items that the table already has. In doubt an item counts as changed: a
 * needless put costs little, and a missing put would lose a change.
 */

/** The DynamoDB limit of one BatchGetItem. */
const KEYS_AT_ONCE = 100;

const READS_IN_FLIGHT = 4;

/** The number of rows that a check reads: enough to notice a difference, at almost no cost. */
const SAMPLE = 5;

export interface Comparing
  extends Pick<
    WriterOptions,
    "dynamodb" | "clock" | "random" | "signal" | "deadline" | "table" | "key"
  > {
  /**
   * Reads consistently, at twice the price. Needed for rows that may have just been put, because an
   * eventually consistent read may return the old row.
   */
  consistent?: boolean;
}

/** Returns the keys of the items that need no write. The keys of the items must be distinct. */
export async function unchangedOf(
  items: readonly KeyedItem[],
  options: Comparing,
): Promise<Set<string>> {
  const unchanged = new Set<string>();
  await forEachConcurrently(READS_IN_FLIGHT, splitIntoChunks(items), async (chunk) => {
    const rows = await rowsOf(chunk, options);
    for (const keyedItem of chunk)
      if (rows && isThere(keyedItem, rows, options)) unchanged.add(keyedItem.key);
  });
  return unchanged;
}

/** Checks a few items against the table, because fingerprints claim that the table has all items. */
export async function agreesWithTable(
  items: readonly KeyedItem[],
  options: Comparing,
): Promise<boolean> {
  const length = Math.min(SAMPLE, items.length);
  const part = items.length / length;
  const sample = Array.from({ length }, (_, n) =>
    Math.floor((n + options.random()) * part),
  ).flatMap((at) => items[at] ?? []);
  const unchanged = await unchangedOf(sample, { ...options, consistent: true });
  return unchanged.size === sample.length;
}

function splitIntoChunks<T>(items: readonly T[]): T[][] {
  const count = Math.ceil(items.length / KEYS_AT_ONCE);
  return Array.from({ length: count }, (_, n) =>
    items.slice(n * KEYS_AT_ONCE, (n + 1) * KEYS_AT_ONCE),
  );
}

/** The rows that DynamoDB returned for the requested keys. */
interface Rows {
  byKey: Map<string, WireItem>;
  /** True when each returned row has the key of an item. */
  allKnown: boolean;
}

/** Returns undefined when DynamoDB rejects a key. The writer then finds the invalid item. */
async function rowsOf(items: readonly KeyedItem[], options: Comparing): Promise<Rows | undefined> {
  const { key, table, signal } = options;
  const rows: WireItem[] = [];
  const itemKeys = items.map(({ rowKeyText }) => rowKeyText);
  let unreadKeys = itemKeys;
  try {
    await retryTransient(options, async () => {
      const { Responses, UnprocessedKeys } = await readBatch(unreadKeys, options);
      rows.push(...(Responses?.[table] ?? []));
      unreadKeys = (UnprocessedKeys?.[table]?.Keys ?? []).map((unread) => JSON.stringify(unread));
      if (unreadKeys.length > 0) throw unprocessedError();
    });
  } catch (error) {
    signal.throwIfAborted();
    if (classifyError(error) !== "invalid") throw unreadableError(table, error);
    return undefined;
  }
  const requestedKeys = new Set(itemKeys.map((text) => keyText(parseWireItem(text), key)));
  const byKey = new Map(rows.map((row) => [keyText(row, key), row]));
  return { byKey, allKnown: [...byKey.keys()].every((text) => requestedKeys.has(text)) };
}

function readBatch(keys: string[], { dynamodb, table, signal, consistent = false }: Comparing) {
  const request = `{"Keys":[${keys.join(",")}],"ConsistentRead":${consistent}}`;
  const requestItems = `{${JSON.stringify(table)}:${request}}`;
  const body = `{"RequestItems":${requestItems},"ReturnConsumedCapacity":"TOTAL"}`;
  return batchSenderOf(dynamodb)("BatchGetItem", body, signal);
}

/** Makes a retry of unprocessed keys, which were too many at once or throttled. */
const unprocessedError = () =>
  Object.assign(new Error("UnprocessedKeys"), { name: "ThrottlingException" });

function isThere(
  { itemText, deletesRow }: KeyedItem,
  { byKey, allKnown }: Rows,
  { key }: Comparing,
): boolean {
  const item = parseWireItem(itemText);
  const row = byKey.get(keyText(item, key));
  // A row is surely absent only if every returned row could be matched to a requested key.
  if (deletesRow) return !row && allKnown;
  return row !== undefined && isSameMap(item, row);
}

/** Returns a text that is equal for equal keys. */
const keyText = (item: WireItem, key: Comparing["key"]): string =>
  JSON.stringify(
    keyAttributes(key).map(({ name }) => {
      const { S, N, B } = item[name] ?? {};
      return S ?? (N === undefined ? B : numberIdentity(N));
    }),
  );

/** Returns whether two attribute maps have the same members in any order. */
export function isSameMap(first: WireItem, second: WireItem): boolean {
  const names = Object.keys(first);
  return (
    names.length === Object.keys(second).length &&
    names.every((name) => {
      // The SDK's commands drop an attribute named __proto__.
      const value = Object.hasOwn(second, name) ? second[name] : undefined;
      return value !== undefined && isSame(first[name] as WireValue, value);
    })
  );
}

function isSame(first: WireValue, second: WireValue): boolean {
  if (first.S !== undefined) return first.S === second.S;
  if (first.N !== undefined) return second.N !== undefined && isSameNumber(first.N, second.N);
  if (first.NULL !== undefined) return first.NULL === second.NULL;
  if (first.BOOL !== undefined) return first.BOOL === second.BOOL;
  if (first.M) return second.M !== undefined && isSameMap(first.M, second.M);
  if (first.L) return second.L !== undefined && isSameList(first.L, second.L);
  return first.B !== undefined && first.B === second.B;
}

const isSameList = (first: WireValue[], second: WireValue[]): boolean =>
  first.length === second.length &&
  first.every((value, n) => isSame(value, second[n] as WireValue));

function unreadableError(table: string, error: unknown): WriteError {
  if (classifyError(error) === "missing") return missingTableError(table);
  const denied = classifyError(error) === "refused";
  return new WriteError({
    code: "load.compare",
    message: denied
      ? `DynamoDB refused to read the table ${table} (${errorName(error)})`
      : `DynamoDB did not show what the table ${table} has (${errorName(error)})`,
    hint: denied
      ? "check the AWS credentials and what they are allowed to do"
      : "run again: it continues from the last checkpoint",
  });
}
