import { expect, it } from "vitest";
import { openSampleApi } from "../../packages/cli/src/sample/server.ts";
import { offsetPages, openApi } from "../support/api.ts";
import { buildBundles, createRows, nodeVersion, openStage } from "./support.ts";

const bundles = buildBundles();
const kB = (bytes: number) => `${Math.round(bytes / 1000)} kB`;

it("the schedule function starts a process per resource, and all five sources are loaded (P19)", async () => {
  const api = await openSampleApi();
  const { origins, secrets } = api;
  const inits: Record<string, number[]> = { schedule: [], worker: [] };
  const { run, items, lambda, pipeline } = await openStage({
    bundles,
    origins,
    secrets,
    onReport({ functionName, initMs }) {
      const kind = functionName.includes("worker") ? "worker" : "schedule";
      if (initMs !== undefined) inits[kind]?.push(Math.round(initMs));
    },
  });

  await pipeline.schedule({ resume: true });
  const began = performance.now();
  await pipeline.schedule({ resume: true });
  const warmMs = Math.round(performance.now() - began);
  const { runId, reports } = await run();
  expect(reports).toHaveLength(6);
  for (const [name, records] of Object.entries(api.counts())) {
    const [source = "", table = ""] = name.split(".");
    const report = reports.find((one) => one.source === source && one.resource === table);
    expect(report).toMatchObject({ run_id: runId, status: "done", records, error: null });
    expect(await items(source, table)).toHaveLength(records);
  }
  expect(lambda.failures).toEqual([]);
  await api.close();

  // Each resource has a process, and the schedule function as well.
  expect(inits.worker?.length).toBeGreaterThanOrEqual(6);
  const { schedule, worker } = bundles;
  const sizes = [schedule, worker].map(
    ({ bytes, zippedBytes }) => `${kB(bytes)} (${kB(zippedBytes)} zipped)`,
  );
  process.stdout.write(
    `Node ${nodeVersion()}: cold starts: schedule ${inits.schedule} ms, workers, all at once, ${inits.worker} ms; warm tick ${warmMs} ms; bundles: schedule ${sizes[0]}, worker ${sizes[1]}\n`,
  );
});

it("a resource that fails is attempted three times and leaves one failure record; the others are loaded (P18)", async () => {
  let asked = 0;
  const support = await openApi((request, response) => {
    if (request.path === "/oauth/token") return { body: { access_token: "t", expires_in: 3600 } };
    if (request.path === "/v1/tickets") {
      return offsetPages(createRows(250), { member: "tickets" })(request, response);
    }
    asked += 1;
    return { status: 404, body: { error: "gone" } };
  });
  const ticketing = await openApi(offsetPages(createRows(120)));
  const { run, items, lambda } = await openStage({
    bundles,
    origins: { support: support.url, ticketing: ticketing.url },
    secrets: { support: { client_id: "id", client_secret: "secret" } },
  });
  const { runId, reports } = await run();
  expect(reports.map(({ source, resource, status }) => `${source}.${resource} ${status}`)).toEqual([
    "support.support_tickets done",
    "support.ticket_comments failed",
    "ticketing.tickets done",
  ]);
  expect(reports[1]?.error).toMatchObject({ code: "extract.status" });
  expect(asked).toBe(3);
  expect(await items("support", "support_tickets")).toHaveLength(250);
  expect(await items("ticketing", "tickets")).toHaveLength(120);

  expect(lambda.failures).toMatchObject([
    {
      requestContext: { condition: "RetriesExhausted", approximateInvokeCount: 3 },
      requestPayload: { source: "support", resource: "ticket_comments", run_id: runId },
      responsePayload: { errorType: "RunError" },
    },
  ]);
});
