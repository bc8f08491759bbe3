import {
  DynamoDBClient,
  type DynamoDBClientConfig,
  type DynamoDBServiceException,
} from "@aws-sdk/client-dynamodb";
import {
  AWS_CONNECT_MS,
  AWS_REQUEST_MS,
  DYNAMODB_GRACE_MS,
  DYNAMODB_PATIENCE_MS,
  DYNAMODB_RETRY_MS,
} from "../base/timing.ts";
import type { World } from "../base/world.ts";

/**
 * The real client with two of its habits off. Retries are ours, the one layer that knows the
 * deadline; time-outs throw, where the SDK would wait for ever or only warn.
 */
export function dynamodbClient(overrides: DynamoDBClientConfig = {}): DynamoDBClient {
  const client = new DynamoDBClient({
    maxAttempts: 1,
    requestHandler: {
      connectionTimeout: AWS_CONNECT_MS,
      requestTimeout: AWS_REQUEST_MS,
      throwOnRequestTimeout: true,
      // Of silence, also in the middle of a body.
      socketTimeout: AWS_REQUEST_MS,
    },
    ...overrides,
  });
  // It copies every request deeply for a logger that does nothing: 42 % of the CPU of a run.
  client.middlewareStack.remove("loggerMiddleware");
  return client;
}

/** How long to wait after `attempt` failed: exponential with full jitter, as AWS recommends. */
export function awsRetryDelay(attempt: number, random: () => number): number {
  return random() * Math.min(DYNAMODB_RETRY_MS.most, DYNAMODB_RETRY_MS.first * 2 ** (attempt - 1));
}

/** Calls DynamoDB until it answers: throttles and broken connections are tried again for a while. */
export async function patiently<T>(
  {
    clock,
    random,
    deadline = Number.POSITIVE_INFINITY,
    signal,
  }: Pick<World, "clock" | "random"> & Partial<Pick<World, "deadline" | "signal">>,
  call: () => Promise<T>,
): Promise<T> {
  const end = Math.min(clock.monotonic() + DYNAMODB_PATIENCE_MS, deadline + DYNAMODB_GRACE_MS);
  for (let attempt = 1; ; attempt++) {
    signal?.throwIfAborted();
    try {
      return await call();
    } catch (error) {
      signal?.throwIfAborted();
      const delay = awsRetryDelay(attempt, random);
      if (!isTransient(error) || clock.monotonic() + delay >= end) throw error;
      await clock.sleep(delay, signal);
    }
  }
}

/** What an error of DynamoDB means for what was sent. */
export type Outcome =
  /** Too fast. */
  | "throttled"
  /** No answer, or none that can be trusted: it may have been done. */
  | "unavailable"
  /** Something in it breaks DynamoDB's rules. */
  | "invalid"
  /** The table is not there. */
  | "missing"
  /** Another attempt would end the same. */
  | "refused";

const throttles = new Set([
  "ProvisionedThroughputExceededException",
  "ThrottlingException",
  "RequestLimitExceeded",
]);

const lostConnections = new Set([
  "EAI_AGAIN",
  "ECONNREFUSED",
  "ECONNRESET",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "EPIPE",
  "ETIMEDOUT",
]);

export function outcome(error: unknown): Outcome {
  if (!(error instanceof Error)) return "refused";
  if (throttles.has(error.name)) return "throttled";
  if (error.name === "ValidationException") return "invalid";
  if (error.name === "ResourceNotFoundException") return "missing";
  const { code, $metadata } = error as { code?: unknown } & Partial<DynamoDBServiceException>;
  const lost =
    error.name === "TimeoutError" ||
    // An answer that is not JSON comes from something in between.
    error instanceof SyntaxError ||
    ($metadata?.httpStatusCode ?? 0) >= 500 ||
    (typeof code === "string" && lostConnections.has(code));
  return lost ? "unavailable" : "refused";
}

export const isTransient = (error: unknown): boolean =>
  ["throttled", "unavailable"].includes(outcome(error));

/** An error by name alone: foreign messages can quote what was sent. */
export function nameOf(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  const { code } = error as { code?: unknown };
  return typeof code === "string" ? code : error.name;
}
