import { afterAll, beforeAll, expect, it } from "vitest";
import { followRuns, type Pipeline } from "../../../packages/cli/src/runner/follow.ts";
import type { Fields, World } from "../../../packages/core/src/base/world.ts";
import { planSource } from "../../../packages/core/src/config/plan.ts";
import { rest_api_source } from "../../../packages/core/src/config/source.ts";
import { stateTable, tableDefinition } from "../../../packages/core/src/dynamodb/tables.ts";
import { handleScheduleEvent } from "../../../packages/core/src/entry/schedule.ts";
import { handleWorkerEvent } from "../../../packages/core/src/entry/worker.ts";
import { type Handler, offsetPages, openApi } from "../../support/api.ts";
import { slicedTime } from "../../support/clock.ts";
import { type Engine, startDynamodb } from "../../support/dynamodb.ts";
import { testWorld } from "../../support/world.ts";

// A deployed pipeline is followed from outside, in the state table alone.

let engine: Engine;
beforeAll(async () => {
  engine = await startDynamodb();
});
/** The engine is closed after the last worker has ended. */
const workers = new Set<Promise<unknown>>();
afterAll(async () => {
  await Promise.allSettled(workers);
  await engine.close();
});

const rows = Array.from({ length: 35 }, (_, n) => ({ id: `n${n}` }));
const GIVEN_UP = "it was tried three times";

const soon = { timeout: 60_000 };
const pause = (ms: number) => new Promise((done) => setTimeout(done, ms));

/** Deploys a source with functions in the test's process. */
async function deploySource(
  name: string,
  handler: Handler,
  {
    slice = () => ({}),
    beginsAfter = Promise.resolve(),
    ...changes
  }: Partial<Pipeline> & { slice?: () => Partial<World>; beginsAfter?: Promise<void> } = {},
) {
  const { url, requests } = await openApi(handler);
  const source = rest_api_source({
    client: { base_url: url },
    resource_defaults: { primary_key: "id", write_disposition: "merge" },
    resources: [
      {
        name: "notes",
        endpoint: { data_selector: "data", paginator: { type: "offset", limit: 10 } },
      },
    ],
  });
  const sources = { [name]: source };
  const planned = planSource(source, name);
  for (const resource of planned.resources) {
    await engine.createTables({
      "tidetable-test-state": stateTable,
      [`tidetable-test-${name}.notes`]: tableDefinition(resource),
    });
  }
  const world = testWorld(engine);
  let invocations = 0;
  const invokeWorker = (event: object, otherwise: Partial<World> = {}) => {
    invocations += 1;
    const invocation = `worker${invocations}`;
    const localOrigin = () => ({ override: undefined, dynamodbEndpoint: undefined });
    const working = handleWorkerEvent(event, {
      sources,
      world: { ...world, ...otherwise },
      invocation,
      localOrigin,
    });
    workers.add(working);
    return working;
  };
  const logLines: [string, Fields][] = [];
  const addLogLine = (message: string, fields: Fields = {}) =>
    void logLines.push([message, fields]);
  const stop = new AbortController();
  const pipeline: Pipeline = {
    schedule: (event) =>
      handleScheduleEvent(event, {
        ...world,
        sources,
        requestId: "request",
        invoke: async (event) =>
          void beginsAfter.then(() => invokeWorker(event, slice())).catch(() => {}),
      }),
    giveUpReason: (_, failedAt) => (failedAt === undefined ? undefined : GIVEN_UP),
    ...changes,
  };
  return {
    told: logLines,
    stop,
    requests,
    /** Invokes a worker, with any limits in `otherwise`. */
    invoke: (runId: string, otherwise?: Partial<World>) =>
      invokeWorker({ source: name, resource: "notes", run_id: runId }, otherwise),
    async follow(event: object = {}) {
      const { runId, reports } = await followRuns(pipeline, [{ source: name, ...event }], {
        plans: [planned],
        world,
        log: { debug: addLogLine, info: addLogLine, warn: addLogLine, error: addLogLine },
        signal: stop.signal,
      });
      return { runId, report: reports[0] };
    },
  };
}

/** An API and slices on a clock that only its answers move, a minute behind: a slice has one or two pages. */
function slicedApi() {
  const { passAnswer, oneSlice } = slicedTime({ start: Date.now() - 60_000 });
  const slowPages: Handler = (request, response) => {
    passAnswer();
    return offsetPages(rows)(request, response);
  };
  return { slowPages, oneSlice };
}

it("a run is followed to its end, and its report is the worker's", async () => {
  const desk = await deploySource("whole", offsetPages(rows));
  const { runId, report } = await desk.follow();
  expect(report).toMatchObject({
    source: "whole",
    resource: "notes",
    table: "tidetable-test-whole.notes",
    run_id: runId,
    status: "done",
    records: 35,
    written: 35,
    error: null,
  });
  expect(desk.told.at(-1)).toEqual(["done", { source: "whole", resource: "notes", report }]);
});

it("following sends the resume tick where nobody else does, so that a run gets all of its slices", async () => {
  const { slowPages, oneSlice } = slicedApi();
  const desk = await deploySource("sliced", slowPages, { tickMs: 50, slice: oneSlice });
  const { report } = await desk.follow();
  expect(report).toMatchObject({ status: "done", records: 35 });
  expect(report?.slices).toBeGreaterThan(2);
});

it("following logs a waiting run, and reports its progress when the following ends", async () => {
  let asked = 0;
  const desk = await deploySource("waiting", (request, response) => {
    asked += 1;
    // Longer than a slice is worth.
    if (asked === 3) return { status: 429, headers: { "retry-after": "61" } };
    return offsetPages(rows)(request, response);
  });
  const following = desk.follow();
  await expect.poll(() => desk.told.map(([message]) => message), soon).toContain("waiting");
  desk.stop.abort();
  const { report } = await following;
  expect(report).toMatchObject({ status: "waiting", pages: 2, records: 18 });
  expect(Date.parse(report?.not_before ?? "")).toBeGreaterThan(Date.now() + 50_000);
});

it("an event that continues an unfinished run is followed in that run", async () => {
  const { slowPages, oneSlice } = slicedApi();
  const desk = await deploySource("continued", slowPages);
  expect(await desk.invoke("earlier", oneSlice())).toMatchObject({ status: "running" });
  const { runId, report } = await desk.follow();
  expect(runId).not.toBe("earlier");
  expect(report).toMatchObject({ run_id: runId, status: "done", records: 35, slices: 2 });
});

it("the requested run is awaited if the unfinished one ended before the worker began", async () => {
  const { slowPages, oneSlice } = slicedApi();
  let begin = () => {};
  const beginsAfter = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const desk = await deploySource("behind", slowPages, { beginsAfter });
  await desk.invoke("earlier", oneSlice());
  const following = desk.follow();
  await pause(100);
  expect(await desk.invoke("earlier")).toMatchObject({ status: "done" });
  begin();
  const { runId, report } = await following;
  expect(report).toMatchObject({ run_id: runId, status: "done", slices: 1 });
});

it("a refresh that meets an unfinished run is followed after it", async () => {
  const { slowPages, oneSlice } = slicedApi();
  const desk = await deploySource("refreshed", slowPages);
  await desk.invoke("earlier", oneSlice());
  const { runId, report } = await desk.follow({ full_refresh: true, confirm: "refreshed" });
  expect(report).toMatchObject({ run_id: `${runId}/refresh`, status: "done", records: 35 });
});

it("a failed run is the end only after Lambda has given up", async () => {
  let patience = 2;
  const desk = await deploySource("failing", () => ({ body: { other: [] } }), {
    giveUpReason: () => (patience-- > 0 ? undefined : GIVEN_UP),
  });
  const { report } = await desk.follow();
  expect(report).toMatchObject({ status: "failed", error: { code: "extract.selector" } });
  expect(desk.told.filter(([message]) => /Lambda tries again/.test(message))).toHaveLength(1);
  expect(patience).toBe(-1);
});

it("a run that left no trace is reported as lost, with Lambda's reason", async () => {
  const desk = await deploySource("silent", offsetPages(rows), {
    schedule: async () => ({
      run_id: "r",
      started: [{ source: "silent", resource: "notes" }],
    }),
    giveUpReason: () => "the bundle has no handler",
  });
  const { report } = await desk.follow();
  expect(report).toMatchObject({
    status: "failed",
    records: 0,
    error: { code: "run.lost", message: "the bundle has no handler" },
  });
});

it("an event that meets a working worker is reported as skipped", async () => {
  let release = () => {};
  const held = new Promise<void>((done) => {
    release = done;
  });
  const desk = await deploySource("held", async (request, response) => {
    await held;
    return offsetPages(rows)(request, response);
  });
  const other = desk.invoke("other");
  await expect.poll(() => desk.requests.length, soon).toBe(1);
  const { report } = await desk.follow();
  expect(report).toMatchObject({ status: "skipped", error: { code: "state.lease_held" } });
  release();
  expect(await other).toMatchObject({ status: "done" });
});

it("an ended following reports the progress of the run, and the run continues", async () => {
  const desk = await deploySource("left", async (request, response) => {
    await pause(300);
    return offsetPages(rows)(request, response);
  });
  const following = desk.follow();
  await expect.poll(() => desk.requests.length, soon).toBeGreaterThan(2);
  desk.stop.abort();
  const { report } = await following;
  expect(report?.status).toBe("running");
  expect(report?.records).toBeLessThan(35);
  await expect.poll(() => engine.scan("tidetable-test-left.notes"), soon).toHaveLength(35);
});
