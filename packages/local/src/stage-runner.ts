import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import {
  type Clock,
  ConfigError,
  type Log,
  plan,
  type ResourcePlan,
  type ResourceReport,
  type SourcePlan,
  scheduleFunctionName,
  tableName,
  type WorkerEvent,
  workerFunctionName,
} from "@tidetable/core";
import { follow, type Pipeline } from "./follow.ts";
import { invokeSchedule } from "./invoke.ts";
import type { Io } from "./io.ts";
import type { Loaded } from "./load-source.ts";
import { newRunId } from "./names.ts";
import { lostReport, openReport, sampleReport } from "./outcome.ts";
import { oneLine } from "./render.ts";
import type { Outcome, Runner } from "./runner.ts";
import { explained, openStage } from "./stage.ts";
import { functionMissing, stageProblems } from "./stage-problems.ts";

/** As locally. Each of them is a worker in AWS, and a request that waits for it here. */
const WORKERS_AT_ONCE = 8;

/** An event of `run` or `check`. */
interface Wanted {
  source: string;
  resources?: string[];
  limit_pages?: number;
}

/** Runs and checks in a deployed stage, by its own functions. */
export async function openStageRunner(
  loaded: Loaded[],
  stage: string,
  { stderr }: Pick<Io, "stderr">,
): Promise<Runner> {
  const plans = loaded.map(({ name, source }) => plan(source, name));
  const session = await openStage(stage);
  const { names, clock } = session;
  const lambda = explained(new LambdaClient(), stage);

  const pipeline: Pipeline = {
    schedule: (event) =>
      invokeSchedule(lambda, names, event).catch(
        functionMissing(stage, scheduleFunctionName(names)),
      ),
    givenUp: patience(clock),
  };

  /** Asks workers directly, for what only their answer tells. */
  async function askWorkers(
    events: Wanted[],
    more: Partial<WorkerEvent>,
    { log, signal }: { log: Log; signal: AbortSignal },
  ): Promise<Outcome> {
    const runId = newRunId(clock.now());
    const asked = events.flatMap((event) => chosen(event, plans));
    const reports: ResourceReport[] = [];
    const waiting = asked.entries();
    const lane = async () => {
      for (const [index, resource] of waiting) {
        const { source, name } = resource;
        const event = { source, resource: name, run_id: runId, ...more };
        const report = await askWorker(event, resource, signal);
        log.info(report.status, { source, resource: name, report });
        reports[index] = report;
      }
    };
    await Promise.all(Array.from({ length: WORKERS_AT_ONCE }, lane));
    return { runId, reports };
  }

  async function askWorker(
    event: WorkerEvent,
    resource: ResourcePlan,
    signal: AbortSignal,
  ): Promise<ResourceReport> {
    const run = { runId: event.run_id, at: clock.now() };
    const base = {
      source: event.source,
      resource: event.resource,
      table: tableName(names, resource),
    };
    const FunctionName = workerFunctionName(names, event.source);
    const command = new InvokeCommand({
      FunctionName,
      InvocationType: "RequestResponse",
      Payload: JSON.stringify(event),
    });
    try {
      signal.throwIfAborted();
      const { FunctionError, Payload } = await lambda.send(command, { abortSignal: signal });
      const answer = JSON.parse(Payload?.transformToString() ?? "null");
      if (FunctionError) return { ...lostReport(run, base, ""), error: workerError(answer, event) };
      return sampleReport(run.runId, answer) ?? answer;
    } catch (error) {
      if (signal.aborted) return { ...openReport(run, base, undefined), error: unheard };
      return functionMissing(stage, FunctionName)(error);
    }
  }

  return {
    plans,
    session,
    run(events: Wanted[], log, signal) {
      // A sample leaves no trace in the state: there would be nothing to follow.
      const limit_pages = events[0]?.limit_pages;
      if (limit_pages !== undefined) return askWorkers(events, { limit_pages }, { log, signal });
      return follow(pipeline, events, { plans, world: session, log, signal });
    },
    async check(events: Wanted[], log, signal) {
      const warn = (line: string) => void stderr.write(`warning: ${line}\n`);
      const problems = await stageProblems(plans, session, { lambda, warn });
      if (problems.length > 0) {
        const message = `stage ${stage} can not run all of its sources`;
        throw new ConfigError({ code: "stage.incomplete", message, problems });
      }
      return askWorkers(events, { check: true }, { log, signal });
    },
    async close() {
      lambda.destroy();
      await session.close();
    },
  };
}

const unheard = {
  code: "run.interrupted",
  message: "the worker's answer was not waited for",
  hint: null,
};

function chosen({ source, resources }: Wanted, plans: SourcePlan[]): ResourcePlan[] {
  const all = plans.find(({ name }) => name === source)?.resources ?? [];
  return resources ? all.filter(({ name }) => resources.includes(name)) : all;
}

/** What a worker threw. Lambda passes on its message and drops its report. */
function workerError(
  { errorMessage }: { errorMessage?: string },
  { source, resource }: WorkerEvent,
): ResourceReport["error"] {
  const message = oneLine(errorMessage ?? "the worker failed").replace(
    `${source}.${resource}: `,
    "",
  );
  return { code: "worker.failed", message, hint: null };
}

/** Lambda tries an event three times: at once, after a minute, and two minutes after that. */
const ATTEMPTS = 3;
const NEXT_ATTEMPT_MS = 3 * 60_000;
const SILENCE_MS = 10 * 60_000;

/** How long a run is waited for that failed, or of which nothing is to be seen. */
export function patience(clock: Pick<Clock, "now">): Pipeline["givenUp"] {
  const seen = new Map<string, { failures: Set<number>; since: number }>();
  return ({ source, resource, runId, at }, failedAt) => {
    const now = clock.now();
    if (failedAt === undefined) {
      return now - at < SILENCE_MS ? undefined : "its worker has not begun for ten minutes";
    }
    const key = `${source}.${resource} ${runId}`;
    const last = seen.get(key) ?? { failures: new Set(), since: now };
    // Counted from when it was seen here: the worker's clock is another one.
    const since = last.failures.has(failedAt) ? last.since : now;
    const failures = last.failures.add(failedAt);
    seen.set(key, { failures, since });
    const over = failures.size >= ATTEMPTS || now - since >= NEXT_ATTEMPT_MS;
    return over ? "all attempts failed" : undefined;
  };
}
