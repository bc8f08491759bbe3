import { LambdaClient } from "@aws-sdk/client-lambda";
import type { Log, ResourceReport, WorkerEvent } from "@tidetable/core/internal";
import { ConfigError, explainError, isFailure } from "@tidetable/core/internal/config";
import {
  type Names,
  planSource,
  type ResourcePlan,
  type SourcePlan,
  scheduleFunctionName,
  tableName,
  workerFunctionName,
} from "@tidetable/core/plan";
import type { Io } from "../base/io.ts";
import { newRunId } from "../base/names.ts";
import type { Session } from "../base/session-type.ts";
import { safeLine } from "../output/render.ts";
import { openWaits } from "../session/open-waits.ts";
import type { LoadedSource } from "../sources/load-source.ts";
import { explainAwsErrors } from "../stage/aws-errors.ts";
import { findStageProblems, rethrowFunctionMissing } from "../stage/stage-problems.ts";
import { openStageSession } from "../stage/stage-session.ts";
import { followRuns, type Pipeline } from "./follow.ts";
import { lostReport, sampleReport, unfinishedReport } from "./followed-report.ts";
import { createGiveUpRule } from "./give-up-rule.ts";
import { invokeFunction, invokeSchedule } from "./invoke-function.ts";
import { mapConcurrently } from "./map-concurrently.ts";
import type { RunEvent, Runner, RunOutcome } from "./runner.ts";

/** The limit of local mode. Each worker in AWS occupies a waiting request here. */
const WORKERS_AT_ONCE = 8;

/** Opens a runner that runs and checks sources in a deployed stage, by the stage's own functions. */
export async function openStageRunner(
  loadedSources: LoadedSource[],
  names: Names,
  { stderr }: Pick<Io, "stderr">,
): Promise<Runner> {
  const plans = loadedSources.map(({ name, source }) => planSource(source, name));
  const session = await openStageSession(names);
  const lambda = explainAwsErrors(new LambdaClient(), names.stage);
  const warn = (line: string) => void stderr.write(`warning: ${line}\n`);
  return new StageRunner(plans, session, lambda, warn);
}

class StageRunner implements Runner {
  readonly plans: SourcePlan[];
  readonly session: Session;
  readonly #lambda: LambdaClient;
  readonly #warn: (line: string) => void;
  readonly #pipeline: Pipeline;

  constructor(
    plans: SourcePlan[],
    session: Session,
    lambda: LambdaClient,
    warn: (line: string) => void,
  ) {
    this.plans = plans;
    this.session = session;
    this.#lambda = lambda;
    this.#warn = warn;
    const { names, clock } = session;
    const rethrowMissing = rethrowFunctionMissing(names.stage, scheduleFunctionName(names));
    this.#pipeline = {
      schedule: (event) => invokeSchedule(lambda, names, event).catch(rethrowMissing),
      giveUpReason: createGiveUpRule(clock),
    };
  }

  async run(events: RunEvent[], log: Log, signal: AbortSignal): Promise<RunOutcome> {
    const limit_pages = events[0]?.limit_pages;
    // A sample leaves no trace in the state table and cannot be followed.
    if (limit_pages !== undefined) return this.#invokeWorkers(events, { limit_pages }, log, signal);
    const { plans, session: world } = this;
    await openWaits(world, plans, events).catch(this.#warnOfWaits);
    return followRuns(this.#pipeline, events, { plans, world, log, signal });
  }

  /** Who may run a stage may not be allowed to write its state: then the run keeps the wait. */
  readonly #warnOfWaits = (error: unknown): void => {
    if (!isFailure(error)) throw error;
    this.#warn(`a wait that the API has asked for stays: ${explainError(error)}`);
  };

  async check(events: RunEvent[], log: Log, signal: AbortSignal): Promise<RunOutcome> {
    const problems = await findStageProblems(this.plans, this.session, {
      lambda: this.#lambda,
      warn: this.#warn,
    });
    if (problems.length > 0) {
      const message = `stage ${this.session.names.stage} cannot run all of its sources`;
      throw new ConfigError({ code: "stage.incomplete", message, problems });
    }
    return this.#invokeWorkers(events, { check: true }, log, signal);
  }

  async close(): Promise<void> {
    this.#lambda.destroy();
    await this.session.close();
  }

  /** Invokes workers without the schedule function, when only their answers carry the result. */
  async #invokeWorkers(
    events: RunEvent[],
    mode: { limit_pages: number } | { check: true },
    log: Log,
    signal: AbortSignal,
  ): Promise<RunOutcome> {
    const runId = newRunId(this.session.clock.now());
    const resources = events.flatMap((event) => selectResources(event, this.plans));
    const reports = await mapConcurrently(resources, WORKERS_AT_ONCE, async (plan) => {
      const { source, name: resource } = plan;
      const event = { source, resource, run_id: runId, ...mode };
      const report = await this.#invokeWorker(event, plan, signal);
      log.info(report.status, { source, resource, report });
      return report;
    });
    return { runId, reports };
  }

  async #invokeWorker(
    event: WorkerEvent,
    plan: ResourcePlan,
    signal: AbortSignal,
  ): Promise<ResourceReport> {
    const { names, clock } = this.session;
    const { source, resource } = event;
    const run = { runId: event.run_id, at: clock.now() };
    const identity = { source, resource, table: tableName(names, plan) };
    const functionName = workerFunctionName(names, source);
    try {
      signal.throwIfAborted();
      const invocation = await invokeFunction(this.#lambda, functionName, event, signal);
      if (invocation.hasFailed) {
        const error = workerError(Object(invocation.answer), event);
        return { ...lostReport(run, identity, ""), error };
      }
      const answer = invocation.answer as ResourceReport;
      return sampleReport(run.runId, answer) ?? answer;
    } catch (error) {
      if (signal.aborted) {
        return { ...unfinishedReport(run, identity, undefined), error: notAwaitedError };
      }
      return rethrowFunctionMissing(names.stage, functionName)(error);
    }
  }
}

const notAwaitedError = {
  code: "run.interrupted",
  message: "the worker's answer was not waited for",
  hint: null,
};

function selectResources({ source, resources }: RunEvent, plans: SourcePlan[]): ResourcePlan[] {
  const resourcePlans = plans.find(({ name }) => name === source)?.resources ?? [];
  return resources ? resourcePlans.filter(({ name }) => resources.includes(name)) : resourcePlans;
}

/** The error of a worker. Lambda passes on only its message, without the report. */
function workerError(
  { errorMessage }: { errorMessage?: string },
  { source, resource }: WorkerEvent,
): ResourceReport["error"] {
  const message = safeLine(errorMessage ?? "the worker failed").replace(
    `${source}.${resource}: `,
    "",
  );
  return { code: "worker.failed", message, hint: null };
}
