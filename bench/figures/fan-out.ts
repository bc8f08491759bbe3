import { rest_api_source } from "@tidetable/core";
import { scheduler } from "@tidetable/core/lambda";
import { type Figure, measureTime, median, runInterleaved, type Scale } from "../measure.ts";
import { startStub } from "../stubs.ts";

const SOURCE_COUNT = 4;
const RESOURCE_COUNT = 250;

/** Measures the time from a schedule's event until 1,000 workers have been invoked. */
export async function measureFanOut(_: unknown, { rounds }: Scale): Promise<Figure[]> {
  const lambda = await startStub("lambda");
  process.env.AWS_ENDPOINT_URL_LAMBDA = lambda.url;
  const resources = Array.from({ length: RESOURCE_COUNT }, (_, n) => `resource_${n}`);
  const source = rest_api_source({ client: { base_url: "https://api.example.com" }, resources });
  const sources = Object.fromEntries(
    Array.from({ length: SOURCE_COUNT }, (_, n) => [`source_${n}`, source]),
  );
  const silent = { debug() {}, info() {}, warn() {}, error() {} };
  const handler = scheduler({ sources, log: silent });
  const context = { awsRequestId: "bench", getRemainingTimeInMillis: () => 60_000 };
  const samples = await runInterleaved(rounds, {
    all: async () => (await measureTime(() => handler({}, context as never))).seconds,
  });
  const invokedCount = Number(await (await fetch(`${lambda.url}/invoked`)).text());
  lambda.stop();
  const expectedCount = SOURCE_COUNT * RESOURCE_COUNT;
  if (invokedCount !== expectedCount) {
    throw new Error(`wrong result: ${invokedCount} workers of ${expectedCount}`);
  }
  const value = median(samples.all);
  return [
    {
      ...{ id: "fan-out", name: `fan-out of ${expectedCount} resources by one event`, unit: "s" },
      ...{ value, baseline: 10, ratio: value / 10 },
      target: { most: 1 },
    },
  ];
}
