import { RequestError } from "../../base/errors.ts";
import { limits } from "../../base/limits.ts";
import type { ResourceRef } from "../../base/resource-ref.ts";
import { WAIT_IN_SLICE_MS } from "../../base/timing.ts";
import type { World } from "../../base/world.ts";
import type { ActionPlan, RetryPlan } from "../../config/plan-types.ts";
import type { Gate } from "../../flow.ts";
import type { Counts } from "../../report/counts.ts";
import { type Answer, readAnswer } from "./answer.ts";
import { redirectedRequest } from "./redirect.ts";
import { applyActions } from "./response-actions.ts";
import { nextDelay } from "./retry.ts";
import { type HoldBytes, type HttpRequest, sendRequest } from "./transport.ts";

/** Puts credentials on requests, and knows which answers refuse them. */
export interface Authenticator {
  /** A copy of the request with credentials. Credentials stand nowhere else. */
  apply(request: HttpRequest): Promise<HttpRequest>;
  /** Gets fresh credentials; false where the config has nothing to renew. */
  renew(): Promise<boolean>;
  /** Statuses for wrong credentials, which fresh credentials may cure. */
  refusalStatuses: ReadonlySet<number>;
  /** The hint of the error after a refusal. */
  refusedHint: string;
  /** Makes text of the API fit for a message: short, printable, without a credential in it. */
  quote(text: string | Uint8Array): string;
}

export type RequestMeter = Pick<Counts, "requests" | "retries" | "waited_ms">;

/** Everything besides the request that making it takes. */
export interface RequestContext {
  /** Names the resource in the log. */
  resourceRef: ResourceRef;
  world: Pick<World, "http" | "clock" | "signal" | "origins" | "random" | "log" | "deadline">;
  auth: Authenticator;
  retry: RetryPlan;
  timeoutMs: number;
  /** Counts while requests are made. */
  meter: RequestMeter;
  /** Shared by the workers of a source. A request without a gate never waits for another worker. */
  gate?: Gate | undefined;
  /** The config's response_actions. */
  actions?: readonly ActionPlan[];
  /** Limits the memory of a page that is asked for early. */
  hold?: HoldBytes | undefined;
}

/**
 * The only retry loop. Each attempt applies the credentials anew. After a refusal they are renewed
 * once and the request is replayed, which does not count as a retry. A wait too long for the slice is
 * thrown with `waitMs`: the run waits outside of the slice, at no cost.
 */
export async function fetchJson(request: HttpRequest, context: RequestContext): Promise<Answer> {
  const { resourceRef, world, auth, retry, meter, gate } = context;
  let hasRenewed = false;
  let attempt = 1;
  let redirects = 0;
  let target = request;
  while (true) {
    const gateMs = (await gate?.remainingMs()) ?? 0;
    if (gateMs > 0) {
      await waitOrThrow(Math.min(gateMs, retry.maxWaitMs), gateError(), context);
      continue;
    }
    const mayRedirect = redirects < limits.redirects;
    const outcome = await attemptRequest(target, mayRedirect, context);
    if (outcome.kind === "answer") return outcome.answer;
    if (outcome.kind === "redirect") {
      redirects += 1;
      target = outcome.request;
      continue;
    }
    const { error } = outcome;
    const isRefused = auth.refusalStatuses.has(error.status ?? 0);
    if (!hasRenewed && isRefused && (await auth.renew())) {
      hasRenewed = true;
      world.log.warn(`${error.message}; once more with fresh credentials`, { ...resourceRef });
      continue;
    }
    const delay = nextDelay({ attempt, error, policy: retry, random: world.random });
    if (delay === undefined) throw attempt === 1 ? error : errorAfterAttempts(error, attempt);
    if (error.status === 429) await gate?.closeFor(delay);
    const seconds = (delay / 1000).toFixed(1);
    world.log.warn(`${error.message}; retry ${attempt} of ${retry.maxRetries} in ${seconds} s`, {
      ...resourceRef,
    });
    await waitOrThrow(delay, error, context);
    meter.retries += 1;
    attempt += 1;
  }
}

/** Waits here, or throws the reason with `waitMs` where the run has to wait between slices. */
async function waitOrThrow(
  ms: number,
  reason: RequestError,
  { world, meter }: RequestContext,
): Promise<void> {
  const { clock, deadline, signal } = world;
  if (/* planted: wait-elsewhere */ ms > WAIT_IN_SLICE_MS || clock.monotonic() + ms >= deadline) {
    throw new RequestError({ ...reason, message: reason.message, waitMs: ms });
  }
  await clock.sleep(ms, signal);
  meter.waited_ms += ms;
}

const gateError = () =>
  new RequestError({
    code: "extract.blocked",
    message: "the API asked another worker of this source to wait",
    hint: "nothing to do: the run goes on when the time is over",
    retryable: true,
  });

type AttemptOutcome =
  | { kind: "answer"; answer: Answer }
  /** The redirected request has no credentials yet, like the request before it. */
  | { kind: "redirect"; request: HttpRequest }
  | { kind: "error"; error: RequestError };

/** Makes an attempt. Only errors beyond the retry loop's recovery are thrown. */
async function attemptRequest(
  target: HttpRequest,
  mayRedirect: boolean,
  { world, auth, retry, timeoutMs, meter, actions = [], hold }: RequestContext,
): Promise<AttemptOutcome> {
  const signed = await auth.apply(target);
  const remaining = world.deadline - world.clock.monotonic();
  meter.requests += 1;
  try {
    const response = await sendRequest(
      signed,
      world,
      /* planted: time-out-within-slice */ Math.min(timeoutMs, remaining),
      hold,
    );
    const redirected = mayRedirect && redirectedRequest(target, response, world);
    if (redirected) return { kind: "redirect", request: redirected };
    const actedResponse = applyActions(response, actions);
    if (actedResponse === "ignored") {
      const { status, headers } = response;
      return { kind: "answer", answer: { status, headers, body: undefined, isIgnored: true } };
    }
    const answer = readAnswer(signed, actedResponse, {
      retryStatuses: retry.statuses,
      refusalStatuses: auth.refusalStatuses,
      refusedHint: auth.refusedHint,
      quote: auth.quote,
      now: world.clock.now(),
    });
    return { kind: "answer", answer };
  } catch (error) {
    if (error instanceof RequestError) return { kind: "error", error };
    throw error;
  }
}

const errorAfterAttempts = (error: RequestError, attempts: number) =>
  new RequestError({ ...error, message: `${error.message} (${attempts} attempts)` });
