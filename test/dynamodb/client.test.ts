import { DescribeTableCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it, test } from "vitest";
import {
  classifyError,
  dynamodbClient,
  errorName,
  isTransient,
} from "../../packages/core/src/dynamodb/client.ts";
import { awsRetryDelay } from "../../packages/core/src/dynamodb/sdk-client.ts";
import { clientOf, type Engine, startDynamodb } from "../support/dynamodb.ts";
import { type Fault, openFaultyDynamodb } from "../support/faulty-dynamodb.ts";

const loggersOf = (client: DynamoDBClient) =>
  client.middlewareStack.identify().filter((name) => name.startsWith("loggerMiddleware"));

test("the client does not have the SDK's costly logger, which the SDK has under this name", () => {
  expect(loggersOf(new DynamoDBClient({}))).toHaveLength(1);
  expect(loggersOf(dynamodbClient())).toHaveLength(0);
});

test("the wait before a retry is random, grows, and never exceeds 5 seconds", () => {
  expect([1, 2, 3, 8, 50].map((attempt) => awsRetryDelay(attempt, () => 1))).toEqual([
    50, 100, 200, 5000, 5000,
  ]);
  const random = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 10_000 }), random, (attempt, value) => {
      const delay = awsRetryDelay(attempt, () => value);
      expect(delay >= 0 && delay <= 5_000).toBe(true);
    }),
  );
});

describe("the outcome of a request", () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await startDynamodb();
  });
  afterAll(() => engine.close());

  const errorFault = (status: number, type?: string): Fault =>
    type ? { kind: "error", status, type } : { kind: "error", status };

  it.each<[Fault, string, boolean]>([
    [errorFault(400, "ProvisionedThroughputExceededException"), "throttled", true],
    [errorFault(400, "ThrottlingException"), "throttled", true],
    [errorFault(400, "RequestLimitExceeded"), "throttled", true],
    [errorFault(500, "InternalServerError"), "unavailable", true],
    [errorFault(503), "unavailable", true],
    [{ kind: "reset", when: "before" }, "unavailable", true],
    [{ kind: "reset", when: "after" }, "unavailable", true],
    [{ kind: "answer", status: 200, body: "<html>" }, "unavailable", true],
    [errorFault(400, "ValidationException"), "invalid", false],
    [errorFault(400, "ResourceNotFoundException"), "missing", false],
    [errorFault(400, "AccessDeniedException"), "refused", false],
    [errorFault(400, "ExpiredTokenException"), "refused", false],
  ])("the fault %j means %s, and its request is sent once", async (fault, expected, transient) => {
    const proxy = await openFaultyDynamodb(engine.endpoint, () => fault);
    const failure = await failureOf(proxy.endpoint);
    expect(classifyError(failure)).toBe(expected);
    expect(isTransient(failure)).toBe(transient);
    expect(proxy.calls).toHaveLength(1);
    await proxy.close();
  });

  it("a closed port means unavailable, under its own name", async () => {
    const proxy = await openFaultyDynamodb(engine.endpoint, () => undefined);
    await proxy.close();
    const failure = await failureOf(proxy.endpoint);
    expect(classifyError(failure)).toBe("unavailable");
    expect(errorName(failure)).toBe("ECONNREFUSED");
  });

  it("a request that gets no answer for 5 seconds fails as unavailable", async () => {
    // The answer comes after 7.5 s, so a longer time-out would let the request succeed.
    const proxy = await openFaultyDynamodb(engine.endpoint, () => ({ kind: "delay", ms: 7_500 }));
    const failure = await failureOf(proxy.endpoint);
    expect(classifyError(failure)).toBe("unavailable");
    expect(errorName(failure)).toBe("ETIMEDOUT");
    await proxy.close();
  });
});

async function failureOf(endpoint: string): Promise<unknown> {
  const client = clientOf(endpoint);
  try {
    await client.send(new DescribeTableCommand({ TableName: "none" }));
  } catch (error) {
    return error;
  } finally {
    client.destroy();
  }
  throw new Error("it did not fail");
}
