import { QueryCommand } from "@aws-sdk/client-dynamodb";
import { type KeyAttribute, ReadError, suggest } from "@tidetable/core";
import { partOf } from "./keys.ts";
import { type Ask, fromOne, pages } from "./pages.ts";
import { answer, type Place } from "./place.ts";
import { projection } from "./projection.ts";
import { type Row, rowsOf } from "./rows.ts";
import type { AnyKey, Pages, QueryOptions, RangeCondition } from "./types.ts";

export function query(
  place: Place,
  hash: AnyKey,
  options: QueryOptions & { index?: string } = {},
): Pages<Row> {
  const { index, range, fields, consistent, descending = false } = options;
  const limit = fromOne("limit", options.limit, place);
  const key = queried(place, index);
  const condition = range && conditionOf(range, key.range, place);
  const { ProjectionExpression, ExpressionAttributeNames } = projection(fields);
  const input = {
    TableName: place.table,
    IndexName: index,
    ConsistentRead: consistent,
    ScanIndexForward: !descending,
    KeyConditionExpression: condition ? `#hash = :hash AND ${condition.text}` : "#hash = :hash",
    ExpressionAttributeNames: {
      ...ExpressionAttributeNames,
      "#hash": key.hash.name,
      ...condition?.names,
    },
    ExpressionAttributeValues: {
      ":hash": partOf(hash[key.hash.name], key.hash, place),
      ...condition?.values,
    },
    ProjectionExpression,
  };
  const ask: Ask = (more, abortSignal) => {
    const command = new QueryCommand({ ...input, ...more });
    return answer(place, (client) => client.send(command, { abortSignal }));
  };
  return pages([ask], rowsOf(place, fields ?? key.held), limit);
}

interface Queried {
  hash: KeyAttribute;
  range: KeyAttribute | undefined;
  /** What an index holds that does not hold all. */
  held?: string[];
}

function queried({ about, plan: { key, storage } }: Place, index: string | undefined): Queried {
  if (index === undefined) {
    if (key.range) return key;
    throw new ReadError({
      code: "read.query",
      message: `${about}: its key is "${key.hash.name}" alone, so there is nothing to query`,
      hint: "get the one row, or declare an index in options.table.indexes",
    });
  }
  const found = storage.indexes.find(({ name }) => name === index);
  if (!found) {
    const known = storage.indexes.map(({ name }) => name);
    throw new ReadError({
      code: "read.index",
      message: `${about}: there is no index "${index}"`,
      hint: suggest(index, known) ?? `it has ${known.join(", ") || "none"}`,
    });
  }
  const { hash, range, projection } = found;
  if (projection === "all") return { hash, range };
  const keys = [key.hash, key.range, hash, range].flatMap((one) => (one ? [one.name] : []));
  return { hash, range, held: [...keys, ...(projection === "keys-only" ? [] : projection)] };
}

const conditions: Record<string, string> = {
  eq: "#range = :range0",
  lt: "#range < :range0",
  lte: "#range <= :range0",
  gt: "#range > :range0",
  gte: "#range >= :range0",
  between: "#range BETWEEN :range0 AND :range1",
  begins_with: "begins_with(#range, :range0)",
};

function conditionOf(condition: RangeCondition, range: KeyAttribute | undefined, place: Place) {
  const [[word = "", given] = [], ...more] = Object.entries(condition);
  const text = Object.hasOwn(conditions, word) ? conditions[word] : undefined;
  if (!range || !text || more.length > 0) {
    throw new ReadError({
      code: "read.range",
      message: range
        ? `${place.about}: DynamoDB takes one condition on "${range.name}", and this is ${Object.keys(condition).join(" and ") || "none"}`
        : `${place.about}: there is no range key, and so no condition on it`,
      hint: range ? `it is one of ${Object.keys(conditions).join(", ")}` : "leave `range` out",
    });
  }
  const values: unknown[] = Array.isArray(given) ? given : [given];
  return {
    text,
    names: { "#range": range.name },
    values: Object.fromEntries(
      values.map((value, n) => [`:range${n}`, partOf(value, range, place)]),
    ),
  };
}
