import {
  type AttributeValue,
  ConditionalCheckFailedException,
  GetItemCommand,
  UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
import { LeaseError, WriteError } from "../errors.ts";
import type { Counts, PageRequest } from "../flow.ts";
import { type Names, stateTableName } from "../names.ts";
import type { World } from "../world.ts";
import { nameOf, outcome, patiently } from "./client.ts";
import { tableMissing } from "./tables.ts";

/** Which resource's state. */
export interface Place {
  source: string;
  resource: string;
}

export type Cursor = string | number | null;

/** What a run knows about itself; it moves with every checkpoint. */
export interface RunState {
  plan_hash: string;
  /** The table's identity: another table under the same name starts from nothing. */
  table_id: string | null;
  started_at: string;
  slices: number;
  /** How many pages are durable. */
  page: number;
  /** What to ask the API for next; null asks for the first page. */
  next: PageRequest | null;
  /** The last page is durable; only the run's end is missing. */
  complete: boolean;
  counts: Counts;
  /** Where the next run starts from; committed when a run ends. */
  cursor: Cursor;
}

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
  body: RunState | null;
}

/** Top-level attributes of the state item; null removes one. */
export type Fields = Record<string, string | number | null>;

type StateWorld = Pick<World, "dynamodb" | "names" | "clock" | "random">;

export async function readState(world: StateWorld, place: Place): Promise<StoredState | undefined> {
  const command = new GetItemCommand({ ...at(world.names, place), ConsistentRead: true });
  try {
    const { Item } = await patiently(world, () => world.dynamodb.send(command));
    return Item && fromItem(Item);
  } catch (error) {
    throw failure(error, world.names, "was not readable");
  }
}

/** One conditional write of the state item. Throws LeaseError when another worker came first. */
export async function updateState(
  world: StateWorld,
  place: Place,
  { expected, fields }: { expected: { token: number; seq: number }; fields: Fields },
): Promise<void> {
  const command = new UpdateItemCommand({
    ...at(world.names, place),
    ...expression(expected, fields),
  });
  try {
    await patiently(world, () => world.dynamodb.send(command));
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) {
      throw failure(error, world.names, "did not take a step");
    }
    // A lost response makes a retry fail on its own success. Read back who wrote last: one way for
    // all engines, since some do not return the old item with a failed condition.
    const stored = await readState(world, place);
    if (stored?.write_id !== fields.write_id) throw overtaken(stored);
  }
}

const at = (names: Names, { source, resource }: Place) => ({
  TableName: stateTableName(names),
  Key: { pk: { S: `${source}#${resource}` }, sk: { S: "state" } },
});

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
      ? "attribute_not_exists(#seq)"
      : "#token = :expected_token AND #seq = :expected_seq",
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

function failure(error: unknown, names: Names, what: string): WriteError {
  const table = stateTableName(names);
  if (outcome(error) === "missing") return tableMissing(table);
  return new WriteError({
    code: "state.unavailable",
    message: `the state table ${table} ${what} (${nameOf(error)})`,
    hint: "the run continues from its last checkpoint when it is started again",
  });
}
