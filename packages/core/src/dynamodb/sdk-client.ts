import { DynamoDBClient, type DynamoDBClientConfig } from "@aws-sdk/client-dynamodb";
import { AWS_CONNECT_MS, AWS_REQUEST_MS, DYNAMODB_RETRY_MS } from "../base/timing.ts";

/**
 * Creates a client without the SDK's retries, because only the engine knows the deadline. Time-outs
 * throw: by default the SDK would wait for ever, or only warn.
 */
export function sdkClient(overrides: DynamoDBClientConfig = {}): DynamoDBClient {
  const client = new DynamoDBClient({
    maxAttempts: 1,
    requestHandler: {
      connectionTimeout: AWS_CONNECT_MS,
      requestTimeout: AWS_REQUEST_MS,
      throwOnRequestTimeout: true,
      // The socket time-out also covers a silence in the middle of a body.
      socketTimeout: AWS_REQUEST_MS,
    },
    ...overrides,
  });
  // The logger logs to nowhere, but copies every request deeply: 42 % of the CPU of a run.
  client.middlewareStack.remove("loggerMiddleware");
  return client;
}

/** The pause after a failed attempt: exponential with full jitter, as AWS recommends. */
export function awsRetryDelay(attempt: number, random: () => number): number {
  return random() * Math.min(DYNAMODB_RETRY_MS.most, DYNAMODB_RETRY_MS.first * 2 ** (attempt - 1));
}
