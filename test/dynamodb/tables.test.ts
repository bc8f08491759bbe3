import { PutItemCommand, QueryCommand } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ConfigError, WriteError } from "../../packages/core/src/base/errors.ts";
import type { IndexPlan, KeyPlan } from "../../packages/core/src/config/plan-types.ts";
import {
  checkTable,
  createTable,
  stateTable,
  tableDefinition,
} from "../../packages/core/src/dynamodb/tables.ts";
import { virtualClock } from "../support/clock.ts";
import { clientOf, type Engine, startDynamodb } from "../support/dynamodb.ts";
import { openFaultyDynamodb } from "../support/faulty-dynamodb.ts";

const names = { app: "tidetable", stage: "test" };
const byId: KeyPlan = { fields: ["id"], hash: { name: "id", type: "S" }, range: undefined };
const byTwo: KeyPlan = {
  fields: ["ticket", "line"],
  hash: { name: "ticket", type: "S" },
  range: { name: "line", type: "N" },
};
const byStatus: IndexPlan = {
  name: "by_status",
  hash: { name: "status", type: "S" },
  range: { name: "at", type: "N" },
  projection: "all",
};
const withIndexes = (...indexes: IndexPlan[]) =>
  tableDefinition({ key: byId, storage: { indexes } });
const resourceOf = (table: string, key = byId) => ({ source: "desk", table, key });

let engine: Engine;
const worldWith = (dynamodb = engine.dynamodb) => ({
  dynamodb,
  names,
  clock: virtualClock(),
  random: Math.random,
});
beforeAll(async () => {
  engine = await startDynamodb();
});
afterAll(() => engine.close());

describe("a table's definition", () => {
  it("a table's definition has the key of the plan", () => {
    expect(tableDefinition({ key: byTwo })).toEqual({
      KeySchema: [
        { AttributeName: "ticket", KeyType: "HASH" },
        { AttributeName: "line", KeyType: "RANGE" },
      ],
      AttributeDefinitions: [
        { AttributeName: "ticket", AttributeType: "S" },
        { AttributeName: "line", AttributeType: "N" },
      ],
    });
  });

  it("a table's definition has its indexes, and each attribute once", () => {
    const byId: IndexPlan = {
      name: "by_id",
      hash: { name: "id", type: "S" },
      range: { name: "at", type: "N" },
      projection: ["title"],
    };
    const keys: IndexPlan = {
      ...byStatus,
      name: "keys",
      range: undefined,
      projection: "keys-only",
    };
    const { AttributeDefinitions, GlobalSecondaryIndexes } = withIndexes(byStatus, byId, keys);
    expect(AttributeDefinitions.map(({ AttributeName: name }) => name)).toEqual([
      "id",
      "status",
      "at",
    ]);
    expect(GlobalSecondaryIndexes?.map(({ Projection }) => Projection)).toEqual([
      { ProjectionType: "ALL" },
      { ProjectionType: "INCLUDE", NonKeyAttributes: ["title"] },
      { ProjectionType: "KEYS_ONLY" },
    ]);
    expect(GlobalSecondaryIndexes?.[0]?.KeySchema).toEqual([
      { AttributeName: "status", KeyType: "HASH" },
      { AttributeName: "at", KeyType: "RANGE" },
    ]);
  });

  it("the key of the state table is pk and sk", () => {
    expect(stateTable.KeySchema.map((attribute) => attribute.AttributeName)).toEqual(["pk", "sk"]);
  });
});

describe("createTable", () => {
  it("createTable creates a table and accepts an existing one", async () => {
    const name = "tidetable-test-desk.created";
    await createTable(engine.dynamodb, name, tableDefinition({ key: byTwo }));
    await createTable(engine.dynamodb, name, tableDefinition({ key: byTwo }));
    const first = await checkTable(worldWith(), resourceOf("created", byTwo));
    const again = await checkTable(worldWith(), resourceOf("created", byTwo));
    expect(first.tableId).toMatch(/^[0-9a-f-]+$/);
    expect(again).toEqual(first);
  });

  it("createTable creates the indexes, and they can be queried", async () => {
    const definition = withIndexes(byStatus, {
      ...byStatus,
      name: "keys",
      projection: "keys-only",
    });
    expect(await createTable(engine.dynamodb, "indexed", definition)).toEqual({
      missingIndexes: [],
    });
    const puts = [1, 2].map((n) => ({
      id: { S: `${n}` },
      status: { S: "open" },
      at: { N: `${-n}` },
      title: { S: "x" },
    }));
    for (const Item of puts) {
      await engine.dynamodb.send(new PutItemCommand({ TableName: "indexed", Item }));
    }
    const queryIndex = async (IndexName: string) => {
      const command = new QueryCommand({
        TableName: "indexed",
        IndexName,
        KeyConditionExpression: "#status = :open",
        ExpressionAttributeNames: { "#status": "status" },
        ExpressionAttributeValues: { ":open": { S: "open" } },
      });
      return (await engine.dynamodb.send(command)).Items ?? [];
    };
    expect((await queryIndex("by_status")).map(({ id, title }) => [id?.S, title?.S])).toEqual([
      ["2", "x"],
      ["1", "x"],
    ]);
    expect(Object.keys((await queryIndex("keys"))[0] ?? {}).sort()).toEqual(["at", "id", "status"]);
  });

  it("createTable leaves an existing table as it is, and names the missing indexes", async () => {
    await createTable(engine.dynamodb, "older", withIndexes(byStatus));
    const definition = withIndexes(byStatus, { ...byStatus, name: "by_owner" });
    expect(await createTable(engine.dynamodb, "older", definition)).toEqual({
      missingIndexes: ["by_owner"],
    });
    expect(await createTable(engine.dynamodb, "older", withIndexes())).toEqual({
      missingIndexes: [],
    });
  });

  it("createTable waits until the table can be written", async () => {
    const proxy = await openFaultyDynamodb(engine.endpoint, ({ number, operation }) =>
      operation === "DescribeTable" && number < 4
        ? { kind: "answer", status: 200, body: '{"Table":{"TableStatus":"CREATING"}}' }
        : undefined,
    );
    const dynamodb = clientOf(proxy.endpoint);
    await createTable(dynamodb, "slow", tableDefinition({ key: byId }));
    expect(proxy.calls.map((call) => call.operation)).toEqual([
      "CreateTable",
      "DescribeTable",
      "DescribeTable",
      "DescribeTable",
    ]);
    dynamodb.destroy();
    await proxy.close();
  });
});

describe("checkTable, before a run", () => {
  it("checkTable names a missing table and how to create it", async () => {
    const check = checkTable(worldWith(), resourceOf("nowhere"));
    await expect(check).rejects.toBeInstanceOf(WriteError);
    await expect(check).rejects.toMatchObject({
      code: "load.table_missing",
      message: "the table tidetable-test-desk.nowhere does not exist",
      hint: expect.stringMatching(/npx sst deploy.*npx --no tidetable run/),
    });
  });

  it.each<[string, KeyPlan, string]>([
    ["another name", { ...byId, hash: { name: "uuid", type: "S" } }, "uuid (S)"],
    ["another type", { ...byId, hash: { name: "id", type: "N" } }, "id (N)"],
    ["an additional range key", { ...byId, range: { name: "n", type: "N" } }, "id (S), n (N)"],
  ])("checkTable compares a table's key with the plan and finds %s", async (_, key, expected) => {
    await createTable(engine.dynamodb, "tidetable-test-desk.keyed", tableDefinition({ key: byId }));
    const check = checkTable(worldWith(), resourceOf("keyed", key));
    await expect(check).rejects.toBeInstanceOf(ConfigError);
    await expect(check).rejects.toMatchObject({
      code: "load.table_key",
      message: `the table tidetable-test-desk.keyed has the key id (S), and the config asks for ${expected}`,
      hint: expect.stringContaining("another table_name"),
    });
  });

  it("checkTable refuses a table that is being deleted", async () => {
    const proxy = await openFaultyDynamodb(engine.endpoint, () => ({
      kind: "answer",
      status: 200,
      body: '{"Table":{"TableStatus":"DELETING"}}',
    }));
    const dynamodb = clientOf(proxy.endpoint);
    await expect(checkTable(worldWith(dynamodb), resourceOf("busy"))).rejects.toMatchObject({
      code: "load.table_status",
      message: "the table tidetable-test-desk.busy cannot be written: it is DELETING",
    });
    dynamodb.destroy();
    await proxy.close();
  });

  it("checkTable says that DynamoDB does not answer", async () => {
    const proxy = await openFaultyDynamodb(engine.endpoint, () => ({
      kind: "reset",
      when: "before",
    }));
    const dynamodb = clientOf(proxy.endpoint);
    await expect(checkTable(worldWith(dynamodb), resourceOf("any"))).rejects.toMatchObject({
      code: "load.failed",
      message: "DynamoDB did not describe the table tidetable-test-desk.any (ECONNRESET)",
    });
    dynamodb.destroy();
    await proxy.close();
  });
});
