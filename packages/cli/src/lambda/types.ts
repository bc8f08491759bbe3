/** A function with the settings of a deployment. */
export interface LambdaFunction {
  name: string;
  /** The folder with the code. It is the current folder of the process. */
  folder: string;
  /** `bundle.handler` is the export `handler` of `bundle.mjs` in the folder. */
  handler: string;
  memoryMb: number;
  timeoutMs: number;
  /** The function's variables. The service's own environment is not inherited. */
  environment?: Record<string, string>;
  /** The largest number of invocations at once. */
  reservedConcurrency?: number;
  /** The number of retries of an asynchronous event after a function error. */
  retries?: number;
  maximumEventAgeMs?: number;
}

/** Lambda's message to the on-failure destination about an event that was given up. */
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
  /** Describes the last attempt. Missing if there was no attempt. */
  responseContext?: { statusCode: 200; executedVersion: "$LATEST"; functionError: "Unhandled" };
  responsePayload?: unknown;
}

/** The content of the REPORT line that Lambda writes after an invocation. */
export interface InvocationReport {
  functionName: string;
  requestId: string;
  /** Only after a cold start: the time from the start of the process to its request for an event. */
  initMs?: number;
  durationMs: number;
  /** `Sandbox.Timedout`, `Runtime.ExitError`, or the name of the error that the handler threw. */
  errorType?: string;
}

export interface LambdaOptions {
  functions: readonly LambdaFunction[];
  /** The path of the Node that runs the functions. */
  node?: string;
  /** The program for the Runtime API. The handler is the only argument. */
  bootstrap?: string;
  /**
   * The largest number of processes at once, for small machines. Further processes wait for their
   * start, and this waiting does not count towards their time-outs.
   */
  maxProcesses?: number;
  /** The longest time until a process asks for its first event. AWS allows ten seconds. */
  initTimeoutMs?: number;
  /** The delays before the first retry, the second, and further retries. The last delay repeats. */
  retryDelaysMs?: readonly number[];
  /** The first delay of a throttled event. It doubles at each throttle, up to five minutes. */
  throttleDelayMs?: number;
  /** Chooses asynchronous events that are delivered twice. Lambda may deliver any event twice. */
  duplicate?: (functionName: string, event: unknown) => boolean;
  /** Receives each line of a function's output. The lines of an invocation come before its end. */
  onLog?: (functionName: string, line: string) => void;
  onReport?: (report: InvocationReport) => void;
}

export interface Lambda {
  /** The functions have this endpoint in AWS_ENDPOINT_URL_LAMBDA. */
  endpoint: string;
  /** The records that arrived at the on-failure destination. */
  failures: readonly FailureRecord[];
  /** Resolves when no asynchronous event is waiting or running. */
  waitUntilIdle(): Promise<void>;
  /** Drops the waiting events and ends all processes. */
  close(): Promise<void>;
}
