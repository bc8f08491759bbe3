import {
  ConditionalCheckFailedException,
  DynamoDBServiceException,
  InternalServerError,
  ProvisionedThroughputExceededException,
  ResourceNotFoundException,
} from "@aws-sdk/client-dynamodb";

/* The SDK's own classes, so that `instanceof` in the engine sees what it would see in AWS. */

const status = (httpStatusCode: number) => ({ $metadata: { httpStatusCode } });

export const invalid = (message: string) =>
  new DynamoDBServiceException({
    name: "ValidationException",
    $fault: "client",
    message,
    ...status(400),
  });

export const conditionFailed = (Item: ConditionalCheckFailedException["Item"]) =>
  new ConditionalCheckFailedException({
    message: "The conditional request failed",
    ...status(400),
    ...(Item ? { Item } : {}),
  });

export const notFound = () =>
  new ResourceNotFoundException({ message: "Requested resource not found", ...status(400) });

export const throttled = () =>
  new ProvisionedThroughputExceededException({ message: "slow down", ...status(400) });

export const serverError = () => new InternalServerError({ message: "again", ...status(500) });

/** What the SDK's request handler throws when `requestTimeout` is over. */
export const timedOut = () =>
  Object.assign(new Error("Request did not complete in time"), { name: "TimeoutError" });

export const connectionReset = () =>
  Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" });

/** What the SDK throws when its `abortSignal` fires. */
export const aborted = () => Object.assign(new Error("Request aborted"), { name: "AbortError" });
