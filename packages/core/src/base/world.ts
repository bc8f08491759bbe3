import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import type { Dispatcher } from "undici";
import type { Names } from "./names.ts";

/** Time, as a value: tests and the simulation pass their own. */
export interface Clock {
  /** Wall clock, epoch milliseconds. */
  now(): number;
  /** Never goes back and never jumps: leases and deadlines are measured with it. Milliseconds. */
  monotonic(): number;
  /** Resolves after `ms`, rejects with the signal's reason as soon as it aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** One line per event: a JSON line in Lambda, a human one on a terminal. */
export interface Log {
  debug(message: string, fields?: Fields): void;
  info(message: string, fields?: Fields): void;
  warn(message: string, fields?: Fields): void;
  error(message: string, fields?: Fields): void;
}

export type Fields = Record<string, unknown>;

/** Everything outside of the engine that it touches. Nothing else is global. */
export interface World {
  names: Names;
  clock: Clock;
  random: () => number;
  log: Log;
  /** Aborts when the person or the platform wants the run to stop. */
  signal: AbortSignal;
  /** On the monotonic clock: the slice has ended before this. */
  deadline: number;
  dynamodb: Pick<DynamoDBClient, "send">;
  secretsManager: Pick<SecretsManagerClient, "send">;
  http: Dispatcher;
  /** Where requests for an origin really go. Empty except in local mode (see `origins.ts`). */
  origins: ReadonlyMap<string, string>;
}
