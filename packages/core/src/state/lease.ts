import { LeaseError } from "../base/errors.ts";
import type { RunState, Slot } from "./run-state.ts";
import {
  type Expected,
  type Fields,
  namesText,
  type Status,
  type StoredState,
  stepState,
  type Wish,
} from "./state-item.ts";
import { overtaken, type Place, type StateWorld } from "./state-table.ts";

/** How long a lease lasts; each checkpoint renews it. */
export const LEASE_MS = 50_000;

/** A takeover starts this long after a lease's end: by then all requests of its holder have ended. */
export const TAKEOVER_MS = 10_000;

/** A run that begins, or is taken up again, with its lease. */
export interface TakenRun {
  runId: string;
  body: RunState;
  fanOuts: readonly string[];
  /** The wishes that remain: those that this run does not take. */
  wishes: readonly Wish[];
}

/** Whether somebody may be writing this resource. */
export const isHeld = (stored: StoredState | undefined, now: number): boolean =>
  stored?.lease != null && /* planted: lease-is-held */ now < stored.lease.until + TAKEOVER_MS;

/**
 * The right to write a resource, and the only way to move its state: each step is one conditional
 * UpdateItem that moves position, counts and lease together. A worker that was paused, duplicated
 * or started late cannot move anything.
 */
export class Lease {
  readonly #world: StateWorld;
  readonly #place: Place;
  readonly #slot: Slot;
  readonly #owner: string;
  #token: number;
  #seq: number;
  /** On the monotonic clock: after this another worker may have taken over. */
  #validUntil = 0;
  /** Steps are taken one after the other, because each is conditional on the one before. */
  #lastStep: Promise<unknown> = Promise.resolve();

  private constructor(
    world: StateWorld,
    { place, slot, owner, stored }: LeaseRequest & { stored: StoredState | undefined },
  ) {
    this.#world = world;
    this.#place = place;
    this.#slot = slot;
    this.#owner = owner;
    this.#token = stored?.token ?? 0;
    this.#seq = stored?.seq ?? 0;
  }

  /**
   * Takes the lease on top of the state that the decision was made from, or throws LeaseError
   * `state.lease_held`. Undefined: the state has changed since it was read, so look again.
   */
  static async take(
    world: StateWorld,
    request: LeaseRequest & {
      stored: StoredState | undefined;
      /** Undefined: only the lease is taken (for a sample or a reset). */
      run?: TakenRun | undefined;
      /** Further attributes that change with it. */
      fields?: Fields;
    },
  ): Promise<Lease | undefined> {
    const { stored, run, fields } = request;
    // planted: lease-keeps-out
    if (isHeld(stored, world.clock.now())) throw leaseHeld(stored?.lease ?? undefined);
    const lease = new Lease(world, request);
    const names = { fan_outs: stored?.fan_outs ?? [], wishes: stored?.wishes ?? [] };
    const isTaken = await lease.#step(
      {
        ...(run
          ? {
              run_id: run.runId,
              ...runFields("running", run.body),
              fan_outs: namesText(run.fanOuts),
              wishes: namesText(run.wishes),
            }
          : {}),
        ...fields,
      },
      { takes: true, ...(run ? { names } : {}) },
    );
    return isTaken ? lease : undefined;
  }

  /** Grows from holder to holder: what an older one sends later is recognised by it. */
  get token(): number {
    return this.#token;
  }

  /** Throws a LeaseError when the lease may have run out. Called before every batch. */
  guard(): void {
    if (this.#world.clock.monotonic() >= this.#validUntil) throw leaseLost();
  }

  renew(): Promise<void> {
    return this.#move({});
  }

  /** Moves the run to `body`, everything before which is durable by now. Renews, too. */
  checkpoint(body: RunState): Promise<void> {
    return this.#move(runFields("running", body));
  }

  /** The last step: the run's status, and the lease goes back. */
  release(end: { status: Status; body: RunState; notBefore?: string | undefined }): Promise<void> {
    const { status, body, notBefore } = end;
    const isSuccess = status === "done" && this.#slot === "own";
    const succeeded_at = new Date(this.#world.clock.now()).toISOString();
    return this.#move(
      { ...runFields(status, body, notBefore), ...(isSuccess ? { succeeded_at } : {}) },
      { givesBack: true },
    );
  }

  /** Gives the lease back and leaves everything else as it stands, but for these fields. */
  letGo(fields: Fields = {}): Promise<void> {
    return this.#move(fields, { givesBack: true });
  }

  async #move(fields: Fields, how: { givesBack?: true } = {}): Promise<void> {
    if (!(await this.#step(fields, how))) throw overtaken();
  }

  #step(
    fields: Fields,
    how: { takes?: true; givesBack?: true; names?: Expected["names"] },
  ): Promise<boolean> {
    const step = this.#lastStep.then(() => this.#send(fields, how));
    this.#lastStep = step.catch(() => {});
    return step;
  }

  async #send(
    fields: Fields,
    how: { takes?: true; givesBack?: true; names?: Expected["names"] },
  ): Promise<boolean> {
    const { clock, random } = this.#world;
    // Counted from before the request: the lease may seem shorter than it is, never longer.
    const askedAt = clock.monotonic();
    const next = { token: how.takes ? this.#token + 1 : this.#token, seq: this.#seq + 1 };
    const isTaken = await stepState(this.#world, this.#place, this.#slot, {
      expected: {
        token: this.#token,
        seq: this.#seq,
        ...(how.names ? { names: how.names } : {}),
      },
      fields: {
        ...fields,
        ...next,
        ...(how.takes ? { lease_owner: this.#owner } : {}),
        ...(how.givesBack
          ? { lease_owner: null, lease_until: null }
          : { lease_until: clock.now() + LEASE_MS }),
        write_id: `${next.token}.${next.seq}.${Math.floor(random() * 2 ** 48).toString(36)}`,
        updated_at: new Date(clock.now()).toISOString(),
      },
    });
    if (!isTaken) return false;
    this.#token = next.token;
    this.#seq = next.seq;
    // planted: lease-counted-from-request
    this.#validUntil = how.givesBack ? 0 : askedAt + LEASE_MS;
    return true;
  }
}

/** Whose lease: `owner` is unique per invocation, since a platform's retry may meet its living twin. */
export interface LeaseRequest {
  place: Place;
  slot: Slot;
  owner: string;
}

/**
 * A worker whose process is known to be gone holds nothing: its lease runs out at once. Its name
 * stays, because a page that kills workers is recognised by it.
 */
export async function endLeaseOf(
  world: StateWorld,
  place: Place,
  slot: Slot,
  stored: StoredState,
): Promise<void> {
  const { token, seq, write_id } = stored;
  await stepState(world, place, slot, {
    expected: { token, seq },
    fields: { token, seq: seq + 1, lease_until: 0, write_id: `${write_id}.gone` },
  });
}

const runFields = (status: Status, body: RunState, notBefore?: string): Fields => ({
  status,
  not_before: notBefore ?? null,
  body: JSON.stringify(body),
});

export function leaseHeld(lease?: { owner: string; until: number }): LeaseError {
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
