import { DynamoDBClient, type DynamoDBClientConfig } from "@aws-sdk/client-dynamodb";
import { DYNAMODB_GRACE_MS, DYNAMODB_PATIENCE_MS } from "../base/timing.ts";
import type { Dynamodb, World } from "../base/world.ts";
import { awsRetryDelay, sdkClient } from "./sdk-client.ts";
import { BatchSender } from "./send-batch.ts";

/** A client that sends batches as text. */
export type TextClient = DynamoDBClient & Required<Pick<Dynamodb, "sendBatch">>;

/** A client of the SDK that sends batches as text as well. */
export function dynamodbClient(overrides: DynamoDBClientConfig = {}): TextClient {
  const client = sdkClient(overrides);
  const sender = new BatchSender(client.config);
  const destroy = () => {
    sender.close();
    DynamoDBClient.prototype.destroy.call(client);
  };
  return Object.assign(client, { destroy, sendBatch: sender.sendBatch });
}

/** Calls DynamoDB, and repeats the call for a while after throttles and broken connections. */
export async function retryTransient<T>(
  {
    clock,
    random,
    deadline = Number.POSITIVE_INFINITY,
    signal,
  }: Pick<World, "clock" | "random"> & Partial<Pick<World, "deadline" | "signal">>,
  call: () => Promise<T>,
): Promise<T> {
  const giveUpAt = Math.min(clock.monotonic() + DYNAMODB_PATIENCE_MS, deadline + DYNAMODB_GRACE_MS);
  for (let attempt = 1; ; attempt++) {
    signal?.throwIfAborted();
    try {
      return await call();
    } catch (error) {
      signal?.throwIfAborted();
      const delay = awsRetryDelay(attempt, random);
      if (!isTransient(error) || clock.monotonic() + delay >= giveUpAt) throw error;
      await clock.sleep(delay, signal);
    }
  }
}

/** The meaning of an error for the request. */
export type ErrorKind =
  /** Requests come too fast. */
  | "throttled"
  /** DynamoDB gave no answer, or a broken answer. The request may have been executed. */
  | "unavailable"
  /** A part of the request breaks DynamoDB's rules. */
  | "invalid"
  /** The table does not exist. */
  | "missing"
  /** Another attempt would fail in the same way. */
  | "refused";

const throttleNames = new Set([
  "ProvisionedThroughputExceededException",
  "ThrottlingException",
  "RequestLimitExceeded",
]);

const connectionCodes = new Set([
  "EAI_AGAIN",
  "ECONNREFUSED",
  "ECONNRESET",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "EPIPE",
  "ETIMEDOUT",
  // undici's names
  "UND_ERR_BODY_TIMEOUT",
  "UND_ERR_CONNECT_TIMEOUT",
  "UND_ERR_HEADERS_TIMEOUT",
  "UND_ERR_RES_CONTENT_LENGTH_MISMATCH",
  "UND_ERR_SOCKET",
]);

/** DynamoDB's names for a signature with another time, which it also gives to a wrong signature. */
const signatureNames = new Set([
  "InvalidSignatureException",
  "RequestExpired",
  "RequestTimeTooSkewed",
]);

/** What the SDK and `BatchSender` add to an error. */
interface ErrorMetadata {
  httpStatusCode?: number;
  clockSkewCorrected?: boolean;
}

export function classifyError(error: unknown): ErrorKind {
  if (!(error instanceof Error)) return "refused";
  if (throttleNames.has(error.name)) return "throttled";
  if (error.name === "ValidationException") return "invalid";
  if (error.name === "ResourceNotFoundException") return "missing";
  const { code, $metadata } = error as { code?: unknown; $metadata?: ErrorMetadata };
  const isUnavailable =
    error.name === "TimeoutError" ||
    // Another writer's transaction holds the item for a moment.
    error.name === "TransactionConflictException" ||
    // An answer that is not JSON, or not HTTP, comes from a proxy.
    error instanceof SyntaxError ||
    error.name === "HTTPParserError" ||
    ($metadata?.httpStatusCode ?? 0) >= 500 ||
    // The clock of this machine was wrong, and is corrected for the next attempt.
    ($metadata?.clockSkewCorrected === true && signatureNames.has(error.name)) ||
    (typeof code === "string" && connectionCodes.has(code));
  return isUnavailable ? "unavailable" : "refused";
}

export const isTransient = (error: unknown): boolean =>
  ["throttled", "unavailable"].includes(classifyError(error));

/** Names an error without its message, which may quote the request. */
export function errorName(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  const { code } = error as { code?: unknown };
  return typeof code === "string" ? code : error.name;
}
