import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { ReadError, type ResourcePlan } from "@tidetable/core";

/** A table, and how to get at it. */
export interface Place {
  /** What messages begin with: `support.support_tickets`. */
  about: string;
  table: string;
  plan: Pick<ResourcePlan, "key" | "columns" | "storage">;
  client: () => DynamoDBClient;
}

/** What DynamoDB answers. A table that is not there is told with the next step. */
export async function answer<T>(
  { about, table, client }: Place,
  call: (client: DynamoDBClient) => Promise<T>,
): Promise<T> {
  try {
    return await call(client());
  } catch (error) {
    if (!(error instanceof Error) || error.name !== "ResourceNotFoundException") throw error;
    throw new ReadError({
      code: "read.table_missing",
      message: `${about}: the table ${table} does not exist`,
      hint: "check the stage and the region; in AWS `npx sst deploy` creates it, locally `npx tidetable run` does",
      cause: error,
    });
  }
}
