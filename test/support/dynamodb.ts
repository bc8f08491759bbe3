import type { Server } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { type AttributeValue, type DynamoDBClient, paginateScan } from "@aws-sdk/client-dynamodb";
import { dynamodbClient } from "../../packages/core/src/load/client.ts";
import { createTable, type TableDefinition } from "../../packages/core/src/load/tables.ts";

// It has no types of its own.
const dynalite: (options: { createTableMs: number; deleteTableMs: number }) => Server =
  createRequire(import.meta.url)("dynalite");

export interface Engine {
  endpoint: string;
  /** The client that production code uses. */
  dynamodb: DynamoDBClient;
  createTables(definitions: Record<string, TableDefinition>): Promise<void>;
  /** Everything in a table, as DynamoDB returns it. */
  scan(table: string): Promise<Record<string, AttributeValue>[]>;
  close(): Promise<void>;
}

/** A real engine in memory, on a free port of its own. Start one per test file. */
export async function startDynamodb(): Promise<Engine> {
  const server = dynalite({ createTableMs: 0, deleteTableMs: 0 });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const endpoint = `http://127.0.0.1:${port}`;
  const dynamodb = clientOf(endpoint);
  return {
    endpoint,
    dynamodb,
    async createTables(definitions) {
      for (const [name, definition] of Object.entries(definitions)) {
        await createTable(dynamodb, name, definition);
      }
    },
    async scan(table) {
      const items: Record<string, AttributeValue>[] = [];
      const pages = paginateScan({ client: dynamodb }, { TableName: table, ConsistentRead: true });
      for await (const { Items = [] } of pages) items.push(...Items);
      return items;
    },
    async close() {
      dynamodb.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A client for an endpoint on this machine; nothing it signs is worth anything. */
export const clientOf = (endpoint: string, overrides: object = {}): DynamoDBClient =>
  dynamodbClient({
    endpoint,
    region: "us-east-1",
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
    ...overrides,
  });
