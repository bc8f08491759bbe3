import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { Clock } from "@tidetable/core/internal";
import type { Names } from "@tidetable/core/plan";

/** Table names and a DynamoDB client, for local mode or for a deployed stage. */
export interface Session {
  names: Names;
  /** The DynamoDB endpoint on this machine. Undefined for a stage: the SDK finds AWS's endpoint. */
  endpoint: string | undefined;
  /** The variables with which other programs reach local mode's tables. Undefined for a stage. */
  environment: Record<string, string> | undefined;
  dynamodb: DynamoDBClient;
  clock: Clock;
  random: () => number;
  close(): Promise<void>;
}
