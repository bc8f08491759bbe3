import { GetSecretValueCommand, PutSecretValueCommand } from "@aws-sdk/client-secrets-manager";
import { describe, expect, test } from "vitest";
import { openSecretStore } from "../../packages/core/src/secrets/store.ts";
import { virtualClock } from "../support/clock.ts";

/** Opens a Secrets Manager whose next calls of PutSecretValue fail. */
function openVault(text: string, failures: string[] = []) {
  const vault = { text };
  const puts: PutSecretValueCommand["input"][] = [];
  const send = async (command: unknown) => {
    if (command instanceof GetSecretValueCommand) return { SecretString: vault.text };
    if (!(command instanceof PutSecretValueCommand)) throw new Error("not expected");
    puts.push(command.input);
    const failure = failures.shift();
    if (failure) throw Object.assign(new Error("canary"), { name: failure });
    vault.text = String(command.input.SecretString);
    return {};
  };
  const clock = virtualClock();
  const world = { secretsManager: { send: send as never }, names: { app: "a", stage: "s" }, clock };
  return { vault, puts, clock, store: openSecretStore(world, "crm", ["token"]) };
}

describe("a change of a secret's member", () => {
  test("a change of a secret keeps the other members, every number exact, and is read from then on", async () => {
    const { vault, store } = openVault(
      '{"token":"old","big":12345678901234567890,"deep":{"a":0.1}}',
    );
    await store.refresh();
    await store.write({ token: "new" });
    expect(vault.text).toBe('{"token":"new","big":12345678901234567890,"deep":{"a":0.1}}');
    expect((await store.read()).get("token")).toBe("new");
  });

  test("a failed write of a secret is repeated with the same token, because its answer may be lost", async () => {
    const { puts, clock, store } = openVault('{"token":"old"}', [
      "TimeoutError",
      "ThrottlingException",
    ]);
    await store.refresh();
    await store.write({ token: "new" });
    expect(puts).toHaveLength(3);
    expect(new Set(puts.map((put) => put.ClientRequestToken)).size).toBe(1);
    expect(String(puts[0]?.ClientRequestToken).length).toBeGreaterThanOrEqual(32);
    expect(clock.sleeps).toEqual([200, 1000]);
  });

  test("a write of a secret that is refused for good is an error without the value", async () => {
    const { store } = openVault('{"token":"old"}', Array(3).fill("AccessDeniedException"));
    await store.refresh();
    await expect(store.write({ token: "canary" })).rejects.toMatchObject({
      code: "secrets.unwritten",
      message:
        "the API has replaced a credential, and the secret a/s/crm did not accept the new one (AccessDeniedException)",
      hint: expect.not.stringContaining("canary"),
    });
  });
});
