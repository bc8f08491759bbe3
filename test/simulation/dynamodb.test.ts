import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import { describe, expect, it } from "vitest";
import { openDynamodb } from "./dynamodb.ts";
import type { Item } from "./expressions.ts";

const table = {
  KeySchema: [
    { AttributeName: "pk", KeyType: "HASH" as const },
    { AttributeName: "sk", KeyType: "RANGE" as const },
  ],
  AttributeDefinitions: [
    { AttributeName: "pk", AttributeType: "S" as const },
    { AttributeName: "sk", AttributeType: "S" as const },
  ],
};
const TableName = "t";
const Key = { pk: { S: "a" }, sk: { S: "b" } };

function open(items: Item[] = []) {
  const dynamodb = openDynamodb(
    { [TableName]: table },
    { now: () => 0, readsOld: () => false, changed: () => {} },
  );
  for (const Item of items) dynamodb.execute("PutItem", { TableName, Item });
  return dynamodb;
}

const put = (item: Item) => ({ PutRequest: { Item: item } });
const item = (n: number, more: Item = {}): Item => ({ pk: { S: "p" }, sk: { S: `${n}` }, ...more });
const batch = (items: Item[]) => ({ RequestItems: { [TableName]: items.map(put) } });
const nested = (depth: number): AttributeValue =>
  depth === 0 ? { S: "x" } : { L: [nested(depth - 1)] };

describe("the simulated DynamoDB is as strict as AWS", () => {
  const refused: [what: string, items: Item[]][] = [
    ["26 items", Array.from({ length: 26 }, (_, n) => item(n))],
    ["the same key twice", [item(1), item(1)]],
    ["no item", []],
    ["a missing key", [{ pk: { S: "p" } }]],
    ["a key of another type", [{ pk: { N: "1" }, sk: { S: "1" } }]],
    ["an empty key", [{ pk: { S: "" }, sk: { S: "1" } }]],
    ["a hash key over 2,048 bytes", [{ pk: { S: "é".repeat(1025) }, sk: { S: "1" } }]],
    ["a range key over 1,024 bytes", [{ pk: { S: "p" }, sk: { S: "x".repeat(1025) } }]],
    ["an item over 400 KB", [item(1, { text: { S: "x".repeat(400 * 1024) } })]],
    ["39 digits", [item(1, { n: { N: "1".repeat(39) } })]],
    ["a number out of range", [item(1, { n: { N: "1e126" } })]],
    ["nesting beyond 32 levels", [item(1, { deep: nested(33) })]],
    ["half of a surrogate pair", [item(1, { text: { S: "\ud800" } })]],
  ];
  it.each(refused)("the simulated DynamoDB refuses a whole batch with %s", (_, items) => {
    const dynamodb = open();
    const call = () => dynamodb.execute("BatchWriteItem", batch([...items]));
    expect(call).toThrow(expect.objectContaining({ name: "ValidationException" }));
    expect(dynamodb.items(TableName)).toEqual([]);
  });

  it("the simulated DynamoDB accepts values at the limits", () => {
    const dynamodb = open();
    const items = Array.from({ length: 25 }, (_, n) => item(n, { n: { N: "9".repeat(38) } }));
    dynamodb.execute("BatchWriteItem", batch([...items.slice(0, 24), item(99, { d: nested(32) })]));
    expect(dynamodb.items(TableName)).toHaveLength(25);
  });

  it("the simulated DynamoDB refuses an unknown table", () => {
    expect(() => open().execute("GetItem", { TableName: "other", Key })).toThrow(
      expect.objectContaining({ name: "ResourceNotFoundException" }),
    );
  });

  const stored = { ...Key, n: { N: "10" }, text: { S: "abc" } };
  const conditions: [condition: string, holds: boolean][] = [
    ["attribute_exists(#n)", true],
    ["attribute_not_exists(#n)", false],
    ["NOT attribute_exists(#n)", false],
    ["#n = :ten", true],
    ["#n <> :ten", false],
    ["#n < :ten OR #n >= :ten AND attribute_exists(pk)", true],
    ["(#n < :ten OR #n >= :ten) AND attribute_exists(gone)", false],
    ["#n BETWEEN :ten AND :ten", true],
    ["gone = :ten", false],
    ["gone < :ten", false],
    ["#n IN (:ten)", true],
  ];
  it.each(conditions)("the simulated DynamoDB evaluates the condition %s as %s", (text, holds) => {
    const dynamodb = open([stored]);
    const names = text.includes("#n") ? { "#n": "n" } : {};
    const values = text.includes(":ten") ? { ":ten": { N: "10.0" } } : {};
    const call = () =>
      dynamodb.execute("DeleteItem", {
        TableName,
        Key,
        ConditionExpression: text,
        ExpressionAttributeNames: names,
        ExpressionAttributeValues: values,
        ReturnValuesOnConditionCheckFailure: "ALL_OLD",
      });
    if (holds) return expect(call()).toEqual({});
    expect(call).toThrow(
      expect.objectContaining({ name: "ConditionalCheckFailedException", Item: stored }),
    );
  });

  it("the simulated DynamoDB updates with SET, sums, REMOVE and ADD, and creates missing items", () => {
    const dynamodb = open([stored]);
    const update = (UpdateExpression: string, Key_ = Key) =>
      dynamodb.execute("UpdateItem", {
        TableName,
        Key: Key_,
        UpdateExpression,
        ExpressionAttributeValues: { ":one": { N: "1" } },
        ReturnValues: "ALL_NEW",
      });
    expect(update("SET n = n + :one, m = :one REMOVE text")).toEqual({
      Attributes: { ...Key, n: { N: "11" }, m: { N: "1" } },
    });
    const other = { pk: { S: "new" }, sk: { S: "item" } };
    expect(update("ADD n :one", other)).toEqual({ Attributes: { ...other, n: { N: "1" } } });
  });

  it("the simulated DynamoDB refuses an expression with an unused name", () => {
    expect(() =>
      open().execute("UpdateItem", {
        TableName,
        Key,
        UpdateExpression: "SET n = :one",
        ExpressionAttributeValues: { ":one": { N: "1" }, ":two": { N: "2" } },
      }),
    ).toThrow("unused");
  });

  it("the simulated DynamoDB reads page by page in the order of keys", () => {
    const dynamodb = open(Array.from({ length: 70 }, (_, n) => item(n + 100)));
    const found: string[] = [];
    let ExclusiveStartKey: Item | undefined;
    let pages = 0;
    do {
      const page = dynamodb.execute("Query", {
        TableName,
        KeyConditionExpression: "pk = :p AND begins_with(sk, :one)",
        ExpressionAttributeValues: { ":p": { S: "p" }, ":one": { S: "1" } },
        ...(ExclusiveStartKey ? { ExclusiveStartKey } : {}),
      }) as { Items: Item[]; LastEvaluatedKey?: Item };
      found.push(...page.Items.map(({ sk }) => sk?.S ?? ""));
      ExclusiveStartKey = page.LastEvaluatedKey;
      pages += 1;
    } while (ExclusiveStartKey);
    expect(found).toEqual(Array.from({ length: 70 }, (_, n) => String(n + 100)));
    expect(pages).toBe(3);
  });
});
