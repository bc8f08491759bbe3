import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  GetSecretValueCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import { rest_api_source } from "@tidetable/core";
import { expect, onTestFinished, test } from "vitest";
import { openLocalRunner } from "../../../packages/cli/src/runner/local-runner.ts";
import { openCliFolder } from "../../support/cli.ts";

test("the secrets endpoint of a run has the secrets of its sources, and no other file", async () => {
  const { folder, put } = await openCliFolder();
  await put("secret.json", { token: "canary-token-3b1f" });
  await writeFile(join(folder, "victim.json"), JSON.stringify({ password: "canary-victim-77" }));
  const source = rest_api_source({
    client: { base_url: "http://127.0.0.1:9", auth: { type: "bearer" } },
    resources: ["orders"],
  });
  const runner = await openLocalRunner(
    [{ name: "shop", source }],
    { data: join(folder, "data"), secrets: join(folder, "secret.json"), dynamodb: "http://x" },
    { env: {}, cwd: folder, stderr: { write() {} } },
  );
  const client = new SecretsManagerClient({ maxAttempts: 1 });
  onTestFinished(async () => {
    client.destroy();
    await runner.close();
  });
  const read = (SecretId: string) =>
    client.send(new GetSecretValueCommand({ SecretId, VersionStage: "AWSCURRENT" }));
  expect((await read("tidetable/local/shop")).SecretString).toContain("canary-token-3b1f");
  for (const id of [
    "tidetable/local/../../victim",
    "tidetable/local/other",
    `${folder}/victim`,
    "../victim",
    "/////////////////shop",
    "tidetable/local/../shop",
    "tidetable/local/__proto__",
    "",
  ]) {
    await expect(read(id), id).rejects.toMatchObject({ name: "ResourceNotFoundException" });
    const write = new PutSecretValueCommand({ SecretId: id, SecretString: "{}" });
    await expect(client.send(write), id).rejects.toMatchObject({ name: "AccessDeniedException" });
  }
});
