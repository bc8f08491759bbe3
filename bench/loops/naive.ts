import { BatchWriteItemCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { Loop } from "../measure.ts";
import { batches, eachPage } from "./pages.ts";

/**
 * As general as @aws-sdk/util-dynamodb's, and as careful: sets, binaries, big integers, and numbers
 * that JavaScript does not hold.
 */
function marshall(value: unknown): Record<string, unknown> {
  if (value === undefined) throw new Error("pass removeUndefinedValues");
  if (value === null) return { NULL: true };
  if (Array.isArray(value)) return { L: value.filter((one) => one !== undefined).map(marshall) };
  if (value instanceof Set) return { SS: [...value] };
  if (value instanceof Uint8Array) return { B: value };
  if (value instanceof Map) return { M: members([...value]) };
  if (typeof value === "boolean" || value instanceof Boolean) return { BOOL: value.valueOf() };
  if (typeof value === "number" || value instanceof Number) return numeric(value.valueOf());
  if (typeof value === "bigint") return { N: value.toString() };
  if (typeof value === "string" || value instanceof String) return { S: value.toString() };
  if (value.constructor === Object) return { M: members(Object.entries(value)) };
  throw new Error(`unsupported: ${value.constructor.name}`);
}

function members(entries: [string, unknown][]) {
  return Object.fromEntries(
    entries.filter(([, one]) => one !== undefined).map(([name, one]) => [name, marshall(one)]),
  );
}

function numeric(value: number) {
  const isOutside = value > Number.MAX_SAFE_INTEGER || value < Number.MIN_SAFE_INTEGER;
  if (!Number.isFinite(value) || isOutside) throw new Error(`pass ${value} as a text`);
  return { N: value.toString() };
}

/** What a first script does: the global fetch, the SDK as it comes, one batch after another. */
export const naive: Loop = async ({ api, dynamodb }) => {
  const client = new DynamoDBClient({ endpoint: dynamodb });
  const records = await eachPage(
    async (query) => (await (await fetch(api + query)).json()) as never,
    async (data) => {
      for (const batch of batches(data)) {
        const puts = batch.map((one) => ({
          PutRequest: { Item: marshall({ ...one, id: String(one.id) }).M as never },
        }));
        await client.send(new BatchWriteItemCommand({ RequestItems: { naive: puts } }));
      }
    },
  );
  client.destroy();
  return records;
};
