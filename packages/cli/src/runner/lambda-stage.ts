import { LambdaClient } from "@aws-sdk/client-lambda";
import type { Fields, Log, ResourceReport, WorkerEvent } from "@tidetable/core/internal";
import type { ResourceRef } from "@tidetable/core/internal/config";
import {
  type Names,
  type SourcePlan,
  scheduleFunctionName,
  workerEnvironment,
  workerFunctionName,
} from "@tidetable/core/plan";
import { packageFile } from "../base/package-files.ts";
import { openLambda } from "../lambda/service.ts";
import type { FailureRecord, Lambda, LambdaFunction, LambdaOptions } from "../lambda/types.ts";
import type { Pipeline, RequestedRun } from "./follow.ts";
import type { FunctionBundles } from "./function-bundles.ts";
import { invokeSchedule } from "./invoke-function.ts";

/** The functions of `packages/sst/src/pipeline.ts` under the local Lambda service. */
export interface LambdaStage {
  pipeline: Pipeline;
  lambda: Lambda;
  /** Ends all processes. */
  close(): Promise<void>;
}

export interface LambdaStageOptions
  extends Pick<LambdaOptions, "node" | "retryDelaysMs" | "duplicate" | "onReport"> {
  plans: readonly SourcePlan[];
  bundles: FunctionBundles;
  names: Names;
  /** Endpoints and invalid credentials, instead of an AWS account. */
  environment: Record<string, string>;
  /** Receives the workers' warnings. */
  log: Log;
  /** Receives each line that a function prints. */
  onLine?: (line: string) => void;
  /** The default is AWS's limit of 15 minutes. */
  workerTimeoutMs?: number;
  /** The interval of the resume tick: by default 2 seconds, in AWS a minute. */
  tickMs?: number;
}

export async function openLambdaStage({
  plans,
  bundles,
  names,
  environment,
  log,
  onLine,
  workerTimeoutMs = 15 * 60_000,
  tickMs = 2_000,
  ...lambdaOptions
}: LambdaStageOptions): Promise<LambdaStage> {
  const functions = defineFunctions({ plans, bundles, names, environment, workerTimeoutMs });
  const lastReports = new Map<string, ResourceReport>();
  const lambda = await openLambda({
    bootstrap: packageFile("src/lambda/bootstrap.mjs"),
    // In AWS the delays are one minute and two minutes.
    retryDelaysMs: [1_000, 2_000],
    ...lambdaOptions,
    functions,
    onLog(_functionName, line) {
      onLine?.(line);
      readLogLine(line, lastReports, log);
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
      tickMs,
      lastReport: (resourceRef) => lastReports.get(resourceName(resourceRef)),
      giveUpReason: (run) => failureReason(lambda.failures.find((record) => isAbout(record, run))),
    },
    async close() {
      client.destroy();
      await lambda.close();
    },
  };
}

/** The schedule function and the workers, with the settings of the stacks. */
function defineFunctions({
  plans,
  bundles,
  names,
  environment,
  workerTimeoutMs,
}: Pick<LambdaStageOptions, "plans" | "bundles" | "names" | "environment"> & {
  workerTimeoutMs: number;
}): LambdaFunction[] {
  const stageEnvironment = {
    ...environment,
    TIDETABLE_APP: names.app,
    TIDETABLE_STAGE: names.stage,
  };
  const schedule = {
    ...bundles.schedule,
    name: scheduleFunctionName(names),
    timeoutMs: 60_000,
    memoryMb: 256,
    environment: stageEnvironment,
  };
  const workers = plans.map((plan) => ({
    ...bundles.worker,
    name: workerFunctionName(names, plan.name),
    timeoutMs: workerTimeoutMs,
    memoryMb: plan.function.memoryMb,
    retries: 2,
    environment: { ...stageEnvironment, ...workerEnvironment },
  }));
  return [schedule, ...workers];
}

function isAbout(
  { requestPayload }: FailureRecord,
  { source, resource, runId }: RequestedRun,
): boolean {
  const event = requestPayload as WorkerEvent;
  return event.source === source && event.resource === resource && event.run_id === runId;
}

function failureReason(record: FailureRecord | undefined): string | undefined {
  if (!record) return undefined;
  const { errorMessage = record.requestContext.condition } = Object(record.responsePayload);
  return errorMessage;
}

const resourceName = ({ source, resource }: ResourceRef) => `${source}.${resource}`;

/** Stores the report in a worker's JSON line and passes on a warning. Other lines are dropped. */
function readLogLine(line: string, lastReports: Map<string, ResourceReport>, log: Log): void {
  const { level, message, source, resource, report } = parseLine(line);
  if (typeof source !== "string" || typeof resource !== "string") return;
  if (report) lastReports.set(resourceName({ source, resource }), report as ResourceReport);
  else if (level === "WARN") log.warn(String(message), { source, resource });
}

function parseLine(line: string): Fields {
  try {
    return Object(JSON.parse(line));
  } catch {
    return {};
  }
}
