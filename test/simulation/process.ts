import type { Clock } from "../../packages/core/src/base/world.ts";
import type { Stage } from "./stage.ts";
import type { Fate, Service } from "./weather.ts";

/** What a wall clock may be wrong by. Leases leave room for five times as much. */
export const CLOCK_ERROR_MS = 1000;

/** When virtual time 0 is. */
export const EPOCH = Date.UTC(2026, 0, 1);

/** Of the AWS clients. */
const CLIENT_TIMEOUT_MS = 5_000;

/** One invocation of the worker: it can die or freeze at each of its calls, and in between. */
export interface Process {
  readonly name: string;
  readonly clock: Clock;
  readonly state: "running" | "ended" | "dead";
  /** Whether it stood still at any time: then nobody can blame it for being late. */
  readonly hasFrozen: boolean;
  readonly frozenUntil: number;
  /** The death of a process, which nothing in it notices: its promises just never settle. */
  die(why: string): void;
  end(): void;
  /** Runs `action` in the process: later if it is frozen, never if it is dead. */
  deliver(action: () => void): void;
  call<T>(call: Call<T>): Promise<T>;
}

export interface Call<T> {
  service: Service;
  what: string;
  fate: Fate;
  /** What happens at the service. `late`: the client no longer waits for it. */
  effect: (late: boolean) => T;
  failure: (fate: "refused" | "lost" | "timeout") => Error;
  signal?: AbortSignal | undefined;
  abortion?: () => unknown;
}

export function spawn(
  stage: Stage,
  name: string,
  { onDeath }: { onDeath: () => void },
): Process & { state: Process["state"] } {
  const { time, weather } = stage;
  const random = stage.random.split(name);
  const bornAt = time.now();
  const booted = random.between(0, 1e9);
  let wallError = random.between(-CLOCK_ERROR_MS, CLOCK_ERROR_MS);

  const never = <T>() => new Promise<T>(() => {});
  const freeze = () => {
    const ms = random.pick([2_000, 15_000, 45_000, 70_000, 100_000, 200_000]);
    process.frozenUntil = Math.max(process.frozenUntil, time.now() + random.between(ms / 2, ms));
    process.hasFrozen = true;
    stage.count("pauses");
  };

  const clock: Clock = {
    now() {
      if (weather.strikes("clock_jump")) {
        wallError = random.between(-CLOCK_ERROR_MS, CLOCK_ERROR_MS);
      }
      return EPOCH + time.now() + wallError;
    },
    monotonic: () => booted + time.now() - bornAt,
    sleep(ms, signal) {
      if (process.state === "dead") return never();
      if (signal?.aborted) return Promise.reject(signal.reason);
      return new Promise((resolve, reject) => {
        const settle = (action: () => void) => {
          signal?.removeEventListener("abort", abort);
          action();
        };
        const wake = time.after(Math.max(0, Math.ceil(ms)), () =>
          process.deliver(() => !signal?.aborted && settle(resolve)),
        );
        const abort = () => {
          wake.cancel();
          settle(() => reject(signal?.reason));
        };
        signal?.addEventListener("abort", abort);
      });
    },
  };

  const process = {
    name,
    clock,
    state: "running" as Process["state"],
    hasFrozen: false,
    frozenUntil: 0,
    die(why: string) {
      if (process.state !== "running") return;
      process.state = "dead";
      stage.count("crashes");
      stage.trace(name, `dies (${why})`);
      onDeath();
    },
    end() {
      process.state = "ended";
    },
    deliver(action: () => void) {
      // After its end, too: what a handler leaves behind goes on when its container is used again.
      if (process.state === "dead") return;
      if (process.frozenUntil > time.now()) {
        time.at(process.frozenUntil, () => process.deliver(action));
      } else action();
    },
    call<T>({ service, what, fate, effect, failure, signal, abortion }: Call<T>): Promise<T> {
      if (process.state === "dead") return never();
      stage.step();
      stage.trace(name, fate === "done" ? what : `${what} [${fate}]`);
      if (process.state === "ended") {
        stage.violated("I4", `${name} still works after its end: ${what}`);
        return never();
      }
      if (fate !== "done") stage.count("faults");
      if (fate === "dies_before") {
        process.die(`before ${what}`);
        return never();
      }
      return new Promise<T>((resolve, reject) => {
        let settled = false;
        const settle = (action: () => void) =>
          process.deliver(() => {
            if (settled) return;
            settled = true;
            signal?.removeEventListener("abort", abort);
            action();
          });
        const abort = () => settle(() => reject(abortion?.()));
        signal?.addEventListener("abort", abort);

        const there = random.between(1, service === "dynamodb" ? 8 : 40);
        const back = random.between(1, 8);
        const giveUp = () => settle(() => reject(failure("timeout")));
        const attempt = (late: boolean): (() => void) => {
          try {
            const value = effect(late);
            return () => resolve(value);
          } catch (error) {
            return () => reject(error);
          }
        };
        const perform = (late = false) => {
          const answer = attempt(late);
          if (fate === "dies_after") return process.die(`after ${what}`);
          if (fate === "lost") {
            const slowly = random.chance(0.5);
            if (slowly) time.after(CLIENT_TIMEOUT_MS - there, giveUp);
            else time.after(back, () => settle(() => reject(failure("lost"))));
            return;
          }
          // A client that wakes up may find its time-out over before it finds the answer.
          const overslept = fate === "freezes_after" && random.chance(0.3);
          time.after(back, overslept ? giveUp : () => settle(answer));
        };

        if (fate === "refused") {
          time.after(there + back, () => settle(() => reject(failure("refused"))));
          return;
        }
        if (fate === "hangs" || fate === "late") time.after(CLIENT_TIMEOUT_MS, giveUp);
        if (fate === "hangs") return;
        if (fate === "late") {
          time.after(CLIENT_TIMEOUT_MS + random.between(1_000, 90_000), () => attempt(true));
          return;
        }
        if (fate === "freezes_before" || fate === "freezes_after") freeze();
        if (fate === "freezes_before") {
          time.at(process.frozenUntil, () => process.deliver(() => perform(true)));
        } else time.after(there, perform);
      });
    },
  };
  return process;
}
