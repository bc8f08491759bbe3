import { type AttributeValue, BatchGetItemCommand } from "@aws-sdk/client-dynamodb";
import { WriteError } from "../base/errors.ts";
import { forEachConcurrently, keyOfItem, type WriterOptions } from "../dynamodb/attempts.ts";
import { classifyError, errorName, retryTransient } from "../dynamodb/client.ts";
import { keyAttributes, missingTableError } from "../dynamodb/tables.ts";
import type { Item, KeyedItem } from "../flow.ts";
import { isSameNumber, numberIdentity } from "../values/number-parts.ts";

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
  byKey: Map<string, Item>;
  /** True when each returned row has the key of an item. */
  allKnown: boolean;
}

/** Returns undefined when DynamoDB rejects a key. The writer then finds the invalid item. */
async function rowsOf(items: readonly KeyedItem[], options: Comparing): Promise<Rows | undefined> {
  const { key, table, signal } = options;
  const rows: Item[] = [];
  let unreadKeys = items.map(({ item }) => keyOfItem(item, key));
  try {
    await retryTransient(options, async () => {
      const { Responses, UnprocessedKeys } = await readBatch(unreadKeys, options);
      rows.push(...(Responses?.[table] ?? []));
      unreadKeys = UnprocessedKeys?.[table]?.Keys ?? [];
      if (unreadKeys.length > 0) throw unprocessedError();
    });
  } catch (error) {
    signal.throwIfAborted();
    if (classifyError(error) !== "invalid") throw unreadableError(table, error);
    return undefined;
  }
  const requestedKeys = new Set(items.map(({ item }) => keyText(item, key)));
  const byKey = new Map(rows.map((row) => [keyText(row, key), row]));
  return { byKey, allKnown: [...byKey.keys()].every((text) => requestedKeys.has(text)) };
}

const readBatch = (Keys: Item[], { dynamodb, table, signal, consistent = false }: Comparing) =>
  dynamodb.send(
    new BatchGetItemCommand({ RequestItems: { [table]: { Keys, ConsistentRead: consistent } } }),
    { abortSignal: signal },
  );

/** Makes a retry of unprocessed keys, which were too many at once or throttled. */
const unprocessedError = () =>
  Object.assign(new Error("UnprocessedKeys"), { name: "ThrottlingException" });

function isThere(
  { item, deletesRow }: KeyedItem,
  { byKey, allKnown }: Rows,
  { key }: Comparing,
): boolean {
  const row = byKey.get(keyText(item, key));
  // A row is surely absent only if every returned row could be matched to a requested key.
  if (deletesRow) return !row && allKnown;
  return row !== undefined && isSameMap(item, row);
}

/** Returns a text that is equal for equal keys. */
const keyText = (item: Item, key: Comparing["key"]): string =>
  JSON.stringify(
    keyAttributes(key).map(({ name }) => {
      const { S, N, B } = item[name] ?? {};
      return S ?? (N === undefined ? Buffer.from(B ?? []).toString("base64") : numberIdentity(N));
    }),
  );

/** Returns whether two attribute maps have the same members in any order. */
export function isSameMap(first: Item, second: Item): boolean {
  const names = Object.keys(first);
  return (
    names.length === Object.keys(second).length &&
    names.every((name) => {
      // The SDK drops the value of an attribute named __proto__.
      const value = second[name];
      return value !== undefined && isSame(first[name] as AttributeValue, value);
    })
  );
}

function isSame(first: AttributeValue, second: AttributeValue): boolean {
  if (first.S !== undefined) return first.S === second.S;
  if (first.N !== undefined) return second.N !== undefined && isSameNumber(first.N, second.N);
  if (first.NULL !== undefined) return first.NULL === second.NULL;
  if (first.BOOL !== undefined) return first.BOOL === second.BOOL;
  if (first.M) return second.M !== undefined && isSameMap(first.M, second.M);
  if (first.L) return second.L !== undefined && isSameList(first.L, second.L);
  if (first.B) return second.B !== undefined && Buffer.compare(first.B, second.B) === 0;
  return false;
}

const isSameList = (first: AttributeValue[], second: AttributeValue[]): boolean =>
  first.length === second.length &&
  first.every((value, n) => isSame(value, second[n] as AttributeValue));

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
