import { readdirSync, readFileSync } from "node:fs";
import { rest_api_source } from "@tidetable/core";
import { planSource } from "@tidetable/core/plan";
import { sources } from "@tidetable/sources";
import type { Context } from "aws-lambda";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { stateTable } from "../../packages/core/src/dynamodb/tables.ts";
import {
  parseScheduleEvent,
  parseWorkerEvent,
  type WorkerEvent,
} from "../../packages/core/src/entry/events.ts";
import { handleScheduleEvent } from "../../packages/core/src/entry/schedule.ts";
import { handleWorkerEvent } from "../../packages/core/src/entry/worker.ts";
import { scheduler } from "../../packages/core/src/lambda/scheduler.ts";
import { type Engine, startDynamodb } from "../support/dynamodb.ts";
import { testWorld } from "../support/world.ts";

// Sends the events that a person pastes into the AWS console to the deployed handler.

const folder = new URL("../../functions/events/", import.meta.url);
const readSample = (name: string): object =>
  JSON.parse(readFileSync(new URL(name, folder), "utf8"));
const sampleNames = readdirSync(folder).sort();

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

/** Sends an event to the schedule function with the registered sources. */
async function send(event: unknown) {
  const workerEvents: WorkerEvent[] = [];
  const silentLog = { debug() {}, info() {}, warn() {}, error() {} };
  const handler = scheduler({
    sources,
    log: silentLog,
    invoke: async (workerEvent) => void workerEvents.push(workerEvent),
  });
  const answer = await handler(event, {
    awsRequestId: "console",
    getRemainingTimeInMillis: () => 60_000,
  } as Context);
  return { workerEvents, answer };
}

/** Every registered resource, parents first. */
const allResources = Object.entries(sources).flatMap(([name, source]) =>
  planSource(source, name).resources.map((resource) => ({ source: name, resource: resource.name })),
);
const ticketing = allResources.filter(({ source }) => source === "ticketing");

describe("a sample event", () => {
  it.each([
    ["run-everything.json", "console", allResources, {}],
    ["one-source.json", "console", ticketing, {}],
    ["one-resource.json", "console/tickets", ticketing.slice(0, 1), {}],
    [
      "full-refresh.json",
      "console/refresh",
      ticketing,
      { full_refresh: true, confirm: "ticketing" },
    ],
    ["check.json", "console", ticketing, { check: true }],
    // There is no unfinished run here.
    ["resume.json", "console", [], {}],
  ])("the sample event %s starts the runs that its name promises, as %s", async (name, run_id, started, order) => {
    const { workerEvents, answer } = await send(readSample(name));
    expect(answer).toEqual({ run_id, started });
    expect(workerEvents).toEqual(started.map((ref) => ({ ...ref, run_id, ...order })));
    for (const event of workerEvents) expect(parseWorkerEvent(event)).toBe(event);
  });

  it("there is a sample event for every way to call the schedule function", () => {
    expect(sampleNames).toEqual([
      "check.json",
      "full-refresh.json",
      "one-resource.json",
      "one-source.json",
      "resume.json",
      "run-everything.json",
    ]);
  });
});

describe("a fan-out", () => {
  const endpoint = { data_selector: "data", paginator: "single_page" } as const;
  const blog = {
    blog: rest_api_source({
      client: { base_url: "https://api.example.com" },
      resource_defaults: { primary_key: "id", write_disposition: "merge", endpoint },
      resources: [
        { name: "users", endpoint: { incremental: { cursor_path: "at" } } },
        { name: "posts", endpoint: { path: "users/{resources.users.id}/posts" } },
        { name: "comments", endpoint: { path: "posts/{resources.posts.id}/comments" } },
        "tags",
      ],
    }),
  };
  const time = "2026-01-01T00:00:00Z";
  async function startedBy(event: object): Promise<WorkerEvent[]> {
    const events: WorkerEvent[] = [];
    const invoke = async (workerEvent: WorkerEvent) => void events.push(workerEvent);
    const deps = { ...testWorld(engine), sources: blog, requestId: "request", invoke };
    await handleScheduleEvent({ source: "blog", time, ...event }, deps);
    return events;
  }
  const idOf = async (event: object) => (await startedBy(event))[0]?.run_id;

  it("its id holds its kind, so that a plain run and others of the same minute are different ones", async () => {
    const refresh = { full_refresh: true, confirm: "blog" };
    const events = [{}, refresh, { limit_pages: 2 }, { resources: ["tags"] }];
    const ids = await Promise.all(events.map(idOf));
    expect(ids).toEqual([time, `${time}/refresh`, `${time}/sample-2`, `${time}/tags`]);
    expect(await idOf({ ...refresh, resources: ["tags", "posts"] })).toBe(
      `${time}/refresh/posts+tags`,
    );
  });

  it("its id does not depend on the order of the resources, and stays short for many of them", async () => {
    const resources = ["users", "posts", "comments", "tags"];
    const id = await idOf({ resources });
    expect(await idOf({ resources: resources.toReversed() })).toBe(id);
    const many = { resources: Array.from({ length: 20 }, () => resources).flat() };
    expect((await idOf(many))?.length).toBeLessThanOrEqual(time.length + 61);
    expect(await idOf(many)).not.toBe(await idOf({ resources: many.resources.slice(1) }));
  });

  it("a parent is told which of its followers were asked for with it, and nobody else is told anything", async () => {
    const servesOf = async (event: object) =>
      Object.fromEntries(
        (await startedBy(event)).map(({ resource, serves, spool_only }) => [
          resource,
          { serves, spool_only },
        ]),
      );
    const none = { serves: undefined, spool_only: undefined };
    expect(await servesOf({})).toEqual({
      users: { serves: ["posts", "comments"], spool_only: undefined },
      posts: none,
      comments: none,
      tags: none,
    });
    expect(await servesOf({ resources: ["comments"] })).toEqual({
      users: { serves: ["comments"], spool_only: true },
      posts: { serves: undefined, spool_only: true },
      comments: none,
    });
    expect(await servesOf({ resources: ["users"] })).toEqual({
      users: { serves: [], spool_only: undefined },
    });
    // A sample reads the few parent records itself.
    expect(await servesOf({ resources: ["comments"], limit_pages: 1 })).toEqual({ comments: none });
  });
});

/** Writes an event as messages do, on one line with spaces. */
const onOneLine = (event: object) =>
  JSON.stringify(event, null, 1)
    .replace(/\n\s*/g, " ")
    .replace(/^\{ | \}$|(\[) | (\])/g, (part) => part.trim());

describe("a wrong event", () => {
  it("the message about a wrong event names the field and the right values", async () => {
    const { message } = await send({ source: "ticketing", resources: "tickets" }).catch(
      (error) => error,
    );
    expect(message).toMatch(/^the event's "resources" has to be a list of 1 to 500 such names; /);
  });

  it.each([
    ["that is no JSON object", "ticketing"],
    ["with an unknown field", { sourc: "ticketing" }],
    ["with a wrong value", { source: 7 }],
    ["with resources but no source", { resources: ["tickets"] }],
    ["that would delete rows without a confirmation", { source: "ticketing", full_refresh: true }],
    [
      "that confirms another source",
      { source: "ticketing", full_refresh: true, confirm: "support" },
    ],
    ["that would delete rows of all sources", { full_refresh: true, confirm: "ticketing" }],
    ["with two orders", { source: "ticketing", limit_pages: 1, check: true }],
    [
      "that resumes only some resources",
      { source: "ticketing", resources: ["tickets"], resume: true },
    ],
    ["with a string that is too long", { source: "x".repeat(257) }],
    ["with a line break in a string", { source: "ticketing\nstarted" }],
    [
      "with more resources than a source can have",
      { source: "desk", resources: Array(501).fill("a") },
    ],
  ])("an event %s is refused, and the message shows every sample event", async (_, event) => {
    const error = await send(event).catch((error) => error);
    expect(error).toMatchObject({ name: "ConfigError", code: "event.invalid" });
    for (const name of sampleNames) expect(error.message).toContain(onOneLine(readSample(name)));
  });

  it.each([
    [{ source: "tickets" }, 'there is no source "tickets"', Object.keys(sources).join(", ")],
    [{ source: "ticketing", resources: ["x"] }, 'ticketing has no resource "x"', "tickets"],
  ])("the event %j is refused with the registered names", async (event, message, names) => {
    const error = await send(event).catch((error) => error);
    expect(error.message).toContain(`${message}; `);
    expect(error.message).toContain(names);
  });
});

describe("a worker that is called by hand", () => {
  const order = { source: "ticketing", resource: "tickets", run_id: "r1" };

  it.each([
    ["a refresh", { full_refresh: true, confirm: "ticketing" }, "r1/refresh"],
    [
      "a refresh that says so",
      { full_refresh: true, confirm: "ticketing", run_id: "x/refresh/tickets" },
      "x/refresh/tickets",
    ],
    ["a plain run", {}, "r1"],
  ])("a worker that is called by hand for %s runs under an id that holds its kind", async (_, changes, runId) => {
    const origins = { localOrigin: () => ({ override: undefined, dynamodbEndpoint: undefined }) };
    const deps = { sources, world: testWorld(engine), ...origins, invocation: "i1" };
    const error = await handleWorkerEvent({ ...order, ...changes }, deps).catch((error) => error);
    expect(error).toMatchObject({ report: { run_id: runId, status: "failed" } });
  });

  it("a worker that is called by hand deletes nothing without a confirmation", () => {
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
  ])("no function takes %s from an event", (field) => {
    const event = JSON.parse(`{ "${field}": "x", ${JSON.stringify(order).slice(1)}`);
    expect(() => parseWorkerEvent(event)).toThrow(`unknown field "${field}"`);
    const { run_id, ...scheduleEvent } = event;
    expect(() => parseScheduleEvent(scheduleEvent)).toThrow(`unknown field "${field}"`);
  });
});

describe("random events", () => {
  const words = ["ticketing", "tickets", "support", "__proto__", "constructor", "a\nb", ""];
  const value = fc.oneof(
    fc.constantFrom<unknown>(...words, true, false, 1, 0, -1, null, [], ["tickets"], {}),
    fc.jsonValue({ maxDepth: 3 }),
  );
  const fieldNames = ["source", "resource", "resources", "run_id", "time", "limit_pages", "check"];
  const field = fc.oneof(
    fc.constantFrom(...fieldNames, "full_refresh", "confirm", "spool_only", "serves", "resume"),
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
      arbitrary: fc.array(fc.tuple(field, value), { maxLength: 2 }).map((extraFields) => ({
        ...{ source: "ticketing", resource: "tickets", run_id: "r1" },
        ...Object.fromEntries(extraFields),
      })),
    },
  );

  /** A world in which every call is recorded and fails. A wrong event must not make any call. */
  function failingWorld() {
    const calls: unknown[] = [];
    const failCall = async (call: unknown): Promise<never> => {
      calls.push(call);
      throw new Error("the call fails");
    };
    const send = () => failCall("AWS");
    const failingClients = { dynamodb: { send }, secretsManager: { send } };
    return { calls, failCall, world: { ...testWorld(engine), ...failingClients } };
  }

  /** Either the event is right and a call failed, or the event is refused before any call. */
  function expectRefusal(error: unknown, calls: unknown[], parse: () => unknown): void {
    if (calls.length > 0) {
      expect(parse).not.toThrow();
      return;
    }
    expect(error).toMatchObject({ name: "ConfigError", code: expect.stringMatching(/^event\./) });
    expect(String(error)).toMatch(/^[ -~…]{1,1000}$/);
  }

  const options = { seed: 20_260_101, numRuns: 3000 };

  it("no random event crashes the schedule function or starts an unregistered resource", async () => {
    const registeredResources = allResources.map(({ source, resource }) => `${source}/${resource}`);
    const property = fc.asyncProperty(event, async (randomEvent) => {
      const { calls, failCall, world } = failingWorld();
      const invoke = async (started: WorkerEvent) => {
        expect(registeredResources).toContain(`${started.source}/${started.resource}`);
        if (started.full_refresh) expect(randomEvent).toMatchObject({ confirm: started.source });
        expect(parseWorkerEvent(JSON.parse(JSON.stringify(started)))).toEqual(started);
        await failCall(started);
      };
      const call = handleScheduleEvent(randomEvent, { ...world, sources, requestId: "q1", invoke });
      await call.catch((error) =>
        expectRefusal(error, calls, () => parseScheduleEvent(randomEvent)),
      );
    });
    await fc.assert(property, options);
  });

  it("no random event crashes a worker, and no wrong event makes it call AWS", async () => {
    const origins = { localOrigin: () => ({ override: undefined, dynamodbEndpoint: undefined }) };
    const property = fc.asyncProperty(event, async (randomEvent) => {
      const { calls, world } = failingWorld();
      const call = handleWorkerEvent(randomEvent, { sources, world, ...origins, invocation: "i1" });
      await call.catch((error) => expectRefusal(error, calls, () => parseWorkerEvent(randomEvent)));
    });
    await fc.assert(property, options);
  });
});
