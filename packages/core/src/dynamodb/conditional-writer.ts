import {
  ConditionalCheckFailedException,
  DeleteItemCommand,
  PutItemCommand,
} from "@aws-sdk/client-dynamodb";
import type { WriteModePlan } from "../config/plan-types.ts";
import type { Item, KeyedItem, Rejection } from "../flow.ts";
import { attributesOf } from "../values/wire-text.ts";
import { rejectItem, sendUntilAccepted, type Writer, type WriterOptions } from "./attempts.ts";
import {
  type RequestLimits,
  type RequestProgress,
  RequestQueue,
  shareSignal,
} from "./request-queue.ts";

/** A put carries 1 item instead of 25. A page of 100 is quick with 16 puts at once. */
const requestLimits: RequestLimits = Object.freeze({
  itemsPerRequest: 1,
  bytesPerRequest: Number.POSITIVE_INFINITY,
  initialRequests: 16,
  maxRequests: 32,
});

/** DynamoDB compares strings byte by byte, so all strings of a version field need one format. */
type OrderedMode = Extract<WriteModePlan, { kind: "ordered" }>;

/** BatchWriteItem takes no condition, so each item needs a request. */
type ConditionalMode = Exclude<WriteModePlan, { kind: "batch" }>;

/**
 * Opens a writer that puts an item only if the table has no newer row, or no row at all under the
 * key. A batch on its way while the worker loses the lease can replace a new row by an old row. A
 * conditional put cannot, however late the request arrives.
 */
export function openConditionalWriter(mode: ConditionalMode, options: WriterOptions): Writer {
  const signal = shareSignal(options.signal);
  return new RequestQueue(requestLimits, options.clock, async (items, progress) => {
    for (const item of items) await writeItem(item, mode, progress, { ...options, signal });
  });
}

async function writeItem(
  keyedItem: KeyedItem,
  mode: ConditionalMode,
  { settle, reportThrottle }: RequestProgress,
  options: WriterOptions,
): Promise<void> {
  const condition = mode.kind === "insert" ? isNewRow(options) : isNewestVersion(keyedItem, mode);
  if (!condition) {
    if (mode.kind === "ordered") settle(keyedItem, rejectVersion(keyedItem, mode));
    return;
  }
  const attempt = async () => {
    try {
      await sendItem(keyedItem, condition, options);
      settle(keyedItem, "written");
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
      settle(keyedItem, mode.kind === "insert" ? "unchanged" : "superseded");
    }
    return undefined;
  };
  const end = await sendUntilAccepted(attempt, options, reportThrottle);
  if (end === "invalid") settle(keyedItem, rejectItem(keyedItem));
}

type Condition = NonNullable<ReturnType<typeof isNewRow> | ReturnType<typeof isNewestVersion>>;

async function sendItem(
  { itemText, rowKeyText, deletesRow }: KeyedItem,
  condition: Condition,
  { dynamodb, table, signal }: WriterOptions,
): Promise<void> {
  const request = { TableName: table, ...condition };
  const send = { abortSignal: signal };
  if (deletesRow) {
    const Key = attributesOf(rowKeyText);
    await dynamodb.send(new DeleteItemCommand({ ...request, Key }), send);
  } else {
    const Item = attributesOf(itemText);
    await dynamodb.send(new PutItemCommand({ ...request, Item }), send);
  }
}

const isNewRow = ({ key }: WriterOptions) => ({
  ConditionExpression: /* planted: rows-stay-as-they-are */ "attribute_not_exists(#key)",
  ExpressionAttributeNames: { "#key": key.hash.name },
});

/**
 * The condition also holds for a row whose version has another type: DynamoDB finds values of
 * different types neither older nor newer, and the row could never be replaced. An equal version
 * holds as well, because a retry after a lost answer must not fail on its own success.
 */
function isNewestVersion(keyedItem: KeyedItem, mode: OrderedMode) {
  const version = versionOf(keyedItem, mode);
  return (
    version && {
      ConditionExpression:
        /* planted: newest-version */ "NOT attribute_type(#version, :type) OR #version <= :version",
      ExpressionAttributeNames: { "#version": mode.versionField },
      ExpressionAttributeValues: { ":type": { S: mode.type }, ":version": version },
    }
  );
}

function versionOf(
  { itemText }: KeyedItem,
  { versionField, type }: OrderedMode,
): Item[string] | undefined {
  const item: Item = attributesOf(itemText);
  const value = Object.hasOwn(item, versionField) ? item[versionField] : undefined;
  return value?.[type] === undefined ? undefined : value;
}

/** Without a version an item is neither older nor newer than the row, and is set aside. */
const rejectVersion = (
  { index, record }: KeyedItem,
  { versionField, type }: OrderedMode,
): Rejection => ({
  index,
  code: "record.version",
  message: `the version field "${versionField}" is missing or not ${type === "N" ? "a number" : "text"}`,
  path: versionField,
  record,
});
