import type { Names } from "../../packages/core/src/base/names.ts";
import type { Log, World } from "../../packages/core/src/base/world.ts";
import type { WorkerEvent } from "../../packages/core/src/entry/events.ts";
import { handleScheduleEvent } from "../../packages/core/src/entry/schedule.ts";
import { handleWorkerEvent, RunError } from "../../packages/core/src/entry/worker.ts";
import { deadlineOf } from "../../packages/core/src/run/pacer.ts";
import type { Sources } from "../../packages/core/src/run/reach.ts";
import { type Container, openContainer, type Services } from "./container.ts";
import { serverError } from "./dynamodb-errors.ts";
import type { Oracle } from "./oracle.ts";
import { EPOCH, type Process, spawn } from "./process.ts";
import type { Stage } from "./stage.ts";

/*
 * Lambda and EventBridge, with their habits: events come twice, late or never, a failed invocation
 * is tried again after one and two minutes with the same event, and what takes too long is killed.
 */

const MINUTE = 60_000;
const ATTEMPTS = 3;

export interface Deployment {
  names: Names;
  source: string;
  sources: Sources;
}

export function openPlatform(
  stage: Stage,
  deployment: Deployment,
  services: Services & { watcher: Oracle },
) {
  const { time, weather } = stage;
  const random = stage.random.split("platform");
  const timeoutMs = random.pick([60_000, 90_000, 180_000, 900_000]);
  // Whether what was frozen beyond its deadline gets to run once more before it is killed.
  const wakesLate = random.chance(0.3);
  const warm: Container[] = [];
  let invocations = 0;
  let schedules = 0;

  function invoke(event: WorkerEvent, attempt = 1): void {
    invocations += 1;
    stage.count("invocations");
    const name = `w${invocations}`;
    let retried = false;
    const retry = () => {
      if (retried) return;
      retried = true;
      if (attempt === ATTEMPTS) return stage.count("failed_events");
      stage.count("retried_events");
      time.after(attempt * MINUTE, () => invoke(event, attempt + 1));
    };
    const process = spawn(stage, name, { onDeath: retry });
    const reused = random.chance(0.5) ? warm.pop() : undefined;
    const container = reused ?? openContainer(stage, services, process);
    container.process = process;
    stage.trace(name, `starts, attempt ${attempt} of ${event.resource} ${event.run_id}`);

    const end = () => {
      process.end();
      limit.cancel();
      if (random.chance(0.5)) warm.push(container);
    };
    handleWorkerEvent(event, {
      sources: deployment.sources,
      invocation: name,
      localOrigin: () => ({ override: undefined, dynamodbEndpoint: undefined }),
      world: worldOf(process, container),
    }).then(
      (report) => {
        end();
        services.watcher.reported(process, report);
      },
      (error: unknown) => {
        end();
        if (error instanceof RunError) services.watcher.reported(process, error.report);
        else stage.violated("I4", `${name} throws ${error}`);
        retry();
      },
    );

    const limit = time.after(timeoutMs, () => {
      if (process.state !== "running") return;
      if (!process.hasFrozen) stage.violated("I4", `${name} is still at work at its deadline`);
      retry();
      const wakes = wakesLate && process.frozenUntil > time.now();
      const left = wakes ? process.frozenUntil - time.now() + random.between(0, 30_000) : 0;
      time.after(left, () => process.die("the platform's deadline"));
    });
    if (weather.strikes("killed")) {
      time.after(random.between(0, 20_000), () => process.die("out of memory"));
    }
  }

  const worldOf = (process: Process, { dynamodb, secretsManager, http }: Container): World => ({
    names: deployment.names,
    clock: process.clock,
    random: random.split(process.name).next,
    log: logOf((line) => services.watcher.logged(process, line)),
    signal: new AbortController().signal,
    // As functions/world.ts has it.
    deadline: deadlineOf(process.clock.monotonic(), timeoutMs),
    dynamodb,
    secretsManager,
    http,
    origins: new Map(),
  });

  /** Lambda's queue for asynchronous invocations. */
  function enqueue(event: WorkerEvent): void {
    const copies = weather.strikes("duplicate") ? 2 : 1;
    if (copies > 1) stage.count("duplicate_events");
    for (let copy = 0; copy < copies; copy++) {
      const late = weather.strikes("delayed") ? random.between(MINUTE, 12 * MINUTE) : 0;
      time.after(late + random.between(5, 500), () => invoke(event));
    }
  }

  /** One invocation of the schedule function. */
  function fanOut(event: object, attempt = 1): void {
    schedules += 1;
    const retry = () => {
      if (attempt < ATTEMPTS) time.after(attempt * MINUTE, () => fanOut(event, attempt + 1));
    };
    const process = spawn(stage, `s${schedules}`, { onDeath: retry });
    stage.trace(process.name, JSON.stringify(event));
    handleScheduleEvent(event, {
      ...worldOf(process, openContainer(stage, services, process)),
      sources: deployment.sources,
      requestId: `request-${schedules}`,
      invoke: (worker) =>
        process.call({
          service: "lambda",
          what: `invokes ${worker.resource} ${worker.run_id}`,
          fate: weather.fateOf("lambda"),
          effect: () => enqueue(worker),
          failure: serverError,
        }),
    }).then(
      () => process.end(),
      () => {
        process.end();
        retry();
      },
    );
  }

  return {
    /** One scheduled tick, as EventBridge would deliver it. */
    tick() {
      if (weather.strikes("dropped")) return stage.count("lost_events");
      const { source } = deployment;
      const refresh = weather.strikes("full_refresh")
        ? { full_refresh: true, confirm: source }
        : {};
      const event = { source, time: new Date(EPOCH + time.now()).toISOString(), ...refresh };
      const late = weather.strikes("delayed") ? random.between(MINUTE, 12 * MINUTE) : 0;
      time.after(late, () => fanOut(event));
      if (weather.strikes("duplicate")) {
        stage.count("duplicate_events");
        time.after(random.between(0, MINUTE), () => fanOut(event));
      }
    },
    /** The tick of the resume schedule. */
    resume() {
      fanOut({ resume: true });
    },
  };
}

function logOf(write: (line: string) => void): Log {
  const log = (message: string, fields?: object) => write(`${message} ${JSON.stringify(fields)}`);
  return { debug: log, info: log, warn: log, error: log };
}
