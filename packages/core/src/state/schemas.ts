import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import type { ResourceRef } from "../base/resource-ref.ts";
import type { Item } from "../flow.ts";
import type { Columns } from "../schema/columns.ts";
import {
  FORMAT,
  getItem,
  overtaken,
  placed,
  putItem,
  queryItems,
  type StateWorld,
} from "./state-table.ts";

/*
 * What is known of a resource's fields (sk `schema`), and each version of it that a run came to
 * (sk `schema#<number>`), its columns as JSON, so that they can be read in the AWS console as well.
 */

/** The item `schema`. Shapes are texts here. */
export interface StoredSchema {
  /** Grows with each write. */
  revision: number;
  /** Of the lease under which it was written. */
  token: number;
  /** The table that it is of: another one under the same name begins with nothing. */
  table_id: string;
  /** All that was ever seen: never behind what is in the table. */
  seen: string;
  /** What had been seen at the last version: what is new is new beside this. */
  known: string | null;
  /** 0 before the first run has ended. */
  version: number;
  hash: string | null;
}

/** One version of a schema. */
export interface SchemaVersion {
  version: number;
  hash: string;
  /** When a run first came to it, and which. */
  first_seen: string;
  run_id: string;
  columns: Columns;
}

const VERSION = "schema#";

/** Sorts as numbers do. */
const versionKey = (version: number) => VERSION + String(version).padStart(8, "0");

export async function readSchema(
  world: StateWorld,
  place: ResourceRef,
): Promise<StoredSchema | undefined> {
  const item = await getItem(world, placed(place, "schema"));
  return (
    item && {
      revision: Number(item.revision?.N ?? 0),
      token: Number(item.token?.N ?? 0),
      table_id: item.table_id?.S ?? "",
      seen: item.seen?.S ?? "{}",
      known: item.known?.S ?? null,
      version: Number(item.version?.N ?? 0),
      hash: item.hash?.S ?? null,
    }
  );
}

/** Puts the next revision. Throws LeaseError when another worker has put one. */
export async function writeSchema(
  world: StateWorld,
  place: ResourceRef,
  { revision, token, table_id, seen, known, version, hash }: StoredSchema,
): Promise<void> {
  const item = {
    ...placed(place, "schema"),
    format: FORMAT,
    revision: { N: String(revision) },
    token: { N: String(token) },
    table_id: { S: table_id },
    seen: { S: seen },
    version: { N: String(version) },
    ...(known === null ? {} : { known: { S: known } }),
    ...(hash === null ? {} : { hash: { S: hash } }),
  };
  const isTaken = await putItem(world, item, {
    condition: {
      // What a worker with an older lease wrote meanwhile, its successor has read or reads again.
      expression:
        "attribute_not_exists(pk) OR (revision = :before AND #token <= :token) OR #token < :token",
      names: { "#token": "token" },
      values: { ":before": { N: String(revision - 1) }, ":token": { N: String(token) } },
    },
    failure: "did not take the schema",
  });
  if (isTaken) return;
  // A retry whose first try came through and whose answer was lost meets its own success.
  const stored = await readSchema(world, place);
  if (stored?.revision !== revision || stored.token !== token) throw overtaken();
}

export const nothingSeen: Pick<StoredSchema, "seen" | "known"> = { seen: "{}", known: null };

/** Forgets what was seen, for a table that was emptied. Versions stay, and are counted on. */
export async function forgetSchema(world: StateWorld, place: ResourceRef): Promise<void> {
  const stored = await readSchema(world, place);
  if (!stored) return;
  const revision = stored.revision + 1;
  await writeSchema(world, place, { ...stored, revision, ...nothingSeen });
}

/** Puts a version, over one that a worker with an older lease has left. */
export async function writeVersion(
  world: StateWorld,
  place: ResourceRef,
  { version, hash, first_seen, run_id, columns }: SchemaVersion,
  token: number,
): Promise<void> {
  const item = {
    ...placed(place, versionKey(version)),
    format: FORMAT,
    token: { N: String(token) } satisfies AttributeValue,
    hash: { S: hash },
    first_seen: { S: first_seen },
    run_id: { S: run_id },
    columns: { S: JSON.stringify(columns) },
  };
  const isTaken = await putItem(world, item, {
    condition: {
      expression: "attribute_not_exists(pk) OR #token <= :token",
      names: { "#token": "token" },
      values: { ":token": { N: String(token) } },
    },
    failure: "did not take the schema",
  });
  if (!isTaken) throw overtaken();
}

export async function readVersion(
  world: StateWorld,
  place: ResourceRef,
  version: number,
): Promise<SchemaVersion | undefined> {
  const item = await getItem(world, placed(place, versionKey(version)));
  return item && fromItem(item);
}

/** All versions, the oldest first. */
export async function readVersions(
  world: StateWorld,
  place: ResourceRef,
): Promise<SchemaVersion[]> {
  const versions: SchemaVersion[] = [];
  for await (const items of queryItems(world, place, VERSION))
    versions.push(...items.map(fromItem));
  return versions;
}

function fromItem(item: Item): SchemaVersion {
  const text = (name: string) => item[name]?.S ?? "";
  return {
    version: Number(text("sk").slice(VERSION.length)),
    hash: text("hash"),
    first_seen: text("first_seen"),
    run_id: text("run_id"),
    columns: JSON.parse(text("columns")),
  };
}
