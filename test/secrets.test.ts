import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { safeStream } from "../packages/cli/src/base/io.ts";
import { createSecretLookup } from "../packages/cli/src/secrets/local-secrets.ts";
import type { EndpointConfig } from "../packages/core/src/config/endpoint-types.ts";
import { dlt, rest_api_source } from "../packages/core/src/config/source.ts";
import { stateTable, tableDefinition } from "../packages/core/src/dynamodb/tables.ts";
import { handleWorkerEvent } from "../packages/core/src/entry/worker.ts";
import { planOf, resourceOf } from "../packages/core/src/run/reach.ts";
import { replayQuarantine } from "../packages/core/src/run/replay-quarantine.ts";
import { listQuarantine } from "../packages/core/src/state/quarantine.ts";
import { type Handler, openApi, type Reply } from "./support/api.ts";
import { carriesValue, guardSecret } from "./support/canary.ts";
import { type Engine, startDynamodb } from "./support/dynamodb.ts";
import { testWorld } from "./support/world.ts";

// P15, against an API that repeats a credential wherever it can. The canary (support/canary.ts)
// checks everything else that these tests print or store.

const KEY = 'canary+4b/7e=d1 0"8a';

let engine: Engine;
beforeAll(async () => {
  engine = await startDynamodb();
});
afterAll(() => engine.close());

/** The forms in which APIs repeat a credential. */
const echoes = [
  KEY,
  encodeURIComponent(KEY),
  new URLSearchParams({ k: KEY }).toString(),
  JSON.stringify({ k: KEY }),
  Buffer.from(`user:${KEY}`).toString("base64"),
  Buffer.from(`{"key":${JSON.stringify(KEY)},"at":2}`).toString("base64url"),
  Buffer.from(KEY).toString("hex"),
];

let sourceCount = 0;
/** Deploys a source whose secret is the key, with a worker as in AWS whose output is kept. */
async function deploySource(script: Handler | (Handler | Reply)[], endpoint: EndpointConfig = {}) {
  sourceCount += 1;
  const name = `desk${sourceCount}`;
  const api = await openApi(script);
  const source = rest_api_source({
    client: {
      base_url: api.url,
      auth: { type: "api_key", name: "key", api_key: dlt.secrets["api_key"], location: "query" },
    },
    resource_defaults: { primary_key: "id", write_disposition: "merge" },
    resources: [
      { name: "notes", endpoint: { data_selector: "data", paginator: "json_link", ...endpoint } },
    ],
  });
  const sources = { [name]: source };
  const resource = resourceOf(planOf(sources, name), "notes");
  const table = `tidetable-test-${name}.notes`;
  const state = "tidetable-test-state";
  await engine.createTables({ [state]: stateTable, [table]: tableDefinition(resource) });
  const lines: string[] = [];
  const writeLine = (...output: unknown[]) => void lines.push(JSON.stringify(output));
  const SecretString = JSON.stringify({ api_key: guardSecret(KEY) });
  const world = testWorld(engine, {
    log: { debug: writeLine, info: writeLine, warn: writeLine, error: writeLine },
    secretsManager: { send: async () => ({ SecretString }) } as never,
  });
  const run = () =>
    handleWorkerEvent(
      { source: name, resource: "notes", run_id: "r1" },
      {
        sources,
        world,
        invocation: "w1",
        localOrigin: () => ({ override: undefined, dynamodbEndpoint: undefined }),
      },
    ).catch((error: unknown) => error as Error);
  const stored = async () => {
    const items = await engine.scan(state);
    return JSON.stringify(items.filter(({ pk }) => pk?.S?.startsWith(`${name}#`)));
  };
  const resourceRef = { source: name, resource: "notes" };
  return { api, run, stored, lines, table, resource, world, resourceRef };
}

describe("a credential that the API repeats (P15)", () => {
  it.each(
    echoes,
  )("a credential in an error is in no report, log, history or state: %s", async (echo) => {
    const { run, stored, lines } = await deploySource([
      { status: 422, body: { error: `bad ${echo}` } },
    ]);
    const error = await run();
    expect(String(error)).toContain("[secret]");
    const output = [String(error), JSON.stringify(error), lines.join("\n"), await stored()].join(
      "\n",
    );
    expect(output).toContain("answered 422");
    expect(carriesValue(output, [KEY])).toBe(false);
  });

  it.each([
    "key",
    "token",
  ])("a credential as ?%s= of a next link is sent again, and never stored", async (name) => {
    const link = `/notes?page=2&${name}=${encodeURIComponent(KEY)}#${encodeURIComponent(KEY)}`;
    const { api, run, stored } = await deploySource([
      { body: { data: [{ id: "a" }], next: link } },
      { status: 404 },
    ]);
    await run();
    expect([...(api.requests[1]?.query ?? [])]).toEqual([
      ["page", "2"],
      ["key", KEY],
    ]);
    const state = await stored();
    expect(state).toContain("page=2");
    expect(carriesValue(state, [KEY])).toBe(false);
  });

  it("a credential as user and password of a next link is not stored", async () => {
    const { run, stored } = await deploySource(({ headers, query }) => {
      const next = `http://me:${encodeURIComponent(KEY)}@${headers.host}/notes?page=2`;
      return query.get("page") ? { status: 404 } : { body: { data: [{ id: "a" }], next } };
    });
    await run();
    expect(await stored()).toContain("page=2");
    expect(carriesValue(await stored(), [KEY])).toBe(false);
  });

  it("a credential in a record is data, and is stored unchanged in the table", async () => {
    const { run, table } = await deploySource([{ body: { data: [{ id: "a", text: KEY }] } }]);
    expect(await run()).toMatchObject({ status: "done" });
    expect(await engine.scan(table)).toEqual([{ id: { S: "a" }, text: { S: KEY } }]);
  });

  it("a credential in a record is removed in quarantine, and the entry says so", async () => {
    const record = { text: `it is ${KEY}`, [KEY]: 1 };
    const { run, stored, resource, world, resourceRef } = await deploySource([
      { body: { data: [record] } },
    ]);
    expect(await run()).toMatchObject({ status: "done", quarantined: 1 });
    const entries = [];
    for await (const page of listQuarantine(world, resourceRef)) entries.push(...page);
    expect(entries).toMatchObject([
      { redacted: true, record: '{"text":"it is [secret]","[secret]":1}' },
    ]);
    expect(carriesValue(await stored(), [KEY])).toBe(false);
    expect(await replayQuarantine(resource, world, "me")).toMatchObject({
      replayed: 0,
      kept: [{ code: "quarantine.redacted" }],
    });
  });

  it.each<[string, EndpointConfig]>([
    ['the cursor at "at"', { paginator: "single_page", incremental: { cursor_path: "at" } }],
    [
      "what leads to the next page",
      { paginator: { type: "cursor", cursor_path: "next", cursor_param: "c" } },
    ],
  ])("a credential as %s ends the run, because it would have to be stored", async (subject, endpoint) => {
    const body = { data: [{ id: "a", at: KEY }], next: KEY };
    const { run, stored } = await deploySource([{ body }], endpoint);
    expect(await run()).toMatchObject({
      report: { error: { code: "extract.echo", message: expect.stringContaining(subject) } },
    });
    expect(carriesValue(await stored(), [KEY])).toBe(false);
  });
});

describe("the output of commands", () => {
  it("a command prints no value of a secret that it has read", async () => {
    const env = { TIDETABLE_SECRET_A: KEY };
    const options = { data: "nowhere", cwd: "nowhere", env, warn() {} };
    expect(await createSecretLookup(options)("desk", ["a"])).toEqual({ a: KEY });
    const printed: string[] = [];
    const stdout = { isTTY: true, columns: 80, write: (text: string) => printed.push(text) };
    const hidden = safeStream(stdout);
    hidden.write(`it is ${KEY}\n`);
    stdout.columns = 100;
    expect(printed).toEqual(["it is [secret]\n"]);
    expect(hidden).toMatchObject({ isTTY: true, columns: 100 });
  });
});
