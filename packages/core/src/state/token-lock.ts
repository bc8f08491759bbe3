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
  const { clock, deadline = Number.POSITIVE_INFINITY, signal } = world;
  const key: StateKey = { pk: { S: `${source}#` }, sk: { S: "token" } };

  const takeLock = (owner: string): Promise<boolean> => {
    const now = clock.now();
    return updateItem(world, key, {
      set: {
        lock_owner: { S: owner },
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
  };

  const ownedBy = (owner: string) => ({
    expression: "#lock_owner = :owner",
    names: { "#lock_owner": "lock_owner" },
    values: { ":owner": { S: owner } },
  });

  const giveBack = (owner: string): Promise<boolean> =>
    updateItem(world, key, {
      set: { lock_until: { N: "0" } },
      condition: ownedBy(owner),
      failure: "did not take a lock",
    });

  const noteOf = (owner: string): LockNote => ({
    read: async () => (await getItem(world, key))?.note?.S,
    write: (text) =>
      updateItem(world, key, {
        set: { note: { S: text } },
        condition: ownedBy(owner),
        failure: "did not take a note",
      }),
  });
  // A laptop has one process at a time, and a write to its secrets file costs nothing.
  const isLaptop = world.names.stage === "local";

  return async (work) => {
    const owner = randomUUID();
    while (!(await takeLock(owner))) {
      if (clock.monotonic() + TOKEN_LOCK_POLL_MS >= deadline) throw lockedError();
      await clock.sleep(TOKEN_LOCK_POLL_MS, signal);
    }
    try {
      return await work(clock.monotonic() + TOKEN_REFRESH_MS, isLaptop ? undefined : noteOf(owner));
    } finally {
      // A lock that cannot be given back expires.
      await giveBack(owner).catch(() => {});
    }
  };
}

const lockedError = () =>
  new RequestError({
    code: "secrets.locked",
    message: "another worker of this source is refreshing the token",
    hint: "nothing to do: the run goes on when it has ended",
    retryable: true,
    waitMs: TOKEN_LOCK_MS,
  });
