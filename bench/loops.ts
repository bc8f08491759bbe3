import { BatchWriteItemCommand } from "@aws-sdk/client-dynamodb";
import {
  dynamodbClient,
  httpAgent,
  type Log,
  type ResourceReport,
  realClock,
  rest_api_source,
  secretsManagerClient,
  work,
} from "@tidetable/core";
import { Agent, request } from "undici";

export interface Stubs {
  api: string;
  dynamodb: string;
}

/** Reads everything from the stub API into the stub endpoint; says how many records it read. */
export type Loop = (stubs: Stubs) => Promise<number>;

export const PAGE = 100;
const silent: Log = { debug() {}, info() {}, warn() {}, error() {} };

/** Which of the stub's records, and what kind of run. */
export interface RunOptions {
  path?: "/records" | "/flawed";
  refresh?: boolean;
}

/** The product, from an event to a report. */
export async function run(
  { api, dynamodb }: Stubs,
  { path = "/records", refresh = false }: RunOptions = {},
): Promise<ResourceReport> {
  const bench = rest_api_source({
    client: { base_url: api },
    resource_defaults: { primary_key: "id", write_disposition: refresh ? "replace" : "merge" },
    resources: [
      {
        name: "records",
        endpoint: {
          path,
          data_selector: "data",
          paginator: { type: "offset", limit: PAGE },
        },
      },
    ],
  });
  const http = httpAgent("machine");
  const client = dynamodbClient({ endpoint: dynamodb });
  const report = await work(
    { source: "bench", resource: "records", run_id: `${Math.random()}` },
    {
      sources: { bench },
      invocation: "bench",
      localOrigin: () => ({ override: undefined, dynamodbEndpoint: dynamodb }),
      world: {
        names: { app: "tidetable", stage: "bench" },
        clock: realClock,
        random: Math.random,
        log: silent,
        signal: new AbortController().signal,
        deadline: Number.POSITIVE_INFINITY,
        dynamodb: client,
        secretsManager: secretsManagerClient(),
        http,
        origins: new Map(),
      },
    },
  );
  client.destroy();
  await http.close();
  return report;
}

export const slice: Loop = async (stubs) => (await run(stubs)).records;

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
 * What a tuned script would do and no more: undici, JSON.parse, a converter, four batches at once
 * through the same SDK client. No retries, no checks, no checkpoint, no limits.
 */
export const bare: Loop = async ({ api, dynamodb }) => {
  const http = new Agent();
  const client = dynamodbClient({ endpoint: dynamodb });
  let records = 0;
  for (let offset = 0; ; ) {
    const { body } = await request(`${api}/records?offset=${offset}&limit=${PAGE}`, {
      dispatcher: http,
    });
    const { data } = JSON.parse(await body.text()) as { data: { id: number }[] };
    if (data.length === 0) break;
    const puts = data.map((one) => ({
      PutRequest: { Item: { ...attributes(one), id: { S: String(one.id) } } },
    }));
    const batches = [];
    for (let at = 0; at < puts.length; at += 25) batches.push(puts.slice(at, at + 25));
    await Promise.all(
      batches.map((batch) =>
        client.send(
          // The stub takes what the wire takes; the SDK's union type asks for more than a map.
          new BatchWriteItemCommand({ RequestItems: { bare: batch as never } }),
        ),
      ),
    );
    records += data.length;
    offset += data.length;
  }
  client.destroy();
  await http.close();
  return records;
};
