import { type AttributeValue, BatchGetItemCommand } from "@aws-sdk/client-dynamodb";
import { WriteError } from "../base/errors.ts";
import { forEachConcurrently, keyOfItem, type WriterOptions } from "../dynamodb/attempts.ts";
import { classifyError, errorName, retryTransient } from "../dynamodb/client.ts";
import { keyAttributes, missingTableError } from "../dynamodb/tables.ts";
import type { Item, KeyedItem } from "../flow.ts";
import { isSameNumber, numberIdentity } from "../values/number-parts.ts";

/*
 * Which items the table has already, found out by reading them. In doubt an item is not one of
 * these: that costs a put, and the other way round would lose a change.
 */

/** Of one BatchGetItem. */
const KEYS_AT_ONCE = 100;

const READS_IN_FLIGHT = 4;

/** Enough to notice, and few enough to cost nothing. */
const SAMPLE = 5;

export interface Comparing
  extends Pick<
    WriterOptions,
    "dynamodb" | "clock" | "random" | "signal" | "deadline" | "table" | "key"
  > {
  /**
   * Twice the price. For rows that may have been put a moment ago: other reads may show a row as it
   * was before.
   */
  consistent?: boolean;
}

/** The keys of the items that need no write. No two items may have the same key. */
export async function unchangedOf(
  items: readonly KeyedItem[],
  options: Comparing,
): Promise<Set<string>> {
  const unchanged = new Set<string>();
  await forEachConcurrently(READS_IN_FLIGHT, chunks(items), async (some) => {
    const rows = await rowsOf(some, options);
    for (const one of some) if (rows && isThere(one, rows, options)) unchanged.add(one.key);
  });
  return unchanged;
}

/** Whether the table has a few of these items, as the prints say that it has all of them. */
export async function agrees(items: readonly KeyedItem[], options: Comparing): Promise<boolean> {
  const length = Math.min(SAMPLE, items.length);
  const part = items.length / length;
  const some = Array.from({ length }, (_, n) => Math.floor((n + options.random()) * part)).flatMap(
    (at) => items[at] ?? [],
  );
  const unchanged = await unchangedOf(some, { ...options, consistent: true });
  return unchanged.size === some.length;
}

function chunks<T>(items: readonly T[]): T[][] {
  const count = Math.ceil(items.length / KEYS_AT_ONCE);
  return Array.from({ length: count }, (_, n) =>
    items.slice(n * KEYS_AT_ONCE, (n + 1) * KEYS_AT_ONCE),
  );
}

/** What DynamoDB has shown of the rows that were asked for. */
interface Rows {
  byKey: Map<string, Item>;
  /** Each row is under the key of one of the items. */
  allKnown: boolean;
}

/** Undefined when DynamoDB finds fault with one of the keys: the writer knows how to tell which. */
async function rowsOf(items: readonly KeyedItem[], options: Comparing): Promise<Rows | undefined> {
  const { key, table, signal } = options;
  const rows: Item[] = [];
  let left = items.map(({ item }) => keyOfItem(item, key));
  try {
    await retryTransient(options, async () => {
      const { Responses, UnprocessedKeys } = await read(left, options);
      rows.push(...(Responses?.[table] ?? []));
      left = UnprocessedKeys?.[table]?.Keys ?? [];
      if (left.length > 0) throw unprocessed();
    });
  } catch (error) {
    signal.throwIfAborted();
    if (classifyError(error) !== "invalid") throw unreadable(table, error);
    return undefined;
  }
  const asked = new Set(items.map(({ item }) => keyText(item, key)));
  const byKey = new Map(rows.map((row) => [keyText(row, key), row]));
  return { byKey, allKnown: [...byKey.keys()].every((text) => asked.has(text)) };
}

const read = (Keys: Item[], { dynamodb, table, signal, consistent = false }: Comparing) =>
  dynamodb.send(
    new BatchGetItemCommand({ RequestItems: { [table]: { Keys, ConsistentRead: consistent } } }),
    { abortSignal: signal },
  );

/** What is left over was too much at once, or too fast: it is asked for a little later. */
const unprocessed = () =>
  Object.assign(new Error("UnprocessedKeys"), { name: "ThrottlingException" });

function isThere(
  { item, deletesRow }: KeyedItem,
  { byKey, allKnown }: Rows,
  { key }: Comparing,
): boolean {
  const row = byKey.get(keyText(item, key));
  // That a row is not there shows only where none came back under words of its own.
  if (deletesRow) return !row && allKnown;
  return row !== undefined && isSameMap(item, row);
}

/** Equal for equal keys. */
const keyText = (item: Item, key: Comparing["key"]): string =>
  JSON.stringify(
    keyAttributes(key).map(({ name }) => {
      const { S, N, B } = item[name] ?? {};
      return S ?? (N === undefined ? Buffer.from(B ?? []).toString("base64") : numberIdentity(N));
    }),
  );

/** Whether two maps of attributes have the same members, in whatever order. */
export function isSameMap(one: Item, other: Item): boolean {
  const names = Object.keys(one);
  return (
    names.length === Object.keys(other).length &&
    names.every((name) => {
      // Of an attribute named __proto__ the SDK reads the name and not the value.
      const value = other[name];
      return value !== undefined && isSame(one[name] as AttributeValue, value);
    })
  );
}

function isSame(one: AttributeValue, other: AttributeValue): boolean {
  if (one.S !== undefined) return one.S === other.S;
  if (one.N !== undefined) return other.N !== undefined && isSameNumber(one.N, other.N);
  if (one.NULL !== undefined) return one.NULL === other.NULL;
  if (one.BOOL !== undefined) return one.BOOL === other.BOOL;
  if (one.M) return other.M !== undefined && isSameMap(one.M, other.M);
  if (one.L) return other.L !== undefined && isSameList(one.L, other.L);
  if (one.B) return other.B !== undefined && Buffer.compare(one.B, other.B) === 0;
  return false;
}

const isSameList = (one: AttributeValue[], other: AttributeValue[]): boolean =>
  one.length === other.length && one.every((value, n) => isSame(value, other[n] as AttributeValue));

function unreadable(table: string, error: unknown): WriteError {
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
