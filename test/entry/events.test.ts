import { readdirSync, readFileSync } from "node:fs";
import { planSource } from "@tidetable/core";
import { sources } from "@tidetable/sources";
import type { Context } from "aws-lambda";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { createScheduler } from "../../functions/schedule.ts";
import { stateTable } from "../../packages/core/src/dynamodb/tables.ts";
import {
  parseScheduleEvent,
  parseWorkerEvent,
  type WorkerEvent,
} from "../../packages/core/src/entry/events.ts";
import { handleScheduleEvent } from "../../packages/core/src/entry/schedule.ts";
import { handleWorkerEvent } from "../../packages/core/src/entry/worker.ts";
import { type Engine, startDynamodb } from "../support/dynamodb.ts";
import { testWorld } from "../support/world.ts";

// The events that a person pastes into the AWS console, sent to the handler as it is deployed.

const folder = new URL("../../functions/events/", import.meta.url);
const read = (name: string): object => JSON.parse(readFileSync(new URL(name, folder), "utf8"));
const samples = readdirSync(folder).sort();

let engine: Engine;
beforeAll(async () => {
  engine = await startDynamodb();
  await engine.createTables({ "tidetable-events-state": stateTable });
  vi.stubEnv("AWS_REGION", "us-east-1");
  vi.stubEnv("AWS_ACCESS_KEY_ID", "test");
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", "test");
  vi.stubEnv("AWS_ENDPOINT_URL_DYNAMODB", engine.endpoint);
  vi.stubEnv("TIDETABLE_STAGE", "events");
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await engine.close();
});

/** Sends an event to the schedule function, with the sources that are registered. */
async function send(event: unknown) {
  const sent: WorkerEvent[] = [];
  const silent = { debug() {}, info() {}, warn() {}, error() {} };
  const handler = createScheduler({ log: silent, invoke: async (one) => void sent.push(one) });
  const answer = await handler(event, {
    awsRequestId: "console",
    getRemainingTimeInMillis: () => 60_000,
  } as Context);
  return { sent, answer };
}

/** Every resource that is registered, parents first. */
const all = Object.entries(sources).flatMap(([source, one]) =>
  planSource(one, source).resources.map((resource) => ({ source, resource: resource.name })),
);
const ticketing = all.filter(({ source }) => source === "ticketing");

describe("a sample event", () => {
  it.each([
    ["run-everything.json", all, {}],
    ["one-source.json", ticketing, {}],
    ["one-resource.json", [{ source: "ticketing", resource: "tickets" }], {}],
    ["full-refresh.json", ticketing, { full_refresh: true, confirm: "ticketing" }],
    ["check.json", ticketing, { check: true }],
    // Nothing has been begun here.
    ["resume.json", [], {}],
  ])("%s starts what its name says", async (name, started, more) => {
    const { sent, answer } = await send(read(name));
    expect(answer).toEqual({ run_id: "console", started });
    expect(sent).toEqual(started.map((one) => ({ ...one, run_id: "console", ...more })));
    for (const event of sent) expect(parseWorkerEvent(event)).toBe(event);
  });

  it("is there for each way to call the schedule function", () => {
    expect(samples).toEqual([
      "check.json",
      "full-refresh.json",
      "one-resource.json",
      "one-source.json",
      "resume.json",
      "run-everything.json",
    ]);
  });
});

/** As a message writes it: on one line, with spaces. */
const oneLine = (event: object) =>
  JSON.stringify(event, null, 1)
    .replace(/\n\s*/g, " ")
    .replace(/^\{ | \}$|(\[) | (\])/g, (part) => part.trim());

describe("a wrong event", () => {
  it("says which field, and what belongs there", async () => {
    const { message } = await send({ source: "ticketing", resources: "tickets" }).catch((e) => e);
    expect(message).toMatch(/^the event's "resources" has to be a list of 1 to 500 such names; /);
  });

  it.each([
    ["of no JSON object", "ticketing"],
    ["with a word of its own", { sourc: "ticketing" }],
    ["with a wrong value", { source: 7 }],
    ["with resources of no source", { resources: ["tickets"] }],
    ["that would delete without a confirmation", { source: "ticketing", full_refresh: true }],
    ["that confirms another", { source: "ticketing", full_refresh: true, confirm: "support" }],
    ["that would delete from all sources", { full_refresh: true, confirm: "ticketing" }],
    ["with two orders", { source: "ticketing", limit_pages: 1, check: true }],
    ["that resumes some resources", { source: "ticketing", resources: ["tickets"], resume: true }],
    ["with a text that is too long", { source: "x".repeat(257) }],
    ["with a line of its own", { source: "ticketing\nstarted" }],
    ["with more resources than there can be", { source: "desk", resources: Array(501).fill("a") }],
  ])("%s is answered with all the right ones", async (_, event) => {
    const error = await send(event).catch((error) => error);
    expect(error).toMatchObject({ name: "ConfigError", code: "event.invalid" });
    for (const name of samples) expect(error.message).toContain(oneLine(read(name)));
  });

  it.each([
    [{ source: "tickets" }, 'there is no source "tickets"', Object.keys(sources).join(", ")],
    [{ source: "ticketing", resources: ["x"] }, 'ticketing has no resource "x"', "tickets"],
  ])("%j is answered with the names that there are", async (event, message, names) => {
    const error = await send(event).catch((error) => error);
    expect(error.message).toContain(`${message}; `);
    expect(error.message).toContain(names);
  });
});

describe("a worker that is called by hand", () => {
  const order = { source: "ticketing", resource: "tickets", run_id: "r1" };

  it("deletes nothing without a confirmation either", () => {
    for (const confirm of [undefined, "support", "tickets"]) {
      const event = { ...order, full_refresh: true, ...(confirm && { confirm }) };
      expect(() => parseWorkerEvent(event)).toThrow(/"confirm" with the same name/);
    }
    const confirmed = { ...order, full_refresh: true, confirm: "ticketing" };
    expect(parseWorkerEvent(confirmed)).toBe(confirmed);
  });

  it.each([
    "base_url",
    "url",
    "origin",
    "allowed_origins",
    "table",
    "table_name",
    "secret",
    "secrets",
    "endpoint",
    "stage",
    "__proto__",
  ])("takes no %s from an event", (field) => {
    const event = JSON.parse(`{ "${field}": "x", ${JSON.stringify(order).slice(1)}`);
    expect(() => parseWorkerEvent(event)).toThrow(`unknown field "${field}"`);
    const { run_id, ...wanted } = event;
    expect(() => parseScheduleEvent(wanted)).toThrow(`unknown field "${field}"`);
  });
});

describe("no event whatsoever", () => {
  const words = ["ticketing", "tickets", "support", "__proto__", "constructor", "a\nb", ""];
  const value = fc.oneof(
    fc.constantFrom<unknown>(...words, true, false, 1, 0, -1, null, [], ["tickets"], {}),
    fc.jsonValue({ maxDepth: 3 }),
  );
  const known = ["source", "resource", "resources", "run_id", "time", "limit_pages", "check"];
  const field = fc.oneof(
    fc.constantFrom(...known, "full_refresh", "confirm", "spool_only", "resume"),
    fc.constantFrom("base_url", "table", "secret", "origin", "__proto__", "toString"),
    fc.string(),
  );
  const event = fc.oneof(
    { weight: 1, arbitrary: fc.jsonValue() },
    {
      weight: 5,
      arbitrary: fc
        .array(fc.tuple(field, value), { maxLength: 5 })
        .map((members) => Object.fromEntries(members)),
    },
    {
      weight: 5,
      arbitrary: fc.array(fc.tuple(field, value), { maxLength: 2 }).map((more) => ({
        ...{ source: "ticketing", resource: "tickets", run_id: "r1" },
        ...Object.fromEntries(more),
      })),
    },
  );

  /** Whatever an event reaches is counted and fails: nothing of it may be reached by a wrong one. */
  function outside() {
    const reached: unknown[] = [];
    const reach = async (what: unknown): Promise<never> => {
      reached.push(what);
      throw new Error("outside");
    };
    const send = () => reach("AWS");
    const trap = { dynamodb: { send }, secretsManager: { send } };
    return { reached, reach, world: { ...testWorld(engine), ...trap } };
  }

  /** A refusal in words with nothing begun; or the event is right, and what is outside failed. */
  function refused(error: unknown, reached: unknown[], parse: () => unknown): void {
    if (reached.length > 0) {
      expect(parse).not.toThrow();
      return;
    }
    expect(error).toMatchObject({ name: "ConfigError", code: expect.stringMatching(/^event\./) });
    expect(String(error)).toMatch(/^[ -~…]{1,1000}$/);
  }

  const options = { seed: 20_260_101, numRuns: 3000 };

  it("crashes the schedule function, or starts anything that is not registered", async () => {
    const registered = all.map(({ source, resource }) => `${source}/${resource}`);
    const property = fc.asyncProperty(event, async (one) => {
      const { reached, reach, world } = outside();
      const invoke = async (started: WorkerEvent) => {
        expect(registered).toContain(`${started.source}/${started.resource}`);
        if (started.full_refresh) expect(one).toMatchObject({ confirm: started.source });
        expect(parseWorkerEvent(JSON.parse(JSON.stringify(started)))).toEqual(started);
        await reach(started);
      };
      const call = handleScheduleEvent(one, { ...world, sources, requestId: "q1", invoke });
      await call.catch((error) => refused(error, reached, () => parseScheduleEvent(one)));
    });
    await fc.assert(property, options);
  });

  it("crashes a worker, or lets it reach anything when it is wrong", async () => {
    const places = { localOrigin: () => ({ override: undefined, dynamodbEndpoint: undefined }) };
    const property = fc.asyncProperty(event, async (one) => {
      const { reached, world } = outside();
      const call = handleWorkerEvent(one, { sources, world, ...places, invocation: "i1" });
      await call.catch((error) => refused(error, reached, () => parseWorkerEvent(one)));
    });
    await fc.assert(property, options);
  });
});
