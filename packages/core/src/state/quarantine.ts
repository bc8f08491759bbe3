import { hash } from "node:crypto";
import { type AttributeValue, GetItemCommand } from "@aws-sdk/client-dynamodb";
import { WriteError } from "../base/errors.ts";
import { stateTableName } from "../base/names.ts";
import type { ResourceRef } from "../base/resource-ref.ts";
import { QUARANTINE_DAYS } from "../base/timing.ts";
import type { World } from "../base/world.ts";
import type { KeyPlan } from "../config/plan-types.ts";
import { writeAll } from "../dynamodb/attempts.ts";
import { openBatchWriter } from "../dynamodb/batch-writer.ts";
import { errorName, retryTransient } from "../dynamodb/client.ts";
import { keyAttributes, stateTableKey } from "../dynamodb/tables.ts";
import type { Item, KeyedItem, Rejection } from "../flow.ts";
import { hideSecrets } from "../secrets/redact.ts";
import type { JsonObject } from "../values/json.ts";
import { jsonText } from "../values/json-text.ts";
import { deleteItem, FORMAT, getItem, placed, queryItems, type StateWorld } from "./state-table.ts";

const limits = Object.freeze({
  // An item holds 400 KB. What is larger can not be replayed, only looked at.
  wholeRecordBytes: 300 * 1024,
  cutRecordBytes: 4 * 1024,
  pathBytes: 1024,
});

/** Beyond both, it is not single records that are wrong but the config or the API. */
const tolerance = Object.freeze({ records: 20, share: 0.1 });

/** Of the sort keys in the state table. */
const PREFIX = "quarantine#";

interface Aside {
  world: World;
  place: ResourceRef;
  runId: string;
  page: number;
  /** What its row would be named by, where rows have no key of their own. */
  naming?: { parent: JsonObject | null; added: readonly string[]; readId: string } | undefined;
}

/**
 * Keeps rejected records, each with its reason, in the state table. A page that is replayed finds
 * its own entries and writes them again: their ids are made from what is in them.
 */
export async function setAside(rejections: readonly Rejection[], aside: Aside): Promise<void> {
  if (rejections.length === 0) return;
  const { world } = aside;
  const entries = rejections.map((rejection) => entry(rejection, aside));
  // A batch must not hold a key twice, and a page may hold a record twice.
  const distinct = new Map(entries.map((one) => [one.key, one]));
  const table = openBatchWriter({
    ...world,
    table: stateTableName(world.names),
    key: stateTableKey,
    // Whoever writes these writes the same: no lease is needed.
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

/** Whether so much of a page was rejected that the run has to stop. */
export const tooMany = (rejected: number, records: number): boolean =>
  rejected > tolerance.records && rejected > records * tolerance.share;

export function tooManyError(rejections: readonly Rejection[]): WriteError {
  return new WriteError({
    code: "load.too_many_rejected",
    message: `${rejections.length} records of one page could not be stored; the first: ${rejections[0]?.message}`,
    hint: "check primary_key and data_selector; `tidetable quarantine list` shows the records",
  });
}

function entry(rejection: Rejection, { world, place, runId, page, naming }: Aside): KeyedItem {
  const { index, code, message, path, record } = rejection;
  const now = world.clock.now();
  const content = hash("sha256", jsonText(record, { sorted: true }), "base64url");
  const id = hash("sha256", JSON.stringify([place, code, path, content]), "base64url");
  const plain = jsonText(record);
  const hidden = hideSecrets(plain);
  const text = Buffer.from(hidden);
  const whole = text.length <= limits.wholeRecordBytes;
  const item: Item = {
    ...placed(place, PREFIX + id),
    format: FORMAT,
    code: { S: code },
    message: { S: hideSecrets(message) },
    path: { S: cut(Buffer.from(hideSecrets(path)), limits.pathBytes) },
    run_id: { S: runId },
    page: { N: String(page) },
    index: { N: String(index) },
    record: { S: whole ? text.toString() : cut(text, limits.cutRecordBytes) },
    ...(whole ? {} : { record_bytes: { N: String(text.length) }, record_sha256: { S: content } }),
    ...(hidden === plain ? {} : { redacted: { BOOL: true } }),
    ...(naming ? { naming: { S: hideSecrets(namingText(naming)) } } : {}),
    at: { S: new Date(now).toISOString() },
    expires: { N: String(Math.floor(now / 1000) + QUARANTINE_DAYS * 86_400) },
  };
  const bytes = Math.min(text.length, limits.wholeRecordBytes) + 4096;
  return { key: id, item, bytes, index, record };
}

/** What the row of a replayed record is named by, of what the run named it by. */
const namingText = ({ parent, added, readId }: NonNullable<Aside["naming"]>): string =>
  jsonText({ parent, added: [...added], readId });

// By bytes: half a character at the end becomes a replacement character, which DynamoDB takes.
const cut = (text: Buffer, bytes: number) => text.subarray(0, bytes).toString();

/** A record that was set aside, and why. */
export interface QuarantineEntry {
  id: string;
  code: string;
  message: string;
  /** Where in the record. */
  path: string;
  run_id: string;
  page: number;
  /** Position in the page. */
  index: number;
  /** The record as JSON text; its beginning only, when it was too large to be kept. */
  record: string;
  /** How long such a record was. */
  record_bytes: number | null;
  /** A credential of the source was in it, and is not any more: it is not the record that came. */
  redacted: boolean;
  /** What its row is named by, as JSON, where rows have no key of their own. */
  naming: string | null;
  at: string;
}

/** What is set aside of a resource, one answer of DynamoDB at a time, in no order. */
export async function* listQuarantine(
  world: StateWorld,
  place: ResourceRef,
): AsyncGenerator<QuarantineEntry[]> {
  for await (const items of queryItems(world, place, PREFIX)) yield items.map(fromItem);
}

/** One entry as it is now; undefined when it is gone. */
export async function readEntry(
  world: StateWorld,
  place: ResourceRef,
  id: string,
): Promise<QuarantineEntry | undefined> {
  const item = await getItem(world, placed(place, PREFIX + id));
  return item && fromItem(item);
}

/** Removes the entry that was read; one that was set aside anew since then stays. */
export async function removeEntry(
  world: StateWorld,
  place: ResourceRef,
  { id, at }: QuarantineEntry,
): Promise<void> {
  await deleteItem(world, placed(place, PREFIX + id), {
    condition: {
      expression: "#at = :at",
      names: { "#at": "at" },
      values: { ":at": { S: at } },
    },
    failure: "did not let go of an entry",
  });
}

/** The row of a table that an item would replace. */
export async function rowLike(
  item: Item,
  { world, table, key }: { world: StateWorld; table: string; key: KeyPlan },
): Promise<Item | undefined> {
  const names = keyAttributes(key).map(({ name }) => name);
  const command = new GetItemCommand({
    TableName: table,
    Key: Object.fromEntries(names.map((name) => [name, item[name] as AttributeValue])),
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
  const text = (name: string) => item[name]?.S ?? "";
  return {
    id: text("sk").slice(PREFIX.length),
    code: text("code"),
    message: text("message"),
    path: text("path"),
    run_id: text("run_id"),
    page: Number(item.page?.N),
    index: Number(item.index?.N),
    record: text("record"),
    record_bytes: item.record_bytes ? Number(item.record_bytes.N) : null,
    redacted: item.redacted?.BOOL ?? false,
    naming: item.naming?.S ?? null,
    at: text("at"),
  };
}
