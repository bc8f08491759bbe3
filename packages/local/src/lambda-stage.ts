import { LambdaClient } from "@aws-sdk/client-lambda";
import {
  type Fields,
  type Log,
  type Names,
  type ResourceReport,
  type SourcePlan,
  scheduleFunctionName,
  type WorkerEvent,
  workerEnvironment,
  workerFunctionName,
} from "@tidetable/core";
import type { Bundles } from "./bundle.ts";
import type { Asked, Pipeline, Place } from "./follow.ts";
import { invokeSchedule } from "./invoke.ts";
import { openLambda } from "./lambda/service.ts";
import type { FailureRecord, Lambda, LambdaOptions } from "./lambda/types.ts";

/** The functions of `stacks/pipeline.ts` under a Lambda of this machine. */
export interface LambdaStage {
  pipeline: Pipeline;
  lambda: Lambda;
  /** Ends all processes. */
  close(): Promise<void>;
}

export interface StageOptions
  extends Pick<LambdaOptions, "node" | "retryDelaysMs" | "duplicate" | "onReport"> {
  plans: readonly SourcePlan[];
  bundles: Bundles;
  names: Names;
  /** What takes an account's place: endpoints, and credentials that are worth nothing. */
  environment: Record<string, string>;
  /** Gets the workers' warnings. */
  log: Log;
  /** Gets each line that a function prints. */
  onLine?: (line: string) => void;
  /** Default: the 15 minutes that AWS gives. */
  workerTimeoutMs?: number;
  /** Default: as long as a person waits at a terminal. In AWS it is a minute. */
  tickMs?: number;
}

export async function openLambdaStage(options: StageOptions): Promise<LambdaStage> {
  const { plans, bundles, names, log, onLine, workerTimeoutMs, tickMs, ...lambdaOptions } = options;
  const environment = {
    ...options.environment,
    TIDETABLE_APP: names.app,
    TIDETABLE_STAGE: names.stage,
  };
  const schedule = {
    ...bundles.schedule,
    name: scheduleFunctionName(names),
    timeoutMs: 60_000,
    memoryMb: 256,
    environment,
  };
  const workers = plans.map((plan) => ({
    ...bundles.resource,
    name: workerFunctionName(names, plan.name),
    timeoutMs: workerTimeoutMs ?? 15 * 60_000,
    memoryMb: plan.function.memoryMb,
    retries: 2,
    environment: { ...environment, ...workerEnvironment },
  }));
  const heard = new Map<string, ResourceReport>();
  const lambda = await openLambda({
    // In AWS it is one minute and two.
    retryDelaysMs: [1_000, 2_000],
    ...lambdaOptions,
    functions: [schedule, ...workers],
    onLog(_, line) {
      onLine?.(line);
      hear(line, heard, log);
    },
  });
  const client = new LambdaClient({
    endpoint: lambda.endpoint,
    region: "us-east-1",
    credentials: { accessKeyId: "local", secretAccessKey: "local" },
  });
  return {
    lambda,
    pipeline: {
      schedule: (event) => invokeSchedule(client, names, event),
      tickMs: tickMs ?? 2_000,
      heard: (place) => heard.get(nameOf(place)),
      givenUp: (run) => reasonOf(lambda.failures.find((record) => isOf(record, run))),
    },
    async close() {
      client.destroy();
      await lambda.close();
    },
  };
}

function isOf({ requestPayload }: FailureRecord, { source, resource, runId }: Asked): boolean {
  const event = requestPayload as WorkerEvent;
  return event.source === source && event.resource === resource && event.run_id === runId;
}

function reasonOf(record: FailureRecord | undefined): string | undefined {
  if (!record) return undefined;
  const { errorMessage = record.requestContext.condition } = Object(record.responsePayload);
  return errorMessage;
}

const nameOf = ({ source, resource }: Place) => `${source}.${resource}`;

/** A worker's JSON line: its report is kept, a warning is passed on. What else it prints is not. */
function hear(line: string, heard: Map<string, ResourceReport>, log: Log): void {
  const { level, message, source, resource, report } = parsed(line);
  if (typeof source !== "string" || typeof resource !== "string") return;
  if (report) heard.set(nameOf({ source, resource }), report as ResourceReport);
  else if (level === "WARN") log.warn(String(message), { source, resource });
}

function parsed(line: string): Fields {
  try {
    return Object(JSON.parse(line));
  } catch {
    return {};
  }
}
