import { WriteError } from "../base/errors.ts";
import type { World } from "../base/world.ts";
import type { KeyPlan } from "../config/plan-types.ts";
import type { Item, KeyedItem, Rejection } from "../flow.ts";
import { awsRetryDelay, nameOf, type Outcome, outcome } from "./client.ts";
import { keyAttributes, tableMissing } from "./tables.ts";

/*
 * What the two writers share: how a request is tried again, and how many are under way at once.
 */

export interface WriterOptions
  extends Pick<World, "dynamodb" | "clock" | "random" | "log" | "signal" | "deadline"> {
  table: string;
  key: Pick<KeyPlan, "hash" | "range">;
  /** Called before every request; throws when this worker may not write any more. */
  guard: () => void;
}

export interface Written {
  written: number;
  /** Of these, rows that are gone now. */
  deleted: number;
  /** Items whose row was there already, where such a row stays. */
  unchanged: number;
  /** Items that gave way to a newer row in the table. */
  superseded: number;
  /** Items that DynamoDB alone knows to refuse, or that can not be written in this way. */
  rejections: Rejection[];
}

/** Writes items to one table. Of two items with one key, the one that came later stays. */
export interface Writer {
  /**
   * Resolves when DynamoDB has acknowledged or refused every one of them; rejects, and takes nothing
   * more, when the deadline comes first. What does not fill a request waits for more.
   */
  write(items: KeyedItem[]): Promise<Written>;
  /** Sends what waits, though it fills no request. */
  flush(): void;
  /** Resolves when not much waits. */
  room(): Promise<void>;
}

/** Writes items when there are no more to come. */
export function writeAll({ write, flush }: Writer, items: KeyedItem[]): Promise<Written> {
  const written = write(items);
  flush();
  return written;
}

export const nothingWritten = (): Written => ({
  written: 0,
  deleted: 0,
  unchanged: 0,
  superseded: 0,
  rejections: [],
});

interface Trouble {
  outcome: Outcome;
  name: string;
}

/** From this attempt on a person is told why nothing moves. */
const WORTH_A_WARNING = 6;

/**
 * Sends one request until nothing of it is left, or DynamoDB says that something in it breaks its
 * rules. An attempt throws what DynamoDB threw, and returns what is in the way of the rest.
 */
export async function untilTaken(
  attempt: () => Promise<Trouble | undefined>,
  options: WriterOptions,
  throttled: () => void = () => {},
): Promise<"taken" | "invalid"> {
  const { clock, random, signal, deadline, table, log, guard } = options;
  for (let number = 1; ; number++) {
    // planted: guard-before-request
    guard();
    const trouble = await attempt().catch((error: unknown): Trouble => {
      signal.throwIfAborted();
      return { outcome: outcome(error), name: nameOf(error) };
    });
    if (!trouble) return "taken";
    if (trouble.outcome === "invalid") return "invalid";
    if (trouble.outcome === "missing") throw tableMissing(table);
    if (trouble.outcome === "refused") throw failure(trouble, table);
    if (trouble.outcome === "throttled") throttled();
    const delay = awsRetryDelay(number, random);
    // planted: deadline-of-retries
    if (clock.monotonic() + delay >= deadline) throw failure(trouble, table);
    if (number === WORTH_A_WARNING) {
      log.warn(`the table ${table} takes its time (${trouble.name}): trying again`, { table });
    }
    await clock.sleep(delay, signal);
  }
}

/** Does `work` for each of `all`, so many at once; starts nothing more after one has failed. */
export async function inLanes<T extends object>(
  lanes: number,
  all: readonly T[],
  work: (one: T) => Promise<void>,
): Promise<void> {
  const waiting = [...all];
  const lane = async () => {
    try {
      for (let one = waiting.shift(); one; one = waiting.shift()) await work(one);
    } catch (error) {
      waiting.length = 0;
      throw error;
    }
  };
  // All of them, so that nothing is still being written when this returns.
  const ends = await Promise.allSettled(Array.from({ length: lanes }, lane));
  const failed = ends.find((end) => end.status === "rejected");
  if (failed) throw failed.reason;
}

/** The part of an item that names its row. */
export const keyItem = (item: Item, key: WriterOptions["key"]): Item =>
  Object.fromEntries(
    keyAttributes(key).flatMap(({ name }) => (item[name] ? [[name, item[name]]] : [])),
  );

export const refused = ({ index, record }: KeyedItem): Rejection => ({
  index,
  code: "record.refused",
  // DynamoDB's own words would quote the record.
  message: "DynamoDB refused the item (ValidationException)",
  path: "",
  record,
});

function failure(trouble: Trouble, table: string): WriteError {
  if (trouble.outcome === "throttled") {
    return new WriteError({
      code: "load.throttled",
      message: `DynamoDB throttled the writes to the table ${table} until the time was up`,
      hint: "run again: it continues from the last checkpoint; if it comes back, raise the table's write limit",
    });
  }
  const denied = trouble.outcome === "refused";
  return new WriteError({
    code: "load.failed",
    message: denied
      ? `DynamoDB refused to write to the table ${table} (${trouble.name})`
      : `DynamoDB did not answer to writes to the table ${table} (${trouble.name}) until the time was up`,
    hint: denied
      ? "check the AWS credentials and what they are allowed to do"
      : "check the connection to DynamoDB, then run again: it continues from the last checkpoint",
  });
}
