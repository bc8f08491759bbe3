import type { ResourceRef } from "../base/resource-ref.ts";
import { Lease } from "./lease.ts";
import type { Slot } from "./run-state.ts";
import { readState } from "./state-item.ts";
import { deleteItem, overtaken, type StateWorld, scanBlockKeys } from "./state-table.ts";

/** Attributes of the state item that say nothing when a resource was reset. */
const forgotten = Object.freeze({
  status: null,
  run_id: null,
  not_before: null,
  body: null,
  fan_outs: null,
  wishes: null,
});

/**
 * Forgets a resource's cursor, how far it has been served, its open run and the blocks of either,
 * under its lease. What became of its runs and what was set aside stay. `also` is done under the
 * same lease, before the state is forgotten, so that a crash in between leaves something to reset.
 * Token and seq stay and grow: if they began anew, a worker that was paused in an earlier life of
 * this state could take it for its own.
 */
export async function forgetResource(
  world: StateWorld,
  place: ResourceRef,
  { owner, also = async () => {} }: { owner: string; also?: (() => Promise<void>) | undefined },
): Promise<void> {
  const leases: Lease[] = [];
  try {
    for (const slot of ["own", "for_children"] as const) {
      const lease = await takeIdle(world, place, slot, owner);
      if (lease) leases.push(lease);
    }
    const guard = () => {
      for (const lease of leases) lease.guard();
    };
    for await (const key of scanBlockKeys(world, place)) {
      guard();
      await deleteItem(world, key, { failure: "did not forget a block" });
    }
    await also();
    for (const lease of leases) await lease.letGo(forgotten);
  } catch (error) {
    // A lease that cannot be given back runs out.
    for (const lease of leases) await lease.letGo().catch(() => {});
    throw error;
  }
}

async function takeIdle(
  world: StateWorld,
  place: ResourceRef,
  slot: Slot,
  owner: string,
): Promise<Lease | undefined> {
  const stored = await readState(world, place, slot);
  if (!stored && slot === "for_children") return undefined;
  const lease = await Lease.take(world, { resourceRef: place, slot, owner, stored });
  if (!lease) throw overtaken();
  return lease;
}
