import type { Context } from "aws-lambda";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { openSecretsEndpoint } from "../packages/cli/src/secrets/secrets-endpoint.ts";
import { planSource } from "../packages/core/src/config/plan.ts";
import { dlt, rest_api_source } from "../packages/core/src/config/source.ts";
import { stateTable, tableDefinition } from "../packages/core/src/dynamodb/tables.ts";
import { offsetPages, openApi } from "./support/api.ts";
import { type Engine, startDynamodb } from "./support/dynamodb.ts";

// Calls the handlers as AWS does: the environment is their only configuration.

const KEY = "canary-8c21f0";
const lambdaContext = (awsRequestId: string) =>
  ({
    awsRequestId,
    logStreamName: "2026/11/21/[$LATEST]abc",
    functionName: "worker",
    memoryLimitInMB: "512",
    invokedFunctionArn: "arn:aws:lambda:eu-west-1:123456789012:function:worker",
    getRemainingTimeInMillis: () => 60_000,
  }) as Context;

const createSource = (origin: string) =>
  rest_api_source({
    client: {
      base_url: origin,
      auth: { type: "api_key", name: "key", api_key: dlt.secrets["api_key"], location: "query" },
    },
    resource_defaults: { primary_key: "id", write_disposition: "merge" },
    resources: ["notes", "tasks"].map((name) => ({
      name,
      endpoint: { data_selector: "data", paginator: { type: "offset" as const, limit: 100 } },
    })),
  });

let engine: Engine;
let secretsEndpoint: Awaited<ReturnType<typeof openSecretsEndpoint>>;
const requestedSecrets: string[] = [];

beforeAll(async () => {
  engine = await startDynamodb();
  secretsEndpoint = await openSecretsEndpoint(async (id) => {
    requestedSecrets.push(id);
    return { api_key: KEY };
  });
  Object.assign(process.env, {
    AWS_REGION: "us-east-1",
    AWS_ACCESS_KEY_ID: "test",
    AWS_SECRET_ACCESS_KEY: "test",
    AWS_ENDPOINT_URL_DYNAMODB: engine.endpoint,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: secretsEndpoint.endpoint,
    TIDETABLE_APP: "tidetable",
    TIDETABLE_STAGE: "test",
  });
});
afterAll(async () => {
  await secretsEndpoint.close();
  await engine.close();
});

/** Returns the lines that are printed while `action` runs. */
async function captureLines(action: () => Promise<unknown>): Promise<string[]> {
  const lines: string[] = [];
  const spies = [process.stdout, process.stderr].map((stream) =>
    vi.spyOn(stream, "write").mockImplementation((text) => {
      lines.push(...String(text).trim().split("\n"));
      return true;
    }),
  );
  await action().finally(() => {
    for (const spy of spies) spy.mockRestore();
  });
  return lines;
}

it("the schedule function starts one invocation per resource, and a second delivery starts no other run (P7)", async () => {
  const { scheduler } = await import("../packages/core/src/lambda/scheduler.ts");
  const sources = { desk: createSource("http://127.0.0.1:9") };
  const silentLog = { debug() {}, info() {}, warn() {}, error() {} };
  const workerEvents: object[] = [];
  const invoke = async (event: object) => void workerEvents.push(event);
  const handler = scheduler({ sources, invoke, log: silentLog });
  const tick = { source: "desk", time: "2026-11-21T02:00:00Z" };

  const answer = await handler(tick, lambdaContext("first"));
  expect(answer).toEqual({
    run_id: "2026-11-21T02:00:00Z",
    started: [
      { source: "desk", resource: "notes" },
      { source: "desk", resource: "tasks" },
    ],
  });
  expect(await handler(tick, lambdaContext("second"))).toEqual(answer);
  expect(workerEvents.slice(0, 2)).toEqual(workerEvents.slice(2));

  workerEvents.length = 0;
  await handler({ source: "desk", resources: ["tasks"] }, lambdaContext("console"));
  const run_id = "console/tasks";
  expect(workerEvents).toEqual([{ source: "desk", resource: "tasks", run_id }]);
});

it.each([
  [{ sourc: "desk" }, /unknown field "sourc".*; send \{\}/],
  [{ source: "dsk" }, /no source "dsk"/],
  [{ source: "desk", resources: ["task"] }, /no resource "task"/],
  [{ resources: ["tasks"] }, /needs a "source"/],
  ["desk", /JSON object/],
  [{ source: "desk", base_url: "https://evil.example" }, /unknown field "base_url"/],
])("the schedule function refuses %j with a message that shows the right event", async (event, message) => {
  const { scheduler } = await import("../packages/core/src/lambda/scheduler.ts");
  const sources = { desk: createSource("http://127.0.0.1:9") };
  const invoke = vi.fn();
  const answer = scheduler({ sources, invoke })(event, lambdaContext("wrong"));
  await expect(answer).rejects.toThrow(message);
  expect(invoke).not.toHaveBeenCalled();
});

it("a worker fills its table and logs one JSON line per entry, without the key", async () => {
  const rows = Array.from({ length: 150 }, (_, n) => ({ id: `n${n}`, text: "note" }));
  let isThrottling = true;
  const api = await openApi((request, response) => {
    if (request.query.get("key") !== KEY) return { status: 401 };
    if (!isThrottling) return offsetPages(rows)(request, response);
    isThrottling = false;
    return { status: 429, headers: { "retry-after": "1" } };
  });
  const desk = createSource(api.url);
  for (const resource of planSource(desk, "desk").resources) {
    await engine.createTables({
      "tidetable-test-state": stateTable,
      [`tidetable-test-desk.${resource.name}`]: tableDefinition(resource),
    });
  }
  const { worker } = await import("../packages/core/src/lambda/worker.ts");
  const event = { source: "desk", resource: "notes", run_id: "r1" };
  const invoke = worker({ sources: { desk } });
  const lines = await captureLines(() => invoke(event, lambdaContext("q1")));
  expect(await engine.scan("tidetable-test-desk.notes")).toHaveLength(150);
  expect(requestedSecrets).toEqual(["tidetable/test/desk"]);

  const entries = lines.map((line) => JSON.parse(line));
  expect(entries).toMatchObject([
    {
      level: "WARN",
      message: "GET /notes answered 429; retry 1 of 3 in 1.0 s",
      source: "desk",
      resource: "notes",
      function_request_id: "q1",
    },
    { level: "INFO", message: "done", report: { status: "done", records: 150, retries: 1 } },
  ]);
  expect(lines.join()).not.toContain(KEY);
});

it("a failed run makes the worker throw, so that Lambda tries again (P18)", async () => {
  const api = await openApi(() => ({ body: { rows: [] } }));
  const { worker } = await import("../packages/core/src/lambda/worker.ts");
  const invoke = worker({ sources: { desk: createSource(api.url) } });
  const event = { source: "desk", resource: "tasks", run_id: "r1" };
  let failure: unknown;
  const lines = await captureLines(() =>
    Promise.resolve(invoke(event, lambdaContext("q2"))).catch((error) => {
      failure = error;
    }),
  );
  expect(failure).toMatchObject({
    name: "RunError",
    message: expect.stringMatching(/^desk\.tasks: .*"data".*rows.*; set data_selector/),
    report: { status: "failed", error: { code: "extract.selector" } },
  });
  expect(JSON.parse(lines[0] ?? "")).toMatchObject({ level: "ERROR", source: "desk" });
});

it("a worker sends requests to another origin only in local mode, whatever the environment says (P16)", async () => {
  const api = await openApi(offsetPages([]));
  const { worker } = await import("../packages/core/src/lambda/worker.ts");
  vi.stubEnv("TIDETABLE_ORIGIN_DESK", api.url);
  vi.stubEnv("AWS_ENDPOINT_URL_DYNAMODB", undefined);
  const invoke = worker({ sources: { desk: createSource("https://api.example.com") } });
  const event = { source: "desk", resource: "tasks", run_id: "r2" };
  const lines = await captureLines(() =>
    expect(invoke(event, lambdaContext("q3"))).rejects.toMatchObject({ code: "config.origin" }),
  );
  vi.unstubAllEnvs();
  expect(lines).toEqual([]);
  expect(api.requests).toHaveLength(0);
});

it.each([
  ["http://127.0.0.1:9", undefined, "extract.insecure"],
  ["https://localhost:9", undefined, "extract.address"],
  ["https://10.255.255.1:9", undefined, "extract.address"],
  ["https://169.254.169.254", "vpc", "extract.address"],
])("a worker whose DynamoDB is not on this machine does not request %s (P16)", async (origin, network, code) => {
  const { endpoint } = engine;
  // The SDK still finds the engine, but the worker does not see the address.
  vi.stubEnv("AWS_ENDPOINT_URL", endpoint);
  vi.stubEnv("AWS_ENDPOINT_URL_DYNAMODB", undefined);
  vi.stubEnv("TIDETABLE_NETWORK", network);
  // The module keeps its connections, so the test needs a new module.
  vi.resetModules();
  const sourceModule = await import("../packages/core/src/config/source.ts");
  const { worker } = await import("../packages/core/src/lambda/worker.ts");
  const desk = sourceModule.rest_api_source({
    client: { base_url: origin },
    resource_defaults: { primary_key: "id", write_disposition: "merge" },
    resources: ["tasks"],
  });
  const invoke = worker({ sources: { desk } });
  const event = { source: "desk", resource: "tasks", run_id: `r-${origin}` };
  let failure: unknown;
  await captureLines(() =>
    Promise.resolve(invoke(event, lambdaContext("q4"))).catch((error) => {
      failure = error;
    }),
  );
  vi.unstubAllEnvs();
  expect(failure).toMatchObject({ report: { requests: 1, error: { code } } });
});
