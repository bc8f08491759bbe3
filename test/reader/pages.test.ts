import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { rest_api_source } from "@tidetable/core";
import { table } from "@tidetable/reader";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { clientOf, type Engine, startDynamodb } from "../support/dynamodb.ts";
import { type Call, type Fault, faultyDynamodb } from "../support/faulty-dynamodb.ts";
import { collect, fill } from "../support/tables.ts";

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

/** Of about 4 KB each: 1 MB, DynamoDB's page, holds some 250 of them. */
const records = Array.from({ length: 900 }, (_, n) => ({
  order: n < 600 ? "big" : `small-${n % 10}`,
  line: n,
  sku: `sku-${n % 3}`,
  name: `name ${n}`,
  pad: "x".repeat(4000),
}));

let engine: Engine;
let lines: ReturnType<typeof open>;
const open = (endpoint: string) =>
  table(source, "lines", { ...options, client: clientOf(endpoint) });
beforeAll(async () => {
  engine = await startDynamodb();
  await fill(engine, resourceRef, records);
  lines = open(engine.endpoint);
});
afterAll(() => engine.close());

/** A table behind a proxy, to see and to hinder what is asked. */
async function watched(script: (call: Call) => Fault | undefined = () => undefined) {
  const proxy = await faultyDynamodb(engine.endpoint, script);
  return { ...proxy, lines: open(proxy.endpoint) };
}

const numbers = (pages: { line?: unknown }[][]) => pages.flat().map(({ line }) => line);
const sorted = (values: unknown[]) => values.map(Number).sort((a, b) => a - b);
const all = records.map(({ line }) => line);

describe("scan", () => {
  it.each([1, 4, 16])("gives each row once, in pages, with %i segments", async (segments) => {
    const pages = await collect(lines.scan({ segments }));
    expect(sorted(numbers(pages))).toEqual(all);
    expect(pages.length).toBeGreaterThanOrEqual(4);
    expect(pages.every((page) => page.length > 0)).toBe(true);
  });

  it("ends at the limit, and reads no more than that", async () => {
    const { calls, close, lines } = await watched();
    const pages = await collect(lines.scan({ limit: 300, fields: ["line"] }));
    expect(numbers(pages)).toHaveLength(300);
    expect(Object.keys(pages[0]?.[0] ?? {})).toEqual(["line"]);
    expect(calls[0]?.body).toMatchObject({ Limit: 300 });
    expect(calls.at(-1)?.body.Limit).toBe(300 - (pages[0]?.length ?? 0));
    await close();
  });

  it("asks for the next page when the one before has been dealt with, and not after a break", async () => {
    const { calls, close, lines } = await watched();
    for await (const page of lines.scan()) {
      expect(page.length).toBeGreaterThan(0);
      await new Promise((resolve) => setTimeout(resolve, 100));
      expect(calls).toHaveLength(1);
      break;
    }
    await collect(lines.scan({ limit: 1 }));
    expect(calls).toHaveLength(2);
    await close();
  });

  it("a break ends the requests that are under way", async () => {
    const waiting: ServerResponse[] = [];
    const ended: unknown[] = [];
    // One of three answers, when all have been asked.
    const server = createServer((request, response) => {
      response.on("close", () => ended.push(response.writableFinished ? "answered" : "stopped"));
      waiting.push(response);
      request.resume();
      if (waiting.length < 3) return;
      response.setHeader("content-type", "application/x-amz-json-1.0");
      response.end('{"Items":[{"order":{"S":"a"},"line":{"N":"1"}}],"Count":1}');
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    for await (const _ of open(`http://127.0.0.1:${port}`).scan({ segments: 3 })) break;
    await vi.waitFor(() => expect(ended.sort()).toEqual(["answered", "stopped", "stopped"]));
    server.closeAllConnections();
    server.close();
  });

  it("a failure comes to who asks for the next page, and is not lost meanwhile", async () => {
    const { close, lines } = await watched(({ body }) =>
      body.Segment === 1
        ? { kind: "error", status: 400, type: "AccessDeniedException" }
        : undefined,
    );
    const pages = lines.scan({ segments: 2 });
    const seen: unknown[] = [];
    const reading = async () => {
      for await (const page of pages) {
        seen.push(page);
        // Long enough for the other segment to fail while nobody waits for it.
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
  ])("%o is refused", (wrong) => {
    expect(() => lines.scan(wrong)).toThrow(/^shop\.lines: (segments|limit) is /);
  });
});

describe("query", () => {
  const of = async (pages: AsyncIterable<{ line?: unknown }[]>) => numbers(await collect(pages));

  it("gives the rows of a hash key in the order of the range key", async () => {
    const pages = await collect(lines.query({ order: "big" }));
    expect(pages.length).toBeGreaterThanOrEqual(2);
    expect(numbers(pages)).toEqual(all.slice(0, 600));
    expect(await of(lines.query({ order: "none" }))).toEqual([]);
    expect(await of(lines.query({ order: "big" }, { descending: true, limit: 3 }))).toEqual([
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
  ] as const)("where the range key is %o", async (range, expected) => {
    expect(await of(lines.query({ order: "big" }, { range }))).toEqual(expected);
  });

  it("by an index gives what the index holds", async () => {
    const some = lines.query({ sku: "sku-1" }, {
      index: "by_sku",
      range: { begins_with: "name 10" },
      consistent: undefined,
    } as never);
    const [rows = []] = await collect(some);
    expect(rows.map(({ name }) => name)).toEqual([
      "name 10",
      "name 100",
      "name 103",
      "name 106",
      "name 109",
    ]);
    expect(rows[0]).toMatchObject({ order: "big", note: null });
    const [slim = []] = await collect(lines.query({ sku: "sku-1" }, { index: "slim", limit: 1 }));
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
  ])("what it can not do is refused before anything is asked: %#", (ask, message) => {
    expect(ask).toThrow(message);
  });
});
