import {
  dynamodbClient,
  handleWorkerEvent,
  httpAgent,
  type Log,
  type ResourceReport,
  realClock,
  rest_api_source,
  createSecretsManager,
} from "@tidetable/core";
import { PAGE, type Stubs } from "../stubs.ts";

const silent: Log = { debug() {}, info() {}, warn() {}, error() {} };

/** Which of the stub's records, and what kind of run. */
export interface RunOptions {
  path?: "/records" | "/flawed";
  refresh?: boolean;
  pages?: number;
  writes?: "always" | "compare" | "fingerprints";
}

/** The product, from an event to a report. */
export async function run(
  { api, dynamodb }: Stubs,
  { path = "/records", refresh = false, pages, writes }: RunOptions = {},
): Promise<ResourceReport> {
  const bench = rest_api_source({
    client: { base_url: api },
    resource_defaults: { primary_key: "id", write_disposition: refresh ? "replace" : "merge" },
    resources: [
      {
        name: "records",
        parallel_pages: pages ?? null,
        writes: writes ?? null,
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
  const report = await handleWorkerEvent(
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
        secretsManager: createSecretsManager(),
        http,
        origins: new Map(),
      },
    },
  );
  client.destroy();
  await http.close();
  return report;
}

export const slice =
  (options: RunOptions = {}) =>
  async (stubs: Stubs): Promise<number> =>
    (await run(stubs, options)).records;
