/*
 * The part of internal.ts that reads tables: with DynamoDB's client, and without an HTTP client of our
 * own, because it stands in the bundles of applications.
 */
export { realClock } from "./base/clock.ts";
export { awsRetryDelay, sdkClient } from "./dynamodb/sdk-client.ts";
export { keyTextOf, rowKey } from "./normalize/keys.ts";
export { numberText } from "./values/dynamodb-number.ts";
