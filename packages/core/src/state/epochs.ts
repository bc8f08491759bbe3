import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import type { ResourceRef } from "../base/resource-ref.ts";
import { SPOOL_DAYS } from "../base/timing.ts";
import type { Item } from "../flow.ts";
import { readRun } from "./history.ts";
import type { Epoch, EpochRef, RunState, Slot } from "./run-state.ts";
import { readStates, type StoredState } from "./state-item.ts";
import {
  expiryAttribute,
  FORMAT,
  getItem,
  itemKey,
  putItem,
  type StateKey,
  type StateWorld,
} from "./state-table.ts";

/*
 * An epoch is one read of a resource as its children see it: the records in the spool, and the coverage
 * of the read. During the read, the state item has its progress. After the last page, the epoch is
 * stored in a separate item. An epoch is not needed after its fan-outs. A lost epoch loses no record,
 * because the next read goes back for every child that was not served.
 */

/** The state items of a resource that is a parent. */
export type ParentStates = Readonly<Record<Slot, StoredState | undefined>>;

/** An epoch and its progress. */
export interface EpochView extends Epoch {
  ref: EpochRef;
  status: "open" | "ended" | "failed";
}

const slots = ["own", "for_children"] as const satisfies readonly Slot[];

export async function readParentStates(
  world: StateWorld,
  parent: ResourceRef,
): Promise<ParentStates> {
  const places = slots.map((slot) => ({ ...parent, slot }));
  const [ownState, for_children] = await readStates(world, places);
  return { own: ownState, for_children };
}

/**
 * Returns the epoch that a fan-out has caused: the epoch of an unfinished read, or else the epoch in the
 * history item of the fan-out. An epoch of a different plan is ignored, because fields may be missing
 * in its spool.
 */
export async function epochOf(
  world: StateWorld,
  parent: ResourceRef,
  fanOut: string,
  planHash: string,
): Promise<EpochView | undefined> {
  const states = await readParentStates(world, parent);
  for (const slot of slots) {
    const epoch = currentEpoch(slot, states[slot]);
    // planted: epoch-of-its-fan-out
    if (epoch?.fan_outs.includes(fanOut)) return epoch.plan_hash === planHash ? epoch : undefined;
  }
  for (const slot of slots) {
    const run = await readRun(world, parent, fanOut, slot);
    const epoch = run?.epoch && (await readEpoch(world, parent, run.epoch));
    if (epoch) return epoch.plan_hash === planHash ? epoch : undefined;
  }
  return undefined;
}

/** Reads the epoch of a run. Undefined when its read was given up, or when the epoch has expired. */
export async function epochAt(
  world: StateWorld,
  parent: ResourceRef,
  ref: EpochRef,
): Promise<EpochView | undefined> {
  const states = await readParentStates(world, parent);
  const current = currentEpoch(ref.slot, states[ref.slot]);
  return current?.ref.id === ref.id ? current : readEpoch(world, parent, ref);
}

/**
 * Returns whether the parent knows a fan-out: by a read under way, a wish or the history. A child that
 * has begun for any other fan-out waits for an event of the parent, which may have been lost.
 */
export async function isKnownTo(
  world: StateWorld,
  parent: ResourceRef,
  fanOut: string,
): Promise<boolean> {
  const states = await readParentStates(world, parent);
  if (slots.some((slot) => states[slot]?.fan_outs.includes(fanOut))) return true;
  if (isWishedFor(states, fanOut)) return true;
  const records = slots.map((slot) => readRun(world, parent, fanOut, slot));
  return (await Promise.all(records)).some((record) => record !== undefined);
}

/** Returns whether a wish of the parent names this fan-out. */
export const isWishedFor = (parent: ParentStates, fanOut: string): boolean =>
  slots.some((slot) => parent[slot]?.wishes.some(({ id }) => id === fanOut));

/** Pure: makes the epoch from a run's state. Further fan-outs may still be added. */
export const epochIn = (body: RunState, fanOuts: readonly string[]): Epoch => ({
  coverage: body.coverage,
  range: body.range,
  plan_hash: body.plan_hash,
  is_numbered: body.is_numbered,
  began_at: body.root_began_at,
  ended_at: body.root_ended_at,
  fan_outs: [...fanOuts],
  blocks: body.blocks,
});

function currentEpoch(slot: Slot, stored: StoredState | undefined): EpochView | undefined {
  if (!stored?.body || stored.body.epoch === 0) return undefined;
  const { body, status, fan_outs } = stored;
  // The epoch ends when the last page is durable, because children need not wait for a sweep.
  const isOver = body.phase !== "read";
  return {
    ...epochIn(body, fan_outs),
    ref: { slot, id: body.epoch },
    status: isOver ? "ended" : status === "failed" ? "failed" : "open",
  };
}

/** Stores an epoch after its last page is durable. */
export async function keepEpoch(
  world: StateWorld,
  resourceRef: ResourceRef,
  ref: EpochRef,
  epoch: Epoch,
): Promise<void> {
  const item = {
    ...keyOf(resourceRef, ref),
    format: FORMAT,
    epoch: { S: JSON.stringify(epoch) } satisfies AttributeValue,
    expires: expiryAttribute(world, SPOOL_DAYS),
  };
  await putItem(world, item, { failure: "did not take an epoch" });
}

async function readEpoch(
  world: StateWorld,
  resourceRef: ResourceRef,
  ref: EpochRef,
): Promise<EpochView | undefined> {
  const item: Item | undefined = await getItem(world, keyOf(resourceRef, ref));
  if (item?.epoch?.S === undefined) return undefined;
  const epoch: Epoch = JSON.parse(item.epoch.S);
  return { ...epoch, ref, status: "ended" };
}

const keyOf = (resourceRef: ResourceRef, { slot, id }: EpochRef): StateKey =>
  itemKey(resourceRef, `epoch#${slot}#${id}`);
