import { holdsCondition, type Placeholders } from "./conditions.ts";
import { answerAfter, startServer } from "./serve.ts";
import { openTable, type Row, type Table } from "./table.ts";
import { type Attributes, readUnits, writeUnits } from "./units.ts";

/*
 * The part of DynamoDB in use by tidetable and the loops: rows, conditions, and DynamoDB's units.
 * Tables are created at the first use.
 *
 * `/control?latency=…` empties the tables and sets the latency of an answer; with `keep=keys` only
 * keys are stored. `/written` returns the counts since the previous call, and the present rows.
 */

/** The state table has a key of two parts. The key of further tables is `id`. */
const isState = (table: string): boolean => table.endsWith("-state");
const keyNames = (table: string): string[] => (isState(table) ? ["pk", "sk"] : ["id"]);
const keyOf = (table: string, item: Attributes): string =>
  keyNames(table)
    .map((name) => String(item[name]?.S ?? item[name]?.N))
    .join(" ");

let tables = new Map<string, Table>();
let latencyMs = 0;
let keysOnly = false;
let generation = 0;
let counts = { puts: 0, writeUnits: 0, readUnits: 0 };

function applySettings(settings: URLSearchParams): void {
  latencyMs = Number(settings.get("latency"));
  if (settings.has("as-it-is")) return;
  keysOnly = settings.get("keep") === "keys";
  tables = new Map();
  generation += 1;
}

function findTable(name: string): Table {
  const table = tables.get(name) ?? openTable(keysOnly && !isState(name));
  tables.set(name, table);
  return table;
}

/** The counts since the previous call, and the present rows. */
function readCounts(): string {
  const dataTable = [...tables].find(([name]) => !isState(name))?.[1];
  const answer = JSON.stringify({ ...counts, ...(dataTable?.summarize() ?? { items: 0, sum: 0 }) });
  counts = { puts: 0, writeUnits: 0, readUnits: 0 };
  return answer;
}

class ConditionError extends Error {}

function checkCondition(
  expression: string | undefined,
  row: Row | undefined,
  placeholders: Placeholders,
): void {
  if (expression === undefined) return;
  const item = row ? JSON.parse(row.text) : {};
  if (!holdsCondition(expression, item, placeholders))
    throw new ConditionError("ConditionalCheckFailedException");
}

const countWrite = (table: string, units: number) => {
  counts.writeUnits += units;
  return `"ConsumedCapacity":{"TableName":"${table}","CapacityUnits":${units}}`;
};
const countRead = (table: string, units: number) => {
  counts.readUnits += units;
  return `"ConsumedCapacity":{"TableName":"${table}","CapacityUnits":${units}}`;
};
/** The two batch actions answer with a list of capacities. */
const asCapacityList = (capacity: string): string => capacity.replace(/:(.*)$/, ":[$1]");

/*
 * A batch of puts is split at the frames of the items. A string inside an item cannot contain a frame,
 * because quotes are escaped. After the last item, the list of requests ends as well.
 */
const itemFrame = /\{"PutRequest": ?\{"Item": ?/;
const leadingKey = /^\{"id": ?\{"[SN]": ?"([^"\\]+)"\}/;

function writePuts(body: string): string {
  const table = /"RequestItems": ?\{"([^"]+)"/.exec(body)?.[1] ?? "";
  const [, ...parts] = body.split(itemFrame);
  if (parts.length === 0 || body.includes('"DeleteRequest"')) return writeBatch(body);
  const rows = findTable(table);
  let units = 0;
  for (const [n, part] of parts.entries()) {
    const text = part.slice(0, part.lastIndexOf(n === parts.length - 1 ? "}}]" : "}},"));
    const item = JSON.parse(text);
    const key = isState(table) ? undefined : leadingKey.exec(text)?.[1];
    units += writeUnits(rows.put(key ?? keyOf(table, item), text, item).bytes);
  }
  if (!isState(table)) counts.puts += parts.length;
  return `{"UnprocessedItems":{},${asCapacityList(countWrite(table, units))}}`;
}

function writeBatch(body: string): string {
  const requests = JSON.parse(body).RequestItems as Record<string, WriteRequest[]>;
  let units = 0;
  for (const [table, list] of Object.entries(requests)) {
    for (const { PutRequest, DeleteRequest } of list) {
      units += PutRequest
        ? putItem(table, PutRequest.Item)
        : deleteItem(table, DeleteRequest?.Key ?? {});
    }
  }
  return `{"UnprocessedItems":{},${asCapacityList(countWrite(Object.keys(requests)[0] ?? "", units))}}`;
}

interface WriteRequest {
  PutRequest?: { Item: Attributes };
  DeleteRequest?: { Key: Attributes };
}

function putItem(table: string, item: Attributes): number {
  const rows = findTable(table);
  const key = keyOf(table, item);
  const previousBytes = rows.get(key)?.bytes ?? 0;
  if (!isState(table)) counts.puts += 1;
  return writeUnits(Math.max(previousBytes, rows.put(key, JSON.stringify(item), item).bytes));
}

function deleteItem(table: string, key: Attributes): number {
  const rows = findTable(table);
  const name = keyOf(table, key);
  const units = writeUnits(rows.get(name)?.bytes ?? 0);
  rows.delete(name);
  return units;
}

/** Applies `SET a = :a, b = :b REMOVE c`. Every value is a placeholder. */
function applyUpdate(item: Attributes, expression: string, placeholders: Placeholders): Attributes {
  const { ExpressionAttributeNames: names = {}, ExpressionAttributeValues: values = {} } =
    placeholders;
  const [setPart = "", removePart = ""] = expression.split(/ ?REMOVE /);
  const updated = { ...item };
  for (const [, name = "", value = ""] of setPart.matchAll(/([#\w]+) = (:\w+)/g)) {
    updated[names[name] ?? name] = values[value] as Attributes[string];
  }
  for (const name of removePart.split(/, ?/)) delete updated[names[name] ?? name];
  return updated;
}

const rowsText = (rows: (Row | undefined)[]): string =>
  `[${rows.flatMap((row) => row?.text ?? []).join(",")}]`;

const actions: Record<string, (body: string) => string> = {
  BatchWriteItem: writePuts,
  BatchGetItem(body) {
    const [[table, { Keys, ConsistentRead = false }]] = Object.entries(
      JSON.parse(body).RequestItems,
    ) as [[string, { Keys: Attributes[]; ConsistentRead?: boolean }]];
    const rows = Keys.map((key) => findTable(table).get(keyOf(table, key)));
    const units = rows.reduce((sum, row) => sum + readUnits(row?.bytes ?? 0, ConsistentRead), 0);
    return `{"UnprocessedKeys":{},"Responses":{"${table}":${rowsText(rows)}},${asCapacityList(countRead(table, units))}}`;
  },
  GetItem(body) {
    const { TableName: table, Key, ConsistentRead = false } = JSON.parse(body);
    const row = findTable(table).get(keyOf(table, Key));
    const item = row ? `"Item":${row.text},` : "";
    return `{${item}${countRead(table, readUnits(row?.bytes ?? 0, ConsistentRead))}}`;
  },
  PutItem(body) {
    const { TableName: table, Item, ConditionExpression, ...placeholders } = JSON.parse(body);
    checkCondition(ConditionExpression, findTable(table).get(keyOf(table, Item)), placeholders);
    return `{${countWrite(table, putItem(table, Item))}}`;
  },
  DeleteItem(body) {
    const { TableName: table, Key, ConditionExpression, ...placeholders } = JSON.parse(body);
    checkCondition(ConditionExpression, findTable(table).get(keyOf(table, Key)), placeholders);
    return `{${countWrite(table, deleteItem(table, Key))}}`;
  },
  UpdateItem(body) {
    const {
      TableName: table,
      Key,
      UpdateExpression,
      ConditionExpression,
      ...placeholders
    } = JSON.parse(body);
    const row = findTable(table).get(keyOf(table, Key));
    checkCondition(ConditionExpression, row, placeholders);
    const item = applyUpdate(row ? JSON.parse(row.text) : Key, UpdateExpression, placeholders);
    return `{${countWrite(table, putItem(table, item))}}`;
  },
  Query(body) {
    const {
      TableName: table,
      KeyConditionExpression,
      ConsistentRead,
      ...placeholders
    } = JSON.parse(body);
    const rows = findTable(table);
    const matches = rows
      .keysAfter(undefined, Number.POSITIVE_INFINITY)
      .sort()
      .map((key) => rows.get(key) as Row)
      .filter(({ text }) => holdsCondition(KeyConditionExpression, JSON.parse(text), placeholders));
    const bytes = matches.reduce((sum, row) => sum + row.bytes, 0);
    return `{"Items":${rowsText(matches)},${countRead(table, readUnits(bytes, ConsistentRead))}}`;
  },
  Scan(body) {
    const { TableName: table, Limit, ExclusiveStartKey, ...options } = JSON.parse(body);
    const rows = findTable(table);
    const from = ExclusiveStartKey && keyOf(table, ExclusiveStartKey);
    const keys = rows.keysAfter(from, Limit ?? 1000);
    const items = keys.map((key) => JSON.parse(rows.get(key)?.text ?? "{}") as Attributes);
    const bytes = keys.reduce((sum, key) => sum + (rows.get(key)?.bytes ?? 0), 0);
    const onlyKey = (item: Attributes) =>
      Object.fromEntries(keyNames(table).map((name) => [name, item[name]]));
    const last = items.at(-1);
    return JSON.stringify({
      // Projections always name only the key.
      Items: options.ProjectionExpression ? items.map(onlyKey) : items,
      ...(last && keys.length === (Limit ?? 1000) ? { LastEvaluatedKey: onlyKey(last) } : {}),
      ...JSON.parse(`{${countRead(table, readUnits(bytes, options.ConsistentRead ?? false))}}`),
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

function answerRequest(action: string, body: string): { status: number; text: string } {
  try {
    const handleAction = actions[action];
    if (!handleAction) throw new Error(`the stub does not know ${action}`);
    return { status: 200, text: handleAction(body) };
  } catch (error) {
    const { message } = error as Error;
    const type = error instanceof ConditionError ? message : "ValidationException";
    return { status: 400, text: JSON.stringify({ __type: `stub#${type}`, message }) };
  }
}

startServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? "", "http://stub");
  if (request.method === "GET") {
    if (pathname === "/control") applySettings(searchParams);
    response.end(readCounts());
    return;
  }
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    const action = String(request.headers["x-amz-target"]).split(".")[1] ?? "";
    const { status, text } = answerRequest(action, Buffer.concat(chunks).toString("latin1"));
    answerAfter(latencyMs, () => {
      response.writeHead(status, { "content-type": "application/x-amz-json-1.0" });
      response.end(text, "latin1");
    });
  });
});
