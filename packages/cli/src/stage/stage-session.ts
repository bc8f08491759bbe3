import { DescribeTableCommand, ResourceNotFoundException } from "@aws-sdk/client-dynamodb";
import { dynamodbClient, realClock } from "@tidetable/core/internal";
import { type Names, stateTableName } from "@tidetable/core/plan";
import type { Session } from "../base/session-type.ts";
import { explainAwsErrors, notDeployedError } from "./aws-errors.ts";

/**
 * Opens a session on a stage of `npx sst deploy`. Credentials and region come from the SDK's usual
 * places. The state table is described first: a missing permission, region or deployment shows.
 */
export async function openStageSession(names: Names): Promise<Session> {
  const { stage } = names;
  const dynamodb = explainAwsErrors(dynamodbClient({ maxAttempts: 3 }), stage);
  const TableName = stateTableName(names);
  try {
    await dynamodb.send(new DescribeTableCommand({ TableName }));
  } catch (error) {
    dynamodb.destroy();
    if (!(error instanceof ResourceNotFoundException)) throw error;
    throw notDeployedError(stage, `there is no table ${TableName}`);
  }
  return {
    names,
    endpoint: undefined,
    environment: undefined,
    dynamodb,
    clock: realClock,
    random: Math.random,
    close: async () => dynamodb.destroy(),
  };
}
