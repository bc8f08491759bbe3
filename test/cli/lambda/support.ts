import { mkdtempSync, realpathSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InvokeCommand, type InvokeCommandInput, LambdaClient } from "@aws-sdk/client-lambda";
import { onTestFinished } from "vitest";
import { openLambda } from "../../../packages/cli/src/lambda/service.ts";
import type {
  InvocationReport,
  LambdaFunction,
  LambdaOptions,
} from "../../../packages/cli/src/lambda/types.ts";

/** Creates a function in a new folder, with the code in `index.mjs`. */
export function functionOf(code: string, options: Partial<LambdaFunction> = {}): LambdaFunction {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "tidetable-lambda-")));
  onTestFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 20 }));
  writeFileSync(join(folder, "index.mjs"), code);
  const handler = "index.handler";
  return { name: "worker", folder, handler, memoryMb: 256, timeoutMs: 20_000, ...options };
}

/** Opens the service with the functions, and the real client. */
export async function openService(
  functions: LambdaFunction | LambdaFunction[],
  options: Partial<LambdaOptions> = {},
) {
  const lines: string[] = [];
  const reports: InvocationReport[] = [];
  const lambda = await openLambda({
    functions: [functions].flat(),
    retryDelaysMs: [10, 20],
    throttleDelayMs: 10,
    onLog: (_, line) => lines.push(line),
    onReport: (report) => reports.push(report),
    ...options,
  });
  const client = new LambdaClient({
    endpoint: lambda.endpoint,
    region: "us-east-1",
    credentials: { accessKeyId: "local", secretAccessKey: "local" },
    maxAttempts: 1,
  });
  onTestFinished(async () => {
    client.destroy();
    await lambda.close();
  });

  async function invoke(event: unknown = {}, input: Partial<InvokeCommandInput> = {}) {
    const Payload = JSON.stringify(event);
    const call = new InvokeCommand({ FunctionName: "worker", Payload, ...input });
    const { Payload: answer, ...output } = await client.send(call);
    const text = answer?.transformToString();
    return { ...output, answer: text ? JSON.parse(text) : undefined };
  }
  const send = (event: unknown, input: Partial<InvokeCommandInput> = {}) =>
    invoke(event, { InvocationType: "Event", ...input });

  return { lambda, lines, reports, client, invoke, send };
}

export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
