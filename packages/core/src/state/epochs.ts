import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import type { Item } from "../flow.ts";
import { readRun } from "./history.ts";
import type { Epoch, EpochRef, RunState, Slot } from "./run-state.ts";
import { readStates, type StoredState } from "./state-item.ts";
import {
  expiry,
  FORMAT,
  getItem,
  type Place,
  placed,
  putItem,
  type StateKey,
  type StateWorld,
} from "./state-table.ts";

/*
 * An epoch is one read of a resource as its children see it: the records in its spool, and what they
 * stand for. While it is read, the state item tells how far it has come; when all is read, it has an
 * item of its own. An epoch is of no use after its fan-outs, and losing one loses no record: the next
 * read of the resource with the cursor goes back for every child that was not served.
 */

/** A child may take days over one epoch; its spool is kept as long. */
const KEPT_DAYS = 14;

/** The state items of a resource that is a parent. */
export type ParentStates = Readonly<Record<Slot, StoredState | undefined>>;

/** An epoch and how far it has come. */
export interface EpochView extends Epoch {
  ref: EpochRef;
  status: "open" | "ended" | "failed";
}

const slots = ["own", "for_children"] as const satisfies readonly Slot[];

export async function readParentStates(world: StateWorld, parent: Place): Promise<ParentStates> {
  const places = slots.map((slot) => ({ ...parent, slot }));
  const [own, for_children] = await readStates(world, places);
  return { own, for_children };
}

/**
 * The epoch that a fan-out has caused: that of a read under way, else the one that the line of that
 * fan-out in the history names. One of another plan counts as none: its spool lacks what is needed.
 */
export async function epochOf(
  world: StateWorld,
  parent: Place,
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

/** The epoch that a run is bound to. Undefined: its read was given up, or it is too long ago. */
export async function epochAt(
  world: StateWorld,
  parent: Place,
  ref: EpochRef,
): Promise<EpochView | undefined> {
  const states = await readParentStates(world, parent);
  const current = currentEpoch(ref.slot, states[ref.slot]);
  return current?.ref.id === ref.id ? current : readEpoch(world, parent, ref);
}

/** Whether the next read of the parent will name this fan-out. */
export const isWishedFor = (parent: ParentStates, fanOut: string): boolean =>
  slots.some((slot) => parent[slot]?.wishes.some(({ id }) => id === fanOut));

/** Pure: what a run's state says of its epoch. Its fan-outs may still be added to. */
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
  // It ends when the last page is durable: its children need not wait for a sweep, or care for one.
  const isOver = body.phase !== "read";
  return {
    ...epochIn(body, fan_outs),
    ref: { slot, id: body.epoch },
    status: isOver ? "ended" : status === "failed" ? "failed" : "open",
  };
}

/** Keeps an epoch whose last page is durable. */
export async function keepEpoch(
  world: StateWorld,
  place: Place,
  ref: EpochRef,
  epoch: Epoch,
): Promise<void> {
  const item = {
    ...keyOf(place, ref),
    format: FORMAT,
    epoch: { S: JSON.stringify(epoch) } satisfies AttributeValue,
    expires: expiry(world, KEPT_DAYS),
  };
  await putItem(world, item, { failure: "did not take an epoch" });
}

async function readEpoch(
  world: StateWorld,
  place: Place,
  ref: EpochRef,
): Promise<EpochView | undefined> {
  const item: Item | undefined = await getItem(world, keyOf(place, ref));
  if (item?.epoch?.S === undefined) return undefined;
  const epoch: Epoch = JSON.parse(item.epoch.S);
  return { ...epoch, ref, status: "ended" };
}

const keyOf = (place: Place, { slot, id }: EpochRef): StateKey =>
  placed(place, `epoch#${slot}#${id}`);
