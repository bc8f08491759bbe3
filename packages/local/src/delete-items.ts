import {
  BatchWriteItemCommand,
  type DynamoDBClient,
  paginateScan,
  type WriteRequest,
} from "@aws-sdk/client-dynamodb";
import type { Clock, KeyPlan } from "@tidetable/core";

/** Of one BatchWriteItem. */
const AT_ONCE = 25;
const PAUSE_MS = 500;

/** Deletes all items of a table, one by one: the table itself is the deployment's. */
export async function deleteItems(
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
    for (let first = 0; first < Items.length; first += AT_ONCE) {
      const keys = Items.slice(first, first + AT_ONCE);
      let left: WriteRequest[] = keys.map((Key) => ({ DeleteRequest: { Key } }));
      while (left.length > 0) {
        const command = new BatchWriteItemCommand({ RequestItems: { [table]: left } });
        const { UnprocessedItems } = await dynamodb.send(command);
        left = UnprocessedItems?.[table] ?? [];
        if (left.length > 0) await clock.sleep(PAUSE_MS);
      }
    }
  }
}
