import { hash } from "node:crypto";
import { WriteError } from "../errors.ts";
import type { Item, KeyedItem, Rejection } from "../flow.ts";
import { jsonText } from "../json-text.ts";
import { stateTableName } from "../names.ts";
import type { World } from "../world.ts";
import { writer } from "./batches.ts";
import { stateKey } from "./tables.ts";

const limits = Object.freeze({
  // An item holds 400 KB. What is larger can not be replayed, only looked at.
  wholeRecordBytes: 300 * 1024,
  cutRecordBytes: 4 * 1024,
  pathBytes: 1024,
  days: 30,
});

/** Beyond both, it is not single records that are wrong but the config or the API. */
const tolerance = Object.freeze({ records: 20, share: 0.1 });

interface Aside {
  world: World;
  place: { source: string; resource: string };
  runId: string;
  page: number;
}

/**
 * Keeps rejected records, each with its reason, in the state table. A page that is replayed finds
 * its own entries and writes them again: their ids are made from what is in them.
 */
export async function setAside(rejections: readonly Rejection[], aside: Aside): Promise<void> {
  const { world } = aside;
  const entries = rejections.map((rejection) => entry(rejection, aside));
  // A batch must not hold a key twice, and a page may hold a record twice.
  const distinct = new Map(entries.map((one) => [one.key, one]));
  const { write } = writer({
    ...world,
    table: stateTableName(world.names),
    key: stateKey,
    // Whoever writes these writes the same: no lease is needed.
    guard: () => {},
  });
  const refused = (await write([...distinct.values()])).rejections.length;
  if (refused === 0) return;
  throw new WriteError({
    code: "load.quarantine",
    message: `${refused} rejected records could not be set aside`,
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

function entry(rejection: Rejection, { world, place, runId, page }: Aside): KeyedItem {
  const { index, code, message, path, record } = rejection;
  const now = world.clock.now();
  const content = hash("sha256", jsonText(record, { sorted: true }), "base64url");
  const id = hash("sha256", JSON.stringify([place, code, path, content]), "base64url");
  const text = Buffer.from(jsonText(record));
  const whole = text.length <= limits.wholeRecordBytes;
  const item: Item = {
    pk: { S: `${place.source}#${place.resource}` },
    sk: { S: `quarantine#${id}` },
    code: { S: code },
    message: { S: message },
    path: { S: cut(Buffer.from(path), limits.pathBytes) },
    run_id: { S: runId },
    page: { N: String(page) },
    index: { N: String(index) },
    record: { S: whole ? text.toString() : cut(text, limits.cutRecordBytes) },
    ...(whole ? {} : { record_bytes: { N: String(text.length) }, record_sha256: { S: content } }),
    at: { S: new Date(now).toISOString() },
    expires: { N: String(Math.floor(now / 1000) + limits.days * 86_400) },
  };
  const bytes = Math.min(text.length, limits.wholeRecordBytes) + 4096;
  return { key: id, item, bytes, index, record };
}

// By bytes: half a character at the end becomes a replacement character, which DynamoDB takes.
const cut = (text: Buffer, bytes: number) => text.subarray(0, bytes).toString();
