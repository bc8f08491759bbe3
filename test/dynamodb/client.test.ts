import { DescribeTableCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it, test } from "vitest";
import {
  awsRetryDelay,
  dynamodbClient,
  isTransient,
  nameOf,
  outcome,
} from "../../packages/core/src/dynamodb/client.ts";
import { clientOf, type Engine, startDynamodb } from "../support/dynamodb.ts";
import { type Fault, faultyDynamodb } from "../support/faulty-dynamodb.ts";

const loggers = (client: DynamoDBClient) =>
  client.middlewareStack.identify().filter((name) => name.startsWith("loggerMiddleware"));

test("the SDK still has the costly logger under this name, and our client has it not", () => {
  expect(loggers(new DynamoDBClient({}))).toHaveLength(1);
  expect(loggers(dynamodbClient())).toHaveLength(0);
});

test("the wait before a retry is random, grows, and is never more than 5 seconds", () => {
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

describe("an error is what it means for the request", () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await startDynamodb();
  });
  afterAll(() => engine.close());

  const error = (status: number, type?: string): Fault =>
    type ? { kind: "error", status, type } : { kind: "error", status };

  it.each<[Fault, string, boolean]>([
    [error(400, "ProvisionedThroughputExceededException"), "throttled", true],
    [error(400, "ThrottlingException"), "throttled", true],
    [error(400, "RequestLimitExceeded"), "throttled", true],
    [error(500, "InternalServerError"), "unavailable", true],
    [error(503), "unavailable", true],
    [{ kind: "reset", when: "before" }, "unavailable", true],
    [{ kind: "reset", when: "after" }, "unavailable", true],
    [{ kind: "answer", status: 200, body: "<html>" }, "unavailable", true],
    [error(400, "ValidationException"), "invalid", false],
    [error(400, "ResourceNotFoundException"), "missing", false],
    [error(400, "AccessDeniedException"), "refused", false],
    [error(400, "ExpiredTokenException"), "refused", false],
  ])("%j is %s, and is asked for once", async (fault, expected, transient) => {
    const proxy = await faultyDynamodb(engine.endpoint, () => fault);
    const failure = await failureOf(proxy.endpoint);
    expect(outcome(failure)).toBe(expected);
    expect(isTransient(failure)).toBe(transient);
    expect(proxy.calls).toHaveLength(1);
    await proxy.close();
  });

  it("a closed port is unavailable, by its own name", async () => {
    const proxy = await faultyDynamodb(engine.endpoint, () => undefined);
    await proxy.close();
    const failure = await failureOf(proxy.endpoint);
    expect(outcome(failure)).toBe("unavailable");
    expect(nameOf(failure)).toBe("ECONNREFUSED");
  });

  it("a request that gets no answer for 5 seconds fails as unavailable", async () => {
    // With a longer time-out the request would be answered, and would not fail.
    const proxy = await faultyDynamodb(engine.endpoint, () => ({ kind: "delay", ms: 7_500 }));
    const failure = await failureOf(proxy.endpoint);
    expect(outcome(failure)).toBe("unavailable");
    expect(nameOf(failure)).toBe("ETIMEDOUT");
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
