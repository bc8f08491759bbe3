import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { type Answer, type Invocation, openRuntimeApi } from "./runtime-api.ts";
import type { LambdaFunction } from "./types.ts";

/** One process of a function. It does one invocation at a time. */
export interface Sandbox {
  functionName: string;
  run(invocation: Invocation): Promise<InvocationOutcome>;
  /** Whether it can take another invocation. */
  isAlive(): boolean;
  /** Resolves when the process is gone. */
  gone: Promise<unknown>;
  end(): Promise<void>;
}

export interface InvocationOutcome extends Answer {
  /** Of the first invocation: from the start of the process until it asked for an event. */
  initMs?: number;
  durationMs: number;
}

export interface SandboxSettings {
  /** Of the service itself. */
  endpoint: string;
  node: string;
  bootstrap: string;
  initTimeoutMs: number;
  onLog: (functionName: string, line: string) => void;
}

/** Why a process ended, as an invocation that was in it is told. */
type Fault = (requestId: string) => Answer;

const MEMORY_CHECK_MS = 50;

export async function openSandbox(
  definition: LambdaFunction,
  settings: SandboxSettings,
): Promise<Sandbox> {
  const { name, memoryMb, timeoutMs } = definition;
  const runtime = await openRuntimeApi();
  const startedAt = performance.now();
  // Lambda's runtime leaves a tenth of the memory to what is not JavaScript's heap.
  const heap = `--max-old-space-size=${Math.floor(memoryMb * 0.9)}`;
  const child = spawn(settings.node, [heap, settings.bootstrap, definition.handler], {
    cwd: definition.folder,
    env: environmentOf(definition, settings, runtime.address),
    stdio: "pipe",
    // In a group of its own: Ctrl-C is for the command, which then ends its functions.
    detached: true,
    windowsHide: true,
  });
  for (const input of [child.stdout, child.stderr]) {
    createInterface({ input }).on("line", (line) => settings.onLog(name, line));
  }

  let alive = true;
  let killedFor: Fault | undefined;
  const gone = new Promise<Fault>((resolve) => {
    child.once("error", (error) => resolve(fault("Runtime.InvalidEntrypoint", error.message)));
    child.once("close", (code, signal) => resolve(killedFor ?? exited(code, signal)));
  }).then(async (reason) => {
    alive = false;
    await runtime.close();
    return reason;
  });

  function kill(reason?: Fault): void {
    killedFor ??= reason;
    child.kill("SIGKILL");
  }

  /** What becomes of the task, or why the process ended before: for one its time or memory. */
  async function within<T>(ms: number, task: Promise<T>): Promise<T | Fault> {
    const timer = setTimeout(kill, ms, timedOut(ms));
    const watch = setInterval(() => {
      if (peakMb(child.pid) > memoryMb) kill(exited(null, "SIGKILL"));
    }, MEMORY_CHECK_MS);
    try {
      return await Promise.race([task, gone]);
    } finally {
      clearTimeout(timer);
      clearInterval(watch);
    }
  }

  let isCold = true;
  async function run(invocation: Invocation): Promise<InvocationOutcome> {
    const { requestId } = invocation;
    const refused = await within(settings.initTimeoutMs, runtime.ready());
    const init = isCold ? { initMs: performance.now() - startedAt } : {};
    isCold = false;
    if (refused) {
      kill();
      await gone;
      const answer = typeof refused === "function" ? refused(requestId) : refused;
      return { ...answer, ...init, durationMs: 0 };
    }
    const beganAt = performance.now();
    const answered = runtime.run(invocation, Date.now() + timeoutMs);
    // It is over when the process asks for the next event: what it logged has arrived by then.
    const over = await within(timeoutMs, answered.then(runtime.ready));
    const durationMs = performance.now() - beganAt;
    // An answer stands, even if the process ended after it.
    const answer =
      typeof over === "function" ? await first(answered, over(requestId)) : await answered;
    return { ...answer, ...init, durationMs };
  }

  return {
    functionName: name,
    run,
    isAlive: () => alive,
    gone,
    async end() {
      kill();
      await gone;
    },
  };
}

/** The promise's value if it has one by now. */
const first = <T>(promise: Promise<T>, otherwise: T): Promise<T> =>
  Promise.race([promise, otherwise]);

function fault(errorType: string, reason: string): Fault {
  return (requestId) => ({
    errorType,
    payload: JSON.stringify({
      errorType,
      errorMessage: `RequestId: ${requestId} Error: ${reason}`,
    }),
  });
}

function timedOut(ms: number): Fault {
  return fault("Sandbox.Timedout", `Task timed out after ${(ms / 1000).toFixed(2)} seconds`);
}

function exited(code: number | null, signal: NodeJS.Signals | null): Fault {
  if (code === 0) return fault("Runtime.ExitError", "Runtime exited without providing a reason");
  const killed: Record<string, string> = { SIGKILL: "killed", SIGABRT: "aborted" };
  const how = signal ? `signal: ${killed[signal] ?? signal}` : `exit status ${code}`;
  return fault("Runtime.ExitError", `Runtime exited with error: ${how}`);
}

/**
 * The most memory that the process ever had, where the system tells. Elsewhere only the limit of
 * JavaScript's heap holds, which counts no buffers.
 */
function peakMb(pid: number | undefined): number {
  if (process.platform !== "linux") return 0;
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) / 1024;
  } catch {
    // It is gone.
    return 0;
  }
}

/** What Lambda sets, and then what the function sets: all that the process sees. */
function environmentOf(
  { name, folder, handler, memoryMb, environment }: LambdaFunction,
  { endpoint }: SandboxSettings,
  runtimeApi: string,
): NodeJS.ProcessEnv {
  const day = new Date().toISOString().slice(0, 10).replaceAll("-", "/");
  return {
    // Windows starts no process without it.
    SystemRoot: process.env.SystemRoot,
    // Where the SDK looks for ~/.aws: not at the developer's.
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
