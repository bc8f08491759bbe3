import type { ServerResponse } from "node:http";
import { afterAll, beforeAll, expect, it, onTestFinished } from "vitest";
import { offsetPages, openApi, type Reply } from "./support/api.ts";
import { openCliFolder } from "./support/cli.ts";
import { type Engine, startDynamodb } from "./support/dynamodb.ts";
import { type Fault, openFaultyDynamodb } from "./support/faulty-dynamodb.ts";

const SOURCES = Array.from({ length: 10 }, (_, n) => `shop${n}`);
const RESOURCES = ["orders", "items", "users", "teams", "notes"];

/** Records that no other resource has, on one page or two. */
const rowsOf = (source: string, resource: string) =>
  Array.from({ length: 40 + 17 * SOURCES.indexOf(source) + 7 * resource.length }, (_, n) => ({
    id: n + 1,
    title: `${source} ${resource} ${n + 1}`,
  }));

/** A fault of the API or of DynamoDB, and the error that the report has to show. */
type ResourceFault = { code: string; message: RegExp; answer?: Answer; write?: Fault };
type Answer = (response: ServerResponse, offset: number) => Reply | "as usual" | undefined;

const refusal = (type: string): Fault => ({ kind: "error", status: 400, type });
const cutOff = (response: ServerResponse): undefined => {
  response.writeHead(200, { "content-type": "application/json", "content-length": 5000 });
  response.write('{"data":[{"id":1');
  setTimeout(() => response.destroy(), 5);
};

const faultsByResource: Record<string, ResourceFault> = {
  "shop0/orders": {
    code: "extract.status",
    message: /answered 401/,
    answer: () => ({ status: 401, body: { error: "who are you?" } }),
  },
  // The first page is in the table before the fault.
  "shop9/items": {
    code: "extract.status",
    message: /answered 500 \(4 attempts\)/,
    answer: (_, offset) => (offset === 0 ? "as usual" : { status: 500 }),
  },
  "shop4/users": {
    code: "extract.body",
    message: /answered 200 with .*sign in/,
    answer: () => ({
      headers: { "content-type": "text/html" },
      body: "<!doctype html><html><body>Please sign in</body></html>",
    }),
  },
  "shop6/teams": {
    code: "extract.selector",
    message: /nothing at data_selector "data"/,
    answer: () => ({ body: { rows: [] } }),
  },
  "shop8/notes": {
    code: "extract.network",
    message: /before its answer was complete \(4 attempts\)/,
    answer: cutOff,
  },
  "shop1/users": {
    code: "load.table_missing",
    message: /shop1\.users/,
    write: refusal("ResourceNotFoundException"),
  },
  "shop2/teams": {
    code: "load.failed",
    message: /shop2\.teams/,
    write: refusal("AccessDeniedException"),
  },
};

const sourceDict = (url: string, source: string) => ({
  client: { base_url: `${url}/${source}/` },
  resource_defaults: {
    primary_key: "id",
    write_disposition: "merge",
    endpoint: {
      data_selector: "data",
      paginator: { type: "offset", limit: 100 },
      error_handler: { backoff_factor: 0.01 },
    },
  },
  resources: RESOURCES.map((name) => ({ name, endpoint: { path: name } })),
});

let engine: Engine;
beforeAll(async () => {
  engine = await startDynamodb();
});
afterAll(() => engine.close());

it(
  "seven of fifty resources fail in different ways, the others succeed, the report names each failure, and all succeed after the causes are gone (P18)",
  { timeout: 600_000 },
  async () => {
    let isHealed = false;
    const api = await openApi((request, response) => {
      const [, source = "", resource = ""] = request.path.split("/");
      const fault = isHealed ? undefined : faultsByResource[`${source}/${resource}`]?.answer;
      const answer = fault ? fault(response, Number(request.query.get("offset"))) : "as usual";
      if (answer !== "as usual") return answer;
      return offsetPages(rowsOf(source, resource))(request, response);
    });
    const dynamodb = await openFaultyDynamodb(engine.endpoint, ({ operation, body }) => {
      if (isHealed || operation !== "BatchWriteItem") return undefined;
      const [table = ""] = Object.keys(body.RequestItems as object);
      return faultsByResource[table.replace("tidetable-local-", "").replace(".", "/")]?.write;
    });
    onTestFinished(dynamodb.close);
    const files = SOURCES.map((source) => [`${source}.json`, sourceDict(api.url, source)]);
    const { cli } = await openCliFolder(Object.fromEntries(files));
    const runAll = () =>
      cli([
        "run",
        ...files.map(([file]) => String(file)),
        "--json",
        "--dynamodb",
        dynamodb.endpoint,
      ]);

    const allResources = SOURCES.flatMap((source) =>
      RESOURCES.map((resource) => ({ source, resource })),
    );
    const successOf = ({ source, resource }: (typeof allResources)[number]) => {
      const { length } = rowsOf(source, resource);
      const counts = { records: length, written: length, quarantined: 0 };
      return { source, resource, status: "succeeded", ...counts, error: null };
    };
    const storedTitles = async (source: string, resource: string) =>
      (await engine.scan(`tidetable-local-${source}.${resource}`))
        .map(({ title }) => title?.S)
        .sort();
    const expectedTitles = (source: string, resource: string) =>
      rowsOf(source, resource)
        .map(({ title }) => title)
        .sort();

    const first = await runAll();
    expect(first.code).toBe(1);
    expect(first.json()).toMatchObject({
      status: "partial",
      resources: allResources.map((name) => {
        const fault = faultsByResource[`${name.source}/${name.resource}`];
        if (!fault) return successOf(name);
        const { code, message } = fault;
        const error = { code, message: expect.stringMatching(message), hint: expect.any(String) };
        return { ...name, status: "failed", error };
      }),
    });
    for (const { source, resource } of allResources) {
      const fault = faultsByResource[`${source}/${resource}`];
      if (!fault)
        expect(await storedTitles(source, resource)).toEqual(expectedTitles(source, resource));
    }
    expect(await storedTitles("shop9", "items")).toHaveLength(100);

    isHealed = true;
    const second = await runAll();
    expect(second.code).toBe(0);
    expect(second.json()).toMatchObject({
      status: "succeeded",
      resources: allResources.map((name) => {
        const { source, resource, status, records } = successOf(name);
        return { source, resource, status, records };
      }),
    });
    for (const { source, resource } of allResources) {
      expect(await storedTitles(source, resource)).toEqual(expectedTitles(source, resource));
    }
  },
);
