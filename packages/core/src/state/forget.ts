import type { ResourceRef } from "../base/resource-ref.ts";
import { Lease } from "./lease.ts";
import type { Slot } from "./run-state.ts";
import { readState } from "./state-item.ts";
import { deleteItem, overtakenError, type StateWorld, scanBlockKeys } from "./state-table.ts";

/** The attributes of the state item that a reset removes. */
const forgotten = Object.freeze({
  status: null,
  run_id: null,
  not_before: null,
  body: null,
  fan_outs: null,
  wishes: null,
  next_read_id: null,
});

/**
 * Removes a resource's cursors, its unfinished run and its blocks, under the lease. The run history and
 * the quarantine stay. `also` runs under the same lease before the state is removed, so that a reset
 * can be repeated after a crash. Token and seq stay and grow: with reused values, a paused worker from
 * before the reset could pass the condition of a step.
 */
export async function forgetResource(
  world: StateWorld,
  resourceRef: ResourceRef,
  { owner, also = async () => {} }: { owner: string; also?: (() => Promise<void>) | undefined },
): Promise<void> {
  const leases: Lease[] = [];
  try {
    for (const slot of ["own", "for_children"] as const) {
      const lease = await takeIdle(world, resourceRef, slot, owner);
      if (lease) leases.push(lease);
    }
    const guard = () => {
      for (const lease of leases) lease.guard();
    };
    for await (const key of scanBlockKeys(world, resourceRef)) {
      guard();
      await deleteItem(world, key, { failure: "did not forget a block" });
    }
    await also();
    for (const lease of leases) await lease.letGo(forgotten);
  } catch (error) {
    // A lease that cannot be given back expires.
    for (const lease of leases) await lease.letGo().catch(() => {});
    throw error;
  }
}

async function takeIdle(
  world: StateWorld,
  resourceRef: ResourceRef,
  slot: Slot,
  owner: string,
): Promise<Lease | undefined> {
  const stored = await readState(world, resourceRef, slot);
  if (!stored && slot === "for_children") return undefined;
  const lease = await Lease.take(world, { resourceRef, slot, owner, stored });
  if (!lease) throw overtakenError();
  return lease;
}
