import type { Names } from "../../packages/core/src/base/names.ts";
import type { Log, World } from "../../packages/core/src/base/world.ts";
import type { Sources } from "../../packages/core/src/config/source.ts";
import type { ScheduleEvent, WorkerEvent } from "../../packages/core/src/entry/events.ts";
import { handleScheduleEvent } from "../../packages/core/src/entry/schedule.ts";
import { handleWorkerEvent, RunError } from "../../packages/core/src/entry/worker.ts";
import { deadlineOf } from "../../packages/core/src/run/pacer.ts";
import { type Container, openContainer, type Services } from "./container.ts";
import { serverError } from "./dynamodb-errors.ts";
import type { Oracle } from "./oracle/oracle.ts";
import { type Process, spawn } from "./process.ts";
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

export class Platform {
  /** As deployed now: an invocation keeps the config that it began with. */
  deployment: Deployment;
  readonly #stage: Stage;
  readonly #random: Stage["random"];
  readonly #services: Services & { watcher: Oracle };
  readonly #timeoutMs: number;
  /** Whether what was frozen beyond its deadline gets to run once more before it is killed. */
  readonly #wakesLate: boolean;
  readonly #warm: Container[] = [];
  #invocations = 0;
  #schedules = 0;

  constructor(stage: Stage, deployment: Deployment, services: Services & { watcher: Oracle }) {
    this.#stage = stage;
    this.deployment = deployment;
    this.#services = services;
    this.#random = stage.random.split("platform");
    this.#timeoutMs = this.#random.pick([60_000, 90_000, 180_000, 900_000]);
    this.#wakesLate = this.#random.chance(0.3);
  }

  /** One event for the schedule function, as EventBridge or a person would deliver it. */
  send(event: ScheduleEvent): void {
    const { time, weather } = this.#stage;
    if (weather.strikes("dropped")) {
      this.#stage.count("lost_events");
      return;
    }
    const late = weather.strikes("delayed") ? this.#random.between(MINUTE, 12 * MINUTE) : 0;
    time.after(late, () => this.#fanOut(event));
    if (!weather.strikes("duplicate")) return;
    this.#stage.count("duplicate_events");
    time.after(this.#random.between(0, MINUTE), () => this.#fanOut(event));
  }

  /** The tick of the resume schedule. */
  resume(): void {
    this.#fanOut({ resume: true });
  }

  /** The world of a process that is none of the platform's: a command on somebody's machine. */
  openProcess(name: string): { process: Process; world: World } {
    const process = spawn(this.#stage, name, { onDeath: () => {} });
    const container = openContainer(this.#stage, this.#services, process);
    return { process, world: this.#worldOf(process, container, new AbortController().signal) };
  }

  /** One invocation of the schedule function. */
  #fanOut(event: ScheduleEvent, attempt = 1): void {
    this.#schedules += 1;
    const { time, weather } = this.#stage;
    const retry = () => {
      if (attempt < ATTEMPTS) {
        time.after(attempt * MINUTE, () => this.#fanOut(event, attempt + 1));
      }
    };
    const process = spawn(this.#stage, `s${this.#schedules}`, { onDeath: retry });
    if (!event.resume) this.#stage.trace(process.name, JSON.stringify(event));
    const container = openContainer(this.#stage, this.#services, process);
    handleScheduleEvent(event, {
      ...this.#worldOf(process, container, new AbortController().signal),
      sources: this.deployment.sources,
      requestId: `request-${this.#schedules}`,
      invoke: (worker) =>
        process.call({
          service: "lambda",
          what: `invokes ${worker.resource} ${worker.run_id}`,
          fate: weather.fateOf("lambda"),
          effect: () => this.#enqueue(worker),
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

  /** Lambda's queue for asynchronous invocations. */
  #enqueue(event: WorkerEvent): void {
    const { time, weather } = this.#stage;
    this.#services.watcher.events.sent({
      resource: event.resource,
      slot: this.#services.watcher.slotOf(event),
      id: event.run_id,
      isRefresh: event.full_refresh ?? false,
    });
    const copies = weather.strikes("duplicate") ? 2 : 1;
    if (copies > 1) this.#stage.count("duplicate_events");
    for (let copy = 0; copy < copies; copy++) {
      const late = weather.strikes("delayed") ? this.#random.between(MINUTE, 12 * MINUTE) : 0;
      time.after(late + this.#random.between(5, 500), () => this.#invoke(event));
    }
  }

  #invoke(event: WorkerEvent, attempt = 1): void {
    this.#invocations += 1;
    const { time, weather } = this.#stage;
    const { watcher } = this.#services;
    this.#stage.count("invocations");
    const name = `w${this.#invocations}`;
    let isRetried = false;
    const retry = () => {
      if (isRetried) return;
      isRetried = true;
      if (attempt === ATTEMPTS) {
        this.#stage.count("failed_events");
        return;
      }
      this.#stage.count("retried_events");
      time.after(attempt * MINUTE, () => this.#invoke(event, attempt + 1));
    };
    const process = spawn(this.#stage, name, { onDeath: retry });
    watcher.begins(process, {
      resource: event.resource,
      slot: this.#services.watcher.slotOf(event),
      runId: event.run_id,
      isReset: false,
      isRefresh: event.full_refresh ?? false,
    });
    const reused = this.#random.chance(0.5) ? this.#warm.pop() : undefined;
    const container = reused ?? openContainer(this.#stage, this.#services, process);
    container.process = process;
    this.#stage.trace(name, `starts, attempt ${attempt} of ${JSON.stringify(event)}`);

    const end = () => {
      process.end();
      limit.cancel();
      if (this.#random.chance(0.5)) this.#warm.push(container);
    };
    const interrupt = new AbortController();
    handleWorkerEvent(event, {
      sources: this.deployment.sources,
      invocation: name,
      localOrigin: () => ({ override: undefined, dynamodbEndpoint: undefined }),
      world: this.#worldOf(process, container, interrupt.signal),
    }).then(
      (report) => {
        end();
        watcher.reported(process, report);
      },
      (error: unknown) => {
        end();
        if (error instanceof RunError) watcher.reported(process, error.report);
        else this.#stage.violated("I4", `${name} throws ${error}`);
        retry();
      },
    );

    const limit = time.after(this.#timeoutMs, () => this.#kill(process, retry));
    if (weather.strikes("killed")) {
      time.after(this.#random.between(0, 20_000), () => process.die("out of memory"));
    }
    if (weather.strikes("interrupted")) {
      time.after(this.#random.between(0, 20_000), () =>
        process.deliver(() => interrupt.abort(new Error("interrupted"))),
      );
    }
  }

  /** The deadline of the platform. A worker that is awake has ended before. */
  #kill(process: Process, retry: () => void): void {
    const { time } = this.#stage;
    if (process.state !== "running") return;
    if (!process.hasFrozen) {
      this.#stage.violated("I4", `${process.name} is still at work at its deadline`);
    }
    retry();
    const wakes = this.#wakesLate && process.frozenUntil > time.now();
    const left = wakes ? process.frozenUntil - time.now() + this.#random.between(0, 30_000) : 0;
    time.after(left, () => process.die("the platform's deadline"));
  }

  #worldOf(process: Process, container: Container, signal: AbortSignal): World {
    const { dynamodb, secretsManager, http } = container;
    return {
      names: this.deployment.names,
      clock: process.clock,
      random: this.#random.split(process.name).next,
      log: logOf((line) => this.#services.watcher.logged(process, line)),
      signal,
      // As lambda/world.ts has it.
      deadline: deadlineOf(process.clock.monotonic(), this.#timeoutMs),
      dynamodb,
      secretsManager,
      http,
      origins: new Map(),
    };
  }
}

function logOf(write: (line: string) => void): Log {
  const log = (message: string, fields?: object) => write(`${message} ${JSON.stringify(fields)}`);
  return { debug: log, info: log, warn: log, error: log };
}
