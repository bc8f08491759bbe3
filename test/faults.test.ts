import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { request } from "undici";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { realClock } from "../packages/core/src/base/clock.ts";
import { limits } from "../packages/core/src/base/limits.ts";
import type { Clock } from "../packages/core/src/base/world.ts";
import { httpAgent } from "../packages/core/src/extract/http/agent.ts";
import { listQuarantine } from "../packages/core/src/state/quarantine.ts";
import { bodies } from "./faults/bodies.ts";
import { connections } from "./faults/connections.ts";
import { records } from "./faults/data.ts";
import { type FaultCase, timedOut } from "./faults/fault-case.ts";
import { type Engine, startDynamodb } from "./support/dynamodb.ts";
import { openFaultyApi, wholeAnswer } from "./support/faults.ts";
import { deploySource, testWorld } from "./support/world.ts";

/*
 * Each case is an API of three pages, two records on each of the first two, with one fault. It goes
 * through the engine and real sockets. Checked are the message that a person reads, the number of
 * requests, the table after the fault, and the table after the API has recovered.
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

/** The default of `client.timeout`. */
const TIMEOUT_MS = 30_000;

async function setup({ answer, isFirstPage, endpoint }: FaultCase) {
  const api = { isHealthy: false, faults: 0 };
  const { url, requests } = await openFaultyApi((socket, asked) => {
    const offset = new URL(asked.target, "http://api").searchParams.get("offset") ?? "";
    if (offset === (isFirstPage ? "0" : "2") && !api.isHealthy) {
      api.faults += 1;
      answer(socket, asked);
    } else socket.write(wholeAnswer(pages[offset] ?? ""));
  });
  const deployed = await deploySource(engine, {
    client: { base_url: url },
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

/**
 * A clock on which a request times out 300 ms after its fault has begun. Requests without a fault
 * never time out, however busy the machine is.
 */
function impatientClock(api: { faults: number }): Clock {
  return {
    ...realClock,
    async sleep(ms, signal) {
      if (ms !== TIMEOUT_MS) return realClock.sleep(ms, signal);
      const faultsBefore = api.faults;
      while (api.faults === faultsBefore) await realClock.sleep(5, signal);
      return realClock.sleep(300, signal);
    },
  };
}

async function checkFault(faultCase: FaultCase) {
  const { error, rejection, isRetried, isFirstPage } = faultCase;
  const { api, url, requests, run, table, resourceRef, ids } = await setup(faultCase);
  const clock = error?.[1] === timedOut ? impatientClock(api) : realClock;
  const report = await run(testWorld(engine, { clock }));
  const idsBefore = isFirstPage ? [] : ["1", "2"];
  if (error) {
    const [code, message] = error;
    const attempts = isRetried ? " (2 attempts)" : "";
    expect(report).toMatchObject({
      status: "failed",
      records: idsBefore.length,
      written: idsBefore.length,
      error: { code, message: message.replaceAll("$api", url) + attempts },
    });
    const redirects = faultCase.fault === "redirects in a circle" ? 5 : 0;
    expect(requests).toHaveLength(idsBefore.length / 2 + (isRetried ? 2 : 1) + redirects);
    expect(await ids()).toEqual(idsBefore);
  } else {
    const idsOfPage = faultCase.ids ?? ["3", "4"];
    expect(report).toMatchObject({
      status: "done",
      records: 4,
      written: idsBefore.length + idsOfPage.length,
      quarantined: rejection ? 1 : 0,
      error: null,
    });
    expect(await ids()).toEqual([...idsBefore, ...idsOfPage]);
  }
  const storedItems = await engine.scan(table);
  for (const item of faultCase.items ?? []) expect(storedItems).toContainEqual(item);
  const quarantined: unknown[] = [];
  for await (const entries of listQuarantine(testWorld(engine), resourceRef)) {
    quarantined.push(...entries.map(({ code, message }) => [code, message]));
  }
  expect(quarantined).toEqual(rejection ? [rejection] : []);

  // After the API has recovered, the next run reads what the fault kept back.
  api.isHealthy = true;
  expect(await run(testWorld(engine))).toMatchObject({ status: "done", records: 4 });
  expect(await ids()).toEqual(["1", "2", "3", "4"]);
}

/** The second cell of docs/faults.md. */
function reactionTo({ error, rejection, isRetried }: FaultCase): string {
  if (error) return isRetried ? "tries again, then fails" : "fails";
  return rejection ? "sets the record aside" : "reads it";
}

const cases = [...connections, ...bodies, ...records];

describe("faults of an API (P10, P12, P13)", () => {
  it.each(
    cases.map((faultCase) => [faultCase.fault, reactionTo(faultCase), faultCase] as const),
  )("when an API %s, the run %s", (_, __, faultCase) => checkFault(faultCase));
});

it("a hundred requests at once take eight connections (P10)", async () => {
  let connections = 0;
  const api = await openFaultyApi((socket) => {
    if (socket.bytesWritten === 0) connections += 1;
    socket.write(wholeAnswer("[]"));
  });
  const dispatcher = httpAgent("machine");
  onTestFinished(() => dispatcher.destroy());
  const answers = Array.from({ length: 100 }, async () => {
    const { body } = await request(api.url, { dispatcher });
    return body.text();
  });
  expect(new Set(await Promise.all(answers))).toEqual(new Set(["[]"]));
  expect(connections).toBe(limits.connections);
});

describe("docs/faults.md", () => {
  const root = resolve(import.meta.dirname, "..");
  const lines = readFileSync(resolve(root, "docs/faults.md"), "utf8").split("\n");
  const tableRows = lines
    .filter((line, n) => line.startsWith("| ") && !lines[n + 1]?.startsWith("|-"))
    .map((line) => line.slice(2, -2).split(" | "));
  const code = (text: string) => `\`${text}\``;

  it("docs/faults.md has each fault of this suite, with its outcome and its message", () => {
    const expectedRows = cases.map((faultCase) => {
      const outcome = (faultCase.error ?? faultCase.rejection)?.map(code) ?? ["–", "–"];
      return [faultCase.fault, reactionTo(faultCase), ...outcome];
    });
    const faultRows = tableRows.filter((row) => row.length === 4 && !row[3]?.includes("test"));
    expect(faultRows).toEqual(expectedRows);
  });

  it("docs/faults.md names error codes that stand in the test files it names", () => {
    const citations = tableRows.filter((row) => row[3]?.startsWith("`test/"));
    expect(citations.length).toBeGreaterThan(4);
    for (const [, , errorCode = "", file = ""] of citations) {
      const text = readFileSync(resolve(root, file.replaceAll("`", "")), "utf8");
      expect(text, file).toContain(errorCode.slice(1, -1));
    }
  });

  it("docs/faults.md has every limit with its value", () => {
    const limitRows = tableRows.filter((row) => row.length === 3 && row[0]?.startsWith("`"));
    const expectedRows = Object.entries(limits).map(([name, value]) => [
      code(name),
      value.toLocaleString("en"),
    ]);
    expect(limitRows.map((row) => row.slice(0, 2))).toEqual(expectedRows);
  });
});
