import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { rest_api_source } from "@tidetable/core";
import { table } from "@tidetable/reader";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { clientOf, type Engine, startDynamodb } from "../support/dynamodb.ts";
import { type Call, type Fault, openFaultyDynamodb } from "../support/faulty-dynamodb.ts";
import { collectPages, fillTable } from "../support/tables.ts";

const source = rest_api_source(
  {
    client: { base_url: "https://api.example.com" },
    resources: [
      {
        name: "lines",
        primary_key: ["order", "line"],
        columns: { line: { data_type: "bigint" }, sku: { data_type: "text" }, note: {} },
      },
    ],
  },
  {
    table: {
      indexes: {
        by_sku: { hash: "sku", range: "name" },
        slim: { hash: "sku", projection: ["name"] },
      },
    },
  },
);
const resourceRef = { source, name: "shop", resource: "lines", stage: "pages" };
const options = { source: "shop", stage: "pages" };

/** Each record has about 4 KB, so that DynamoDB's page of 1 MB holds about 250 records. */
const records = Array.from({ length: 900 }, (_, n) => ({
  order: n < 600 ? "big" : `small-${n % 10}`,
  line: n,
  sku: `sku-${n % 3}`,
  name: `name ${n}`,
  pad: "x".repeat(4000),
}));

let engine: Engine;
let lines: ReturnType<typeof openTable>;
const openTable = (endpoint: string) =>
  table(source, "lines", { ...options, client: clientOf(endpoint) });
beforeAll(async () => {
  engine = await startDynamodb();
  await fillTable(engine, resourceRef, records);
  lines = openTable(engine.endpoint);
});
afterAll(() => engine.close());

/** Opens the table behind a proxy that records requests and can make them fail. */
async function openWatched(script: (call: Call) => Fault | undefined = () => undefined) {
  const proxy = await openFaultyDynamodb(engine.endpoint, script);
  return { ...proxy, lines: openTable(proxy.endpoint) };
}

const lineNumbers = (pages: { line?: unknown }[][]) => pages.flat().map(({ line }) => line);
const sortNumbers = (values: unknown[]) => values.map(Number).sort((a, b) => a - b);
const allLines = records.map(({ line }) => line);

describe("scan", () => {
  it.each([
    1, 4, 16,
  ])("a scan with %i segments yields each row once, in pages", async (segments) => {
    const pages = await collectPages(lines.scan({ segments }));
    expect(sortNumbers(lineNumbers(pages))).toEqual(allLines);
    expect(pages.length).toBeGreaterThanOrEqual(4);
    expect(pages.every((page) => page.length > 0)).toBe(true);
  });

  it("a scan ends at its limit and asks for no more rows", async () => {
    const { calls, close, lines } = await openWatched();
    const pages = await collectPages(lines.scan({ limit: 300, fields: ["line"] }));
    expect(lineNumbers(pages)).toHaveLength(300);
    expect(Object.keys(pages[0]?.[0] ?? {})).toEqual(["line"]);
    expect(calls[0]?.body).toMatchObject({ Limit: 300 });
    expect(calls.at(-1)?.body.Limit).toBe(300 - (pages[0]?.length ?? 0));
    await close();
  });

  it("a scan asks for the next page only when the consumer comes back for it", async () => {
    const { calls, close, lines } = await openWatched();
    for await (const page of lines.scan()) {
      expect(page.length).toBeGreaterThan(0);
      await new Promise((resolve) => setTimeout(resolve, 100));
      expect(calls).toHaveLength(1);
      break;
    }
    await collectPages(lines.scan({ limit: 1 }));
    expect(calls).toHaveLength(2);
    await close();
  });

  it("a break in a scan aborts the requests that are under way", async () => {
    const responses: ServerResponse[] = [];
    const endings: string[] = [];
    // After three requests, only the last one is answered.
    const server = createServer((request, response) => {
      response.on("close", () => endings.push(response.writableFinished ? "answered" : "stopped"));
      responses.push(response);
      request.resume();
      if (responses.length < 3) return;
      response.setHeader("content-type", "application/x-amz-json-1.0");
      response.end('{"Items":[{"order":{"S":"a"},"line":{"N":"1"}}],"Count":1}');
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    for await (const _ of openTable(`http://127.0.0.1:${port}`).scan({ segments: 3 })) break;
    await vi.waitFor(() => expect(endings.sort()).toEqual(["answered", "stopped", "stopped"]));
    server.closeAllConnections();
    server.close();
  });

  it("a failed segment rejects the consumer's next read, even if it failed before that read", async () => {
    const { close, lines } = await openWatched(({ body }) =>
      body.Segment === 1
        ? { kind: "error", status: 400, type: "AccessDeniedException" }
        : undefined,
    );
    const pages = lines.scan({ segments: 2 });
    const rows: unknown[] = [];
    const reading = async () => {
      for await (const page of pages) {
        rows.push(page);
        // The other segment fails during this wait, when nobody awaits it.
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    };
    await expect(reading()).rejects.toThrow(
      expect.objectContaining({ name: "AccessDeniedException" }),
    );
    await close();
  });

  it.each([
    { segments: 0 },
    { segments: 1.5 },
    { limit: 0 },
    { limit: -1 },
  ])("a scan with %o is refused", (options) => {
    expect(() => lines.scan(options)).toThrow(/^shop\.lines: (segments|limit) is /);
  });
});

describe("query", () => {
  const linesOf = async (pages: AsyncIterable<{ line?: unknown }[]>) =>
    lineNumbers(await collectPages(pages));

  it("a query yields the rows of a hash key in the order of the range key", async () => {
    const pages = await collectPages(lines.query({ order: "big" }));
    expect(pages.length).toBeGreaterThanOrEqual(2);
    expect(lineNumbers(pages)).toEqual(allLines.slice(0, 600));
    expect(await linesOf(lines.query({ order: "none" }))).toEqual([]);
    expect(await linesOf(lines.query({ order: "big" }, { descending: true, limit: 3 }))).toEqual([
      599, 598, 597,
    ]);
  });

  it.each([
    [{ eq: 5 }, [5]],
    [{ lt: 2 }, [0, 1]],
    [{ lte: 2n }, [0, 1, 2]],
    [{ gt: 597 }, [598, 599]],
    [{ gte: 598 }, [598, 599]],
    [{ between: [3, 5] }, [3, 4, 5]],
  ] as const)("a query with the range condition %o yields only the matching rows", async (range, expected) => {
    expect(await linesOf(lines.query({ order: "big" }, { range }))).toEqual(expected);
  });

  it("a query by an index yields the fields that the index holds", async () => {
    const pages = lines.query({ sku: "sku-1" }, {
      index: "by_sku",
      range: { begins_with: "name 10" },
      consistent: undefined,
    } as never);
    const [rows = []] = await collectPages(pages);
    expect(rows.map(({ name }) => name)).toEqual([
      "name 10",
      "name 100",
      "name 103",
      "name 106",
      "name 109",
    ]);
    expect(rows[0]).toMatchObject({ order: "big", note: null });
    const [slim = []] = await collectPages(
      lines.query({ sku: "sku-1" }, { index: "slim", limit: 1 }),
    );
    expect(Object.keys(slim[0] ?? {}).sort()).toEqual(["line", "name", "order", "sku"]);
  });

  it.each([
    [() => lines.query({} as never), 'the key field "order" is missing'],
    [() => lines.query({ order: "a" }, { range: { like: 1 } as never }), 'one condition on "line"'],
    [() => lines.query({ order: "a" }, { range: {} as never }), "and this is none"],
    [() => lines.query({ order: "a" }, { range: { gt: 1, lt: 3 } }), "this is gt and lt"],
    [() => lines.query({ order: "a" }, { range: { gt: "x" as never } }), '"line" is a string that'],
    [() => lines.query({ sku: "a" }, { index: "by_skew" as "by_sku" }), 'no index "by_skew"'],
    [
      () => lines.query({ sku: "a" }, { index: "slim", range: { gt: 1 } as never }),
      "there is no range key",
    ],
  ])("the impossible query %# is refused before any request", (query, message) => {
    expect(query).toThrow(message);
  });
});
