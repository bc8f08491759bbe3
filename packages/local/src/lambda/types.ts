/** A function as AWS would be told to create it. */
export interface LambdaFunction {
  name: string;
  /** Where its code lies, and what the process has as its current folder. */
  folder: string;
  /** `bundle.handler`: the export `handler` of `bundle.mjs` in the folder. */
  handler: string;
  memoryMb: number;
  timeoutMs: number;
  /** Its own variables. Nothing of this process's environment reaches it. */
  environment?: Record<string, string>;
  /** How many invocations may be in work at once. */
  reservedConcurrency?: number;
  /** How often an asynchronous event is tried again after a function error. */
  retries?: number;
  /** How old an asynchronous event may become. */
  maximumEventAgeMs?: number;
}

/** What Lambda sends to the on-failure destination when it gives an asynchronous event up. */
export interface FailureRecord {
  version: "1.0";
  timestamp: string;
  requestContext: {
    requestId: string;
    functionArn: string;
    condition: "RetriesExhausted" | "EventAgeExceeded";
    approximateInvokeCount: number;
  };
  requestPayload: unknown;
  /** Of the last attempt; missing when there was none. */
  responseContext?: { statusCode: 200; executedVersion: "$LATEST"; functionError: "Unhandled" };
  responsePayload?: unknown;
}

/** What Lambda writes into its REPORT line at the end of an invocation. */
export interface InvocationReport {
  functionName: string;
  requestId: string;
  /** Only of a cold start: from the start of the process until it asked for its first event. */
  initMs?: number;
  durationMs: number;
  /** `Sandbox.Timedout`, `Runtime.ExitError`, or the name of what the handler threw. */
  errorType?: string;
}

export interface LambdaOptions {
  functions: readonly LambdaFunction[];
  /** The binary that runs the functions. */
  node?: string;
  /** The program that speaks the Runtime API; it gets the handler as its argument. */
  bootstrap?: string;
  /**
   * How many processes there may be at once: more have to wait for their start, which costs them
   * none of their time. For small machines.
   */
  maxProcesses?: number;
  /** How long a process may take until it asks for its first event; AWS gives it ten seconds. */
  initTimeoutMs?: number;
  /** How long an event waits before its first retry, its second, and so on; the last one stays. */
  retryDelaysMs?: readonly number[];
  /** How long a throttled event waits at first; doubles up to five minutes. */
  throttleDelayMs?: number;
  /** Which asynchronous events to deliver twice, as Lambda may do with any. */
  duplicate?: (functionName: string, event: unknown) => boolean;
  /** A line of a function's standard output or error. Those of an invocation come before its end. */
  onLog?: (functionName: string, line: string) => void;
  onReport?: (report: InvocationReport) => void;
}

export interface Lambda {
  /** For `AWS_ENDPOINT_URL_LAMBDA`, which the functions already have. */
  endpoint: string;
  /** What arrived at the on-failure destination. */
  failures: readonly FailureRecord[];
  /** Resolves when no asynchronous event waits or is in work any more. */
  waitUntilIdle(): Promise<void>;
  /** Drops what waits and ends all processes. */
  close(): Promise<void>;
}
