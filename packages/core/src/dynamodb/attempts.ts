import { WriteError } from "../base/errors.ts";
import type { World } from "../base/world.ts";
import type { KeyPlan } from "../config/plan-types.ts";
import type { KeyedItem, Rejection } from "../flow.ts";
import { classifyError, type ErrorKind, errorName } from "./client.ts";
import { awsRetryDelay } from "./sdk-client.ts";
import { missingTableError } from "./tables.ts";

/*
 * The writers share the retry loop of a write, and the results.
 */

export interface WriterOptions
  extends Pick<World, "dynamodb" | "clock" | "random" | "log" | "signal" | "deadline"> {
  table: string;
  key: Pick<KeyPlan, "hash" | "range">;
  /** Called before every request. Throws when the worker may not write any more. */
  guard: () => void;
}

export interface WriteResult {
  /** Includes `deleted`. */
  written: number;
  /** The number of deleted rows. */
  deleted: number;
  /** Items with an existing row, in a mode that keeps existing rows. */
  unchanged: number;
  /** Items whose row in the table is newer. */
  superseded: number;
  /** Items refused by DynamoDB, or without the fields of the write mode. */
  rejections: Rejection[];
}

/** Writes items to a table. Of two items with the same key, the later item stays. */
export interface Writer {
  /**
   * Resolves when DynamoDB has accepted or refused each of the items. Rejects when the deadline
   * comes first; the writer then takes no further items. Items may wait for a full request.
   */
  write(items: KeyedItem[]): Promise<WriteResult>;
  /** Sends waiting items, although they do not fill a request. */
  flush(): void;
  /** Resolves when few items are waiting. */
  waitForRoom(): Promise<void>;
}

/** Writes items without waiting for further items. */
export function writeAll(writer: Writer, items: KeyedItem[]): Promise<WriteResult> {
  const writing = writer.write(items);
  writer.flush();
  return writing;
}

export const emptyWriteResult = (): WriteResult => ({
  written: 0,
  deleted: 0,
  unchanged: 0,
  superseded: 0,
  rejections: [],
});

/** An attempt after which a part of the request is left. */
interface FailedAttempt {
  kind: ErrorKind;
  name: string;
}

/** The attempt before which a person is told why nothing moves. */
const WARNING_ATTEMPT = 6;

/**
 * Repeats a request until DynamoDB has accepted every item or calls an item invalid. An attempt
 * throws DynamoDB's error, or returns the reason for a partial success.
 */
export async function sendUntilAccepted(
  attempt: () => Promise<FailedAttempt | undefined>,
  options: WriterOptions,
  reportThrottle: () => void = () => {},
): Promise<"accepted" | "invalid"> {
  const { clock, random, signal, deadline, table, log, guard } = options;
  for (let number = 1; ; number++) {
    // planted: guard-before-request
    guard();
    const failure = await attempt().catch((error: unknown): FailedAttempt => {
      signal.throwIfAborted();
      return { kind: classifyError(error), name: errorName(error) };
    });
    if (!failure) return "accepted";
    if (failure.kind === "invalid") return "invalid";
    if (failure.kind === "missing") throw missingTableError(table);
    if (failure.kind === "refused") throw writeError(failure, table);
    if (failure.kind === "throttled") reportThrottle();
    const delay = awsRetryDelay(number, random);
    // planted: deadline-of-retries
    if (clock.monotonic() + delay >= deadline) throw writeError(failure, table);
    if (number === WARNING_ATTEMPT) {
      log.warn(`the table ${table} takes its time (${failure.name}): trying again`, { table });
    }
    await clock.sleep(delay, signal);
  }
}

/** Processes items, several at once. After a failure no further item is started. */
export async function forEachConcurrently<T extends object>(
  concurrency: number,
  items: readonly T[],
  processItem: (item: T) => Promise<void>,
): Promise<void> {
  const remaining = [...items];
  const processItems = async () => {
    try {
      for (let item = remaining.shift(); item; item = remaining.shift()) await processItem(item);
    } catch (error) {
      remaining.length = 0;
      throw error;
    }
  };
  // allSettled: no write may still be under way when the function throws.
  const ends = await Promise.allSettled(Array.from({ length: concurrency }, processItems));
  const failure = ends.find((end) => end.status === "rejected");
  if (failure) throw failure.reason;
}

/** DynamoDB's own message is left out: a message may quote the record. */
export const rejectItem = ({ index, record }: KeyedItem): Rejection => ({
  index,
  code: "record.refused",
  message: "DynamoDB refused the item (ValidationException)",
  path: "",
  record,
});

function writeError({ kind, name }: FailedAttempt, table: string): WriteError {
  if (kind === "throttled") {
    return new WriteError({
      code: "load.throttled",
      message: `DynamoDB throttled the writes to the table ${table} until the time was up`,
      hint: "run again: it continues from the last checkpoint; if it comes back, raise the table's write limit",
    });
  }
  const isRefused = kind === "refused";
  return new WriteError({
    code: "load.failed",
    message: isRefused
      ? `DynamoDB refused to write to the table ${table} (${name})`
      : `DynamoDB did not answer to writes to the table ${table} (${name}) until the time was up`,
    hint: isRefused
      ? "check the AWS credentials and what they are allowed to do"
      : "check the connection to DynamoDB, then run again: it continues from the last checkpoint",
  });
}
