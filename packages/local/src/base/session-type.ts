import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { Clock, Names } from "@tidetable/core";

/** The names of the tables and a client for them, on this machine or in a deployed stage. */
export interface Session {
  names: Names;
  /** The DynamoDB endpoint on this machine. Undefined for a stage: the SDK finds AWS's endpoint. */
  endpoint: string | undefined;
  dynamodb: DynamoDBClient;
  clock: Clock;
  random: () => number;
  close(): Promise<void>;
}
