import { randomBytes } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import {
  ConfigError,
  type Log,
  type Preview,
  type Problem,
  plan,
  preview,
  type ResourceReport,
  RunError,
  type SourcePlan,
  type Sources,
  type WorkerEvent,
} from "@tidetable/core";
import type { Context } from "aws-lambda";
import { worker } from "../../../functions/resource.ts";
import { scheduler } from "../../../functions/schedule.ts";
import { localOrigin, world } from "../../../functions/world.ts";
import type { Io } from "./io.ts";
import { localOwner } from "./leases.ts";
import type { Loaded } from "./load-source.ts";
import { newRunId } from "./names.ts";
import type { Options } from "./options.ts";
import { keepSecrets, localSecrets, type SecretPlaces, secretsFile } from "./secrets-endpoint.ts";
import { openSession, prepare } from "./session.ts";
import type { Session } from "./session-type.ts";

/** More would only queue at the engine, which has one core. */
const RESOURCES_AT_ONCE = 8;
/** As in AWS: a longer run goes on in another slice. */
const SLICE_MS = 15 * 60_000;

export interface Runner {
  plans: SourcePlan[];
  session: Session;
  run(events: object[], log: Log, signal: AbortSignal): Promise<Outcome>;
  /** One page per resource; nothing is written. */
  check(events: object[], log: Log, signal: AbortSignal): Promise<Outcome>;
  close(): Promise<void>;
}

export interface Outcome {
  runId: string;
  reports: ResourceReport[];
}

export interface LocalRunner extends Runner {
  /** Looks at the first records of a resource; nothing is written. */
  preview(
    of: { source: string; resource: string; limit: number },
    log: Log,
    signal: AbortSignal,
  ): Promise<Preview>;
}

/** Where a source's secret values come from. */
export type SecretsOf = (source: string, members: string[]) => Promise<Record<string, string>>;

/**
 * A laptop's AWS with the sources deployed in it: secrets looked at, tables created. Throws all
 * problems with the secrets at once, before anything is requested or written.
 */
export async function openRunner(
  loaded: Loaded[],
  options: Pick<Options, "data" | "dynamodb" | "secrets">,
  io: Pick<Io, "env" | "cwd" | "stderr">,
  secretsOf: SecretsOf = localSecrets({
    ...options,
    env: io.env,
    cwd: io.cwd,
    warn: (line) => io.stderr.write(`${line}\n`),
  }),
): Promise<LocalRunner> {
  const sources: Sources = Object.fromEntries(loaded.map(({ name, source }) => [name, source]));
  const plans = loaded.map(({ name, source }) => plan(source, name));
  const places = { ...options, cwd: io.cwd };
  await requireSecrets(plans, secretsOf, places);
  const session = await openSession({
    ...options,
    secretsOf: async (source) =>
      secretsOf(source, plans.find(({ name }) => name === source)?.secrets ?? []),
    keeperOf: (source) =>
      plans.some(({ name, rotatesSecret }) => name === source && rotatesSecret)
        ? (members) => keepSecrets(source, members, places)
        : undefined,
  });
  const invokeAll = (events: object[], log: Log, signal: AbortSignal) =>
    runLocally({ sources, events, log, signal });

  return {
    plans,
    session,
    async run(events, log, signal) {
      await prepare(session, plans, log);
      return invokeAll(events, log, signal);
    },
    check(events, log, signal) {
      const checks = events.map((event) => ({ ...event, check: true }));
      return invokeAll(checks, log, signal);
    },
    preview(of, log, signal) {
      const seams = { log, signal };
      return preview(of, { sources, world: world(context("preview"), seams), localOrigin });
    },
    close: session.close,
  };
}

async function requireSecrets(
  plans: SourcePlan[],
  secretsOf: SecretsOf,
  places: SecretPlaces,
): Promise<void> {
  const problems: Problem[] = [];
  for (const { name: source, secrets, rotatesSecret } of plans) {
    const values = await secretsOf(source, secrets);
    if (rotatesSecret && !(await secretsFile(source, places))) problems.push(notKept(source));
    for (const member of secrets) {
      if (values[member]) continue;
      problems.push({
        path: `${source}: secrets.${member}`,
        message: `the secret "${member}" is missing`,
        hint: `put {"${member}": "…"} into .tidetable/secrets/${source}.json, or set TIDETABLE_SECRET_${member.toUpperCase()}`,
      });
    }
  }
  if (problems.length === 0) return;
  throw new ConfigError({ code: "secrets.missing", message: "secrets are missing", problems });
}

/** Said before the API is asked: its answer may make the old refresh token worthless. */
const notKept = (source: string): Problem => ({
  path: `${source}: secrets`,
  message: "a refresh token can not be kept in an environment variable: the API replaces it",
  hint: `put the secrets into .tidetable/secrets/${source}.json, or name a file with --secrets`,
});

/** Calls the real functions as EventBridge and Lambda would, until every resource has ended. */
async function runLocally(run: {
  sources: Sources;
  events: object[];
  log: Log;
  signal: AbortSignal;
}): Promise<Outcome> {
  const { sources, log, signal } = run;
  const runId = newRunId(Date.now());
  const queue: WorkerEvent[] = [];
  const schedule = scheduler({
    sources,
    log,
    invoke: async (event) => void queue.push(event),
  });
  for (const event of run.events) await schedule(event, context(runId));

  const invoke = worker({ sources, log, signal });
  const reports: ResourceReport[] = [];
  const waiting = queue.entries();
  const lane = async () => {
    for (const [index, event] of waiting) reports[index] = await toItsEnd(event, invoke, signal);
  };
  await Promise.all(Array.from({ length: RESOURCES_AT_ONCE }, lane));
  return { runId, reports };
}

/** What the resume tick does in AWS: the next slice, not before its time. */
async function toItsEnd(
  event: WorkerEvent,
  invoke: ReturnType<typeof worker>,
  signal: AbortSignal,
): Promise<ResourceReport> {
  let next = event;
  while (true) {
    const report = await invoke(next, context(randomBytes(4).toString("hex"))).catch(reportOf);
    if (signal.aborted) return report;
    if (report.status === "done" && report.refresh_due && next === event) {
      // It only finished what was open; the refresh that was asked for is a run of its own.
      next = { ...event, run_id: `${event.run_id}-refresh` };
      continue;
    }
    const open = report.status === "running" || report.status === "waiting";
    if (!open) return report;
    const pause = report.not_before ? Date.parse(report.not_before) - Date.now() : 0;
    await wait(Math.max(0, pause), undefined, { signal }).catch(() => {});
    if (signal.aborted) return report;
  }
}

function reportOf(error: unknown): ResourceReport {
  if (error instanceof RunError) return error.report;
  throw error;
}

function context(awsRequestId: string): Context {
  const ends = performance.now() + SLICE_MS;
  return {
    awsRequestId,
    logStreamName: localOwner,
    functionName: "tidetable-local",
    functionVersion: "$LATEST",
    invokedFunctionArn: "arn:aws:lambda:local:000000000000:function:tidetable-local",
    logGroupName: "local",
    memoryLimitInMB: "512",
    callbackWaitsForEmptyEventLoop: false,
    getRemainingTimeInMillis: () => ends - performance.now(),
    done() {},
    fail() {},
    succeed() {},
  };
}
