import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import type { Dispatcher } from "undici";
import type { Names } from "./names.ts";
import type { SendBatch } from "./wire.ts";

/** Tests and the simulation replace the clock. */
export interface Clock {
  /** The wall clock in epoch milliseconds. */
  now(): number;
  /** Milliseconds that never go back and never jump, for leases and deadlines. */
  monotonic(): number;
  /** Resolves after `ms`. Rejects with the signal's reason as soon as the signal aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** A log has a JSON line per event in Lambda, and a readable line on a terminal. */
export interface Log {
  debug(message: string, fields?: Fields): void;
  info(message: string, fields?: Fields): void;
  warn(message: string, fields?: Fields): void;
  error(message: string, fields?: Fields): void;
}

export type Fields = Record<string, unknown>;

/** The SDK's client. Without `sendBatch`, batches go through the SDK's commands. */
export interface Dynamodb extends Pick<DynamoDBClient, "send"> {
  sendBatch?: SendBatch | undefined;
}

/** The surroundings of the engine. The engine has no other globals. */
export interface World {
  names: Names;
  clock: Clock;
  random: () => number;
  log: Log;
  /** Aborts when the person or the platform wants the run to stop. */
  signal: AbortSignal;
  /** The time on the monotonic clock at which the slice has to have ended. */
  deadline: number;
  dynamodb: Dynamodb;
  secretsManager: Pick<SecretsManagerClient, "send">;
  http: Dispatcher;
  /** The origins that requests are sent to instead. Empty except in local mode; see `origins.ts`. */
  origins: ReadonlyMap<string, string>;
}
