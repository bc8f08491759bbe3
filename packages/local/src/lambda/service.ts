import { fileURLToPath } from "node:url";
import { openInvokeApi } from "./invoke-api.ts";
import { openPool } from "./pool.ts";
import { openQueue } from "./queue.ts";
import type { Answer, Invocation } from "./runtime-api.ts";
import { openSandbox } from "./sandbox.ts";
import type { FailureRecord, Lambda, LambdaFunction, LambdaOptions } from "./types.ts";

/**
 * AWS Lambda on this machine: an Invoke API for the real client, and a process for each invocation
 * that is in work. What it leaves out: permissions, the freezing of processes between invocations,
 * and a processor share that depends on the memory.
 */
export async function openLambda({
  functions,
  node = process.execPath,
  bootstrap = fileURLToPath(new URL("./bootstrap.mjs", import.meta.url)),
  maxProcesses = Number.POSITIVE_INFINITY,
  // Many that start at once on a small machine take longer than in AWS.
  initTimeoutMs = 60_000,
  retryDelaysMs = [60_000, 120_000],
  throttleDelayMs = 1_000,
  duplicate = () => false,
  onLog = () => {},
  onReport = () => {},
}: LambdaOptions): Promise<Lambda> {
  const closing = new AbortController();
  const failures: FailureRecord[] = [];
  const inWork = new Map<string, number>();

  const api = await openInvokeApi((functionName) => {
    const definition = functions.find(({ name }) => name === functionName);
    if (!definition) return undefined;
    const functionArn = `arn:aws:lambda:us-east-1:000000000000:function:${functionName}`;
    return {
      invoke: (requestId, payload) => invoke(definition, { requestId, functionArn, payload }),
      send(requestId, payload) {
        const times = duplicate(functionName, JSON.parse(payload)) ? 2 : 1;
        for (let n = 0; n < times; n += 1) {
          queue.send(definition, { requestId, functionArn, payload });
        }
      },
    };
  });
  const pool = openPool((definition) => {
    const { endpoint } = api;
    return openSandbox(definition, { endpoint, node, bootstrap, initTimeoutMs, onLog });
  }, maxProcesses);
  const queue = openQueue({
    invoke,
    retryDelaysMs,
    throttleDelayMs,
    signal: closing.signal,
    onFailure: (record) => failures.push(record),
  });

  async function invoke(
    definition: LambdaFunction,
    invocation: Invocation,
  ): Promise<Answer | "throttled"> {
    const { name, reservedConcurrency = Number.POSITIVE_INFINITY } = definition;
    const others = inWork.get(name) ?? 0;
    if (others >= reservedConcurrency) return "throttled";
    inWork.set(name, others + 1);
    try {
      const { payload, ...figures } = await pool.use(definition, ({ run }) => run(invocation));
      if (!closing.signal.aborted) {
        onReport({ functionName: name, requestId: invocation.requestId, ...figures });
      }
      return { payload, ...figures };
    } finally {
      inWork.set(name, (inWork.get(name) ?? 1) - 1);
    }
  }

  return {
    endpoint: api.endpoint,
    failures,
    waitUntilIdle: queue.waitUntilIdle,
    async close() {
      closing.abort();
      await Promise.all([api.close(), pool.close()]);
      await queue.waitUntilIdle();
    },
  };
}
