import { createServer } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import { openApi } from "../support/api.ts";
import { openCliFolder } from "../support/cli.ts";
import { data, endpoint, numbers, shop, source } from "./support.ts";

// Nothing waits for ever.

const byCursor = { type: "cursor", cursor_path: "next", cursor_param: "after" };

/**
 * Forty pages with readings of the same few devices, in another order on each. The last of a device is
 * its newest.
 */
const readings = (perPage: number, devices: number) => (query: URLSearchParams) => {
  const page = Number(query.get("after") ?? 1);
  const rows = numbers(1, perPage).map((n) => ({
    id: Math.floor(Math.abs(Math.sin(page * 1_000 + n)) * 1_000) % devices,
    at: (page - 1) * perPage + n,
  }));
  return { body: { data: rows, next: page < 40 ? page + 1 : null } };
};

/** The last reading of each device. */
function newest(perPage: number, devices: number) {
  const pages = numbers(1, 40).map((page) =>
    readings(perPage, devices)(new URLSearchParams({ after: String(page) })),
  );
  return new Map(pages.flatMap(({ body }) => body.data).map(({ id, at }) => [id, at]));
}

describe("few keys over many pages", () => {
  it.each([
    ["ten devices, a hundred readings on a page", 100, 10, {}],
    ["ten devices, ten readings on a page", 10, 10, {}],
    ["one device", 100, 1, {}],
    ["two devices with a cursor", 50, 2, { incremental: { cursor_path: "at" } }],
  ])("are read to the end: %s", async (_, perPage, devices, endpoint) => {
    const { run, items } = await shop(
      source([{ name: "readings", endpoint: { paginator: byCursor, ...endpoint } }]),
      ({ query }) => readings(perPage, devices)(query),
    );
    expect((await run()).of("readings")).toMatchObject({
      status: "succeeded",
      records: 40 * perPage,
    });
    const stored = (await items("readings")).map(({ id, at }) => [Number(id), at]);
    expect(new Map(stored as [number, number][])).toEqual(newest(perPage, devices));
  });

  it.each([
    ["replaced", 20, { write_disposition: "replace" }],
    [
      "written in order",
      5,
      {
        write_mode: "ordered",
        version_field: "at",
        columns: { at: { data_type: "bigint" } },
      },
    ],
    ["compared", 20, { writes: "compare" }],
  ])("are read to the end, run after run, where they are %s", async (_, perPage, more) => {
    const { run } = await shop(
      source([{ name: "readings", endpoint: { paginator: byCursor }, ...more }]),
      ({ query }) => readings(perPage, 10)(query),
    );
    for (let n = 0; n < 2; n++) {
      expect((await run()).of("readings")).toMatchObject({
        status: "succeeded",
        records: 40 * perPage,
      });
    }
  });

  it("end by themselves, and also by SIGINT where they do not", async () => {
    const api = await openApi(({ query }) => readings(100, 10)(query));
    const resources = [{ name: "readings", endpoint: { paginator: byCursor } }];
    const { start } = await openCliFolder({ "devices.json": source(resources)(api.url) });
    const { child, ended } = start(["run", "devices.json", "--dynamodb", endpoint(), "--json"]);
    onTestFinished(() => void child.kill("SIGKILL"));
    // Until it has ended, or asks for nothing more.
    while (child.exitCode === null && api.requests.length === 0) await wait(100);
    for (let seen = -1; child.exitCode === null && seen !== api.requests.length; ) {
      seen = api.requests.length;
      await wait(3_000);
    }
    child.kill("SIGINT");
    const outcome = await Promise.race([ended, wait(10_000, "it goes on", { ref: false })]);
    expect(outcome).toMatchObject({ code: 0 });
  });
});

describe("an interrupt ends a wait", () => {
  it.each([
    ["for an answer", () => "hang" as const],
    ["that the API asks for", () => ({ status: 429, headers: { "retry-after": "3600" } })],
    ["between two attempts", () => ({ status: 500 })],
  ])("%s", async (_, behave) => {
    const error_handler = { max_retries: 5, backoff_factor: 600 };
    const { start, file, requests, ran } = await shop(
      source(["rows"], { client: { error_handler } }),
      behave,
    );
    const { ended, interrupt } = start(["run", file, "--json"]);
    for (let n = 0; n < 100 && requests.length === 0; n++) await wait(20);
    await wait(100);
    interrupt();
    const { exit, of } = ran(await ended);
    expect(exit).toBe(1);
    expect(of("rows").error.code).toBe("run.interrupted");
  });

  it("for a DynamoDB that never answers", async () => {
    const silent = createServer(() => {});
    await new Promise<void>((done) => silent.listen(0, "127.0.0.1", done));
    onTestFinished(() => void silent.close());
    const { port } = silent.address() as { port: number };
    const { start } = await openCliFolder({ "shop.json": source(["rows"])("http://127.0.0.1:9") });
    const address = `http://127.0.0.1:${port}`;
    const { child, ended } = start(["run", "shop.json", "--dynamodb", address, "--json"]);
    onTestFinished(() => void child.kill("SIGKILL"));
    const asked = new Promise((done) => silent.once("connection", done));
    await Promise.race([asked, wait(5_000, undefined, { ref: false })]);
    child.kill("SIGINT");
    const outcome = await Promise.race([ended, wait(10_000, "it goes on", { ref: false })]);
    expect(outcome).toMatchObject({ code: 1 });
  });
});

it("a wait of a second that the API asks for is kept", async () => {
  const { run, hooks } = await shop(source(["rows"], { client: { error_handler: {} } }), () =>
    data([{ id: 1 }]),
  );
  let asked = 0;
  hooks.before = () => {
    asked += 1;
    return asked === 1 ? { status: 429, headers: { "retry-after": "1" } } : undefined;
  };
  const { of } = await run();
  expect(of("rows")).toMatchObject({ status: "succeeded", records: 1 });
  expect(of("rows").waited_ms).toBeGreaterThanOrEqual(900);
});
