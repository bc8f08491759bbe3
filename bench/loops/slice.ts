import { rest_api_source } from "@tidetable/core";
import {
  createSecretsManager,
  dynamodbClient,
  handleWorkerEvent,
  httpAgent,
  type Log,
  type ResourceReport,
  realClock,
} from "@tidetable/core/internal";
import { PAGE_SIZE, type Stubs } from "../stubs.ts";

const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} };

/** The stub's records and the kind of run. */
export interface RunOptions {
  path?: "/records" | "/flawed";
  refresh?: boolean;
  pages?: number;
  writes?: "always" | "compare" | "fingerprints";
}

/** Runs tidetable's worker, from an event to a report. */
export async function runSlice(
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
          paginator: { type: "offset", limit: PAGE_SIZE },
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
        log: silentLog,
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

export const sliceLoop =
  (options: RunOptions = {}) =>
  async (stubs: Stubs): Promise<number> =>
    (await runSlice(stubs, options)).records;
