import { BatchWriteItemCommand } from "@aws-sdk/client-dynamodb";
import { dynamodbClient } from "@tidetable/core/internal";
import { Agent, request } from "undici";
import type { Loop } from "../measure.ts";
import { forEachPage, splitBatches } from "./pages.ts";

type Attribute = Record<string, unknown>;

function toAttribute(value: unknown): Attribute {
  if (value === null) return { NULL: true };
  if (typeof value === "string") return { S: value };
  if (typeof value === "number") return { N: String(value) };
  if (typeof value === "boolean") return { BOOL: value };
  if (Array.isArray(value)) return { L: value.map(toAttribute) };
  return { M: toAttributes(value as object) };
}

function toAttributes(record: object): Record<string, Attribute> {
  const item: Record<string, Attribute> = {};
  for (const [name, value] of Object.entries(record)) item[name] = toAttribute(value);
  return item;
}

/**
 * A tuned script: undici, JSON.parse, a simple converter, and four batches at once through the SDK's
 * client with minimal settings. No retries, checks, checkpoints or limits.
 */
export const runTunedLoop: Loop = async ({ api, dynamodb }) => {
  const dispatcher = new Agent();
  const client = dynamodbClient({ endpoint: dynamodb });
  const records = await forEachPage(
    async (query) => JSON.parse(await (await request(api + query, { dispatcher })).body.text()),
    (data) => {
      const puts = data.map((record) => ({
        PutRequest: { Item: { ...toAttributes(record), id: { S: String(record.id) } } },
      }));
      return Promise.all(
        splitBatches(puts).map((batch) =>
          client.send(
            // The SDK's union type does not accept a map, but the wire format does.
            new BatchWriteItemCommand({ RequestItems: { tuned: batch as never } }),
          ),
        ),
      );
    },
    { ahead: true },
  );
  client.destroy();
  await dispatcher.close();
  return records;
};
