import {
  BatchWriteItemCommand,
  type DynamoDBClient,
  paginateScan,
  type WriteRequest,
} from "@aws-sdk/client-dynamodb";
import type { Clock } from "@tidetable/core/internal";
import type { KeyPlan } from "@tidetable/core/plan";

/** DynamoDB's limit for one BatchWriteItem. */
const BATCH_SIZE = 25;
const PAUSE_AFTER_THROTTLE_MS = 500;

/** Empties a deployed table item by item. Only a deployment may delete the table. */
export async function deleteAllItems(
  { dynamodb, clock }: { dynamodb: DynamoDBClient; clock: Clock },
  table: string,
  { hash, range }: KeyPlan,
): Promise<void> {
  const scan = {
    TableName: table,
    ConsistentRead: true,
    ProjectionExpression: range ? "#hash, #range" : "#hash",
    ExpressionAttributeNames: { "#hash": hash.name, ...(range ? { "#range": range.name } : {}) },
  };
  for await (const { Items = [] } of paginateScan({ client: dynamodb }, scan)) {
    for (let start = 0; start < Items.length; start += BATCH_SIZE) {
      const keys = Items.slice(start, start + BATCH_SIZE);
      let pending: WriteRequest[] = keys.map((Key) => ({ DeleteRequest: { Key } }));
      while (pending.length > 0) {
        const command = new BatchWriteItemCommand({ RequestItems: { [table]: pending } });
        const { UnprocessedItems } = await dynamodb.send(command);
        pending = UnprocessedItems?.[table] ?? [];
        if (pending.length > 0) await clock.sleep(PAUSE_AFTER_THROTTLE_MS);
      }
    }
  }
}
