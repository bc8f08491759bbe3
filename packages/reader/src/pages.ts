import type { AttributeValue, QueryCommandOutput } from "@aws-sdk/client-dynamodb";
import { type Item, ReadError } from "@tidetable/core";
import type { Place } from "./place.ts";
import type { Row } from "./rows.ts";
import type { Pages } from "./types.ts";

/** One answer of DynamoDB: at most `Limit` rows, behind a key. */
export type Ask = (
  more: { Limit?: number; ExclusiveStartKey?: Record<string, AttributeValue> },
  signal: AbortSignal,
) => Promise<Pick<QueryCommandOutput, "Items" | "LastEvaluatedKey">>;

type Answered = { ask: Ask } & Awaited<ReturnType<Ask>>;

/**
 * What all of these are answered, as it comes. A part is asked for its next page when the last one
 * has been dealt with: nobody pays for pages that nobody reads.
 */
export async function* pages(
  parts: readonly Ask[],
  toRow: (item: Item) => Row,
  limit = Number.POSITIVE_INFINITY,
): Pages<Row> {
  const under = new Map<Ask, { stop: AbortController; answered: Promise<Answered> }>();
  let left = limit;
  const begin = (ask: Ask, from?: Record<string, AttributeValue>) => {
    const stop = new AbortController();
    const more = {
      ...(Number.isFinite(left) ? { Limit: left } : {}),
      ...(from ? { ExclusiveStartKey: from } : {}),
    };
    const answered = ask(more, stop.signal).then((page) => ({ ask, ...page }));
    under.set(ask, { stop, answered });
  };
  try {
    for (const ask of parts) begin(ask);
    while (under.size > 0) {
      const all = [...under.values()].map(({ answered }) => answered);
      const { ask, Items = [], LastEvaluatedKey: from } = await Promise.race(all);
      under.delete(ask);
      const rows = Items.slice(0, left).map(toRow);
      left -= rows.length;
      if (rows.length > 0) yield rows;
      if (left === 0) return;
      if (from) begin(ask, from);
    }
  } finally {
    for (const { stop } of under.values()) stop.abort();
  }
}

/** An option that counts something. */
export function fromOne(
  name: string,
  value: number | undefined,
  { about }: Place,
): number | undefined {
  if (value === undefined || (Number.isSafeInteger(value) && value > 0)) return value;
  throw new ReadError({
    code: "read.option",
    message: `${about}: ${name} is ${value}`,
    hint: "give a whole number from 1 on",
  });
}
