/**
 * Errors are chosen by what recovers from them. Each carries a stable `code` (it stands in reports
 * and in `run --json`), a message that says what happened, and a hint that says what to do next.
 * `run.ts` puts the resource's name in front; `explain` joins the parts for a person.
 */
export interface FailureDetails {
  /** `room.what`, for example `extract.status`. Scripts match on it: never rename one. */
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

/** One thing wrong with a config, a secret's shape or a command line. */
export interface Problem {
  /** Where, as a person would point at it: `resources[0].endpoint.data_selecter`. */
  path: string;
  message: string;
  hint?: string | undefined;
  /** The line of the user's file, and a caret under the place. */
  snippet?: string | undefined;
}

/** The user has to change something; trying again will not help. Carries all problems at once. */
export class ConfigError extends Failure {
  readonly problems: readonly Problem[];

  constructor(details: FailureDetails & { problems?: readonly Problem[] }) {
    super(details);
    this.problems = details.problems ?? [
      { path: "", message: details.message, hint: details.hint },
    ];
  }
}

/** The API did not give a page. `retryable` decides whether another attempt can help. */
export class RequestError extends Failure {
  readonly retryable: boolean;
  readonly status: number | undefined;
  /** What the API asked for in Retry-After, when it did. */
  readonly retryAfterMs: number | undefined;
  /** Set when another attempt is due, but only after this slice has ended: the run waits so long. */
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

/** A record that can not become an item: it is set aside and the run goes on. */
export class RecordError extends Failure {
  /** Where in the record, as dotted path. */
  readonly path: string;

  constructor(details: FailureDetails & { path: string }) {
    super(details);
    this.path = details.path;
  }
}

/** DynamoDB did not take a write (or the table is not as the plan says). */
export class WriteError extends Failure {}

/** The API sends what the schema_contract freezes out: somebody has to decide. */
export class SchemaError extends Failure {}

/** A reader was asked for what it can not give; the application has to ask otherwise. */
export class ReadError extends Failure {}

/** Another worker holds the right to write this resource; nothing is wrong. */
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

/** One line for a person: what happened; what to do next. */
export function explain({
  message,
  hint,
}: {
  message: string;
  hint?: string | null | undefined;
}): string {
  return hint ? `${message}; ${hint}` : message;
}

/** The way out stands in the message: of an error, Lambda's console shows nothing else. */
export const refusal = (code: string, message: string): ConfigError =>
  new ConfigError({ code, message });
