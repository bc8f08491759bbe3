/**
 * Each class of errors stands for one way to recover. An error carries a stable `code`, which reports
 * and `run --json` print, a message, and a hint about the next step.
 */
export interface FailureDetails {
  /** Has the form `room.reason`, for example `extract.status`. Never rename a code: scripts match on it. */
  code: string;
  message: string;
  hint?: string | undefined;
  cause?: unknown;
}

abstract class Failure extends Error {
  readonly code: string;
  readonly hint: string | undefined;

  constructor({ code, message, hint, cause }: FailureDetails) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = new.target.name;
    this.code = code;
    this.hint = hint;
  }
}

/** A single fault in a config, in a secret's shape or on a command line. */
export interface Problem {
  /** The path to the fault as a person would write it: `resources[0].endpoint.data_selecter`. */
  path: string;
  message: string;
  hint?: string | undefined;
  /** The line of the user's file, with a caret under the fault. */
  snippet?: string | undefined;
}

/** The user has to change the config, a secret or the command. Carries all problems at once. */
export class ConfigError extends Failure {
  readonly problems: readonly Problem[];

  constructor(details: FailureDetails & { problems?: readonly Problem[] }) {
    super(details);
    this.problems = details.problems ?? [
      { path: "", message: details.message, hint: details.hint },
    ];
  }
}

/** The API did not deliver a page. `retryable` says whether another attempt can help. */
export class RequestError extends Failure {
  readonly retryable: boolean;
  readonly status: number | undefined;
  /** The wait that the API asked for in Retry-After. */
  readonly retryAfterMs: number | undefined;
  /** Set if the next attempt has to wait until after this slice: the run goes on this much later. */
  readonly waitMs: number | undefined;

  constructor(
    details: FailureDetails & {
      retryable: boolean;
      status?: number | undefined;
      retryAfterMs?: number | undefined;
      waitMs?: number | undefined;
    },
  ) {
    super(details);
    this.retryable = details.retryable;
    this.status = details.status;
    this.retryAfterMs = details.retryAfterMs;
    this.waitMs = details.waitMs;
  }
}

/** A record cannot become an item. It goes to quarantine, and the run goes on. */
export class RecordError extends Failure {
  /** The dotted path of the field. */
  readonly path: string;

  constructor(details: FailureDetails & { path: string }) {
    super(details);
    this.path = details.path;
  }
}

/** DynamoDB did not accept a write, or a table is not as the plan says. */
export class WriteError extends Failure {}

/** The API sends values that a frozen schema_contract forbids. A person has to decide. */
export class SchemaError extends Failure {}

/** A reader cannot answer a question as it was asked. The application has to change the question. */
export class ReadError extends Failure {}

/** Another worker holds the lease of this resource, which is no fault. */
export class LeaseError extends Failure {}

export type TidetableError =
  | ConfigError
  | RequestError
  | RecordError
  | WriteError
  | SchemaError
  | ReadError
  | LeaseError;

export function isFailure(error: unknown): error is TidetableError {
  return error instanceof Failure;
}

/** Joins a message and its hint in one line for a person. */
export function explainError({
  message,
  hint,
}: {
  message: string;
  hint?: string | null | undefined;
}): string {
  return hint ? `${message}; ${hint}` : message;
}

/** An error about an event has no hint, because Lambda's console shows the message alone. */
export const eventError = (code: string, message: string): ConfigError =>
  new ConfigError({ code, message });
