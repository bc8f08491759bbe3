import { setTimeout as wait } from "node:timers/promises";
import { expect, test } from "vitest";
import { functionOf, openService } from "./support.ts";

const failing = `
  let calls = 0;
  export const handler = async ({ times = Infinity, text = "broken" }) => {
    calls += 1;
    console.log("call " + calls + " at " + Date.now());
    if (calls <= times) throw new TypeError(text);
  };
`;
const slow = `
  export const handler = async ({ ms }) => {
    console.log("begin");
    await new Promise((resolve) => setTimeout(resolve, ms));
    console.log("end");
  };
`;

test("an asynchronous event is accepted before its handler has ended", async () => {
  const { send, lambda, lines } = await openService(functionOf(slow));
  const { StatusCode, answer, FunctionError } = await send({ ms: 1_500 });
  expect(lines).not.toContain("end");
  expect({ StatusCode, answer, FunctionError }).toEqual({ StatusCode: 202 });
  await lambda.waitUntilIdle();
  expect(lines).toEqual(["begin", "end"]);
});

test("an event is retried twice after a function error, each time later, with the same request id", async () => {
  const { send, lambda, lines, reports } = await openService(functionOf(failing), {
    retryDelaysMs: [300, 600],
  });
  const { $metadata } = await send({ source: "shop", resource: "orders" });
  await lambda.waitUntilIdle();
  const at = lines.flatMap((line) => /^call \d at (\d+)$/.exec(line)?.[1] ?? []).map(Number);
  expect(at).toHaveLength(3);
  const [first = 0, second = 0, third = 0] = at;
  expect(second - first).toBeGreaterThanOrEqual(295);
  expect(third - second).toBeGreaterThanOrEqual(595);
  expect(new Set(reports.map(({ requestId }) => requestId))).toEqual(
    new Set([$metadata.requestId]),
  );
});

test("after the last attempt the on-failure destination gets the record that AWS sends", async () => {
  const { send, lambda } = await openService(functionOf(failing));
  const event = { source: "shop", resource: "orders", run_id: "r1" };
  const { $metadata } = await send(event);
  await lambda.waitUntilIdle();
  expect(lambda.failures).toEqual([
    {
      version: "1.0",
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      requestContext: {
        requestId: $metadata.requestId,
        functionArn: "arn:aws:lambda:us-east-1:000000000000:function:worker:$LATEST",
        condition: "RetriesExhausted",
        approximateInvokeCount: 3,
      },
      requestPayload: event,
      responseContext: {
        statusCode: 200,
        executedVersion: "$LATEST",
        functionError: "Unhandled",
      },
      responsePayload: {
        errorType: "TypeError",
        errorMessage: "broken",
        trace: expect.any(Array),
      },
    },
  ]);
});

test("an event is not retried after it has succeeded", async () => {
  const { send, lambda, reports } = await openService(functionOf(failing));
  await send({ times: 1 });
  await lambda.waitUntilIdle();
  expect(reports.map(({ errorType }) => errorType)).toEqual(["TypeError", undefined]);
  expect(lambda.failures).toEqual([]);
});

test("an event is retried after a time-out and after the exit of a process", async () => {
  const { send, lambda, reports } = await openService([
    functionOf(slow, { name: "slow", timeoutMs: 300, retries: 1 }),
    functionOf(`export const handler = () => process.exit(2);`, { name: "gone", retries: 1 }),
  ]);
  await send({ ms: 60_000 }, { FunctionName: "slow" });
  await send({}, { FunctionName: "gone" });
  await lambda.waitUntilIdle();
  expect(reports).toHaveLength(4);
  const payloads = lambda.failures.map(({ responsePayload }) => responsePayload);
  expect(payloads).toContainEqual(expect.objectContaining({ errorType: "Sandbox.Timedout" }));
  expect(payloads).toContainEqual(expect.objectContaining({ errorType: "Runtime.ExitError" }));
});

test("a function can have no retries, and a synchronous invocation never has any", async () => {
  const { send, invoke, lambda, reports } = await openService(functionOf(failing, { retries: 0 }));
  await send({});
  await lambda.waitUntilIdle();
  expect(reports).toHaveLength(1);
  expect(lambda.failures).toMatchObject([{ requestContext: { approximateInvokeCount: 1 } }]);
  await invoke();
  await lambda.waitUntilIdle();
  expect(reports).toHaveLength(2);
  expect(lambda.failures).toHaveLength(1);
});

test("throttled events wait for their turn, which is not counted as an attempt", async () => {
  const { send, lambda, reports } = await openService(
    functionOf(slow, { reservedConcurrency: 1, retries: 0 }),
  );
  await Promise.all([1, 2, 3, 4].map(() => send({ ms: 200 })));
  await lambda.waitUntilIdle();
  expect(reports.map(({ errorType }) => errorType)).toEqual(Array(4).fill(undefined));
  expect(lambda.failures).toEqual([]);
});

test("an event that is throttled until it is too old is given up without an attempt", async () => {
  const { send, lambda, lines } = await openService(
    functionOf(slow, { reservedConcurrency: 1, maximumEventAgeMs: 400 }),
  );
  await send({ ms: 1_500 });
  await wait(50);
  await send({ ms: 1, late: true });
  await lambda.waitUntilIdle();
  expect(lines).toEqual(["begin", "end"]);
  expect(lambda.failures).toEqual([
    expect.objectContaining({
      requestPayload: { ms: 1, late: true },
      requestContext: expect.objectContaining({
        condition: "EventAgeExceeded",
        approximateInvokeCount: 0,
      }),
    }),
  ]);
  expect(lambda.failures[0]).not.toHaveProperty("responsePayload");
});

test("a retry that would come too late is left out, and the record has the last error", async () => {
  const { send, lambda, reports } = await openService(
    functionOf(failing, { maximumEventAgeMs: 300 }),
    {
      retryDelaysMs: [60_000],
    },
  );
  await send({});
  await lambda.waitUntilIdle();
  expect(reports).toHaveLength(1);
  expect(lambda.failures).toMatchObject([
    {
      requestContext: { condition: "EventAgeExceeded", approximateInvokeCount: 1 },
      responsePayload: { errorType: "TypeError" },
    },
  ]);
});

test("a duplicated event is delivered twice, at the same time and with the same request id", async () => {
  const { send, lambda, reports } = await openService(functionOf(slow), {
    duplicate: (name, event) => name === "worker" && (event as { twice?: true }).twice === true,
  });
  await send({ ms: 1 });
  await lambda.waitUntilIdle();
  expect(reports).toHaveLength(1);
  const { $metadata } = await send({ ms: 1, twice: true });
  await lambda.waitUntilIdle();
  expect(reports.slice(1).map(({ requestId }) => requestId)).toEqual([
    $metadata.requestId,
    $metadata.requestId,
  ]);
});

test("close() does not wait for a retry that is due in an hour, and makes no record of its event", async () => {
  const { send, lambda, reports } = await openService(functionOf(failing), {
    retryDelaysMs: [3_600_000],
  });
  await send({});
  await expect.poll(() => reports.length, { timeout: 20_000 }).toBe(1);
  await lambda.close();
  await lambda.waitUntilIdle();
  expect(lambda.failures).toEqual([]);
});
