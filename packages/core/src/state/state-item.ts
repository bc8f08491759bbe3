import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import type { ResourceRef } from "../base/resource-ref.ts";
import type { Item } from "../flow.ts";
import { migrateRunState } from "./migrate.ts";
import { FORMAT_NUMBER, type RunState, type Slot } from "./run-state.ts";
import {
  formatOf,
  getItem,
  getItems,
  placed,
  type StateKey,
  type StateWorld,
  updateItem,
} from "./state-table.ts";

/*
 * The state item of a resource is the truth about its runs. It has two parts. Status, run and lease
 * move by steps that are conditional on (token, seq), and only the lease's holder takes them.
 * `wishes` and `fan_outs` are written by anybody, each on condition that it is as it was read.
 */

export type Status = "running" | "waiting" | "done" | "failed";

/** A request that the read under way does not answer. The next read that begins takes it. */
export interface Wish {
  /** The fan-out that asks. */
  id: string;
  refresh: boolean;
  /** The descendants that it asks for, too; null: all. */
  serves: string[] | null;
}

export interface StoredState {
  /** `new`: only the lease was ever taken (a sample, or a crash before the first step). */
  status: Status | "new";
  run_id: string | null;
  /** Grows with each lease taken, `seq` with each step. Together they fence every step. */
  token: number;
  seq: number;
  /** Of the last step: a writer recognises its own success by it after a lost response. */
  write_id: string;
  lease: { owner: string; until: number } | null;
  not_before: string | null;
  updated_at: string;
  /** When a run last came to its end; a failed one leaves it alone. */
  succeeded_at: string | null;
  body: RunState | null;
  /** The fan-outs whose children read the current read's epoch. */
  fan_outs: string[];
  wishes: Wish[];
  /** Written by a newer version of tidetable, which alone knows what it means. */
  isNewer: boolean;
}

/** Attributes of the state item; null removes one. */
export type Fields = Record<string, string | number | null>;

/** So many fan-outs and wishes are told apart; of more, the oldest lose their names only. */
const MOST_NAMES = 50;

export const stateKey = (place: ResourceRef, slot: Slot): StateKey =>
  placed(place, slot === "own" ? "state" : "state/for_children");

export async function readState(
  world: StateWorld,
  place: ResourceRef,
  slot: Slot = "own",
): Promise<StoredState | undefined> {
  const item = await getItem(world, stateKey(place, slot));
  return item && fromItem(item);
}

/** The states of many resources at once, in the same order. */
export async function readStates(
  world: StateWorld,
  places: readonly (ResourceRef & { slot?: Slot })[],
): Promise<(StoredState | undefined)[]> {
  const keys = places.map((place) => stateKey(place, place.slot ?? "own"));
  const items = await getItems(world, keys);
  const textOf = ({ pk, sk }: Item) => JSON.stringify([pk?.S, sk?.S]);
  const states = new Map(items.map((item) => [textOf(item), fromItem(item)]));
  return keys.map((key) => states.get(textOf(key)));
}

/** What one step of the state is conditional on. */
export interface Expected {
  token: number;
  seq: number;
  /** When a read begins or is taken up: nobody has added a name since they were read. */
  names?: Pick<StoredState, "fan_outs" | "wishes">;
}

/**
 * One step. False when the condition does not hold, and this step was not the one that made it so
 * (a lost response makes a retry fail on its own success).
 */
export async function stepState(
  world: StateWorld,
  place: ResourceRef,
  slot: Slot,
  { expected, fields }: { expected: Expected; fields: Fields & { write_id: string } },
): Promise<boolean> {
  const key = stateKey(place, slot);
  const isFirst = expected.seq === 0;
  const fence = isFirst
    ? // planted: first-step-condition
      "attribute_not_exists(#seq)"
    : // planted: step-condition
      "#token = :expected_token AND #seq = :expected_seq";
  const names = expected.names;
  const unchanged = names
    ? [sameNames("fan_outs", names.fan_outs), sameNames("wishes", names.wishes)]
    : [];
  const set = Object.entries({ ...fields, format: FORMAT_NUMBER }).map(
    ([name, value]) => [name, attributeOf(value)] as const,
  );
  const isTaken = await updateItem(world, key, {
    set: Object.fromEntries(set),
    condition: {
      expression: [fence, ...unchanged.map(({ expression }) => expression)].join(" AND "),
      names: {
        "#token": "token",
        "#seq": "seq",
        ...(names ? { "#fan_outs": "fan_outs", "#wishes": "wishes" } : {}),
      },
      values: {
        ...(isFirst
          ? {}
          : {
              ":expected_token": { N: String(expected.token) },
              ":expected_seq": { N: String(expected.seq) },
            }),
        ...Object.assign({}, ...unchanged.map(({ values }) => values)),
      },
    },
    failure: "did not take a step",
  });
  if (isTaken) return true;
  // Read back who wrote last: some engines do not return the old item with a failed condition.
  const stored = await readState(world, place, slot);
  // planted: own-success
  return stored?.write_id === fields.write_id;
}

/**
 * Adds a fan-out to the read under way, so that its children read that epoch. False when the state
 * has changed since it was read: then look again.
 */
export function addFanOut(
  world: StateWorld,
  place: ResourceRef,
  slot: Slot,
  { stored, id }: { stored: StoredState; id: string },
): Promise<boolean> {
  if (stored.fan_outs.includes(id)) return Promise.resolve(true);
  const before = sameNames("fan_outs", stored.fan_outs);
  return updateItem(world, stateKey(place, slot), {
    set: { fan_outs: namesAttribute(withFanOut(stored.fan_outs, id)) },
    condition: {
      expression: `${before.expression} AND #run_id = :run_id AND #status IN (:running, :waiting)`,
      names: { "#run_id": "run_id", "#status": "status" },
      values: {
        ...before.values,
        ":run_id": { S: stored.run_id ?? "" },
        ":running": { S: "running" },
        ":waiting": { S: "waiting" },
      },
    },
    failure: "did not take a fan-out's name",
  });
}

/** Adds a wish. False when the wishes have changed since they were read: then look again. */
export function addWish(
  world: StateWorld,
  place: ResourceRef,
  slot: Slot,
  { stored, wish }: { stored: StoredState; wish: Wish },
): Promise<boolean> {
  if (stored.wishes.some(({ id }) => id === wish.id)) return Promise.resolve(true);
  const before = sameNames("wishes", stored.wishes);
  return updateItem(world, stateKey(place, slot), {
    set: { wishes: namesAttribute(withWish(stored.wishes, wish)) },
    condition: { expression: before.expression, values: before.values },
    failure: "did not take a wish",
  });
}

/** Lets a waiting run go on at once: a person who runs it by hand has a reason. */
export function endWait(world: StateWorld, place: ResourceRef, slot: Slot): Promise<boolean> {
  return updateItem(world, stateKey(place, slot), {
    set: { not_before: null },
    condition: {
      expression: "#status = :waiting",
      names: { "#status": "status" },
      values: { ":waiting": { S: "waiting" } },
    },
    failure: "did not end a wait",
  });
}

/** Pure: the list with one more name; the oldest of too many goes. */
export const withFanOut = (fanOuts: readonly string[], id: string): string[] =>
  fanOuts.includes(id) ? [...fanOuts] : [...fanOuts, id].slice(-MOST_NAMES);

/** Pure: the list with one more wish. Of too many, the oldest is answered under the next one's name. */
export function withWish(wishes: readonly Wish[], wish: Wish): Wish[] {
  const [first, second, ...others] = [...wishes, wish];
  if (!first || !second || others.length + 2 <= MOST_NAMES) return [...wishes, wish];
  const serves =
    first.serves && second.serves ? [...new Set([...first.serves, ...second.serves])] : null;
  return [{ id: second.id, refresh: first.refresh || second.refresh, serves }, ...others];
}

/** The attribute of a list of names. An empty list has none. */
export const namesText = (names: readonly unknown[]): string | null =>
  names.length === 0 ? null : JSON.stringify(names);

const namesAttribute = (names: readonly unknown[]) => attributeOf(namesText(names));

function sameNames(name: "fan_outs" | "wishes", value: readonly unknown[]) {
  const text = namesText(value);
  const values: Record<string, AttributeValue> =
    text === null ? {} : { [`:${name}_before`]: { S: text } };
  return {
    expression: text === null ? `attribute_not_exists(#${name})` : `#${name} = :${name}_before`,
    values,
  };
}

const attributeOf = (value: string | number | null): AttributeValue | null => {
  if (value === null) return null;
  return typeof value === "number" ? { N: String(value) } : { S: value };
};

function fromItem(item: Item): StoredState {
  const text = (name: string): string | null => item[name]?.S ?? null;
  const list = (name: string) => JSON.parse(text(name) ?? "[]");
  const owner = text("lease_owner");
  const body = text("body");
  const format = formatOf(item);
  const isNewer = format > FORMAT_NUMBER;
  return {
    status: (text("status") as Status | null) ?? "new",
    run_id: text("run_id"),
    token: Number(item.token?.N ?? 0),
    seq: Number(item.seq?.N ?? 0),
    write_id: text("write_id") ?? "",
    lease: owner === null ? null : { owner, until: Number(item.lease_until?.N ?? 0) },
    not_before: text("not_before"),
    updated_at: text("updated_at") ?? "",
    succeeded_at: text("succeeded_at"),
    body: body === null || isNewer ? null : migrateRunState(JSON.parse(body)),
    fan_outs: isNewer ? [] : list("fan_outs"),
    wishes: isNewer ? [] : list("wishes"),
    isNewer,
  };
}
