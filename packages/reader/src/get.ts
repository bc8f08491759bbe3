import { BatchGetItemCommand, GetItemCommand } from "@aws-sdk/client-dynamodb";
import { awsRetryDelay, type Item, keyTextOf, ReadError, realClock } from "@tidetable/core";
import { keyOf } from "./keys.ts";
import { answer, type Place } from "./place.ts";
import { projection } from "./projection.ts";
import { type Row, rowsOf } from "./rows.ts";
import type { AnyKey, GetOptions } from "./types.ts";

export async function get(place: Place, key: AnyKey, options: GetOptions = {}) {
  const { fields, consistent } = options;
  const command = new GetItemCommand({
    TableName: place.table,
    Key: keyOf(key, place).item,
    ConsistentRead: consistent,
    ...projection(fields),
  });
  const { Item } = await answer(place, (client) => client.send(command));
  return Item && rowsOf(place, fields)(Item);
}

/** DynamoDB's, for one BatchGetItem. */
const KEYS_AT_ONCE = 100;
/** So often nothing at all may come back, over some ten seconds. */
const PATIENCE = 10;

export async function getMany(place: Place, keys: readonly AnyKey[], options: GetOptions = {}) {
  const wanted = keys.map((key) => keyOf(key, place));
  // DynamoDB takes no key twice.
  const unique = [...new Map(wanted.map(({ text, item }) => [text, item])).values()];
  const found = new Map<string, Row>();
  const toRow = rowsOf(place, options.fields);
  for (let first = 0; first < unique.length; first += KEYS_AT_ONCE) {
    const items = await batch(place, unique.slice(first, first + KEYS_AT_ONCE), options);
    for (const item of items) found.set(keyTextOf(item, place.plan.key), toRow(item));
  }
  return wanted.map(({ text }) => found.get(text));
}

/** Of these keys what is there, in any order. What DynamoDB leaves out is asked for again. */
async function batch(
  place: Place,
  keys: Item[],
  { fields, consistent }: GetOptions,
): Promise<Item[]> {
  const { hash, range } = place.plan.key;
  // By which a row is known again.
  const names = fields && [...fields, hash.name, ...(range ? [range.name] : [])];
  const found: Item[] = [];
  let left = keys;
  let fruitless = 0;
  while (fruitless < PATIENCE) {
    const request = { Keys: left, ConsistentRead: consistent, ...projection(names) };
    const command = new BatchGetItemCommand({ RequestItems: { [place.table]: request } });
    const { Responses, UnprocessedKeys } = await answer(place, (client) => client.send(command));
    const items = Responses?.[place.table] ?? [];
    found.push(...items);
    left = UnprocessedKeys?.[place.table]?.Keys ?? [];
    if (left.length === 0) return found;
    fruitless = items.length > 0 ? 0 : fruitless + 1;
    await realClock.sleep(awsRetryDelay(fruitless + 1, Math.random));
  }
  throw new ReadError({
    code: "read.throttled",
    message: `${place.about}: DynamoDB left ${left.length} of ${keys.length} keys unread, time after time`,
    hint: "ask again later, or raise the read limit of the table",
  });
}
