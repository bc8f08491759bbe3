import {
  GetSecretValueCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import { ConfigError } from "@tidetable/core/internal";
import { expect, onTestFinished, test } from "vitest";
import { openSecretsEndpoint } from "../../../packages/cli/src/secrets/secrets-endpoint.ts";

/** Opens the endpoint and the real client for it. */
async function openClient(...args: Parameters<typeof openSecretsEndpoint>) {
  const { endpoint, close } = await openSecretsEndpoint(...args);
  expect(endpoint).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/[0-9a-f]{40}$/);
  const client = new SecretsManagerClient({
    endpoint,
    region: "us-east-1",
    credentials: { accessKeyId: "local", secretAccessKey: "local" },
    maxAttempts: 1,
  });
  onTestFinished(async () => {
    client.destroy();
    await close();
  });
  return client;
}

/** Opens an endpoint that reads with this function, and returns a function that gets a secret. */
async function openReader(readSecret: Parameters<typeof openSecretsEndpoint>[0]) {
  const client = await openClient(readSecret);
  return (SecretId: string, stage: { VersionStage?: string } = { VersionStage: "AWSCURRENT" }) =>
    client.send(new GetSecretValueCommand({ SecretId, ...stage }));
}

test("the real client reads a secret as a JSON object", async () => {
  const getSecret = await openReader(async (id) => {
    return id === "app/dev/shop" ? { api_key: "k=ü" } : undefined;
  });
  const { SecretString, Name, VersionStages } = await getSecret("app/dev/shop");
  expect(JSON.parse(SecretString ?? "")).toEqual({ api_key: "k=ü" });
  expect({ Name, VersionStages }).toEqual({
    Name: "app/dev/shop",
    VersionStages: ["AWSCURRENT"],
  });
});

test("a secret that does not exist is a ResourceNotFoundException", async () => {
  const getSecret = await openReader(async () => undefined);
  await expect(getSecret("app/dev/none")).rejects.toMatchObject({
    name: "ResourceNotFoundException",
  });
});

test("a rotated secret has its new value at the next call", async () => {
  let key = "old";
  const getSecret = await openReader(async () => ({ key }));
  expect((await getSecret("s")).SecretString).toBe('{"key":"old"}');
  key = "new";
  expect((await getSecret("s")).SecretString).toBe('{"key":"new"}');
});

test.each([
  {},
  { VersionStage: "AWSPREVIOUS" },
])("a call has to name the version stage AWSCURRENT, so %j is refused", async (stage) => {
  const getSecret = await openReader(async () => ({ key: "v" }));
  await expect(getSecret("s", stage)).rejects.toMatchObject({ name: "InvalidParameterException" });
});

test("a config error of the lookup reaches the client, and any other error without its text", async () => {
  const getSecret = await openReader(async (id) => {
    if (id === "wrong") throw new ConfigError({ code: "secrets.shape", message: "not an object" });
    throw new Error("hunter2");
  });
  await expect(getSecret("wrong")).rejects.toMatchObject({
    name: "InvalidRequestException",
    message: "not an object",
  });
  const failure = await getSecret("broken").catch((error: Error) => error);
  expect(failure).toMatchObject({ name: "InternalServiceError" });
  expect(JSON.stringify(failure) + failure).not.toContain("hunter2");
});

const validToken = "a-token-of-32-characters-or-more";

/** Opens an endpoint that lets only the secret `crm` be written. */
async function openWriter() {
  const written: Record<string, unknown> = {};
  const client = await openClient(
    async () => undefined,
    (id) => (id === "crm" ? async (members) => void Object.assign(written, members) : undefined),
  );
  const putSecret = (SecretId: string, ClientRequestToken: string) =>
    client.send(
      new PutSecretValueCommand({ SecretId, ClientRequestToken, SecretString: '{"a":"ü"}' }),
    );
  return { written, putSecret };
}

test("the real client writes a secret that an API replaces", async () => {
  const { written, putSecret } = await openWriter();
  expect(await putSecret("crm", validToken)).toMatchObject({ Name: "crm", VersionId: validToken });
  expect(written).toEqual({ a: "ü" });
});

test.each([
  ["shop", validToken, "AccessDeniedException"],
  ["crm", "short", "InvalidParameterException"],
])("writing the secret %s with the token %s is refused", async (id, token, errorName) => {
  const { written, putSecret } = await openWriter();
  await expect(putSecret(id, token)).rejects.toMatchObject({ name: errorName });
  expect(written).toEqual({});
});
