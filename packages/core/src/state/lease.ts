import { LeaseError } from "../base/errors.ts";
import type { ResourceRef } from "../base/resource-ref.ts";
import { LEASE_MS, TAKEOVER_MS } from "../base/timing.ts";
import type { RunState } from "./run-state.ts";
import { type Fields, type Status, type StoredState, updateState } from "./state-item.ts";
import type { StateWorld } from "./state-table.ts";

/*
 * The state item of a resource (pk `source#resource`, sk `state`) is the truth about its runs.
 * Every step is one conditional UpdateItem that moves position, counts and lease together, so that
 * a worker which was paused, duplicated or started late can not move anything.
 */

/** The right to write a resource, and the only way to move its state. */
export interface Lease {
  /** Grows from holder to holder: what an older one sends later is told by it. */
  readonly token: number;
  /** Throws a LeaseError when the lease may have run out. Called before every batch. */
  guard(): void;
  renew(): Promise<void>;
  /** Moves the run to `body`, everything before which is durable by now. Renews, too. */
  checkpoint(body: RunState): Promise<void>;
  /** The last step: the run's status, and the lease goes back. */
  release(end: { status: Status; body: RunState; notBefore?: string | undefined }): Promise<void>;
  /** Gives the lease back and leaves everything else as it stands. */
  letGo(): Promise<void>;
}

/**
 * Takes the lease, on top of the state that the decision was made from (somebody else's step in
 * between makes this fail), or throws LeaseError `state.lease_held`. `owner` is unique per
 * invocation: a platform's retry has the request id of its dead predecessor, or of its living twin.
 */
export async function takeLease(
  world: StateWorld,
  resourceRef: ResourceRef,
  stored: StoredState | undefined,
  { owner, run }: { owner: string; run: { runId: string; body: RunState } | undefined },
): Promise<Lease> {
  const { clock } = world;
  if (stored?.lease && /* planted: lease-is-held */ clock.now() < stored.lease.until + TAKEOVER_MS)
    throw leaseHeld(stored.lease);

  let token = stored?.token ?? 0;
  let seq = stored?.seq ?? 0;
  let until = 0;

  // One after the other: each is conditional on the one before.
  let last: Promise<unknown> = Promise.resolve();
  function step(fields: Fields, how: { take?: true; giveBack?: true } = {}): Promise<void> {
    const next = last.then(() => move(fields, how));
    last = next.catch(() => {});
    return next;
  }

  async function move(
    fields: Fields,
    { take, giveBack }: { take?: true; giveBack?: true },
  ): Promise<void> {
    // Counted from before the request: the lease may only seem shorter than it is, never longer.
    const asked = clock.monotonic();
    const next = { token: take ? token + 1 : token, seq: seq + 1 };
    await updateState(world, resourceRef, {
      expected: { token, seq },
      fields: {
        ...fields,
        ...next,
        ...(take ? { lease_owner: owner } : {}),
        ...(giveBack
          ? { lease_owner: null, lease_until: null }
          : { lease_until: clock.now() + LEASE_MS }),
        write_id: `${next.token}.${next.seq}.${Math.floor(world.random() * 2 ** 48).toString(36)}`,
        updated_at: new Date(clock.now()).toISOString(),
      },
    });
    ({ token, seq } = next);
    until = giveBack ? 0 : /* planted: lease-counts-from-request */ asked + LEASE_MS;
  }

  const runFields = (status: Status, body: RunState, notBefore?: string): Fields => ({
    status,
    not_before: notBefore ?? null,
    body: JSON.stringify(body),
  });

  await step(run ? { run_id: run.runId, ...runFields("running", run.body) } : {}, {
    take: true,
  }).catch((error: unknown) => {
    throw error instanceof LeaseError ? leaseHeld() : error;
  });

  return {
    token,
    guard() {
      if (clock.monotonic() >= until) throw leaseLost();
    },
    renew: () => step({}),
    checkpoint: (body) => step(runFields("running", body)),
    release({ status, body, notBefore }) {
      const success: Fields =
        status === "done" && !body.spool_only
          ? { succeeded_at: new Date(clock.now()).toISOString() }
          : {};
      return step({ ...runFields(status, body, notBefore), ...success }, { giveBack: true });
    },
    letGo: () => step({}, { giveBack: true }),
  };
}

function leaseHeld(lease?: { owner: string; until: number }): LeaseError {
  const by = lease ? ` (${lease.owner}, until ${new Date(lease.until).toISOString()})` : "";
  return new LeaseError({
    code: "state.lease_held",
    message: `another worker is writing this resource${by}`,
    hint: "it goes on there; run again when it has ended",
  });
}

function leaseLost(): LeaseError {
  return new LeaseError({
    code: "state.lease_lost",
    message: "this worker's lease ran out before it could write",
    hint: "the next run continues from the checkpoint; nothing is lost",
  });
}
