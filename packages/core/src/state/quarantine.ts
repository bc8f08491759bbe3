import { hash } from "node:crypto";
import { GetItemCommand } from "@aws-sdk/client-dynamodb";
import { WriteError } from "../base/errors.ts";
import { stateTableName } from "../base/names.ts";
import type { ResourceRef } from "../base/resource-ref.ts";
import { QUARANTINE_DAYS } from "../base/timing.ts";
import type { World } from "../base/world.ts";
import { writeAll } from "../dynamodb/attempts.ts";
import { openBatchWriter } from "../dynamodb/batch-writer.ts";
import { errorName, retryTransient } from "../dynamodb/client.ts";
import { stateTableKey } from "../dynamodb/tables.ts";
import type { Item, KeyedItem, Rejection } from "../flow.ts";
import { hideSecrets, hideSecretsUpTo } from "../secrets/redact.ts";
import type { JsonObject } from "../values/json.ts";
import { jsonText } from "../values/json-text.ts";
import { attributesOf, sdkToWire } from "../values/wire-text.ts";
import {
  deleteItem,
  FORMAT,
  getItem,
  itemKey,
  queryItems,
  type StateWorld,
} from "./state-table.ts";

const limits = Object.freeze({
  // An item holds 400 KB. A larger record is cut, and can be shown but not replayed.
  wholeRecordBytes: 300 * 1024,
  cutRecordBytes: 4 * 1024,
  // A larger record is shown from the text that its hash is made of: another copy of 60 MB could
  // kill a worker of 512 MB.
  hugeRecordCharacters: 1024 * 1024,
  pathBytes: 1024,
});

/** Above both limits, the cause is the config or the API and not single records. */
const tolerance = Object.freeze({ records: 20, share: 0.1 });

/** The prefix of sort keys in the state table. */
const PREFIX = "quarantine#";

interface QuarantineContext {
  world: World;
  resourceRef: ResourceRef;
  runId: string;
  page: number;
  /** The values that name the row of a resource without a primary key. */
  naming?: { parent: JsonObject | null; added: readonly string[]; readId: string } | undefined;
}

/**
 * Stores rejected records with their reasons in the state table. A page that is read again replaces
 * its entries, because the id of an entry is a hash of its content.
 */
export async function setAside(
  rejections: readonly Rejection[],
  aside: QuarantineContext,
): Promise<void> {
  if (rejections.length === 0) return;
  const { world } = aside;
  const entries = rejections.map((rejection) => entryItem(rejection, aside));
  // A batch must not hold a key twice, and a page may hold a record twice.
  const distinct = new Map(entries.map((keyedItem) => [keyedItem.key, keyedItem]));
  const table = openBatchWriter({
    ...world,
    table: stateTableName(world.names),
    key: stateTableKey,
    // Every worker writes the same entries, so no lease is needed.
    guard: () => {},
  });
  const { rejections: refused } = await writeAll(table, [...distinct.values()]);
  if (refused.length === 0) return;
  throw new WriteError({
    code: "load.quarantine",
    message: `${refused.length} rejected records could not be set aside`,
    hint: "the page is not counted as done; the next run reads it again",
  });
}

/** Returns whether too many records of a page were rejected, so that the run has to stop. */
export const tooMany = (rejected: number, records: number): boolean =>
  rejected > tolerance.records && rejected > records * tolerance.share;

export function tooManyError(rejections: readonly Rejection[]): WriteError {
  return new WriteError({
    code: "load.too_many_rejected",
    message: `${rejections.length} records of one page could not be stored; the first: ${rejections[0]?.message}`,
    hint: "check primary_key and data_selector; `tidetable quarantine list` shows the records",
  });
}

function entryItem(
  rejection: Rejection,
  { world, resourceRef, runId, page, naming }: QuarantineContext,
): KeyedItem {
  const { index, code, message, path, record } = rejection;
  const now = world.clock.now();
  const sortedText = jsonText(record, { sorted: true });
  const content = hash("sha256", sortedText, "base64url");
  const id = hash("sha256", JSON.stringify([resourceRef, code, path, content]), "base64url");
  const isHuge = sortedText.length > limits.hugeRecordCharacters;
  const plain = isHuge ? sortedText : jsonText(record);
  const bytes = Buffer.byteLength(plain);
  // Of a record that is too large, no more is searched for secrets than what is kept.
  const isSmall = bytes <= limits.wholeRecordBytes;
  const shown = isSmall ? plain : plain.slice(0, limits.cutRecordBytes);
  const hidden = isSmall ? hideSecrets(plain) : hideSecretsUpTo(plain, limits.cutRecordBytes);
  const text = Buffer.from(hidden);
  const whole = isSmall && text.length <= limits.wholeRecordBytes;
  const rowKey = itemKey(resourceRef, PREFIX + id);
  const item: Item = {
    ...rowKey,
    format: FORMAT,
    code: { S: code },
    message: { S: hideSecrets(message) },
    path: { S: cutText(Buffer.from(hideSecrets(path)), limits.pathBytes) },
    run_id: { S: runId },
    page: { N: String(page) },
    index: { N: String(index) },
    record: { S: whole ? hidden : cutText(text, limits.cutRecordBytes) },
    ...(whole ? {} : { record_bytes: { N: String(bytes) }, record_sha256: { S: content } }),
    ...(hidden === shown ? {} : { redacted: { BOOL: true } }),
    ...(naming ? { naming: { S: hideSecrets(namingText(naming)) } } : {}),
    at: { S: new Date(now).toISOString() },
    expires: { N: String(Math.floor(now / 1000) + QUARANTINE_DAYS * 86_400) },
  };
  const itemBytes = Math.min(bytes, limits.wholeRecordBytes) + 4096;
  const rowKeyText = sdkToWire(rowKey);
  return { key: id, rowKeyText, itemText: sdkToWire(item), bytes: itemBytes, index, record };
}

/** Returns the naming values as text, so that a replay names the row as the run did. */
const namingText = ({ parent, added, readId }: NonNullable<QuarantineContext["naming"]>): string =>
  jsonText({ parent, added: [...added], readId });

// Cuts by bytes. Half a character at the end becomes a replacement character, which DynamoDB accepts.
const cutText = (text: Buffer, bytes: number) => text.subarray(0, bytes).toString();

/** A record in quarantine, with the reason. */
export interface QuarantineEntry {
  id: string;
  code: string;
  message: string;
  /** The path of the error in the record. */
  path: string;
  run_id: string;
  page: number;
  /** Position in the page. */
  index: number;
  /** The record as JSON text, cut when the record was too large. */
  record: string;
  /** The length of a record that was cut. */
  record_bytes: number | null;
  /** A credential of the source was removed, so the text differs from the record of the API. */
  redacted: boolean;
  /** The naming values as JSON, for a resource without a primary key. */
  naming: string | null;
  at: string;
}

/** Yields the quarantine entries of a resource, one DynamoDB response at a time, in no order. */
export async function* listQuarantine(
  world: StateWorld,
  resourceRef: ResourceRef,
): AsyncGenerator<QuarantineEntry[]> {
  for await (const items of queryItems(world, resourceRef, PREFIX)) yield items.map(fromItem);
}

/** Reads the current version of an entry; undefined when the entry is gone. */
export async function readEntry(
  world: StateWorld,
  resourceRef: ResourceRef,
  id: string,
): Promise<QuarantineEntry | undefined> {
  const item = await getItem(world, itemKey(resourceRef, PREFIX + id));
  return item && fromItem(item);
}

/** Removes the entry that was read, unless a newer version was stored since the read. */
export async function removeEntry(
  world: StateWorld,
  resourceRef: ResourceRef,
  { id, at }: QuarantineEntry,
): Promise<void> {
  await deleteItem(world, itemKey(resourceRef, PREFIX + id), {
    condition: {
      expression: "#at = :at",
      names: { "#at": "at" },
      values: { ":at": { S: at } },
    },
    failure: "did not let go of an entry",
  });
}

/** Reads the row that an item would replace. */
export async function rowLike(
  { rowKeyText }: Pick<KeyedItem, "rowKeyText">,
  { world, table }: { world: StateWorld; table: string },
): Promise<Item | undefined> {
  const command = new GetItemCommand({
    TableName: table,
    Key: attributesOf(rowKeyText),
    ConsistentRead: true,
  });
  const { Item: row } = await retryTransient(world, () => world.dynamodb.send(command)).catch(
    (error: unknown) => {
      throw new WriteError({
        code: "load.failed",
        message: `DynamoDB did not answer a read of the table ${table} (${errorName(error)})`,
        hint: "try again",
      });
    },
  );
  return row;
}

function fromItem(item: Item): QuarantineEntry {
  const stringAt = (name: string) => item[name]?.S ?? "";
  return {
    id: stringAt("sk").slice(PREFIX.length),
    code: stringAt("code"),
    message: stringAt("message"),
    path: stringAt("path"),
    run_id: stringAt("run_id"),
    page: Number(item.page?.N),
    index: Number(item.index?.N),
    record: stringAt("record"),
    record_bytes: item.record_bytes ? Number(item.record_bytes.N) : null,
    redacted: item.redacted?.BOOL ?? false,
    naming: item.naming?.S ?? null,
    at: stringAt("at"),
  };
}
