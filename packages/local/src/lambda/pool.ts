import type { Sandbox } from "./sandbox.ts";
import type { LambdaFunction } from "./types.ts";

export interface Pool {
  /** Does the work with a process of the function: a warm one, or a new one. */
  use<T>(definition: LambdaFunction, work: (sandbox: Sandbox) => Promise<T>): Promise<T>;
  /** Ends all processes; what is in work or waits fails. */
  close(): Promise<void>;
}

/** The processes of all functions, at most `max` at once. */
export function openPool(
  start: (definition: LambdaFunction) => Promise<Sandbox>,
  max: number,
): Pool {
  const all = new Set<Promise<Sandbox>>();
  /** The last one is the warmest. */
  const idle: Sandbox[] = [];
  const waiting: (() => void)[] = [];
  let closed = false;

  async function take(definition: LambdaFunction): Promise<Sandbox> {
    for (;;) {
      if (closed) throw new Error("the local Lambda service is closed");
      const warm = idle.findLastIndex(({ functionName }) => functionName === definition.name);
      const [found] = warm < 0 ? [] : idle.splice(warm, 1);
      if (found) return found;
      if (all.size < max) return begin(definition);
      // One that rests makes room for one that is needed.
      const resting = idle.shift();
      await (resting ? resting.end() : new Promise<void>((resolve) => waiting.push(resolve)));
    }
  }

  function begin(definition: LambdaFunction): Promise<Sandbox> {
    const starting = start(definition);
    all.add(starting);
    void watch(starting);
    return starting;
  }

  async function watch(starting: Promise<Sandbox>): Promise<void> {
    const sandbox = await starting.catch(() => undefined);
    await sandbox?.gone;
    all.delete(starting);
    if (sandbox && idle.includes(sandbox)) idle.splice(idle.indexOf(sandbox), 1);
    waiting.shift()?.();
  }

  return {
    async use(definition, work) {
      const sandbox = await take(definition);
      try {
        return await work(sandbox);
      } finally {
        if (sandbox.isAlive()) {
          idle.push(sandbox);
          waiting.shift()?.();
        }
      }
    },
    async close() {
      closed = true;
      for (const wake of waiting.splice(0)) wake();
      await Promise.allSettled([...all].map(async (starting) => (await starting).end()));
    },
  };
}
