import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import type { ResourceRef } from "../base/resource-ref.ts";
import type { Item } from "../flow.ts";
import type { Columns } from "../schema/columns.ts";
import {
  FORMAT,
  getItem,
  itemKey,
  overtakenError,
  putItem,
  queryItems,
  type StateWorld,
} from "./state-table.ts";

/*
 * The schema of a resource (sk `schema`), and each version of the schema (sk `schema#<number>`). Columns
 * are stored as JSON for readers in the AWS console.
 */

/** The item `schema`, with shapes as texts. */
export interface StoredSchema {
  /** Grows with each write. */
  revision: number;
  /** The token of the lease under which the item was written. */
  token: number;
  /** The id of the table. A new table under the same name begins with an empty schema. */
  table_id: string;
  /** The shape of all records so far. Stored before the checkpoint, so no row has an unknown field. */
  seen: string;
  /** The shape at the last version, to which new fields are compared. */
  known: string | null;
  /** 0 before the first run has ended. */
  version: number;
  hash: string | null;
}

/** One version of a schema. */
export interface SchemaVersion {
  version: number;
  hash: string;
  /** The time and the id of the run that first had this version. */
  first_seen: string;
  run_id: string;
  columns: Columns;
}

const VERSION = "schema#";

/** Pads the version, so that sort keys sort by number. */
const versionKey = (version: number) => VERSION + String(version).padStart(8, "0");

export async function readSchema(
  world: StateWorld,
  resourceRef: ResourceRef,
): Promise<StoredSchema | undefined> {
  const item = await getItem(world, itemKey(resourceRef, "schema"));
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

/** Puts the next revision. Throws LeaseError when another worker has put a revision. */
export async function writeSchema(
  world: StateWorld,
  resourceRef: ResourceRef,
  { revision, token, table_id, seen: seenText, known: knownText, version, hash }: StoredSchema,
): Promise<void> {
  const item = {
    ...itemKey(resourceRef, "schema"),
    format: FORMAT,
    revision: { N: String(revision) },
    token: { N: String(token) },
    table_id: { S: table_id },
    seen: { S: seenText },
    version: { N: String(version) },
    ...(knownText === null ? {} : { known: { S: knownText } }),
    ...(hash === null ? {} : { hash: { S: hash } }),
  };
  const isTaken = await putItem(world, item, {
    condition: {
      // A newer lease may replace any revision of an older lease.
      expression:
        "attribute_not_exists(pk) OR (revision = :before AND #token <= :token) OR #token < :token",
      names: { "#token": "token" },
      values: { ":before": { N: String(revision - 1) }, ":token": { N: String(token) } },
    },
    failure: "did not take the schema",
  });
  if (isTaken) return;
  // A retry after a lost response finds the revision of its first attempt.
  const stored = await readSchema(world, resourceRef);
  if (stored?.revision !== revision || stored.token !== token) throw overtakenError();
}

export const emptySchema: Pick<StoredSchema, "seen" | "known"> = { seen: "{}", known: null };

/** Empties the schema of a reset table. Versions stay, and new versions continue their numbers. */
export async function forgetSchema(world: StateWorld, resourceRef: ResourceRef): Promise<void> {
  const stored = await readSchema(world, resourceRef);
  if (!stored) return;
  const revision = stored.revision + 1;
  await writeSchema(world, resourceRef, { ...stored, revision, ...emptySchema });
}

/** Puts a version, and replaces a version that a worker with an older lease has left. */
export async function writeVersion(
  world: StateWorld,
  resourceRef: ResourceRef,
  { version, hash, first_seen, run_id, columns }: SchemaVersion,
  token: number,
): Promise<void> {
  const item = {
    ...itemKey(resourceRef, versionKey(version)),
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
  if (!isTaken) throw overtakenError();
}

export async function readVersion(
  world: StateWorld,
  resourceRef: ResourceRef,
  version: number,
): Promise<SchemaVersion | undefined> {
  const item = await getItem(world, itemKey(resourceRef, versionKey(version)));
  return item && fromItem(item);
}

/** Reads all versions, the oldest first. */
export async function readVersions(
  world: StateWorld,
  resourceRef: ResourceRef,
): Promise<SchemaVersion[]> {
  const versions: SchemaVersion[] = [];
  for await (const items of queryItems(world, resourceRef, VERSION))
    versions.push(...items.map(fromItem));
  return versions;
}

function fromItem(item: Item): SchemaVersion {
  const stringAt = (name: string) => item[name]?.S ?? "";
  return {
    version: Number(stringAt("sk").slice(VERSION.length)),
    hash: stringAt("hash"),
    first_seen: stringAt("first_seen"),
    run_id: stringAt("run_id"),
    columns: JSON.parse(stringAt("columns")),
  };
}
