import type { AttributeValue, QueryCommandOutput } from "@aws-sdk/client-dynamodb";
import type { Item } from "@tidetable/core/internal";
import { ReadError } from "@tidetable/core/internal/config";
import type { Row } from "./rows.ts";
import type { TableAccess } from "./table-access.ts";
import type { Pages } from "./types.ts";

type DynamodbKey = Record<string, AttributeValue>;

/** Requests one page of a query or of a scan's segment: at most `Limit` items after a start key. */
export type RequestPage = (
  position: { Limit?: number; ExclusiveStartKey?: DynamodbKey },
  signal: AbortSignal,
) => Promise<Pick<QueryCommandOutput, "Items" | "LastEvaluatedKey">>;

type Answer = { request: RequestPage } & Awaited<ReturnType<RequestPage>>;

/**
 * Yields the pages of several requests in the order of their arrival. The next page of a request is
 * asked for only when the consumer has dealt with the last one, because every page costs money.
 */
export async function* readPages(
  requests: readonly RequestPage[],
  toRow: (item: Item) => Row,
  limit = Number.POSITIVE_INFINITY,
): Pages<Row> {
  const pending = new Map<RequestPage, { abort: AbortController; answer: Promise<Answer> }>();
  let remainingRows = limit;
  const send = (request: RequestPage, startKey?: DynamodbKey) => {
    const abort = new AbortController();
    const position = {
      ...(Number.isFinite(remainingRows) ? { Limit: remainingRows } : {}),
      ...(startKey ? { ExclusiveStartKey: startKey } : {}),
    };
    const answer = request(position, abort.signal).then((page) => ({ request, ...page }));
    pending.set(request, { abort, answer });
  };
  try {
    for (const request of requests) send(request);
    while (pending.size > 0) {
      const answers = [...pending.values()].map(({ answer }) => answer);
      const { request, Items = [], LastEvaluatedKey } = await Promise.race(answers);
      pending.delete(request);
      const rows = Items.slice(0, remainingRows).map(toRow);
      remainingRows -= rows.length;
      if (rows.length > 0) yield rows;
      if (remainingRows === 0) return;
      if (LastEvaluatedKey) send(request, LastEvaluatedKey);
    }
  } finally {
    for (const { abort } of pending.values()) abort.abort();
  }
}

/** Returns the value of an option that counts something. Throws for a value that is no count. */
export function checkCount(
  option: string,
  value: number | undefined,
  { label }: TableAccess,
): number | undefined {
  if (value === undefined || (Number.isSafeInteger(value) && value > 0)) return value;
  throw new ReadError({
    code: "read.option",
    message: `${label}: ${option} is ${value}`,
    hint: "give a whole number from 1 on",
  });
}
