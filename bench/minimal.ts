import { BatchWriteItemCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { Agent, request } from "undici";

/*
 * The least that any worker has in its bundle that reads with undici, keeps its credentials in
 * Secrets Manager and writes to DynamoDB. Only its size and the time of its import count.
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
