import { setMaxListeners } from "node:events";
import { ConditionalCheckFailedException, PutItemCommand } from "@aws-sdk/client-dynamodb";
import type { ResourcePlan, WriteModePlan } from "../config/plan-types.ts";
import type { Item, KeyedItem, Rejection } from "../flow.ts";
import {
  inLanes,
  nothingWritten,
  refused,
  untilTaken,
  type Writer,
  type WriterOptions,
  type Written,
} from "./attempts.ts";
import { writer } from "./batches.ts";

/** A put carries one item where a batch carries 25; this many at once take a page of 100 quickly. */
const IN_FLIGHT = 16;

/** Texts compare byte by byte: a version field needs one format. */
type Version = Extract<WriteModePlan, { kind: "ordered" }>;

/** The writer that a resource asks for with `write_mode`. */
export const writerFor = (
  { key, writeMode }: Pick<ResourcePlan, "key" | "writeMode">,
  options: Omit<WriterOptions, "key">,
): Writer =>
  writeMode.kind === "ordered"
    ? orderedWriter(writeMode, { ...options, key })
    : writer({ ...options, key });

/**
 * Writes each item on condition that the table has nothing newer. A batch takes no condition, so a
 * request that was on its way while its worker lost the lease can put an old row over a new one;
 * here it can not, however late it lands. The price is a request for every item.
 */
export function orderedWriter(version: Version, options: WriterOptions): Writer {
  // Every request under way listens to it, and Node would take more than 10 for a leak.
  const signal = AbortSignal.any([options.signal]);
  setMaxListeners(0, signal);
  return {
    async write(items) {
      const total = nothingWritten();
      await inLanes(IN_FLIGHT, items, (one) => put(one, version, total, { ...options, signal }));
      return total;
    },
  };
}

async function put(
  one: KeyedItem,
  version: Version,
  total: Written,
  options: WriterOptions,
): Promise<void> {
  const value = versionOf(one, version);
  if (!value) {
    total.rejections.push(versionless(one, version));
    return;
  }
  const { dynamodb, table, signal } = options;
  const command = new PutItemCommand({
    TableName: table,
    Item: one.item,
    // Holds where there is no row, or one that does not say how new it is: DynamoDB finds values of
    // two types neither older nor newer, and such a row would never be written again. Holds for an
    // equal version, so that an attempt whose answer was lost does not stand in its own way.
    ConditionExpression: "NOT attribute_type(#version, :type) OR #version <= :version",
    ExpressionAttributeNames: { "#version": version.versionField },
    ExpressionAttributeValues: { ":type": { S: version.type }, ":version": value },
  });
  const end = await untilTaken(async () => {
    try {
      await dynamodb.send(command, { abortSignal: signal });
      total.written += 1;
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
      total.superseded += 1;
    }
    return undefined;
  }, options);
  if (end === "invalid") total.rejections.push(refused(one));
}

function versionOf({ item }: KeyedItem, { versionField, type }: Version): Item[string] | undefined {
  const value = Object.hasOwn(item, versionField) ? item[versionField] : undefined;
  return value?.[type] === undefined ? undefined : value;
}

/** Whether it is newer than the row in the table nobody can say, so it is set aside. */
const versionless = ({ index, record }: KeyedItem, version: Version): Rejection => ({
  index,
  code: "record.version",
  message: `the version field "${version.versionField}" is missing or not ${version.type === "N" ? "a number" : "text"}`,
  path: version.versionField,
  record,
});
