import { rest_api_source } from "@tidetable/core";
import { createScheduler } from "../../functions/schedule.ts";
import { type Figure, interleaved, median, type Scale, timed } from "../measure.ts";
import { startStub } from "../stubs.ts";

const SOURCES = 4;
const RESOURCES = 50;

/** From one event of the schedule until each of 200 resources has been handed to a worker. */
export async function fanOut(_: unknown, { rounds }: Scale): Promise<Figure[]> {
  const lambda = await startStub("lambda");
  process.env.AWS_ENDPOINT_URL_LAMBDA = lambda.url;
  const resources = Array.from({ length: RESOURCES }, (_, n) => `resource_${n}`);
  const source = rest_api_source({ client: { base_url: "https://api.example.com" }, resources });
  const sources = Object.fromEntries(
    Array.from({ length: SOURCES }, (_, n) => [`source_${n}`, source]),
  );
  const silent = { debug() {}, info() {}, warn() {}, error() {} };
  const handler = createScheduler({ sources, log: silent });
  const context = { awsRequestId: "bench", getRemainingTimeInMillis: () => 60_000 };
  const samples = await interleaved(rounds, {
    all: async () => (await timed(() => handler({}, context as never))).seconds,
  });
  const invoked = Number(await (await fetch(`${lambda.url}/invoked`)).text());
  lambda.stop();
  const wanted = SOURCES * RESOURCES;
  if (invoked !== wanted) throw new Error(`wrong result: ${invoked} workers of ${wanted}`);
  const value = median(samples.all);
  return [
    {
      ...{ id: "fan-out", name: `fan-out of ${wanted} resources by one event`, unit: "s" },
      ...{ value, baseline: 10, ratio: value / 10 },
      target: { most: 1 },
    },
  ];
}
