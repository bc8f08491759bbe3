import { randomUUID } from "node:crypto";
import {
  type AttributeValue,
  ConditionalCheckFailedException,
  UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
import { isFailure, RequestError } from "../base/errors.ts";
import { stateTableName } from "../base/names.ts";
import { LOCK_DAYS, TOKEN_LOCK_MS, TOKEN_LOCK_POLL_MS, TOKEN_REFRESH_MS } from "../base/timing.ts";
import type { WithLock } from "../secrets/store.ts";
import { type StateWorld, steadily } from "./state-table.ts";

/*
 * The lock of a source's token (pk `source#`, sk `token`). A refresh token is good for one refresh,
 * and Secrets Manager compares nothing: two workers at once would each lose the other's.
 */

export function tokenLock(world: StateWorld, source: string): WithLock {
  const { clock, deadline = Number.POSITIVE_INFINITY, signal } = world;

  const take = async (owner: string): Promise<boolean> => {
    const now = clock.now();
    return update(world, source, {
      UpdateExpression: "SET lock_owner = :owner, lock_until = :until, expires = :expires",
      // Its own, too: an answer that was lost makes the next attempt meet itself.
      ConditionExpression:
        "attribute_not_exists(lock_until) OR lock_until < :now OR lock_owner = :owner",
      ExpressionAttributeValues: {
        ":owner": { S: owner },
        ":now": { N: String(now) },
        ":until": { N: String(now + TOKEN_LOCK_MS) },
        ":expires": { N: String(Math.ceil((now + TOKEN_LOCK_MS) / 1000) + LOCK_DAYS * 86_400) },
      },
    });
  };

  const giveBack = (owner: string) =>
    update(world, source, {
      UpdateExpression: "SET lock_until = :past",
      ConditionExpression: "lock_owner = :owner",
      ExpressionAttributeValues: { ":owner": { S: owner }, ":past": { N: "0" } },
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
      // One that can not be given back runs out.
      await giveBack(owner).catch(() => {});
    }
  };
}

/** False when another worker has the lock. */
async function update(
  world: StateWorld,
  source: string,
  change: {
    UpdateExpression: string;
    ConditionExpression: string;
    ExpressionAttributeValues: Record<string, AttributeValue>;
  },
): Promise<boolean> {
  const command = new UpdateItemCommand({
    TableName: stateTableName(world.names),
    Key: { pk: { S: `${source}#` }, sk: { S: "token" } },
    ...change,
  });
  try {
    await steadily(world, "did not take a lock", () => world.dynamodb.send(command));
    return true;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return false;
    // A laptop's first check: nothing is deployed, so nobody else is there.
    if (isFailure(error) && error.code === "load.table_missing") return true;
    throw error;
  }
}

const occupied = () =>
  new RequestError({
    code: "secrets.locked",
    message: "another worker of this source is refreshing the token",
    hint: "nothing to do: the run goes on when it has ended",
    retryable: true,
    waitMs: TOKEN_LOCK_MS,
  });
