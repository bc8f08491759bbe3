import { type AttributeValue, type DynamoDBClient, paginateScan } from "@aws-sdk/client-dynamodb";
import type { Dynamodb } from "../../packages/core/src/base/world.ts";
import { dynamodbClient } from "../../packages/core/src/dynamodb/client.ts";
import { createTable, type TableDefinition } from "../../packages/core/src/dynamodb/tables.ts";
import { type Launch, launchDynalite } from "./engines.ts";

export interface Engine {
  endpoint: string;
  /** The client that production code uses. */
  dynamodb: DynamoDBClient & Dynamodb;
  createTables(definitions: Record<string, TableDefinition>): Promise<void>;
  /** All items of a table, as DynamoDB returns them. */
  scan(table: string): Promise<Record<string, AttributeValue>[]>;
  close(): Promise<void>;
}

/** Starts a real engine in memory, on a free port. Start one per test file. */
export async function startDynamodb(launch: Launch = launchDynalite): Promise<Engine> {
  const { endpoint, stop } = await launch();
  const dynamodb = clientOf(endpoint);
  return {
    endpoint,
    dynamodb,
    async createTables(definitions) {
      for (const [name, definition] of Object.entries(definitions)) {
        await createTable(dynamodb, name, definition);
      }
    },
    scan: (table) => scanTable(dynamodb, table),
    async close() {
      dynamodb.destroy();
      await stop();
    },
  };
}

export async function scanTable(client: DynamoDBClient, table: string) {
  const items: Record<string, AttributeValue>[] = [];
  const pages = paginateScan({ client }, { TableName: table, ConsistentRead: true });
  for await (const { Items = [] } of pages) items.push(...Items);
  return items;
}

/** How clients send batches. `test/dynamodb/sdk-writes.test.ts` repeats suites the other way. */
export const batches = { throughCommands: false };

/** A client for an endpoint on this machine, with worthless credentials. */
export function clientOf(endpoint: string, overrides: object = {}): DynamoDBClient & Dynamodb {
  const client: DynamoDBClient & Dynamodb = dynamodbClient({
    endpoint,
    region: "us-east-1",
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
    ...overrides,
  });
  if (batches.throughCommands) client.sendBatch = undefined;
  return client;
}
