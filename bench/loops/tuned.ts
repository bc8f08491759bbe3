import { BatchWriteItemCommand } from "@aws-sdk/client-dynamodb";
import { dynamodbClient } from "@tidetable/core";
import { Agent, request } from "undici";
import type { Loop } from "../measure.ts";
import { batches, eachPage } from "./pages.ts";

type Attribute = Record<string, unknown>;

function attribute(value: unknown): Attribute {
  if (value === null) return { NULL: true };
  if (typeof value === "string") return { S: value };
  if (typeof value === "number") return { N: String(value) };
  if (typeof value === "boolean") return { BOOL: value };
  if (Array.isArray(value)) return { L: value.map(attribute) };
  return { M: attributes(value as object) };
}

function attributes(record: object): Record<string, Attribute> {
  const item: Record<string, Attribute> = {};
  for (const [name, value] of Object.entries(record)) item[name] = attribute(value);
  return item;
}

/**
 * What a tuned script would do and no more: undici, JSON.parse, a converter of its own, four batches
 * at once through the SDK's client in its leanest setting. No retries, checks, checkpoints or limits.
 */
export const tuned: Loop = async ({ api, dynamodb }) => {
  const dispatcher = new Agent();
  const client = dynamodbClient({ endpoint: dynamodb });
  const records = await eachPage(
    async (query) => JSON.parse(await (await request(api + query, { dispatcher })).body.text()),
    (data) => {
      const puts = data.map((one) => ({
        PutRequest: { Item: { ...attributes(one), id: { S: String(one.id) } } },
      }));
      return Promise.all(
        batches(puts).map((batch) =>
          client.send(
            // The stub takes what the wire takes; the SDK's union type asks for more than a map.
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
