import { Decimal, type JsonObject, rest_api_source } from "@tidetable/core";
import { ReadError, realClock } from "@tidetable/core/internal";
import { table } from "@tidetable/reader";
import { sources } from "@tidetable/sources";
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { clientOf, type Engine, startDynamodb } from "../support/dynamodb.ts";
import { type Fault, openFaultyDynamodb } from "../support/faulty-dynamodb.ts";
import { collectPages, fillTable } from "../support/tables.ts";

let engine: Engine;
beforeAll(async () => {
  engine = await startDynamodb();
});
afterAll(() => engine.close());
afterEach(() => vi.unstubAllEnvs());

const client = { base_url: "https://api.example.com" } as const;
const shop = rest_api_source({
  client,
  resources: [
    {
      name: "orders",
      primary_key: "id",
      columns: {
        id: { data_type: "bigint" },
        total: { data_type: "decimal" },
        weight: { data_type: "double" },
        note: { data_type: "text" },
        scan: { data_type: "binary" },
        paid: { data_type: "bool", nullable: false },
      },
    },
    { name: "lines", primary_key: ["order", "line"], columns: { line: { data_type: "bigint" } } },
    { name: "stock", primary_key: ["site", "shelf", "sku"] },
    { name: "log" },
    { name: "files", primary_key: "hash", columns: { hash: { data_type: "binary" } } },
    { name: "hidden", selected: false },
  ],
});
type Resource = "orders" | "lines" | "stock" | "log" | "files";

let stages = 0;
/** Fills a new stage with the records. */
async function fillStage(resource: Resource, records: JsonObject[]) {
  stages += 1;
  const stage = `get-${stages}`;
  await fillTable(engine, { source: shop, name: "shop", resource, stage }, records);
  return { source: "shop", stage, client: engine.dynamodb };
}

/** Returns the text of the error that the read throws. */
async function errorText(read: () => unknown): Promise<string> {
  try {
    await read();
  } catch (error) {
    if (error instanceof ReadError) return `${error.code}: ${error.message}; ${error.hint}`;
    throw error;
  }
  throw new Error("the read succeeded");
}

describe("a row", () => {
  it("a row has every declared field, with null for an absent one", async () => {
    const options = await fillStage("orders", [
      { id: 7, total: "12.50", weight: 0.1, note: "a", scan: "aGk=", paid: true, more: [1, null] },
      { id: 8, note: null, paid: false },
    ]);
    const orders = table(shop, "orders", options);
    expect(await orders.get({ id: 7 })).toEqual({
      id: 7,
      total: 12.5,
      weight: 0.1,
      note: "a",
      scan: new Uint8Array([104, 105]),
      paid: true,
      more: [1, null],
    });
    expect(await orders.get({ id: 8 })).toEqual({
      id: 8,
      total: null,
      weight: null,
      note: null,
      scan: null,
      paid: false,
    });
    expect(await orders.get({ id: 9 })).toBeUndefined();
  });

  it("the numbers of a row have every digit", async () => {
    const options = await fillStage("orders", [
      { id: 9007199254740993n, total: new Decimal("0.1234567890123456789"), weight: 1e21 },
    ]);
    const orders = table(shop, "orders", options);
    expect(await orders.get({ id: 9007199254740993n })).toMatchObject({
      id: 9007199254740993n,
      total: new Decimal("0.1234567890123456789"),
      weight: 1e21,
    });
    expect(await orders.get({ id: 9007199254740992 })).toBeUndefined();
  });

  it("a read with `fields` returns only the requested fields", async () => {
    const options = await fillStage("orders", [{ id: 7, paid: true, "a.b": "x", size: 1 }]);
    const orders = table(shop, "orders", options);
    const fields = ["note", "size", "a.b", "size"] as const;
    expect(await orders.get({ id: 7 }, { fields })).toEqual({ note: null, size: 1, "a.b": "x" });
    expect(await orders.getMany([{ id: 7 }], { fields: ["paid"] })).toEqual([{ paid: true }]);
  });
});

describe("a key", () => {
  it("a number for a string key is written as a run writes it", async () => {
    const records: JsonObject[] = [{ id: 7 }, { id: "8" }];
    const resourceRef = { source: sources.support, name: "support", resource: "support_tickets" };
    await fillTable(engine, { ...resourceRef, stage: "text" }, records);
    const tickets = table(sources.support, "support_tickets", {
      stage: "text",
      client: engine.dynamodb,
    });
    expect(tickets.name).toBe("tidetable-text-support.support_tickets");
    expect(await tickets.get({ id: 7 })).toEqual({ id: "7" });
    expect(await tickets.get({ id: 8n })).toEqual({ id: "8" });
    expect(await tickets.get({ id: 7.5 })).toBeUndefined();
  });

  it("keys of two fields, of three fields, of bytes and of _row_ids find their rows", async () => {
    const lines = table(shop, "lines", await fillStage("lines", [{ order: "a", line: 2, x: 1 }]));
    expect(await lines.get({ order: "a", line: 2 })).toEqual({ order: "a", line: 2, x: 1 });

    const stock = table(shop, "stock", await fillStage("stock", [{ site: 1, shelf: 2, sku: "c" }]));
    const row = await stock.get({ site: 1, shelf: 2, sku: "c" });
    expect(row).toEqual({ site: "1", shelf: 2, sku: "c", _key: '["2","c"]' });
    // A whole row can serve as the key.
    expect(row && (await stock.get(row))).toEqual(row);

    const files = table(shop, "files", await fillStage("files", [{ hash: "aGk=" }]));
    expect(await files.get({ hash: new Uint8Array([104, 105]) })).toBeDefined();

    const log = table(shop, "log", await fillStage("log", [{ message: "a" }]));
    const [[first] = []] = await collectPages(log.scan());
    expect(first).toMatchObject({ message: "a" });
    expect(await log.get({ _row_id: first?._row_id ?? "" })).toEqual(first);
  });

  it.each([
    [{}, 'the key field "order" is missing'],
    [{ order: "", line: 1 }, 'the key field "order" is empty'],
    [{ order: "a" }, 'the key field "line" is missing'],
    [{ order: null, line: 1 }, 'the key field "order" is null'],
    [{ order: "a", line: "x" }, 'the key field "line" is a string that DynamoDB cannot hold'],
    [{ order: ["a"], line: 1 }, 'the key field "order" is a list'],
    [{ order: "a", line: Number.NaN }, "a number does not fit"],
  ])("the key %o is refused before any request", async (key, problem) => {
    const unreachable = clientOf("http://127.0.0.1:1");
    const lines = table(shop, "lines", { source: "shop", stage: "none", client: unreachable });
    const expected = expect.stringMatching(
      `^read.key: shop.lines: ${problem}.*; give { order, line }`,
    );
    expect(await errorText(() => lines.get(key as never))).toEqual(expected);
    expect(await errorText(() => lines.getMany([key as never]))).toEqual(expected);
  });
});

describe("getMany", () => {
  const records = Array.from({ length: 250 }, (_, id) => ({ id, paid: true, pad: "x".repeat(50) }));

  it("getMany returns rows in the order of the keys, with undefined for a missing row", async () => {
    const orders = table(shop, "orders", await fillStage("orders", records));
    const ids = [...records.map(({ id }) => id).reverse(), 7, 1000, 7];
    const rows = await orders.getMany(ids.map((id) => ({ id })));
    expect(rows.map((row) => row?.id)).toEqual([...ids.slice(0, -2), undefined, 7]);
    expect(await orders.getMany([])).toEqual([]);
  });

  /** A DynamoDB that leaves every key unread for a number of calls. */
  async function openReluctant(unreadCalls: number) {
    const options = await fillStage("orders", records.slice(0, 10));
    const { name } = table(shop, "orders", options);
    const proxy = await openFaultyDynamodb(
      engine.endpoint,
      ({ number, body }): Fault | undefined => {
        if (number > unreadCalls) return undefined;
        const answer = { Responses: {}, UnprocessedKeys: body.RequestItems };
        return { kind: "answer", status: 200, body: JSON.stringify(answer) };
      },
    );
    onTestFinished(proxy.close);
    const waits = vi.spyOn(realClock, "sleep").mockResolvedValue();
    onTestFinished(() => waits.mockRestore());
    const orders = table(shop, "orders", { ...options, client: clientOf(proxy.endpoint) });
    return { orders, name, waits, calls: proxy.calls };
  }

  it("getMany waits and asks again for the keys that DynamoDB has left out", async () => {
    const { orders, name, waits, calls } = await openReluctant(3);
    const ids = [3, 1, 2];
    const rows = await orders.getMany(ids.map((id) => ({ id })));
    expect(rows.map((row) => row?.id)).toEqual(ids);
    const Keys = ids.map((id) => ({ id: { N: String(id) } }));
    expect(calls.map(({ body }) => body)).toEqual(
      Array(4).fill({ RequestItems: { [name]: { Keys } } }),
    );
    expect(waits).toHaveBeenCalledTimes(3);
  });

  it("getMany gives up after ten answers in a row without any item", async () => {
    const { orders, calls } = await openReluctant(Number.POSITIVE_INFINITY);
    expect(await errorText(() => orders.getMany([{ id: 1 }, { id: 2 }]))).toMatch(
      /^read.throttled: shop.orders: DynamoDB left 2 of 2 keys unread/,
    );
    expect(calls).toHaveLength(10);
  });
});

describe("the error of a read", () => {
  const source = "shop";

  it("the error for a missing table names the next step", async () => {
    const orders = table(shop, "orders", { source, stage: "none", client: engine.dynamodb });
    const expected =
      "read.table_missing: shop.orders: the table tidetable-none-shop.orders does not exist; check the stage and the region; in AWS `npx sst deploy` creates it, locally `npx --no tidetable run` does";
    expect(await errorText(() => orders.get({ id: 1 }))).toBe(expected);
    expect(await errorText(() => orders.getMany([{ id: 1 }]))).toBe(expected);
    expect(await errorText(() => orders.scan().next())).toBe(expected);
  });

  it("the errors for a source without a name and for a missing stage name the option", async () => {
    expect(await errorText(() => table(shop, "orders", { stage: "s" }))).toMatch(
      /^read.source: this source has no name.*\{ source: "crm" \}/,
    );
    vi.stubEnv("TIDETABLE_STAGE", undefined);
    expect(await errorText(() => table(shop, "orders", { source }))).toMatch(
      /^read.stage: shop.orders: no stage is given.*pass \{ stage: "production" \}/,
    );
    vi.stubEnv("TIDETABLE_STAGE", "dev");
    expect(table(shop, "orders", { source }).name).toBe("tidetable-dev-shop.orders");
    expect(table(shop, "orders", { source, app: "mine" }).name).toBe("mine-dev-shop.orders");
  });

  it("an unknown resource and a resource that is not stored are refused", async () => {
    const options = { source, stage: "s" };
    expect(await errorText(() => table(shop, "order" as "orders", options))).toBe(
      'read.resource: shop has no resource "order"; did you mean orders?',
    );
    expect(await errorText(() => table(shop, "hidden", options))).toMatch(/^read.not_stored/);
  });
});

it("table_name decides about the name of the table", () => {
  const renamed = rest_api_source({
    client,
    resources: [{ name: "orders", table_name: "all_orders", primary_key: "id" }],
  });
  const { name } = table(renamed, "orders", { source: "shop", stage: "s" });
  expect(name).toBe("tidetable-s-shop.all_orders");
});
