import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { type Answer, type Invocation, openRuntimeApi, type RuntimeApi } from "./runtime-api.ts";
import type { LambdaFunction } from "./types.ts";

export interface InvocationOutcome extends Answer {
  /** Only for a process's first invocation: the time until it asked for an event. */
  initMs?: number;
  durationMs: number;
}

export interface SandboxSettings {
  /** The endpoint of the local Lambda service. */
  endpoint: string;
  node: string;
  bootstrap: string;
  initTimeoutMs: number;
  onLog: (functionName: string, line: string) => void;
}

/** Makes the answer of an invocation interrupted by the exit of the process. */
type ExitReason = (requestId: string) => Answer;

const MEMORY_CHECK_MS = 50;

/** Starts a process of a function. */
export async function openSandbox(
  definition: LambdaFunction,
  settings: SandboxSettings,
): Promise<Sandbox> {
  const runtime = await openRuntimeApi();
  // Lambda's runtime leaves a tenth of the memory to everything that is not JavaScript's heap.
  const heapOption = `--max-old-space-size=${Math.floor(definition.memoryMb * 0.9)}`;
  const child = spawn(settings.node, [heapOption, settings.bootstrap, definition.handler], {
    cwd: definition.folder,
    env: functionEnvironment(definition, settings, runtime.address),
    stdio: "pipe",
    // Ctrl-C reaches a whole process group. In a group of its own, the function is ended by the command.
    detached: true,
    windowsHide: true,
  });
  for (const input of [child.stdout, child.stderr]) {
    createInterface({ input }).on("line", (line) => settings.onLog(definition.name, line));
  }
  return new Sandbox(definition, child, runtime, settings.initTimeoutMs);
}

/** A process of a function, for a single invocation at a time. */
export class Sandbox {
  readonly functionName: string;
  /** Resolves after the process has exited. */
  readonly exited: Promise<ExitReason>;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #runtime: RuntimeApi;
  readonly #memoryMb: number;
  readonly #timeoutMs: number;
  readonly #initTimeoutMs: number;
  readonly #startedAt = performance.now();
  /** Becomes false when the process has exited. */
  #isAlive = true;
  /** Becomes false at the first invocation, which alone reports an init time. */
  #isCold = true;
  /** Set before a kill, to report the cause to the invocation instead of the signal. */
  #killReason: ExitReason | undefined;

  constructor(
    { name, memoryMb, timeoutMs }: LambdaFunction,
    child: ChildProcessWithoutNullStreams,
    runtime: RuntimeApi,
    initTimeoutMs: number,
  ) {
    this.functionName = name;
    this.#child = child;
    this.#runtime = runtime;
    this.#memoryMb = memoryMb;
    this.#timeoutMs = timeoutMs;
    this.#initTimeoutMs = initTimeoutMs;
    this.exited = this.#watchExit();
  }

  /** Whether the process can take another invocation. */
  get isAlive(): boolean {
    return this.#isAlive;
  }

  async run(invocation: Invocation): Promise<InvocationOutcome> {
    const { requestId } = invocation;
    const start = await this.#raceWithExit(this.#initTimeoutMs, this.#runtime.waitUntilReady());
    const init = this.#isCold ? { initMs: performance.now() - this.#startedAt } : {};
    this.#isCold = false;
    const startError = "exitReason" in start ? start.exitReason(requestId) : start.value;
    if (startError) {
      await this.end();
      return { ...startError, ...init, durationMs: 0 };
    }
    const beganAt = performance.now();
    const answer = this.#runtime.run(invocation, Date.now() + this.#timeoutMs);
    // An invocation ends when the process asks for another event: by then, the log is complete.
    const ended = answer.then(() => this.#runtime.waitUntilReady());
    const end = await this.#raceWithExit(this.#timeoutMs, ended);
    const durationMs = performance.now() - beganAt;
    // An answer counts even if the process exited after sending it.
    const finalAnswer =
      "exitReason" in end ? await settledValueOr(answer, end.exitReason(requestId)) : await answer;
    return { ...finalAnswer, ...init, durationMs };
  }

  async end(): Promise<void> {
    this.#kill();
    await this.exited;
  }

  async #watchExit(): Promise<ExitReason> {
    const reason = await new Promise<ExitReason>((resolve) => {
      this.#child.once("error", (error) => {
        resolve(exitReason("Runtime.InvalidEntrypoint", error.message));
      });
      this.#child.once("close", (code, signal) => {
        resolve(this.#killReason ?? exitedReason(code, signal));
      });
    });
    this.#isAlive = false;
    await this.#runtime.close();
    return reason;
  }

  #kill(reason?: ExitReason): void {
    this.#killReason ??= reason;
    this.#child.kill("SIGKILL");
  }

  /** Waits for a task or for the exit. Kills the process at the time-out or above its memory limit. */
  async #raceWithExit<T>(
    timeoutMs: number,
    task: Promise<T>,
  ): Promise<{ value: T } | { exitReason: ExitReason }> {
    const timer = setTimeout(() => this.#kill(timedOutReason(timeoutMs)), timeoutMs);
    const memoryCheck = setInterval(() => {
      const isOverLimit = peakMemoryMb(this.#child.pid) > this.#memoryMb;
      if (isOverLimit) this.#kill(exitedReason(null, "SIGKILL"));
    }, MEMORY_CHECK_MS);
    try {
      return await Promise.race([
        task.then((value) => ({ value })),
        this.exited.then((exitReason) => ({ exitReason })),
      ]);
    } finally {
      clearTimeout(timer);
      clearInterval(memoryCheck);
    }
  }
}

/** The value of a settled promise, or the fallback for a pending promise. */
const settledValueOr = <T>(promise: Promise<T>, fallback: T): Promise<T> =>
  Promise.race([promise, fallback]);

function exitReason(errorType: string, reason: string): ExitReason {
  return (requestId) => ({
    errorType,
    payload: JSON.stringify({
      errorType,
      errorMessage: `RequestId: ${requestId} Error: ${reason}`,
    }),
  });
}

function timedOutReason(ms: number): ExitReason {
  return exitReason("Sandbox.Timedout", `Task timed out after ${(ms / 1000).toFixed(2)} seconds`);
}

function exitedReason(code: number | null, signal: NodeJS.Signals | null): ExitReason {
  if (code === 0) {
    return exitReason("Runtime.ExitError", "Runtime exited without providing a reason");
  }
  const signalNames: Record<string, string> = { SIGKILL: "killed", SIGABRT: "aborted" };
  const cause = signal ? `signal: ${signalNames[signal] ?? signal}` : `exit status ${code}`;
  return exitReason("Runtime.ExitError", `Runtime exited with error: ${cause}`);
}

/**
 * The peak memory of a process, which only Linux reports. Elsewhere, only the limit of JavaScript's
 * heap applies, and buffers are not counted.
 */
function peakMemoryMb(pid: number | undefined): number {
  if (process.platform !== "linux") return 0;
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) / 1024;
  } catch {
    // The process has exited.
    return 0;
  }
}

/** The complete environment of the process: Lambda's variables, then the function's. */
function functionEnvironment(
  { name, folder, handler, memoryMb, environment }: LambdaFunction,
  { endpoint }: SandboxSettings,
  runtimeApi: string,
): NodeJS.ProcessEnv {
  const day = new Date().toISOString().slice(0, 10).replaceAll("-", "/");
  return {
    // Windows cannot start a process without this variable.
    SystemRoot: process.env.SystemRoot,
    // The SDK looks for ~/.aws in HOME and must not find the developer's.
    HOME: folder,
    LANG: "en_US.UTF-8",
    TZ: ":UTC",
    AWS_REGION: "us-east-1",
    AWS_DEFAULT_REGION: "us-east-1",
    AWS_ACCESS_KEY_ID: "local",
    AWS_SECRET_ACCESS_KEY: "local",
    AWS_ENDPOINT_URL_LAMBDA: endpoint,
    AWS_LAMBDA_RUNTIME_API: runtimeApi,
    AWS_LAMBDA_FUNCTION_NAME: name,
    AWS_LAMBDA_FUNCTION_VERSION: "$LATEST",
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(memoryMb),
    AWS_LAMBDA_INITIALIZATION_TYPE: "on-demand",
    AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${name}`,
    AWS_LAMBDA_LOG_STREAM_NAME: `${day}/[$LATEST]${randomUUID().replaceAll("-", "")}`,
    LAMBDA_TASK_ROOT: folder,
    _HANDLER: handler,
    ...environment,
  };
}
