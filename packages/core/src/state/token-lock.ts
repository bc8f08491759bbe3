import { randomUUID } from "node:crypto";
import { isFailure, RequestError } from "../base/errors.ts";
import { TOKEN_LOCK_MS, TOKEN_LOCK_POLL_MS, TOKEN_REFRESH_MS } from "../base/timing.ts";
import type { LockNote, WithLock } from "../secrets/store.ts";
import { getItem, type StateKey, type StateWorld, updateItem } from "./state-table.ts";

/*
 * The lock of a source's token (pk `source#`, sk `token`). A refresh token is valid for one refresh, and
 * Secrets Manager has no conditional writes, so two workers at once would overwrite each new token.
 */

export function tokenLock(world: StateWorld, source: string): WithLock {
  // Each caller is an owner of its own.
  return (work) => new TokenLock(world, source).hold(work);
}

class TokenLock {
  readonly #world: StateWorld;
  readonly #key: StateKey;
  /** Unique per lock, because a retry of a lost response takes the lock again. */
  readonly #owner = randomUUID();

  constructor(world: StateWorld, source: string) {
    this.#world = world;
    this.#key = { pk: { S: `${source}#` }, sk: { S: "token" } };
  }

  async hold<T>(work: (until: number, note: LockNote | undefined) => Promise<T>): Promise<T> {
    const { clock, deadline = Number.POSITIVE_INFINITY, signal, names } = this.#world;
    while (!(await this.#take())) {
      if (clock.monotonic() + TOKEN_LOCK_POLL_MS >= deadline) throw lockedError();
      await clock.sleep(TOKEN_LOCK_POLL_MS, signal);
    }
    // A laptop has one process at a time, and a write to its secrets file costs nothing.
    const note = names.stage === "local" ? undefined : this.#note();
    try {
      return await work(clock.monotonic() + TOKEN_REFRESH_MS, note);
    } finally {
      // A lock that cannot be given back expires.
      await this.#giveBack().catch(() => {});
    }
  }

  #take(): Promise<boolean> {
    const now = this.#world.clock.now();
    return updateItem(this.#world, this.#key, {
      set: {
        lock_owner: { S: this.#owner },
        lock_until: { N: String(now + TOKEN_LOCK_MS) },
        expires: { N: String(Math.ceil((now + TOKEN_LOCK_MS) / 1000) + 86_400) },
      },
      // The owner may take the lock again, because a retry follows a lost response.
      condition: {
        expression:
          "attribute_not_exists(#lock_until) OR #lock_until < :now OR #lock_owner = :lock_owner",
        values: { ":now": { N: String(now) } },
      },
      failure: "did not take a lock",
    }).catch((error: unknown) => {
      // Without a deployed state table, as in a first check, no second worker exists.
      if (isFailure(error) && error.code === "load.table_missing") return true;
      throw error;
    });
  }

  #giveBack(): Promise<boolean> {
    return updateItem(this.#world, this.#key, {
      set: { lock_until: { N: "0" } },
      condition: this.#isOwner(),
      failure: "did not take a lock",
    });
  }

  #note(): LockNote {
    return {
      read: async () => (await getItem(this.#world, this.#key))?.note?.S,
      write: (text) =>
        updateItem(this.#world, this.#key, {
          set: { note: { S: text } },
          condition: this.#isOwner(),
          failure: "did not take a note",
        }),
    };
  }

  #isOwner() {
    return {
      expression: "#lock_owner = :owner",
      names: { "#lock_owner": "lock_owner" },
      values: { ":owner": { S: this.#owner } },
    };
  }
}

const lockedError = () =>
  new RequestError({
    code: "secrets.locked",
    message: "another worker of this source is refreshing the token",
    hint: "nothing to do: the run goes on when it has ended",
    retryable: true,
    waitMs: TOKEN_LOCK_MS,
  });
