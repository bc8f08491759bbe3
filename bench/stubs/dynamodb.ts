import { holds, type Terms } from "./conditions.ts";
import { after, serve } from "./serve.ts";
import { openTable, type Row, type Table } from "./table.ts";
import { type Attributes, readUnits, writeUnits } from "./units.ts";

/*
 * DynamoDB as far as tidetable and the loops use it: rows are kept and found again, conditions hold
 * or fail, units are counted as DynamoDB counts them. Tables are there when they are named.
 *
 * `/control?latency=…` empties it and sets how long an answer takes; with `keep=keys` a row is its
 * key alone. `/written` says what was written since, and ought to be there now.
 */

/** Of every table but the state table, whose key has two parts. */
const isState = (table: string): boolean => table.endsWith("-state");
const keyNames = (table: string): string[] => (isState(table) ? ["pk", "sk"] : ["id"]);
const keyOf = (table: string, item: Attributes): string =>
  keyNames(table)
    .map((name) => String(item[name]?.S ?? item[name]?.N))
    .join(" ");

let tables = new Map<string, Table>();
let latency = 0;
let keysOnly = false;
let generation = 0;
let counted = { puts: 0, writeUnits: 0, readUnits: 0 };

function control(wanted: URLSearchParams): void {
  latency = Number(wanted.get("latency"));
  if (wanted.has("as-it-is")) return;
  keysOnly = wanted.get("keep") === "keys";
  tables = new Map();
  generation += 1;
}

function tableOf(name: string): Table {
  const found = tables.get(name) ?? openTable(keysOnly && !isState(name));
  tables.set(name, found);
  return found;
}

/** What was written since it was asked for the last time, and the rows that there are now. */
function written(): string {
  const data = [...tables].find(([name]) => !isState(name))?.[1];
  const answer = JSON.stringify({ ...counted, ...(data?.check() ?? { items: 0, sum: 0 }) });
  counted = { puts: 0, writeUnits: 0, readUnits: 0 };
  return answer;
}

class Refused extends Error {}

function check(expression: string | undefined, row: Row | undefined, terms: Terms): void {
  if (expression === undefined) return;
  const item = row ? JSON.parse(row.text) : {};
  if (!holds(expression, item, terms)) throw new Refused("ConditionalCheckFailedException");
}

const wrote = (table: string, units: number) => {
  counted.writeUnits += units;
  return `"ConsumedCapacity":{"TableName":"${table}","CapacityUnits":${units}}`;
};
const read = (table: string, units: number) => {
  counted.readUnits += units;
  return `"ConsumedCapacity":{"TableName":"${table}","CapacityUnits":${units}}`;
};
/** The two batches answer with a list. */
const listed = (capacity: string): string => capacity.replace(/:(.*)$/, ":[$1]");

/*
 * A batch of puts is cut into its items by their frame, which no text inside can hold: its quotes
 * would stand behind backslashes. The last frame ends the list of requests as well.
 */
const frame = /\{"PutRequest": ?\{"Item": ?/;
const leadingKey = /^\{"id": ?\{"[SN]": ?"([^"\\]+)"\}/;

function batchWrite(body: string): string {
  const table = /"RequestItems": ?\{"([^"]+)"/.exec(body)?.[1] ?? "";
  const [, ...parts] = body.split(frame);
  if (parts.length === 0 || body.includes('"DeleteRequest"')) return batchWriteAny(body);
  const rows = tableOf(table);
  let units = 0;
  for (const [n, part] of parts.entries()) {
    const text = part.slice(0, part.lastIndexOf(n === parts.length - 1 ? "}}]" : "}},"));
    const item = JSON.parse(text);
    const key = isState(table) ? undefined : leadingKey.exec(text)?.[1];
    units += writeUnits(rows.put(key ?? keyOf(table, item), text, item).bytes);
  }
  if (!isState(table)) counted.puts += parts.length;
  return `{"UnprocessedItems":{},${listed(wrote(table, units))}}`;
}

function batchWriteAny(body: string): string {
  const requests = JSON.parse(body).RequestItems as Record<string, WriteRequest[]>;
  let units = 0;
  for (const [table, list] of Object.entries(requests)) {
    for (const { PutRequest, DeleteRequest } of list) {
      units += PutRequest ? put(table, PutRequest.Item) : remove(table, DeleteRequest?.Key ?? {});
    }
  }
  return `{"UnprocessedItems":{},${listed(wrote(Object.keys(requests)[0] ?? "", units))}}`;
}

interface WriteRequest {
  PutRequest?: { Item: Attributes };
  DeleteRequest?: { Key: Attributes };
}

function put(table: string, item: Attributes): number {
  const rows = tableOf(table);
  const key = keyOf(table, item);
  const before = rows.get(key)?.bytes ?? 0;
  if (!isState(table)) counted.puts += 1;
  return writeUnits(Math.max(before, rows.put(key, JSON.stringify(item), item).bytes));
}

function remove(table: string, key: Attributes): number {
  const rows = tableOf(table);
  const name = keyOf(table, key);
  const units = writeUnits(rows.get(name)?.bytes ?? 0);
  rows.delete(name);
  return units;
}

/** `SET a = :a, b = :b REMOVE c`: every value is one that was sent along. */
function updated(item: Attributes, expression: string, terms: Terms): Attributes {
  const { ExpressionAttributeNames: names = {}, ExpressionAttributeValues: values = {} } = terms;
  const [set = "", gone = ""] = expression.split(/ ?REMOVE /);
  const next = { ...item };
  for (const [, name = "", value = ""] of set.matchAll(/([#\w]+) = (:\w+)/g)) {
    next[names[name] ?? name] = values[value] as Attributes[string];
  }
  for (const name of gone.split(/, ?/)) delete next[names[name] ?? name];
  return next;
}

const textsOf = (rows: (Row | undefined)[]): string =>
  `[${rows.flatMap((row) => row?.text ?? []).join(",")}]`;

const actions: Record<string, (body: string) => string> = {
  BatchWriteItem: batchWrite,
  BatchGetItem(body) {
    const [[table, { Keys, ConsistentRead = false }]] = Object.entries(
      JSON.parse(body).RequestItems,
    ) as [[string, { Keys: Attributes[]; ConsistentRead?: boolean }]];
    const rows = Keys.map((key) => tableOf(table).get(keyOf(table, key)));
    const units = rows.reduce((sum, row) => sum + readUnits(row?.bytes ?? 0, ConsistentRead), 0);
    return `{"UnprocessedKeys":{},"Responses":{"${table}":${textsOf(rows)}},${listed(read(table, units))}}`;
  },
  GetItem(body) {
    const { TableName: table, Key, ConsistentRead = false } = JSON.parse(body);
    const row = tableOf(table).get(keyOf(table, Key));
    const item = row ? `"Item":${row.text},` : "";
    return `{${item}${read(table, readUnits(row?.bytes ?? 0, ConsistentRead))}}`;
  },
  PutItem(body) {
    const { TableName: table, Item, ConditionExpression, ...terms } = JSON.parse(body);
    check(ConditionExpression, tableOf(table).get(keyOf(table, Item)), terms);
    return `{${wrote(table, put(table, Item))}}`;
  },
  DeleteItem(body) {
    const { TableName: table, Key, ConditionExpression, ...terms } = JSON.parse(body);
    check(ConditionExpression, tableOf(table).get(keyOf(table, Key)), terms);
    return `{${wrote(table, remove(table, Key))}}`;
  },
  UpdateItem(body) {
    const {
      TableName: table,
      Key,
      UpdateExpression,
      ConditionExpression,
      ...terms
    } = JSON.parse(body);
    const row = tableOf(table).get(keyOf(table, Key));
    check(ConditionExpression, row, terms);
    const item = updated(row ? JSON.parse(row.text) : Key, UpdateExpression, terms);
    return `{${wrote(table, put(table, item))}}`;
  },
  Query(body) {
    const { TableName: table, KeyConditionExpression, ConsistentRead, ...terms } = JSON.parse(body);
    const rows = tableOf(table);
    const found = rows
      .after(undefined, Number.POSITIVE_INFINITY)
      .sort()
      .map((key) => rows.get(key) as Row)
      .filter(({ text }) => holds(KeyConditionExpression, JSON.parse(text), terms));
    const bytes = found.reduce((sum, row) => sum + row.bytes, 0);
    return `{"Items":${textsOf(found)},${read(table, readUnits(bytes, ConsistentRead))}}`;
  },
  Scan(body) {
    const { TableName: table, Limit, ExclusiveStartKey, ...rest } = JSON.parse(body);
    const rows = tableOf(table);
    const from = ExclusiveStartKey && keyOf(table, ExclusiveStartKey);
    const keys = rows.after(from, Limit ?? 1000);
    const items = keys.map((key) => JSON.parse(rows.get(key)?.text ?? "{}") as Attributes);
    const bytes = keys.reduce((sum, key) => sum + (rows.get(key)?.bytes ?? 0), 0);
    const onlyKey = (item: Attributes) =>
      Object.fromEntries(keyNames(table).map((name) => [name, item[name]]));
    const last = items.at(-1);
    return JSON.stringify({
      // No other attribute is ever asked for alone.
      Items: rest.ProjectionExpression ? items.map(onlyKey) : items,
      ...(last && keys.length === (Limit ?? 1000) ? { LastEvaluatedKey: onlyKey(last) } : {}),
      ...JSON.parse(`{${read(table, readUnits(bytes, rest.ConsistentRead ?? false))}}`),
    });
  },
  DescribeTable(body) {
    const { TableName: table } = JSON.parse(body);
    const names = keyNames(table);
    return JSON.stringify({
      Table: {
        TableName: table,
        TableStatus: "ACTIVE",
        TableId: `stub-${generation}`,
        KeySchema: names.map((name, n) => ({
          AttributeName: name,
          KeyType: n === 0 ? "HASH" : "RANGE",
        })),
        AttributeDefinitions: names.map((name) => ({ AttributeName: name, AttributeType: "S" })),
      },
    });
  },
};

function answer(action: string, body: string): { status: number; text: string } {
  try {
    const act = actions[action];
    if (!act) throw new Error(`the stub does not know ${action}`);
    return { status: 200, text: act(body) };
  } catch (error) {
    const { message } = error as Error;
    const type = error instanceof Refused ? message : "ValidationException";
    return { status: 400, text: JSON.stringify({ __type: `stub#${type}`, message }) };
  }
}

serve((request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? "", "http://stub");
  if (request.method === "GET") {
    if (pathname === "/control") control(searchParams);
    response.end(written());
    return;
  }
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    const action = String(request.headers["x-amz-target"]).split(".")[1] ?? "";
    const { status, text } = answer(action, Buffer.concat(chunks).toString("latin1"));
    after(latency, () => {
      response.writeHead(status, { "content-type": "application/x-amz-json-1.0" });
      response.end(text, "latin1");
    });
  });
});
