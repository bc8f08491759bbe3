import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { EndpointConfig } from "../packages/core/src/config/endpoint-types.ts";
import { openApi } from "./support/api.ts";
import { type Engine, startDynamodb } from "./support/dynamodb.ts";
import { deploySource, testWorld } from "./support/world.ts";

// Answers that an API may send to make a worker fail in a way that nobody has named.

let engine: Engine;
beforeAll(async () => {
  engine = await startDynamodb();
});
afterAll(() => engine.close());

const LEVELS = 100_000;
const deepObject = (inner = "1") => `${'{"a":'.repeat(LEVELS)}${inner}${"}".repeat(LEVELS)}`;
const deepList = `${"[".repeat(LEVELS)}${"]".repeat(LEVELS)}`;

/** Reads a body with a config that leaves everything open. */
async function readBody(body: string, endpoint: EndpointConfig = {}) {
  const api = await openApi([{ body, headers: { "content-type": "application/json" } }]);
  const { run, resource } = await deploySource(engine, {
    client: { base_url: api.url },
    resources: [{ name: "rows", primary_key: "id", endpoint: { path: "rows", ...endpoint } }],
  });
  const lines: string[] = [];
  const writeLine = (...output: unknown[]) => void lines.push(JSON.stringify(output));
  const log = { debug: writeLine, info: writeLine, warn: writeLine, error: writeLine };
  return { report: await run(testWorld(engine, { log })), lines, resource };
}

describe("an answer that is nested 100,000 levels deep", () => {
  it.each<[string, string, EndpointConfig?]>([
    ["is an object", deepObject()],
    ["is a list", deepList],
    ["has a list far inside", deepObject('[{"id":1}]')],
    ["has a record of objects", `{"data":[{"id":1,"deep":${deepObject()}}]}`],
    ["has a record of lists", `{"data":[{"id":1,"deep":${deepList}}]}`],
    ["has such a key", `{"data":[{"id":${deepObject()}}]}`],
    ["has it next to the list", `{"meta":${deepObject()},"data":[{"id":1}]}`],
    ["has it as the next page", `{"next":${deepObject()},"data":[{"id":1}]}`],
    [
      "has it as a cursor",
      `{"data":[{"id":1}],"c":${deepList}}`,
      {
        paginator: { type: "cursor", cursor_path: "c" },
      },
    ],
    [
      "has it as a total",
      `{"data":[{"id":1}],"total":${deepList}}`,
      {
        paginator: { type: "offset", limit: 1, total_path: "total" },
      },
    ],
    [
      "has it as the incremental value",
      `{"data":[{"id":1,"at":${deepList}}]}`,
      {
        incremental: { cursor_path: "at" },
      },
    ],
    ["has it as an error", `{"errors":${deepObject()}}`, { data_selector: "data" }],
  ])("is read, or ends as a named error, where it %s", async (_, body, endpoint) => {
    const { report } = await readBody(body, endpoint);
    expect(report.error?.code ?? "none").not.toBe("run.unexpected");
  });
});

describe("a name that the API chose", () => {
  const long = "x".repeat(400_000);
  it.each<[string, string, string]>([
    ["the only list", `{"${long}":[{"id":1}]}`, "extract.selector"],
    ["a list beside a usual one", `{"${long}":[{"id":1}],"data":[{"id":1}]}`, "none"],
    ["the next page", `{"next_${long}":"abc","data":[{"id":1}]}`, "none"],
    ["an object around the next page", `{"${long}":{"next":"abc"},"data":[{"id":1}]}`, "none"],
    ["the number of pages", `{"total${"-".repeat(400_000)}pages":3,"data":[{"id":1}]}`, "none"],
  ])("is neither logged nor stored where it has 400,000 characters and names %s", async (_, body, code) => {
    const { report, lines } = await readBody(body);
    expect(report.error?.code ?? "none").toBe(code);
    expect(lines.join("").length + JSON.stringify(report).length).toBeLessThan(20_000);
  });
});
