import { fileURLToPath } from "node:url";
import { EventQueue } from "./event-queue.ts";
import { type Invokable, openInvokeApi } from "./invoke-api.ts";
import type { Answer, Invocation } from "./runtime-api.ts";
import { openSandbox } from "./sandbox.ts";
import { SandboxPool } from "./sandbox-pool.ts";
import type { FailureRecord, Lambda, LambdaFunction, LambdaOptions } from "./types.ts";

const defaults = {
  node: process.execPath,
  bootstrap: fileURLToPath(new URL("./bootstrap.mjs", import.meta.url)),
  maxProcesses: Number.POSITIVE_INFINITY,
  // On a small machine, many processes that start at once take longer than in AWS.
  initTimeoutMs: 60_000,
  retryDelaysMs: [60_000, 120_000],
  throttleDelayMs: 1_000,
  duplicate: () => false,
  onLog: () => {},
  onReport: () => {},
} satisfies Omit<LambdaOptions, "functions">;

/**
 * Opens a local AWS Lambda: an Invoke API for the real client, and a process for each running
 * invocation. There are no permissions, processes are not frozen between invocations, and every
 * function has the same share of the processor.
 */
export async function openLambda(options: LambdaOptions): Promise<Lambda> {
  const lambda = new LocalLambda({ ...defaults, ...options });
  await lambda.open();
  return lambda;
}

class LocalLambda implements Lambda {
  readonly failures: FailureRecord[] = [];
  readonly #options: Required<LambdaOptions>;
  readonly #closing = new AbortController();
  /** The number of running invocations of each function. */
  readonly #runningCounts = new Map<string, number>();
  readonly #pool: SandboxPool;
  readonly #queue: EventQueue;
  #api: { endpoint: string; close(): Promise<void> } | undefined;

  constructor(options: Required<LambdaOptions>) {
    this.#options = options;
    const { retryDelaysMs, throttleDelayMs } = options;
    this.#pool = new SandboxPool((definition) => {
      const { node, bootstrap, initTimeoutMs, onLog } = this.#options;
      const { endpoint } = this;
      return openSandbox(definition, { endpoint, node, bootstrap, initTimeoutMs, onLog });
    }, options.maxProcesses);
    this.#queue = new EventQueue({
      invoke: (definition, event) => this.#invoke(definition, event),
      retryDelaysMs,
      throttleDelayMs,
      signal: this.#closing.signal,
      onFailure: (record) => this.failures.push(record),
    });
  }

  async open(): Promise<void> {
    this.#api = await openInvokeApi((functionName) => this.#findFunction(functionName));
  }

  get endpoint(): string {
    return this.#api?.endpoint ?? "";
  }

  waitUntilIdle(): Promise<void> {
    return this.#queue.waitUntilIdle();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all([this.#api?.close(), this.#pool.close()]);
    await this.#queue.waitUntilIdle();
  }

  #findFunction(functionName: string): Invokable | undefined {
    const definition = this.#options.functions.find(({ name }) => name === functionName);
    if (!definition) return undefined;
    const functionArn = `arn:aws:lambda:us-east-1:000000000000:function:${functionName}`;
    return {
      invoke: (requestId, payload) => this.#invoke(definition, { requestId, functionArn, payload }),
      send: (requestId, payload) => {
        const isDuplicated = this.#options.duplicate(functionName, JSON.parse(payload));
        const event = { requestId, functionArn, payload };
        this.#queue.send(definition, event);
        if (isDuplicated) this.#queue.send(definition, event);
      },
    };
  }

  async #invoke(definition: LambdaFunction, invocation: Invocation): Promise<Answer | "throttled"> {
    const { name, reservedConcurrency = Number.POSITIVE_INFINITY } = definition;
    if (this.#runningCount(name) >= reservedConcurrency) return "throttled";
    this.#runningCounts.set(name, this.#runningCount(name) + 1);
    try {
      const { payload, ...figures } = await this.#pool.use(definition, (sandbox) =>
        sandbox.run(invocation),
      );
      if (!this.#closing.signal.aborted) {
        const { requestId } = invocation;
        this.#options.onReport({ functionName: name, requestId, ...figures });
      }
      return { payload, ...figures };
    } finally {
      this.#runningCounts.set(name, this.#runningCount(name) - 1);
    }
  }

  #runningCount(name: string): number {
    return this.#runningCounts.get(name) ?? 0;
  }
}
