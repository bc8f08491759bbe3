import { QueryCommand } from "@aws-sdk/client-dynamodb";
import { ReadError, spellingHint } from "@tidetable/core/internal/config";
import type { IndexPlan, KeyAttribute } from "@tidetable/core/plan";
import { keyAttribute } from "./keys.ts";
import { checkCount, type RequestPage, readPages } from "./pages.ts";
import { projectionOf } from "./projection.ts";
import { type Row, rowReader } from "./rows.ts";
import { sendRequest, type TableAccess } from "./table-access.ts";
import type { AnyKey, Pages, QueryOptions, RangeCondition } from "./types.ts";

export function queryRows(
  access: TableAccess,
  hash: AnyKey,
  options: QueryOptions & { index?: string } = {},
): Pages<Row> {
  const { index, range, fields, consistent, descending = false } = options;
  const limit = checkCount("limit", options.limit, access);
  const key = findQueryKey(access, index);
  const condition = range && rangeCondition(range, key.range, access);
  const { ProjectionExpression, ExpressionAttributeNames } = projectionOf(fields);
  const input = {
    TableName: access.table,
    IndexName: index,
    ConsistentRead: consistent,
    ScanIndexForward: !descending,
    KeyConditionExpression: condition
      ? `#hash = :hash AND ${condition.expression}`
      : "#hash = :hash",
    ExpressionAttributeNames: {
      ...ExpressionAttributeNames,
      "#hash": key.hash.name,
      ...condition?.names,
    },
    ExpressionAttributeValues: {
      ":hash": keyAttribute(hash[key.hash.name], key.hash, access),
      ...condition?.values,
    },
    ProjectionExpression,
  };
  const request: RequestPage = (position, abortSignal) => {
    const command = new QueryCommand({ ...input, ...position });
    return sendRequest(access, (client) => client.send(command, { abortSignal }));
  };
  return readPages([request], rowReader(access, fields ?? key.projectedFields), limit);
}

/** The key of the table or of the index that a query uses. */
interface QueryKey {
  hash: KeyAttribute;
  range: KeyAttribute | undefined;
  /** The fields that the index has. Undefined when it has whole rows. */
  projectedFields?: string[];
}

function findQueryKey(access: TableAccess, indexName: string | undefined): QueryKey {
  const { label, plan } = access;
  if (indexName === undefined) {
    if (plan.key.range) return plan.key;
    throw new ReadError({
      code: "read.query",
      message: `${label}: its key is "${plan.key.hash.name}" alone, so there is nothing to query`,
      hint: "get the one row, or declare an index in options.table.indexes",
    });
  }
  const { hash, range, projection } = findIndex(access, indexName);
  if (projection === "all") return { hash, range };
  const keyAttributes = [plan.key.hash, plan.key.range, hash, range];
  const keyNames = keyAttributes.flatMap((attribute) => attribute?.name ?? []);
  const otherNames = projection === "keys-only" ? [] : projection;
  return { hash, range, projectedFields: [...keyNames, ...otherNames] };
}

function findIndex({ label, plan: { storage } }: TableAccess, indexName: string): IndexPlan {
  const index = storage.indexes.find(({ name }) => name === indexName);
  if (index) return index;
  const names = storage.indexes.map(({ name }) => name);
  throw new ReadError({
    code: "read.index",
    message: `${label}: there is no index "${indexName}"`,
    hint: spellingHint(indexName, names) ?? `it has ${names.join(", ") || "none"}`,
  });
}

const rangeExpressions: Record<string, string> = {
  eq: "#range = :range0",
  lt: "#range < :range0",
  lte: "#range <= :range0",
  gt: "#range > :range0",
  gte: "#range >= :range0",
  between: "#range BETWEEN :range0 AND :range1",
  begins_with: "begins_with(#range, :range0)",
};

function rangeCondition(
  condition: RangeCondition,
  range: KeyAttribute | undefined,
  access: TableAccess,
) {
  const operators = Object.keys(condition);
  const [operator = "", operand] = Object.entries(condition)[0] ?? [];
  const expression = Object.hasOwn(rangeExpressions, operator)
    ? rangeExpressions[operator]
    : undefined;
  if (!range) {
    throw new ReadError({
      code: "read.range",
      message: `${access.label}: there is no range key, and so no condition on it`,
      hint: "leave `range` out",
    });
  }
  if (!expression || operators.length > 1) {
    throw new ReadError({
      code: "read.range",
      message: `${access.label}: DynamoDB takes one condition on "${range.name}", and this is ${operators.join(" and ") || "none"}`,
      hint: `it is one of ${Object.keys(rangeExpressions).join(", ")}`,
    });
  }
  const operands: unknown[] = Array.isArray(operand) ? operand : [operand];
  const values = operands.map((value, n) => [`:range${n}`, keyAttribute(value, range, access)]);
  return { expression, names: { "#range": range.name }, values: Object.fromEntries(values) };
}
