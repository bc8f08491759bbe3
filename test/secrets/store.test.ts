import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { inspect } from "node:util";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { describe, expect, onTestFinished, test } from "vitest";
import { explainError, isFailure } from "../../packages/core/src/base/errors.ts";
import { openSecretStore } from "../../packages/core/src/secrets/store.ts";
import { virtualClock } from "../support/clock.ts";

/** Opens a Secrets Manager that answers with the text of `value`, or with an error for undefined. */
async function openSecrets(value: () => string | undefined) {
  const requests: Record<string, string>[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    requests.push(JSON.parse(Buffer.concat(chunks).toString()));
    const text = value();
    response.setHeader("content-type", "application/x-amz-json-1.1");
    response.statusCode = text === undefined ? 400 : 200;
    response.end(
      JSON.stringify(
        text === undefined ? { __type: "ResourceNotFoundException" } : { SecretString: text },
      ),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const client = new SecretsManagerClient({
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    region: "eu-west-1",
    credentials: { accessKeyId: "x", secretAccessKey: "x" },
    maxAttempts: 1,
  });
  onTestFinished(() => {
    client.destroy();
    server.closeAllConnections();
    server.close();
  });
  const clock = virtualClock();
  const world = { secretsManager: client, names: { app: "tidetable", stage: "dev" }, clock };
  const store = (names = ["api_key"]) => openSecretStore(world, "help_desk", names);
  return { requests, clock, store, close: () => server.close() };
}

async function failureOf(work: Promise<unknown>) {
  const error = await work.catch((thrown: unknown) => thrown);
  if (!isFailure(error)) throw new Error("expected a failure", { cause: error });
  expect(inspect(error, { depth: 10, showHidden: true })).not.toContain("canary");
  return error;
}

describe("the secret of a source", () => {
  test("a source's secret is a JSON object, read at its current version", async () => {
    const { requests, store } = await openSecrets(() => '{"api_key":"k","account":42}');
    const values = await store(["account", "api_key"]).read();
    expect([values.get("api_key"), values.get("account")]).toEqual(["k", "42"]);
    expect(requests).toEqual([{ SecretId: "tidetable/dev/help_desk", VersionStage: "AWSCURRENT" }]);
  });

  test("a secret is read once for simultaneous requests and for five minutes", async () => {
    let reads = 0;
    const { clock, store } = await openSecrets(() => `{"api_key":"k${++reads}"}`);
    const [first, second] = await Promise.all([store().read(), store().read()]);
    expect([first?.get("api_key"), second?.get("api_key")]).toEqual(["k1", "k1"]);
    clock.advance(5 * 60_000 - 1);
    expect((await store().read()).get("api_key")).toBe("k1");
    clock.advance(1);
    expect((await store().read()).get("api_key")).toBe("k2");
  });

  test("a refresh reads a secret past the cache and caches it again", async () => {
    let reads = 0;
    const { store } = await openSecrets(() => `{"api_key":"k${++reads}"}`);
    await store().read();
    expect((await store().refresh()).get("api_key")).toBe("k2");
    expect((await store().read()).get("api_key")).toBe("k2");
  });

  test("a secret that was missing is read again", async () => {
    let value: string | undefined;
    const { store } = await openSecrets(() => value);
    await failureOf(store().read());
    value = '{"api_key":"k"}';
    expect((await store().read()).get("api_key")).toBe("k");
  });

  test("a source without credentials asks for no secret", async () => {
    const { requests, store } = await openSecrets(() => undefined);
    await store([]).read();
    await store([]).refresh();
    expect(requests).toEqual([]);
  });

  test("the values of a secret are not printed with their object (P15)", async () => {
    const { store } = await openSecrets(() => '{"api_key":"canary"}');
    const values = await store().read();
    expect(inspect(values, { depth: 10, showHidden: true }) + JSON.stringify(values)).not.toContain(
      "canary",
    );
  });
});

describe("a wrong secret (P17)", () => {
  const hint = "run: tidetable secrets set help_desk --stage dev";
  const shapeless =
    'the secret tidetable/dev/help_desk is not a JSON object such as {"api_key": "…"}';
  test.each([
    [undefined, "secrets.empty", "the secret tidetable/dev/help_desk has no value yet"],
    ["canary", "secrets.shape", shapeless],
    ['"canary"', "secrets.shape", shapeless],
    ['["canary"]', "secrets.shape", shapeless],
    ["null", "secrets.shape", shapeless],
    ["", "secrets.shape", shapeless],
    [
      '{"other":"canary"}',
      "secrets.shape",
      'in the secret tidetable/dev/help_desk, "api_key" is missing and "user" is missing',
    ],
    [
      '{"api_key":"","user":["canary"]}',
      "secrets.shape",
      'in the secret tidetable/dev/help_desk, "api_key" is empty and "user" is not a string',
    ],
    [
      '{"api_key":12345678901234567890,"user":"canary"}',
      "secrets.shape",
      'in the secret tidetable/dev/help_desk, "api_key" is a number that needs quotes',
    ],
  ])("the wrong secret %j is named with the next step, and never quoted", async (value, code, message) => {
    const { store } = await openSecrets(() => value);
    const error = await failureOf(store(["api_key", "user"]).read());
    expect(explainError(error)).toBe(`${message}; ${hint}`);
    expect(error.code).toBe(code);
  });

  test("the use of a member that the source does not declare is an error", async () => {
    const { store } = await openSecrets(() => '{"api_key":"k"}');
    const values = await store().read();
    expect(() => values.get("token")).toThrow('"token" is missing');
  });

  test("a Secrets Manager that does not answer is a request error, not a config error", async () => {
    const { close, store } = await openSecrets(() => "{}");
    close();
    const error = await failureOf(store().read());
    expect(error).toMatchObject({ code: "secrets.unavailable", retryable: true });
  });
});
