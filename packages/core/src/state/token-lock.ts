import { randomUUID } from "node:crypto";
import { isFailure, RequestError } from "../base/errors.ts";
import { TOKEN_LOCK_MS, TOKEN_LOCK_POLL_MS, TOKEN_REFRESH_MS } from "../base/timing.ts";
import type { WithLock } from "../secrets/store.ts";
import { type StateKey, type StateWorld, updateItem } from "./state-table.ts";

/*
 * The lock of a source's token (pk `source#`, sk `token`). A refresh token is good for one refresh,
 * and Secrets Manager compares nothing: two workers at once would each lose the other's.
 */

export function tokenLock(world: StateWorld, source: string): WithLock {
  const { clock, deadline = Number.POSITIVE_INFINITY, signal } = world;
  const key: StateKey = { pk: { S: `${source}#` }, sk: { S: "token" } };

  const take = (owner: string): Promise<boolean> => {
    const now = clock.now();
    return updateItem(world, key, {
      set: {
        lock_owner: { S: owner },
        lock_until: { N: String(now + TOKEN_LOCK_MS) },
        expires: { N: String(Math.ceil((now + TOKEN_LOCK_MS) / 1000) + 86_400) },
      },
      // Its own, too: an answer that was lost makes the next attempt meet itself.
      condition: {
        expression:
          "attribute_not_exists(#lock_until) OR #lock_until < :now OR #lock_owner = :lock_owner",
        values: { ":now": { N: String(now) } },
      },
      failure: "did not take a lock",
    }).catch((error: unknown) => {
      // A laptop's first check: nothing is deployed, so nobody else is there.
      if (isFailure(error) && error.code === "load.table_missing") return true;
      throw error;
    });
  };

  const giveBack = (owner: string): Promise<boolean> =>
    updateItem(world, key, {
      set: { lock_until: { N: "0" } },
      condition: {
        expression: "#lock_owner = :owner",
        names: { "#lock_owner": "lock_owner" },
        values: { ":owner": { S: owner } },
      },
      failure: "did not take a lock",
    });

  return async (work) => {
    const owner = randomUUID();
    while (!(await take(owner))) {
      if (clock.monotonic() + TOKEN_LOCK_POLL_MS >= deadline) throw occupied();
      await clock.sleep(TOKEN_LOCK_POLL_MS, signal);
    }
    try {
      return await work(clock.monotonic() + TOKEN_REFRESH_MS);
    } finally {
      // One that cannot be given back runs out.
      await giveBack(owner).catch(() => {});
    }
  };
}

const occupied = () =>
  new RequestError({
    code: "secrets.locked",
    message: "another worker of this source is refreshing the token",
    hint: "nothing to do: the run goes on when it has ended",
    retryable: true,
    waitMs: TOKEN_LOCK_MS,
  });
