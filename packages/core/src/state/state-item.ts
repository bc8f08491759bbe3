import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import type { ResourceRef } from "../base/resource-ref.ts";
import type { Item } from "../flow.ts";
import { migrateRunState } from "./migrate.ts";
import { FORMAT_NUMBER, type RunState, type Slot } from "./run-state.ts";
import {
  formatOf,
  getItem,
  getItems,
  itemKey,
  type StateKey,
  type StateWorld,
  updateItem,
} from "./state-table.ts";

/*
 * The state item of a resource decides about its runs. The item has two parts. Status, run and lease
 * change in steps that are conditional on (token, seq), and only the holder of the lease takes a step.
 * Every worker may write `wishes` and `fan_outs`, on condition that the value is unchanged.
 */

export type Status = "running" | "waiting" | "done" | "failed";

/** A request that the unfinished read does not answer. The next read takes the wish. */
export interface Wish {
  /** The fan-out that asks. */
  id: string;
  refresh: boolean;
  /** The requested descendants; null: all. */
  serves: string[] | null;
}

export interface StoredState {
  /** `new`: only the lease was ever taken (a sample, or a crash before the first step). */
  status: Status | "new";
  run_id: string | null;
  /** Fences: `token` grows with each lease, `seq` with each step. Every step is conditional on both. */
  token: number;
  seq: number;
  /** The id of the last step, by which a writer recognises its success after a lost response. */
  write_id: string;
  lease: { owner: string; until: number } | null;
  not_before: string | null;
  updated_at: string;
  /** The end of the last successful run. A failed run does not change the value. */
  succeeded_at: string | null;
  body: RunState | null;
  /** The fan-outs whose children read the epoch of the current read. */
  fan_outs: string[];
  wishes: Wish[];
  /** The id of the next read, drawn by a sample, so that both give rows without a key the same names. */
  next_read_id: string | null;
  /** A newer version of tidetable wrote the item, so this version cannot read the body. */
  isNewer: boolean;
}

/** Attributes of the state item; null removes one. */
export type Fields = Record<string, string | number | null>;

/** The number of stored fan-outs and wishes. Above it, the oldest fan-out is dropped, wishes are merged. */
const MOST_NAMES = 50;

export const stateKey = (resourceRef: ResourceRef, slot: Slot): StateKey =>
  itemKey(resourceRef, slot === "own" ? "state" : "state/for_children");

export async function readState(
  world: StateWorld,
  resourceRef: ResourceRef,
  slot: Slot = "own",
): Promise<StoredState | undefined> {
  const item = await getItem(world, stateKey(resourceRef, slot));
  return item && fromItem(item);
}

/** Reads the states of many resources at once and returns them in the same order. */
export async function readStates(
  world: StateWorld,
  places: readonly (ResourceRef & { slot?: Slot })[],
): Promise<(StoredState | undefined)[]> {
  const keys = places.map((resourceRef) => stateKey(resourceRef, resourceRef.slot ?? "own"));
  const items = await getItems(world, keys);
  const textOf = ({ pk, sk }: Item) => JSON.stringify([pk?.S, sk?.S]);
  const states = new Map(items.map((item) => [textOf(item), fromItem(item)]));
  return keys.map((key) => states.get(textOf(key)));
}

/** The condition of one step of the state. */
export interface Expected {
  token: number;
  seq: number;
  /** Set when a read begins or continues: the lists of names must be unchanged. */
  names?: Pick<StoredState, "fan_outs" | "wishes">;
}

/**
 * Takes one step. Returns false when the condition does not hold. A retry after a lost response also
 * fails its condition, and returns true because its write id is stored.
 */
export async function stepState(
  world: StateWorld,
  resourceRef: ResourceRef,
  slot: Slot,
  { expected, fields }: { expected: Expected; fields: Fields & { write_id: string } },
): Promise<boolean> {
  const key = stateKey(resourceRef, slot);
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
  const stored = await readState(world, resourceRef, slot);
  // planted: own-success
  return stored?.write_id === fields.write_id;
}

/**
 * Adds a fan-out to the unfinished read, so that the children of the fan-out read that epoch. Returns
 * false when the state has changed since the read, and the caller decides again.
 */
export function addFanOut(
  world: StateWorld,
  resourceRef: ResourceRef,
  slot: Slot,
  { stored, id }: { stored: StoredState; id: string },
): Promise<boolean> {
  if (stored.fan_outs.includes(id)) return Promise.resolve(true);
  const before = sameNames("fan_outs", stored.fan_outs);
  return updateItem(world, stateKey(resourceRef, slot), {
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

/** Adds a wish. Returns false when the wishes have changed since the read. */
export function addWish(
  world: StateWorld,
  resourceRef: ResourceRef,
  slot: Slot,
  { stored, wish }: { stored: StoredState; wish: Wish },
): Promise<boolean> {
  if (stored.wishes.some(({ id }) => id === wish.id)) return Promise.resolve(true);
  const before = sameNames("wishes", stored.wishes);
  return updateItem(world, stateKey(resourceRef, slot), {
    set: { wishes: namesAttribute(withWish(stored.wishes, wish)) },
    condition: { expression: before.expression, values: before.values },
    failure: "did not take a wish",
  });
}

/** Ends the wait of a run at once, because a person runs the resource by hand. */
export function endWait(world: StateWorld, resourceRef: ResourceRef, slot: Slot): Promise<boolean> {
  return updateItem(world, stateKey(resourceRef, slot), {
    set: { not_before: null },
    condition: {
      expression: "#status = :waiting",
      names: { "#status": "status" },
      values: { ":waiting": { S: "waiting" } },
    },
    failure: "did not end a wait",
  });
}

/** Pure: adds a name to the list. The oldest name is dropped above the limit. */
export const withFanOut = (fanOuts: readonly string[], id: string): string[] =>
  fanOuts.includes(id) ? [...fanOuts] : [...fanOuts, id].slice(-MOST_NAMES);

/** Pure: adds a wish to the list. Above the limit the oldest wish is merged into the next. */
export function withWish(wishes: readonly Wish[], wish: Wish): Wish[] {
  const [first, second, ...others] = [...wishes, wish];
  if (!first || !second || others.length + 2 <= MOST_NAMES) return [...wishes, wish];
  const serves =
    first.serves && second.serves ? [...new Set([...first.serves, ...second.serves])] : null;
  return [{ id: second.id, refresh: first.refresh || second.refresh, serves }, ...others];
}

/** Returns the text of a list of names. An empty list has no attribute. */
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
  const stringAt = (name: string): string | null => item[name]?.S ?? null;
  const listAt = (name: string) => JSON.parse(stringAt(name) ?? "[]");
  const owner = stringAt("lease_owner");
  const body = stringAt("body");
  const format = formatOf(item);
  const isNewer = format > FORMAT_NUMBER;
  return {
    status: (stringAt("status") as Status | null) ?? "new",
    run_id: stringAt("run_id"),
    token: Number(item.token?.N ?? 0),
    seq: Number(item.seq?.N ?? 0),
    write_id: stringAt("write_id") ?? "",
    lease: owner === null ? null : { owner, until: Number(item.lease_until?.N ?? 0) },
    not_before: stringAt("not_before"),
    updated_at: stringAt("updated_at") ?? "",
    succeeded_at: stringAt("succeeded_at"),
    body: body === null || isNewer ? null : migrateRunState(JSON.parse(body)),
    fan_outs: isNewer ? [] : listAt("fan_outs"),
    wishes: isNewer ? [] : listAt("wishes"),
    next_read_id: stringAt("next_read_id"),
    isNewer,
  };
}
