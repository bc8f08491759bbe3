import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { ReadError } from "@tidetable/core/internal/config";
import type { ResourcePlan } from "@tidetable/core/plan";

/** A table, and everything that is needed to read it. */
export interface TableAccess {
  /** The resource's full name, `support.support_tickets`, with which messages begin. */
  label: string;
  table: string;
  plan: Pick<ResourcePlan, "key" | "columns" | "storage">;
  client: () => DynamoDBClient;
}

/** Sends a request to DynamoDB. The error for a missing table names the next step. */
export async function sendRequest<Output>(
  { label, table, client }: TableAccess,
  send: (client: DynamoDBClient) => Promise<Output>,
): Promise<Output> {
  try {
    return await send(client());
  } catch (error) {
    if (!(error instanceof Error) || error.name !== "ResourceNotFoundException") throw error;
    throw new ReadError({
      code: "read.table_missing",
      message: `${label}: the table ${table} does not exist`,
      hint: "check the stage and the region; in AWS `npx sst deploy` creates it, locally `npx --no tidetable run` does",
      cause: error,
    });
  }
}
