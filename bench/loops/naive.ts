import { BatchWriteItemCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { Loop } from "../measure.ts";
import { forEachPage, splitBatches } from "./pages.ts";

/**
 * Converts values with the generality and the checks of @aws-sdk/util-dynamodb: sets, binaries, big
 * integers, and numbers beyond a double.
 */
function marshall(value: unknown): Record<string, unknown> {
  if (value === undefined) throw new Error("pass removeUndefinedValues");
  if (value === null) return { NULL: true };
  if (Array.isArray(value)) return { L: value.filter((item) => item !== undefined).map(marshall) };
  if (value instanceof Set) return { SS: [...value] };
  if (value instanceof Uint8Array) return { B: value };
  if (value instanceof Map) return { M: marshallMembers([...value]) };
  if (typeof value === "boolean" || value instanceof Boolean) return { BOOL: value.valueOf() };
  if (typeof value === "number" || value instanceof Number) return marshallNumber(value.valueOf());
  if (typeof value === "bigint") return { N: value.toString() };
  if (typeof value === "string" || value instanceof String) return { S: value.toString() };
  if (value.constructor === Object) return { M: marshallMembers(Object.entries(value)) };
  throw new Error(`unsupported: ${value.constructor.name}`);
}

function marshallMembers(entries: [string, unknown][]) {
  return Object.fromEntries(
    entries
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [name, marshall(value)]),
  );
}

function marshallNumber(value: number) {
  const isOutside = value > Number.MAX_SAFE_INTEGER || value < Number.MIN_SAFE_INTEGER;
  if (!Number.isFinite(value) || isOutside) throw new Error(`pass ${value} as a text`);
  return { N: value.toString() };
}

/** A beginner's script: the global fetch, the SDK's defaults, a batch at a time. */
export const runNaiveLoop: Loop = async ({ api, dynamodb }) => {
  const client = new DynamoDBClient({ endpoint: dynamodb });
  const records = await forEachPage(
    async (query) => (await (await fetch(api + query)).json()) as never,
    async (data) => {
      for (const batch of splitBatches(data)) {
        const puts = batch.map((record) => ({
          PutRequest: { Item: marshall({ ...record, id: String(record.id) }).M as never },
        }));
        await client.send(new BatchWriteItemCommand({ RequestItems: { naive: puts } }));
      }
    },
  );
  client.destroy();
  return records;
};
