import { randomBytes } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import {
  ConfigError,
  type Log,
  type Preview,
  type Problem,
  planSource,
  previewResource,
  type ResourceRef,
  type ResourceReport,
  RunError,
  type SourcePlan,
  type Sources,
  type WorkerEvent,
} from "@tidetable/core";
import type { Context } from "aws-lambda";
import { createWorker } from "../../../../functions/resource.ts";
import { createScheduler } from "../../../../functions/schedule.ts";
import { lambdaWorld, localOrigin } from "../../../../functions/world.ts";
import type { Io } from "../base/io.ts";
import { newRunId } from "../base/names.ts";
import type { Options } from "../base/options.ts";
import {
  createSecretLookup,
  findSecretsFile,
  type SecretFolders,
  type SecretMembers,
  secretVariable,
  updateSecretsFile,
} from "../secrets/local-secrets.ts";
import { localLeaseOwner } from "../session/dead-leases.ts";
import { openSession, prepareSession } from "../session/session.ts";
import type { LoadedSource } from "../sources/load-source.ts";
import { mapConcurrently } from "./map-concurrently.ts";
import type { RunEvent, Runner, RunOutcome } from "./runner.ts";

/** More resources at once would only queue at the engine, which uses one core. */
const RESOURCES_AT_ONCE = 8;
/** Lambda's limit for one invocation. A longer run continues in another slice. */
const SLICE_MS = 15 * 60_000;

export interface LocalRunner extends Runner {
  /** Reads the first records of a resource and writes nothing. */
  preview(
    request: ResourceRef & { limit: number },
    log: Log,
    signal: AbortSignal,
  ): Promise<Preview>;
}

/** Finds the secret values of a source. */
export type SecretLookup = (source: string, memberNames: string[]) => Promise<SecretMembers>;

/**
 * Opens a runner for calling the functions in-process. Problems with the secrets are thrown
 * together, before the first request or write.
 */
export async function openLocalRunner(
  loadedSources: LoadedSource[],
  options: Pick<Options, "data" | "dynamodb" | "secrets">,
  io: Pick<Io, "env" | "cwd" | "stderr">,
  lookUpSecret: SecretLookup = createSecretLookup({
    ...options,
    env: io.env,
    cwd: io.cwd,
    warn: (line) => io.stderr.write(`${line}\n`),
  }),
): Promise<LocalRunner> {
  const sources: Sources = Object.fromEntries(
    loadedSources.map(({ name, source }) => [name, source]),
  );
  const plans = loadedSources.map(({ name, source }) => planSource(source, name));
  const folders = { ...options, cwd: io.cwd };
  await requireSecrets(plans, lookUpSecret, folders);
  const session = await openSession({
    ...options,
    readSecret: async (source) => {
      const plan = plans.find(({ name }) => name === source);
      return lookUpSecret(source, plan?.secrets ?? []);
    },
    findSecretWriter: (source) =>
      plans.some(({ name, rotatesSecret }) => name === source && rotatesSecret)
        ? (members) => updateSecretsFile(source, members, folders)
        : undefined,
  });

  return {
    plans,
    session,
    async run(events, log, signal) {
      await prepareSession(session, plans, log);
      return runLocally({ sources, events, log, signal });
    },
    check(events, log, signal) {
      const checks = events.map((event) => ({ ...event, check: true }));
      return runLocally({ sources, events: checks, log, signal });
    },
    preview(request, log, signal) {
      const world = lambdaWorld(localContext("preview"), { log, signal });
      return previewResource(request, { sources, world, localOrigin });
    },
    close: session.close,
  };
}

async function requireSecrets(
  plans: SourcePlan[],
  lookUpSecret: SecretLookup,
  folders: SecretFolders,
): Promise<void> {
  const problems: Problem[] = [];
  for (const { name: source, secrets, rotatesSecret } of plans) {
    const values = await lookUpSecret(source, secrets);
    // The check comes before any request: an answer may already invalidate the old refresh token.
    if (rotatesSecret && !(await findSecretsFile(source, folders))) {
      problems.push(noSecretsFileProblem(source));
    }
    for (const member of secrets) {
      if (values[member]) continue;
      problems.push({
        path: `${source}: secrets.${member}`,
        message: `the secret "${member}" is missing`,
        hint: `put {"${member}": "…"} into .tidetable/secrets/${source}.json, or set ${secretVariable(member)}`,
      });
    }
  }
  if (problems.length === 0) return;
  throw new ConfigError({ code: "secrets.missing", message: "secrets are missing", problems });
}

const noSecretsFileProblem = (source: string): Problem => ({
  path: `${source}: secrets`,
  message: "a refresh token cannot be kept in an environment variable: the API replaces it",
  hint: `put the secrets into .tidetable/secrets/${source}.json, or name a file with --secrets`,
});

/** Calls the functions as EventBridge and Lambda would, until every resource has ended. */
async function runLocally({
  sources,
  events,
  log,
  signal,
}: {
  sources: Sources;
  events: RunEvent[];
  log: Log;
  signal: AbortSignal;
}): Promise<RunOutcome> {
  const runId = newRunId(Date.now());
  const workerEvents: WorkerEvent[] = [];
  const schedule = createScheduler({
    sources,
    log,
    invoke: async (event) => void workerEvents.push(event),
  });
  for (const event of events) await schedule(event, localContext(runId));

  const invokeWorker = createWorker({ sources, log, signal });
  const reports = await mapConcurrently(workerEvents, RESOURCES_AT_ONCE, (event) =>
    runAllSlices(event, invokeWorker, signal),
  );
  return { runId, reports };
}

/** Invokes the worker for one slice after another, as the resume tick does in AWS. */
async function runAllSlices(
  firstEvent: WorkerEvent,
  invokeWorker: ReturnType<typeof createWorker>,
  signal: AbortSignal,
): Promise<ResourceReport> {
  let event = firstEvent;
  while (true) {
    const context = localContext(randomBytes(4).toString("hex"));
    const report = await invokeWorker(event, context).catch(reportOfError);
    if (signal.aborted) return report;
    if (report.status === "done" && report.refresh_due && event === firstEvent) {
      // The run only finished an open run. The requested refresh is a separate run.
      event = { ...firstEvent, run_id: `${firstEvent.run_id}-refresh` };
      continue;
    }
    const isOpen = report.status === "running" || report.status === "waiting";
    if (!isOpen) return report;
    const pauseMs = report.not_before ? Date.parse(report.not_before) - Date.now() : 0;
    await wait(Math.max(0, pauseMs), undefined, { signal }).catch(() => {});
    if (signal.aborted) return report;
  }
}

function reportOfError(error: unknown): ResourceReport {
  if (error instanceof RunError) return error.report;
  throw error;
}

/** The invocation context that Lambda would pass to a handler. */
function localContext(awsRequestId: string): Context {
  const endsAt = performance.now() + SLICE_MS;
  return {
    awsRequestId,
    logStreamName: localLeaseOwner,
    functionName: "tidetable-local",
    functionVersion: "$LATEST",
    invokedFunctionArn: "arn:aws:lambda:local:000000000000:function:tidetable-local",
    logGroupName: "local",
    memoryLimitInMB: "512",
    callbackWaitsForEmptyEventLoop: false,
    getRemainingTimeInMillis: () => endsAt - performance.now(),
    done() {},
    fail() {},
    succeed() {},
  };
}
