import { BatchWriteItemCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { Agent, request } from "undici";

/*
 * The minimal bundle of a worker with undici, Secrets Manager and DynamoDB. Only the size and the
 * import time of the bundle are measured.
 */

const dispatcher = new Agent();
const dynamodb = new DynamoDBClient();
const secretsManager = new SecretsManagerClient();

export async function handler(url: string): Promise<void> {
  await secretsManager.send(new GetSecretValueCommand({ SecretId: "minimal" }));
  const { body } = await request(url, { dispatcher });
  const RequestItems = { minimal: (await body.json()) as never };
  await dynamodb.send(new BatchWriteItemCommand({ RequestItems }));
}
