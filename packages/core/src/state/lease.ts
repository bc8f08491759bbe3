import { LeaseError } from "../base/errors.ts";
import type { ResourceRef } from "../base/resource-ref.ts";
import { LEASE_MS, TAKEOVER_MS } from "../base/timing.ts";
import type { RunState, Slot } from "./run-state.ts";
import {
  type Expected,
  type Fields,
  namesText,
  type Status,
  type StoredState,
  stateKey,
  stepState,
  type Wish,
} from "./state-item.ts";
import { overtakenError, type StateWorld, updateItem } from "./state-table.ts";

/** A run that begins, or is taken up again, with its lease. */
export interface TakenRun {
  runId: string;
  body: RunState;
  fanOuts: readonly string[];
  /** The remaining wishes, which this run does not take. */
  wishes: readonly Wish[];
}

/** Returns whether a worker may be writing this resource. */
export const isHeld = (stored: StoredState | undefined, now: number): boolean =>
  stored?.lease != null && /* planted: lease-is-held */ now < stored.lease.until + TAKEOVER_MS;

/**
 * The right to write a resource, and the only way to move its state: each step is one conditional
 * UpdateItem that moves position, counts and lease together. A worker that was paused, duplicated
 * or started late cannot move anything.
 */
export class Lease {
  readonly #world: StateWorld;
  readonly #resourceRef: ResourceRef;
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
    { resourceRef, slot, owner, stored }: LeaseRequest & { stored: StoredState | undefined },
  ) {
    this.#world = world;
    this.#resourceRef = resourceRef;
    this.#slot = slot;
    this.#owner = owner;
    this.#token = stored?.token ?? 0;
    this.#seq = stored?.seq ?? 0;
  }

  /**
   * Takes the lease on top of the state that the decision was made from, or throws LeaseError
   * `state.lease_held`. Returns undefined when the state has changed since the read.
   */
  static async take(
    world: StateWorld,
    request: LeaseRequest & {
      stored: StoredState | undefined;
      /** Undefined takes only the lease (for a sample or a reset). */
      run?: TakenRun | undefined;
      /** Further attributes that change in the same step. */
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
              next_read_id: null,
            }
          : {}),
        ...fields,
      },
      { takes: true, ...(run ? { names } : {}) },
    );
    return isTaken ? lease : undefined;
  }

  /** The fencing token, which grows with each holder. Late writes of older holders are refused. */
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

  /** Stores `body`, after everything before the checkpoint is durable. Also renews the lease. */
  checkpoint(body: RunState): Promise<void> {
    return this.#move(runFields("running", body));
  }

  /** Takes the last step: stores the status of the run and gives the lease back. */
  release(end: { status: Status; body: RunState; notBefore?: string | undefined }): Promise<void> {
    const { status, body, notBefore } = end;
    const isSuccess = status === "done" && this.#slot === "own";
    const succeeded_at = new Date(this.#world.clock.now()).toISOString();
    return this.#move(
      { ...runFields(status, body, notBefore), ...(isSuccess ? { succeeded_at } : {}) },
      { givesBack: true },
    );
  }

  /** Gives the lease back and changes only the given fields. */
  letGo(fields: Fields = {}): Promise<void> {
    return this.#move(fields, { givesBack: true });
  }

  async #move(fields: Fields, effects: { givesBack?: true } = {}): Promise<void> {
    if (!(await this.#step(fields, effects))) throw overtakenError();
  }

  #step(
    fields: Fields,
    effects: { takes?: true; givesBack?: true; names?: Expected["names"] },
  ): Promise<boolean> {
    const step = this.#lastStep.then(() => this.#send(fields, effects));
    this.#lastStep = step.catch(() => {});
    return step;
  }

  async #send(
    fields: Fields,
    effects: { takes?: true; givesBack?: true; names?: Expected["names"] },
  ): Promise<boolean> {
    const { clock, random } = this.#world;
    // Counted from before the request: the lease may seem shorter than it is, never longer.
    const askedAt = clock.monotonic();
    const next = { token: effects.takes ? this.#token + 1 : this.#token, seq: this.#seq + 1 };
    const isTaken = await stepState(this.#world, this.#resourceRef, this.#slot, {
      expected: {
        token: this.#token,
        seq: this.#seq,
        ...(effects.names ? { names: effects.names } : {}),
      },
      fields: {
        ...fields,
        ...next,
        ...(effects.takes ? { lease_owner: this.#owner } : {}),
        ...(effects.givesBack
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
    this.#validUntil = effects.givesBack ? 0 : askedAt + LEASE_MS;
    return true;
  }
}

/** The holder of a lease. `owner` is unique per invocation, because a Lambda retry may run beside it. */
export interface LeaseRequest {
  resourceRef: ResourceRef;
  slot: Slot;
  owner: string;
}

/**
 * Ends the lease of an owner that is known to be dead, so that the next worker does not have to wait
 * for its end. The owner's name stays in the item, because a page that kills workers is recognised
 * by it. A lease that another owner has taken in the meantime is left alone.
 */
export function expireLease(
  world: StateWorld,
  resourceRef: ResourceRef,
  slot: Slot,
  deadOwner: string,
): Promise<boolean> {
  return updateItem(world, stateKey(resourceRef, slot), {
    set: { lease_until: { N: "0" } },
    condition: {
      expression: "#lease_owner = :owner",
      names: { "#lease_owner": "lease_owner" },
      values: { ":owner": { S: deadOwner } },
    },
    failure: "did not end a lease",
  });
}

const runFields = (status: Status, body: RunState, notBefore?: string): Fields => ({
  status,
  not_before: notBefore ?? null,
  body: JSON.stringify(body),
});

export function leaseHeld(
  lease?: { owner: string; until: number },
  { isWished = false } = {},
): LeaseError {
  const by = lease ? ` (${lease.owner}, until ${new Date(lease.until).toISOString()})` : "";
  return new LeaseError({
    code: "state.lease_held",
    message: `another worker is writing this resource${by}`,
    hint: isWished
      ? "it goes on there; this request is stored, and the next run that begins takes it"
      : "it goes on there; run again when it has ended",
  });
}

function leaseLost(): LeaseError {
  return new LeaseError({
    code: "state.lease_lost",
    message: "this worker's lease ran out before it could write",
    hint: "the next run continues from the checkpoint; nothing is lost",
  });
}
