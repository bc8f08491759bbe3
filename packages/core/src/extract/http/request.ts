import { RequestError } from "../../base/errors.ts";
import { limits } from "../../base/limits.ts";
import type { World } from "../../base/world.ts";
import type { ActionPlan, RetryPlan } from "../../config/plan-types.ts";
import type { Gate } from "../../flow.ts";
import type { Counts } from "../../report/counts.ts";
import { act } from "./actions.ts";
import { type Answer, readAnswer } from "./answer.ts";
import { redirected } from "./redirect.ts";
import { nextDelay } from "./retry.ts";
import { exchange, type HttpRequest, type HttpResponse } from "./transport.ts";

/** How requests get their credentials, and what an answer says of these. */
export interface Authenticator {
  /** A copy of the request with credentials: the only place where they are. */
  apply(request: HttpRequest): Promise<HttpRequest>;
  /** Gets fresh credentials; false where there is nothing to renew. */
  renew(): Promise<boolean>;
  /** Statuses that say that the credentials are wrong: fresh ones may cure them. */
  refusals: ReadonlySet<number>;
  /** What to do then. */
  refusedHint: string;
  /** Makes text of the API fit for a message: short, printable, without a credential in it. */
  quote(text: string): string;
}

export type Meter = Pick<Counts, "requests" | "retries" | "waited_ms">;

/** Everything that a request needs besides itself. */
export interface Caller {
  /** Whose requests these are, for the log. */
  place: { source: string; resource: string };
  world: Pick<World, "http" | "clock" | "signal" | "origins" | "random" | "log" | "deadline">;
  auth: Authenticator;
  retry: RetryPlan;
  timeoutMs: number;
  /** Counts as it happens. */
  meter: Meter;
  /** Shared by the workers of a source; a request without one waits for nobody. */
  gate?: Gate | undefined;
  /** What the config does with certain answers. */
  actions?: readonly ActionPlan[];
}

/** A longer wait than this is no slice's to pay for: the run goes on when it is over. */
const WORTH_WAITING_MS = 60_000;

/**
 * The one retry loop. The credentials are applied afresh to each attempt; after a refusal they are
 * renewed once and the request is replayed, which is no retry. A wait that does not fit into the
 * slice is thrown with `waitMs`, so that the run waits where it costs nothing.
 */
export async function fetchJson(request: HttpRequest, caller: Caller): Promise<Answer> {
  const { place, world, auth, retry, meter, gate } = caller;
  let renewed = false;
  let attempt = 1;
  let hops = 0;
  let target = request;
  while (true) {
    const closed = (await gate?.closedFor()) ?? 0;
    if (closed > 0) {
      await pause(closed, blocked(), caller);
      continue;
    }
    const signed = await auth.apply(target);
    const error = await tryOnce(signed, caller, hops < limits.redirects ? target : undefined);
    if ("redirect" in error) {
      hops += 1;
      target = error.redirect;
      continue;
    }
    if (!(error instanceof RequestError)) return error;

    if (!renewed && auth.refusals.has(error.status ?? 0) && (await auth.renew())) {
      renewed = true;
      world.log.warn(`${error.message}; once more with fresh credentials`, place);
      continue;
    }
    const delay = nextDelay({ attempt, error, policy: retry, random: world.random });
    if (delay === undefined) throw attempt === 1 ? error : afterAttempts(error, attempt);
    if (error.status === 429) await gate?.close(delay);
    world.log.warn(
      `${error.message}; retry ${attempt} of ${retry.maxRetries} in ${(delay / 1000).toFixed(1)} s`,
      place,
    );
    await pause(delay, error, caller);
    meter.retries += 1;
    attempt += 1;
  }
}

/** Waits here, or throws the reason with `waitMs` when the run has to wait elsewhere. */
async function pause(ms: number, why: RequestError, { world, meter }: Caller): Promise<void> {
  const { clock, deadline, signal } = world;
  if (/* planted: wait-elsewhere */ ms > WORTH_WAITING_MS || clock.monotonic() + ms >= deadline) {
    throw new RequestError({ ...why, message: why.message, waitMs: ms });
  }
  await clock.sleep(ms, signal);
  meter.waited_ms += ms;
}

const blocked = () =>
  new RequestError({
    code: "extract.blocked",
    message: "the API asked another worker of this source to wait",
    hint: "nothing to do: the run goes on when the time is over",
    retryable: true,
  });

/**
 * The answer, where it leads to, or the RequestError to recover from. Anything else is thrown. A
 * redirect is followed from `target`, which has no credentials: they are put on each request by itself.
 */
async function tryOnce(
  signed: HttpRequest,
  caller: Caller,
  target: HttpRequest | undefined,
): Promise<Answer | { redirect: HttpRequest } | RequestError> {
  const { world, auth, retry, timeoutMs, meter } = caller;
  const remaining = world.deadline - world.clock.monotonic();
  meter.requests += 1;
  try {
    const response = await exchange(
      signed,
      world,
      /* planted: time-out-within-slice */ Math.min(timeoutMs, remaining),
    );
    const redirect = target && redirected(target, response, world);
    if (redirect) return { redirect };
    const acted = act(response, caller.actions ?? []);
    if (acted === "ignored") return nothing(response);
    const reading = { ...auth, retryStatuses: retry.statuses, now: world.clock.now() };
    return readAnswer(signed, acted, reading);
  } catch (error) {
    if (error instanceof RequestError) return error;
    throw error;
  }
}

/** Of an answer that is ignored nothing is read, and no page is asked for after it. */
const nothing = ({ status, headers }: HttpResponse): Answer => ({
  status,
  headers,
  body: undefined,
  isIgnored: true,
});

const afterAttempts = (error: RequestError, attempts: number) =>
  new RequestError({ ...error, message: `${error.message} (${attempts} attempts)` });
