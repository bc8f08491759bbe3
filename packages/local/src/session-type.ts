import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { Clock, Names } from "@tidetable/core";

/** Where the tables are, and a client for them: a laptop's AWS account, or a deployed stage. */
export interface Session {
  names: Names;
  /** The DynamoDB endpoint of this machine. A stage's is the SDK's to know. */
  endpoint: string | undefined;
  dynamodb: DynamoDBClient;
  clock: Clock;
  random: () => number;
  close(): Promise<void>;
}
