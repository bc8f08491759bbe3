import {
  type AttributeValue,
  ConditionalCheckFailedException,
  GetItemCommand,
  UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
import { LeaseError } from "../base/errors.ts";
import { stateTableName } from "../base/names.ts";
import type { ResourceRef } from "../base/resource-ref.ts";
import type { RunState } from "./run-state.ts";
import { placed, readMany, type StateWorld, steadily } from "./state-table.ts";

export type Status = "running" | "waiting" | "done" | "failed";

export interface StoredState {
  /** `new`: only the lease was ever taken (a sample, or a crash before the first step). */
  status: Status | "new";
  run_id: string | null;
  /** Grows with each lease taken, `seq` with each step. Together they fence every step. */
  token: number;
  seq: number;
  /** Of the last step: how a writer recognises its own success after a lost response. */
  write_id: string;
  lease: { owner: string; until: number } | null;
  not_before: string | null;
  updated_at: string;
  /** When a run last came to its end; a failed one leaves it alone. */
  succeeded_at: string | null;
  body: RunState | null;
}

/** Top-level attributes of the state item; null removes one. */
export type Fields = Record<string, string | number | null>;

export async function readState(
  world: StateWorld,
  resourceRef: ResourceRef,
): Promise<StoredState | undefined> {
  const command = new GetItemCommand({
    TableName: stateTableName(world.names),
    Key: stateAt(resourceRef),
    ConsistentRead: /* planted: consistent-state */ true,
  });
  const { Item } = await steadily(world, "was not readable", () => world.dynamodb.send(command));
  return Item && fromItem(Item);
}

/** The states of many resources at once, in the same order. */
export async function readStates(
  world: StateWorld,
  places: readonly ResourceRef[],
): Promise<(StoredState | undefined)[]> {
  const items = await readMany(world, places.map(stateAt));
  const states = new Map(items.map((item) => [item.pk?.S, fromItem(item)]));
  return places.map((resourceRef) => states.get(stateAt(resourceRef).pk.S));
}

/** One conditional write of the state item. Throws LeaseError when another worker came first. */
export async function updateState(
  world: StateWorld,
  resourceRef: ResourceRef,
  { expected, fields }: { expected: { token: number; seq: number }; fields: Fields },
): Promise<void> {
  const command = new UpdateItemCommand({
    TableName: stateTableName(world.names),
    Key: stateAt(resourceRef),
    ...expression(expected, fields),
  });
  try {
    await steadily(world, "did not take a step", () => world.dynamodb.send(command));
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
    // A lost response makes a retry fail on its own success. Read back who wrote last: one way for
    // all engines, since some do not return the old item with a failed condition.
    const stored = await readState(world, resourceRef);
    if (/* planted: write-of-another-worker */ stored?.write_id !== fields.write_id)
      throw overtaken(stored);
  }
}

/**
 * Ends the lease of an owner that is known to be dead, so that the next worker does not have to
 * wait for its end. The owner's name stays in the item: it says that a worker died. A lease that
 * another owner has taken in the meantime is left alone.
 */
export async function expireLease(
  world: StateWorld,
  resourceRef: ResourceRef,
  deadOwner: string,
): Promise<void> {
  const command = new UpdateItemCommand({
    TableName: stateTableName(world.names),
    Key: stateAt(resourceRef),
    UpdateExpression: "SET lease_until = :past",
    ConditionExpression: "lease_owner = :owner",
    ExpressionAttributeValues: { ":owner": { S: deadOwner }, ":past": { N: "0" } },
  });
  try {
    await steadily(world, "did not end a lease", () => world.dynamodb.send(command));
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
  }
}

const stateAt = (resourceRef: ResourceRef) => placed(resourceRef, "state");

function expression(expected: { token: number; seq: number }, fields: Fields) {
  const names: Record<string, string> = { "#token": "token", "#seq": "seq" };
  const values: Record<string, AttributeValue> = {};
  const set: string[] = [];
  const remove: string[] = [];
  for (const [name, value] of Object.entries(fields)) {
    names[`#${name}`] = name;
    if (value === null) {
      remove.push(`#${name}`);
      continue;
    }
    set.push(`#${name} = :${name}`);
    values[`:${name}`] = typeof value === "number" ? { N: String(value) } : { S: value };
  }
  const first = expected.seq === 0;
  if (!first) {
    values[":expected_token"] = { N: String(expected.token) };
    values[":expected_seq"] = { N: String(expected.seq) };
  }
  return {
    UpdateExpression: `SET ${set.join(", ")}${remove.length > 0 ? ` REMOVE ${remove.join(", ")}` : ""}`,
    ConditionExpression: first
      ? /* planted: condition-of-first-step */ "attribute_not_exists(#seq)"
      : /* planted: condition-of-later-steps */ "#token = :expected_token AND #seq = :expected_seq",
    ExpressionAttributeNames: names,
    ExpressionAttributeValues: values,
  };
}

function fromItem(item: Record<string, AttributeValue>): StoredState {
  const text = (name: string): string | null => item[name]?.S ?? null;
  const owner = text("lease_owner");
  const body = text("body");
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
    body: body === null ? null : JSON.parse(body),
  };
}

function overtaken(stored: StoredState | undefined): LeaseError {
  return new LeaseError({
    code: "state.lease_lost",
    message: `another worker${stored?.lease ? ` (${stored.lease.owner})` : ""} took over this resource`,
    hint: "it continues from the last checkpoint; nothing is lost",
  });
}
