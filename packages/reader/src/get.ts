import { BatchGetItemCommand, GetItemCommand } from "@aws-sdk/client-dynamodb";
import type { Item } from "@tidetable/core/internal";
import { ReadError } from "@tidetable/core/internal/config";
import { awsRetryDelay, keyTextOf, realClock } from "@tidetable/core/internal/tables";
import { tableKey } from "./keys.ts";
import { projectionOf } from "./projection.ts";
import { type Row, rowReader } from "./rows.ts";
import { sendRequest, type TableAccess } from "./table-access.ts";
import type { AnyKey, GetOptions } from "./types.ts";

export async function getRow(access: TableAccess, key: AnyKey, options: GetOptions = {}) {
  const { fields, consistent } = options;
  const command = new GetItemCommand({
    TableName: access.table,
    Key: tableKey(key, access).item,
    ConsistentRead: consistent,
    ...projectionOf(fields),
  });
  const { Item } = await sendRequest(access, (client) => client.send(command));
  return Item && rowReader(access, fields)(Item);
}

/** DynamoDB's limit for one BatchGetItem. */
const KEYS_PER_REQUEST = 100;

/** Gives up after this many answers in a row without any item, about ten seconds. */
const MAX_EMPTY_ANSWERS = 10;

export async function getRows(
  access: TableAccess,
  keys: readonly AnyKey[],
  options: GetOptions = {},
) {
  const tableKeys = keys.map((key) => tableKey(key, access));
  // DynamoDB refuses a request that names a key twice.
  const uniqueKeys = [...new Map(tableKeys.map(({ text, item }) => [text, item])).values()];
  const rows = new Map<string, Row>();
  const toRow = rowReader(access, options.fields);
  for (let first = 0; first < uniqueKeys.length; first += KEYS_PER_REQUEST) {
    const batch = uniqueKeys.slice(first, first + KEYS_PER_REQUEST);
    const items = await getBatch(access, batch, options);
    for (const item of items) rows.set(keyTextOf(item, access.plan.key), toRow(item));
  }
  return tableKeys.map(({ text }) => rows.get(text));
}

/** Returns the existing items in any order. Asks again for the keys that DynamoDB leaves out. */
async function getBatch(
  access: TableAccess,
  keys: Item[],
  { fields, consistent }: GetOptions,
): Promise<Item[]> {
  const { hash, range } = access.plan.key;
  // The key attributes are needed to tell which item belongs to which key.
  const names = fields && [...fields, hash.name, ...(range ? [range.name] : [])];
  const items: Item[] = [];
  let unreadKeys = keys;
  let emptyAnswers = 0;
  while (emptyAnswers < MAX_EMPTY_ANSWERS) {
    const request = { Keys: unreadKeys, ConsistentRead: consistent, ...projectionOf(names) };
    const command = new BatchGetItemCommand({ RequestItems: { [access.table]: request } });
    const answer = await sendRequest(access, (client) => client.send(command));
    const newItems = answer.Responses?.[access.table] ?? [];
    items.push(...newItems);
    unreadKeys = answer.UnprocessedKeys?.[access.table]?.Keys ?? [];
    if (unreadKeys.length === 0) return items;
    emptyAnswers = newItems.length > 0 ? 0 : emptyAnswers + 1;
    await realClock.sleep(awsRetryDelay(emptyAnswers + 1, Math.random));
  }
  throw new ReadError({
    code: "read.throttled",
    message: `${access.label}: DynamoDB left ${unreadKeys.length} of ${keys.length} keys unread, time after time`,
    hint: "ask again later, or raise the read limit of the table",
  });
}
