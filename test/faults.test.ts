import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { request } from "undici";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { limits } from "../packages/core/src/base/limits.ts";
import { httpAgent } from "../packages/core/src/extract/http/agent.ts";
import { listQuarantine } from "../packages/core/src/state/quarantine.ts";
import { bodies } from "./faults/bodies.ts";
import { connections } from "./faults/connections.ts";
import { records } from "./faults/data.ts";
import type { FaultCase } from "./faults/fault-case.ts";
import { type Engine, startDynamodb } from "./support/dynamodb.ts";
import { openFaultyApi, wholeAnswer } from "./support/faults.ts";
import { deploy, testWorld } from "./support/world.ts";

/*
 * Each row is an API of three pages, two records on each of the first two, that goes wrong at one of
 * them, through the engine and real sockets: what a person reads, how often it is asked, what is in the
 * table then, and what is there when the API has come to itself.
 */

let engine: Engine;
beforeAll(async () => {
  engine = await startDynamodb();
});
afterAll(() => engine.close());

const pages: Record<string, string> = {
  0: '{"data":[{"id":1},{"id":2}]}',
  2: '{"data":[{"id":3},{"id":4}]}',
  4: '{"data":[]}',
};

async function setup({ answer, isFirstPage: first, timeout = 0.4, endpoint }: FaultCase) {
  const api = { isWell: false };
  const { url, requests } = await openFaultyApi((socket, asked) => {
    const offset = new URL(asked.target, "http://api").searchParams.get("offset") ?? "";
    if (offset === (first ? "0" : "2") && !api.isWell) answer(socket, asked);
    else socket.write(wholeAnswer(pages[offset] ?? ""));
  });
  const deployed = await deploy(engine, {
    client: { base_url: url, timeout },
    resources: [
      {
        name: "rows",
        primary_key: "id",
        write_disposition: "merge",
        endpoint: {
          path: "/rows",
          data_selector: "data",
          paginator: { type: "offset", limit: 2 },
          error_handler: { backoff_factor: 0.01, max_retries: 1 },
          ...endpoint,
        },
      },
    ],
  });
  const ids = async () => (await engine.scan(deployed.table)).map(({ id }) => id?.S).sort();
  return { ...deployed, api, url, requests, ids };
}

async function show(row: FaultCase) {
  const { api, url, requests, run, table, resourceRef, ids } = await setup(row);
  const world = () => testWorld(engine);
  const report = await run(world());
  const before = row.isFirstPage ? [] : ["1", "2"];
  if (row.error) {
    const [code, message] = row.error;
    const attempts = row.isRetried ? " (2 attempts)" : "";
    expect(report).toMatchObject({
      status: "failed",
      records: before.length,
      written: before.length,
      error: { code, message: message.replaceAll("$api", url) + attempts },
    });
    const circle = row.fault === "redirects in a circle" ? 5 : 0;
    expect(requests).toHaveLength(before.length / 2 + (row.isRetried ? 2 : 1) + circle);
    expect(await ids()).toEqual(before);
  } else {
    const found = row.ids ?? ["3", "4"];
    expect(report).toMatchObject({
      status: "done",
      records: 4,
      written: before.length + found.length,
      quarantined: row.rejection ? 1 : 0,
      error: null,
    });
    expect(await ids()).toEqual([...before, ...found]);
  }
  const scanned = await engine.scan(table);
  for (const item of row.items ?? []) expect(scanned).toContainEqual(item);
  const aside: unknown[] = [];
  for await (const entries of listQuarantine(world(), resourceRef)) {
    aside.push(...entries.map(({ code, message }) => [code, message]));
  }
  expect(aside).toEqual(row.rejection ? [row.rejection] : []);

  // No part of it has come in, and none stays out.
  api.isWell = true;
  expect(await run(world())).toMatchObject({ status: "done", records: 4 });
  expect(await ids()).toEqual(["1", "2", "3", "4"]);
}

describe.each([
  ["connections", connections],
  ["answers", bodies],
  ["records", records],
])("faults of %s (P10, P12, P13)", (_, rows) => {
  for (const row of rows) it(row.fault, () => show(row), 30_000);
});

it("a hundred requests at once take eight connections (P10)", async () => {
  let connections = 0;
  const api = await openFaultyApi((socket) => {
    if (socket.bytesWritten === 0) connections += 1;
    socket.write(wholeAnswer("[]"));
  });
  const dispatcher = httpAgent("machine");
  onTestFinished(() => dispatcher.destroy());
  const all = Array.from({ length: 100 }, async () => {
    const { body } = await request(api.url, { dispatcher });
    return body.text();
  });
  expect(new Set(await Promise.all(all))).toEqual(new Set(["[]"]));
  expect(connections).toBe(limits.connections);
});

describe("docs/faults.md", () => {
  const root = resolve(import.meta.dirname, "..");
  const lines = readFileSync(resolve(root, "docs/faults.md"), "utf8").split("\n");
  const cells = lines
    .filter((line, n) => line.startsWith("| ") && !lines[n + 1]?.startsWith("|-"))
    .map((line) => line.slice(2, -2).split(" | "));
  const code = (text: string) => `\`${text}\``;

  it("has a line for each of these faults, with what they end in and what a person reads", () => {
    const rows = [...connections, ...bodies, ...records].map((row) => {
      const failure = row.isRetried ? "tries again, then fails" : "fails";
      const success = row.rejection ? "sets the record aside" : "reads it";
      const said = (row.error ?? row.rejection)?.map(code) ?? ["–", "–"];
      return [row.fault, row.error ? failure : success, ...said];
    });
    expect(cells.filter((row) => row.length === 4 && !row[3]?.includes("test"))).toEqual(rows);
  });

  it("names codes that stand in the tests that it names", () => {
    const others = cells.filter((row) => row[3]?.startsWith("`test/"));
    expect(others.length).toBeGreaterThan(4);
    for (const [, , name = "", file = ""] of others) {
      const text = readFileSync(resolve(root, file.replaceAll("`", "")), "utf8");
      expect(text, file).toContain(name.slice(1, -1));
    }
  });

  it("has all limits, and as they are", () => {
    const shown = cells.filter((row) => row.length === 3 && row[0]?.startsWith("`"));
    const wanted = Object.entries(limits).map(([name, value]) => [
      code(name),
      value.toLocaleString("en"),
    ]);
    expect(shown.map((row) => row.slice(0, 2))).toEqual(wanted);
  });
});
