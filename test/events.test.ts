import { readdirSync, readFileSync } from "node:fs";
import { plan } from "@tidetable/core";
import { sources } from "@tidetable/sources";
import type { Context } from "aws-lambda";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { scheduler } from "../functions/schedule.ts";
import { parseWorkerEvent, type WorkerEvent } from "../packages/core/src/events.ts";
import { stateTable } from "../packages/core/src/load/tables.ts";
import { type Engine, startDynamodb } from "./support/dynamodb.ts";

// The events that a person pastes into the AWS console, sent to the handler as it is deployed.

const folder = new URL("../functions/events/", import.meta.url);
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
  const handler = scheduler({ log: silent, invoke: async (one) => void sent.push(one) });
  const answer = await handler(event, {
    awsRequestId: "console",
    getRemainingTimeInMillis: () => 60_000,
  } as Context);
  return { sent, answer };
}

/** Every resource that is registered, parents first. */
const all = Object.entries(sources).flatMap(([source, one]) =>
  plan(one, source).resources.map((resource) => ({ source, resource: resource.name })),
);
const ticketing = all.filter(({ source }) => source === "ticketing");

describe("a sample event", () => {
  it.each([
    ["run-everything.json", all, {}],
    ["one-source.json", ticketing, {}],
    ["one-resource.json", [{ source: "ticketing", resource: "tickets" }], {}],
    ["full-refresh.json", ticketing, { full_refresh: true }],
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
  it.each([
    ["of no JSON object", "ticketing"],
    ["with a word of its own", { sourc: "ticketing" }],
    ["with a wrong value", { source: 7 }],
    ["with resources of no source", { resources: ["tickets"] }],
    ["that would delete without a confirmation", { source: "ticketing", full_refresh: true }],
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
