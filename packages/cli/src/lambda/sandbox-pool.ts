import type { Sandbox } from "./sandbox.ts";
import type { LambdaFunction } from "./types.ts";

/** The processes of all functions, of which at most `maxProcesses` exist at once. */
export class SandboxPool {
  readonly #start: (definition: LambdaFunction) => Promise<Sandbox>;
  readonly #maxProcesses: number;
  /** The processes starting or alive. */
  readonly #sandboxes = new Set<Promise<Sandbox>>();
  /** The processes without an invocation. The last one was used most recently. */
  readonly #idle: Sandbox[] = [];
  /** Wakes the callers that wait for a process, in their order. */
  readonly #waiting: (() => void)[] = [];
  #isClosed = false;

  constructor(start: (definition: LambdaFunction) => Promise<Sandbox>, maxProcesses: number) {
    this.#start = start;
    this.#maxProcesses = maxProcesses;
  }

  /** Calls `work` with an idle process of the function, or with a new process. */
  async use<T>(definition: LambdaFunction, work: (sandbox: Sandbox) => Promise<T>): Promise<T> {
    const sandbox = await this.#acquire(definition);
    try {
      return await work(sandbox);
    } finally {
      if (sandbox.isAlive) {
        this.#idle.push(sandbox);
        this.#waiting.shift()?.();
      }
    }
  }

  /** Ends all processes. Running and waiting calls of `use` fail. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const wake of this.#waiting.splice(0)) wake();
    const ending = [...this.#sandboxes].map(async (starting) => (await starting).end());
    await Promise.allSettled(ending);
  }

  async #acquire(definition: LambdaFunction): Promise<Sandbox> {
    for (;;) {
      if (this.#isClosed) throw new Error("the local Lambda service is closed");
      const idleSandbox = this.#takeIdle(definition.name);
      if (idleSandbox) return idleSandbox;
      if (this.#sandboxes.size < this.#maxProcesses) return this.#startSandbox(definition);
      // An idle process of another function is ended to make room.
      const leastRecent = this.#idle.shift();
      if (leastRecent) await leastRecent.end();
      else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  #takeIdle(functionName: string): Sandbox | undefined {
    const index = this.#idle.findLastIndex((sandbox) => sandbox.functionName === functionName);
    return index < 0 ? undefined : this.#idle.splice(index, 1)[0];
  }

  #startSandbox(definition: LambdaFunction): Promise<Sandbox> {
    const starting = this.#start(definition);
    this.#sandboxes.add(starting);
    void this.#removeAfterExit(starting);
    return starting;
  }

  async #removeAfterExit(starting: Promise<Sandbox>): Promise<void> {
    const sandbox = await starting.catch(() => undefined);
    await sandbox?.exited;
    this.#sandboxes.delete(starting);
    if (sandbox && this.#idle.includes(sandbox)) {
      this.#idle.splice(this.#idle.indexOf(sandbox), 1);
    }
    this.#waiting.shift()?.();
  }
}
