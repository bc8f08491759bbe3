import {
  ConditionalCheckFailedException,
  DeleteItemCommand,
  PutItemCommand,
} from "@aws-sdk/client-dynamodb";
import type { WriteModePlan } from "../config/plan-types.ts";
import type { Item, KeyedItem, Rejection } from "../flow.ts";
import { keyItem, refused, untilTaken, type Writer, type WriterOptions } from "./attempts.ts";
import { forMany, inLanesOf, type Told } from "./request-queue.ts";

/** A put carries one item where a batch carries 25; so many at once take a page of 100 quickly. */
const lanes = Object.freeze({ size: 1, bytes: Number.POSITIVE_INFINITY, first: 16, most: 32 });

/** Texts compare byte by byte: a version field needs one format. */
type Version = Extract<WriteModePlan, { kind: "ordered" }>;

/** A batch takes no condition. */
type Conditional = Exclude<WriteModePlan, { kind: "batch" }>;

/**
 * Writes each item on condition that the table has nothing newer, or nothing at all under its key.
 * A request that was on its way while its worker lost the lease can put an old row over a new one in
 * a batch; here it can not, however late it lands. The price is a request for every item.
 */
export function conditionalWriter(mode: Conditional, options: WriterOptions): Writer {
  const signal = forMany(options.signal);
  const settle = async (batch: KeyedItem[], told: Told) => {
    for (const one of batch) await put(one, mode, told, { ...options, signal });
  };
  return inLanesOf(lanes, options.clock, settle);
}

async function put(
  one: KeyedItem,
  mode: Conditional,
  { settled, throttled }: Told,
  options: WriterOptions,
): Promise<void> {
  const condition = mode.kind === "insert" ? isNew(options) : isNewest(one, mode);
  if (!condition) {
    if (mode.kind === "ordered") settled(one, versionless(one, mode));
    return;
  }
  const { dynamodb, table, key, signal } = options;
  const request = { TableName: table, ...condition };
  const send = () =>
    one.remove
      ? dynamodb.send(new DeleteItemCommand({ ...request, Key: keyItem(one.item, key) }), {
          abortSignal: signal,
        })
      : dynamodb.send(new PutItemCommand({ ...request, Item: one.item }), { abortSignal: signal });
  const attempt = async () => {
    try {
      await send();
      settled(one, "written");
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
      settled(one, mode.kind === "insert" ? "unchanged" : "superseded");
    }
    return undefined;
  };
  const end = await untilTaken(attempt, options, throttled);
  if (end === "invalid") settled(one, refused(one));
}

const isNew = ({ key }: WriterOptions) => ({
  ConditionExpression: /* planted: rows-stay-as-they-are */ "attribute_not_exists(#key)",
  ExpressionAttributeNames: { "#key": key.hash.name },
});

/**
 * Holds where there is no row, or one that does not say how new it is: DynamoDB finds values of two
 * types neither older nor newer, and such a row would never be written again. Holds for an equal
 * version, so that an attempt whose answer was lost does not stand in its own way.
 */
function isNewest(one: KeyedItem, version: Version) {
  const value = versionOf(one, version);
  return (
    value && {
      ConditionExpression:
        /* planted: newest-version */ "NOT attribute_type(#version, :type) OR #version <= :version",
      ExpressionAttributeNames: { "#version": version.versionField },
      ExpressionAttributeValues: { ":type": { S: version.type }, ":version": value },
    }
  );
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
