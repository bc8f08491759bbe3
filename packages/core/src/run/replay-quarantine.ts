import { isDeepStrictEqual } from "node:util";
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
import { rowNaming } from "./page-records.ts";
import { RunSchema } from "./run-schema.ts";

export interface Replayed {
  /** How many records are in the table now, and not set aside any more. */
  replayed: number;
  /** Those that stay set aside, each with the reason. */
  kept: (Reason & { id: string })[];
}

interface Reason {
  code: string;
  message: string;
}

type ReplayWorld = Omit<World, "secretsManager" | "http" | "origins">;

/** Puts the records that were set aside through again, under the plan as it is now. */
export async function replayQuarantine(
  resource: ResourcePlan,
  world: ReplayWorld,
  owner: string,
): Promise<Replayed> {
  const { clock, signal } = world;
  const place = { source: resource.source, resource: resource.name };
  const { tableId } = await checkTable(world, resource);
  const stored = await readState(world, place);
  if (stored?.body?.refresh && stored.status !== "done") throw refreshOpen();

  const lease = await Lease.take(world, { place, slot: "own", owner, stored });
  if (!lease) throw leaseHeld();
  let renewed = clock.monotonic();
  const result: Replayed = { replayed: 0, kept: [] };
  try {
    const schema = await RunSchema.open(resource, world, {
      resourceRef: place,
      tableId,
      token: lease.token,
    });
    for (const id of await newestFirst(world, place)) {
      signal.throwIfAborted();
      if (clock.monotonic() - renewed > REPLAY_RENEWAL_MS) {
        renewed = clock.monotonic();
        await lease.renew();
      }
      const entry = await readEntry(world, place, id);
      if (!entry) continue;
      const reason = await putBack(entry, resource, world, { guard: () => lease.guard(), schema });
      if (reason) {
        result.kept.push({ id, ...reason });
      } else {
        await removeEntry(world, place, entry);
        result.replayed += 1;
      }
    }
    await schema.close(owner, { isPart: true });
    return result;
  } finally {
    // A lease that can not be given back runs out.
    await lease.letGo().catch(() => {});
  }
}

/** Of two versions of a record the later one goes in, and the earlier finds its key taken. */
async function newestFirst(world: ReplayWorld, place: ResourceRef): Promise<string[]> {
  const found: Pick<QuarantineEntry, "id" | "at" | "page" | "index">[] = [];
  for await (const entries of listQuarantine(world, place)) {
    // Without the records, of which there may be more than fit into memory.
    found.push(...entries.map(({ id, at, page, index }) => ({ id, at, page, index })));
  }
  return found
    .sort((a, b) => b.at.localeCompare(a.at) || b.page - a.page || b.index - a.index)
    .map(({ id }) => id);
}

/**
 * Undefined when the record is in the table, else why it is not. It replaces no row: nobody knows
 * whether the row is older than the record or newer.
 */
async function putBack(
  entry: QuarantineEntry,
  resource: ResourcePlan,
  world: ReplayWorld,
  { guard, schema }: { guard: () => void; schema: RunSchema },
): Promise<Reason | undefined> {
  if (entry.record_bytes !== null) return wasCut(entry.record_bytes);
  if (entry.redacted) return wasRedacted;
  if (entry.code.startsWith("extract.parent")) return isParents;
  const record = parseJson(entry.record);
  const naming = namingOf(entry);
  const { items, rejections, typedRecords } = toItems([record], resource, naming, schema.fit);
  const [made] = items;
  if (!made) return reasonOf(rejections);

  const table = tableName(world.names, resource);
  const row = await rowLike(made.item, { world, table, key: resource.key });
  if (row) return isDeepStrictEqual(row, made.item) ? undefined : keyTaken;
  const into = openBatchWriter({ ...world, table, key: resource.key, guard });
  const reason = reasonOf((await writeAll(into, [made])).rejections);
  if (reason) return reason;
  schema.learn(typedRecords);
  await schema.keep();
  return undefined;
}

/** As the run named the row: a record that is read again after its replay is not doubled. */
function namingOf({ naming, run_id }: QuarantineEntry): RowNaming {
  const nothing = rowNaming(undefined, run_id);
  return naming === null ? nothing : { ...nothing, ...(parseJson(naming) as JsonObject) };
}

const isParents: Reason = {
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

// Its sweep would delete what the replay puts in.
const refreshOpen = () =>
  new LeaseError({
    code: "state.refresh_open",
    message: "a refresh of this resource has not ended",
    hint: "run it to its end, then replay",
  });
