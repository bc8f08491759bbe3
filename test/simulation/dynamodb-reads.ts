import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import { invalid } from "./dynamodb-errors.ts";
import { keyOf } from "./dynamodb-rules.ts";
import type { Table } from "./dynamodb-table.ts";
import { compare, compiler, type Item } from "./expressions.ts";

export interface ReadRequest {
  TableName: string;
  KeyConditionExpression?: string;
  FilterExpression?: string;
  ProjectionExpression?: string;
  ExpressionAttributeNames?: Record<string, string>;
  ExpressionAttributeValues?: Record<string, AttributeValue>;
  ExclusiveStartKey?: Item;
  Limit?: number;
  Select?: string;
  ScanIndexForward?: boolean;
  ConsistentRead?: boolean;
  ReturnConsumedCapacity?: string;
}

/** DynamoDB ends a page after 1 MB; here after so many items, so that small tables have pages too. */
const PAGE_ITEMS = 30;

/** Query and Scan: in key order, a page at a time; Limit counts what was looked at, not what was found. */
export function readPage(
  kind: "Query" | "Scan",
  request: ReadRequest,
  table: Table,
  read: (table: Table, key: string) => Item | undefined,
): object {
  const words = {
    names: request.ExpressionAttributeNames,
    values: request.ExpressionAttributeValues,
  };
  const expressions = compiler(words);
  if (kind === "Query" && !request.KeyConditionExpression) throw invalid("no key condition");
  const within = expressions.condition(request.KeyConditionExpression);
  const filter = expressions.condition(request.FilterExpression);
  const attributes = expressions.projection(request.ProjectionExpression);
  expressions.done();

  const items = [...table.slots.keys()]
    .map((key) => read(table, key))
    .filter((item) => item !== undefined)
    .filter(within)
    .sort((a, b) => inOrder(a, b, table));
  if (request.ScanIndexForward === false) items.reverse();

  const { ExclusiveStartKey: after } = request;
  const passed = (item: Item) =>
    after === undefined ||
    (request.ScanIndexForward === false
      ? inOrder(item, after, table) < 0
      : inOrder(item, after, table) > 0);
  const rest = items.filter(passed);
  const seen = rest.slice(0, Math.min(request.Limit ?? PAGE_ITEMS, PAGE_ITEMS));
  const found = seen.filter(filter);
  const last = seen.at(-1);
  return {
    Count: found.length,
    ScannedCount: seen.length,
    ...(request.Select === "COUNT" ? {} : { Items: found.map((item) => only(item, attributes)) }),
    ...(last && seen.length < rest.length ? { LastEvaluatedKey: keyAttributes(last, table) } : {}),
    ...(request.ReturnConsumedCapacity
      ? { ConsumedCapacity: { TableName: request.TableName, CapacityUnits: seen.length / 2 } }
      : {}),
  };
}

function inOrder(a: Item, b: Item, table: Table): number {
  const { KeySchema } = table;
  const [hash, range] = KeySchema.map(({ AttributeName }) => AttributeName ?? "");
  const first = keyOf(a, { ...table, KeySchema: KeySchema.slice(0, 1) });
  const second = keyOf(b, { ...table, KeySchema: KeySchema.slice(0, 1) });
  // Any fixed order will do for hash keys, as long as it is not the order of insertion.
  const [left, right] = [first, second].map((text) => [...text].reverse().join(""));
  if (hash && left !== right) return (left ?? "") < (right ?? "") ? -1 : 1;
  const [from, to] = [range && a[range], range && b[range]];
  return from && to ? (compare(from, to) ?? 0) : 0;
}

const keyAttributes = (item: Item, { KeySchema }: Table): Item =>
  only(
    item,
    KeySchema.map(({ AttributeName }) => AttributeName ?? ""),
  );

const only = (item: Item, attributes: string[] | undefined): Item =>
  attributes
    ? Object.fromEntries(Object.entries(item).filter(([name]) => attributes.includes(name)))
    : item;
