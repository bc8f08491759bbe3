import { LeaseError } from "../base/errors.ts";
import { tableName } from "../base/names.ts";
import type { ResourceRef } from "../base/resource-ref.ts";
import { REPLAY_RENEWAL_MS } from "../base/timing.ts";
import type { World } from "../base/world.ts";
import type { ResourcePlan } from "../config/plan-types.ts";
import { writeAll } from "../dynamodb/attempts.ts";
import { openBatchWriter } from "../dynamodb/batch-writer.ts";
import { checkTable } from "../dynamodb/tables.ts";
import type { Rejection } from "../flow.ts";
import { isSameMap } from "../load/compare.ts";
import { toItems } from "../normalize/items.ts";
import type { RowNaming } from "../normalize/keys.ts";
import { Lease, leaseHeld } from "../state/lease.ts";
import {
  listQuarantine,
  type QuarantineEntry,
  readEntry,
  removeEntry,
  rowLike,
} from "../state/quarantine.ts";
import { readState } from "../state/state-item.ts";
import type { JsonObject } from "../values/json.ts";
import { parseJson } from "../values/parse-json.ts";
import { parseWireItem, sdkToWire } from "../values/wire-text.ts";
import { rowNaming } from "./page-records.ts";
import { RunSchema } from "./run-schema.ts";

export interface Replayed {
  /** The number of records that are now in the table and no longer in quarantine. */
  replayed: number;
  /** Records that stay in quarantine, each with the reason. */
  kept: (Reason & { id: string })[];
}

interface Reason {
  code: string;
  message: string;
}

type ReplayWorld = Omit<World, "secretsManager" | "http" | "origins">;

/** Processes the records in quarantine again, with the current plan. */
export async function replayQuarantine(
  resource: ResourcePlan,
  world: ReplayWorld,
  owner: string,
): Promise<Replayed> {
  const { clock, signal } = world;
  const resourceRef = { source: resource.source, resource: resource.name };
  const { tableId } = await checkTable(world, resource);
  const stored = await readState(world, resourceRef);
  if (stored?.body?.refresh && stored.status !== "done") throw refreshOpen();

  const lease = await Lease.take(world, { resourceRef, slot: "own", owner, stored });
  if (!lease) throw leaseHeld();
  let renewed = clock.monotonic();
  const result: Replayed = { replayed: 0, kept: [] };
  try {
    const schema = await RunSchema.open(resource, world, {
      resourceRef,
      tableId,
      token: lease.token,
    });
    for (const id of await newestFirst(world, resourceRef)) {
      signal.throwIfAborted();
      if (clock.monotonic() - renewed > REPLAY_RENEWAL_MS) {
        renewed = clock.monotonic();
        await lease.renew();
      }
      const entry = await readEntry(world, resourceRef, id);
      if (!entry) continue;
      const reason = await putBack(entry, resource, world, { guard: () => lease.guard(), schema });
      if (reason) {
        result.kept.push({ id, ...reason });
      } else {
        await removeEntry(world, resourceRef, entry);
        result.replayed += 1;
      }
    }
    await schema.close(owner, { isPart: true });
    return result;
  } finally {
    // A lease that cannot be given back expires.
    await lease.letGo().catch(() => {});
  }
}

/** Returns the newest entry first: of two versions of a record, the newer one gets the key. */
async function newestFirst(world: ReplayWorld, resourceRef: ResourceRef): Promise<string[]> {
  const summaries: Pick<QuarantineEntry, "id" | "at" | "page" | "index">[] = [];
  for await (const entries of listQuarantine(world, resourceRef)) {
    // The records are left out because all of them may not fit into memory.
    summaries.push(...entries.map(({ id, at, page, index }) => ({ id, at, page, index })));
  }
  return summaries
    .sort((a, b) => b.at.localeCompare(a.at) || b.page - a.page || b.index - a.index)
    .map(({ id }) => id);
}

/**
 * Returns undefined when the record is in the table, and otherwise the reason. No row is replaced,
 * because the existing row may be newer than the record.
 */
async function putBack(
  entry: QuarantineEntry,
  resource: ResourcePlan,
  world: ReplayWorld,
  { guard, schema }: { guard: () => void; schema: RunSchema },
): Promise<Reason | undefined> {
  if (entry.record_bytes !== null) return wasCut(entry.record_bytes);
  if (entry.redacted) return wasRedacted;
  if (entry.code.startsWith("extract.parent")) return isParentRecord;
  const record = parseJson(entry.record);
  const naming = namingOf(entry);
  const { items, rejections, typedRecords } = toItems([record], resource, naming, schema.fit);
  const [keyedItem] = items;
  if (!keyedItem) return reasonOf(rejections);

  const table = tableName(world.names, resource);
  const row = await rowLike(keyedItem, { world, table });
  if (row)
    return isSameMap(parseWireItem(keyedItem.itemText), parseWireItem(sdkToWire(row)))
      ? undefined
      : keyTaken;
  const into = openBatchWriter({ ...world, table, key: resource.key, guard });
  const reason = reasonOf((await writeAll(into, [keyedItem])).rejections);
  if (reason) return reason;
  schema.learn(typedRecords);
  await schema.keep();
  return undefined;
}

/** Names the row as the run did, so that a later read of the record does not add a second row. */
function namingOf({ naming, run_id }: QuarantineEntry): RowNaming {
  const nothing = rowNaming(undefined, run_id);
  return naming === null ? nothing : { ...nothing, ...(parseJson(naming) as JsonObject) };
}

const isParentRecord: Reason = {
  code: "quarantine.parent",
  message: "it is a record of the parent: the next run that reads it asks for it again",
};

const reasonOf = ([first]: Rejection[]): Reason | undefined =>
  first && { code: first.code, message: first.message };

const wasCut = (bytes: number): Reason => ({
  code: "quarantine.cut",
  message: `the record was too large to be kept whole (${bytes} bytes)`,
});

const wasRedacted: Reason = {
  code: "quarantine.redacted",
  message:
    "the record held a credential of its source, which was taken out: read it from the API again",
};

const keyTaken: Reason = {
  code: "quarantine.key_taken",
  message: "the table has another version of this record, which may be newer",
};

// The sweep of an open refresh would delete the rows that the replay puts.
const refreshOpen = () =>
  new LeaseError({
    code: "state.refresh_open",
    message: "a refresh of this resource has not ended",
    hint: "run it to its end, then replay",
  });
