import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import {
  GetSecretValueCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import { ConfigError, explainError } from "@tidetable/core";
import { describe, expect, onTestFinished, test } from "vitest";
import {
  createSecretLookup,
  findSecretsFile,
  openSecretsEndpoint,
  updateSecretsFile,
} from "../../../packages/local/src/secrets/secrets-endpoint.ts";

describe("openSecretsEndpoint", () => {
  async function open(lookup: Parameters<typeof openSecretsEndpoint>[0]) {
    const { endpoint, close } = await openSecretsEndpoint(lookup);
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
    expect(endpoint).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    return (SecretId: string, stage: { VersionStage?: string } = { VersionStage: "AWSCURRENT" }) =>
      client.send(new GetSecretValueCommand({ SecretId, ...stage }));
  }

  test("The real client reads a secret as a JSON object", async () => {
    const get = await open(async (id) => (id === "app/dev/shop" ? { api_key: "k=ü" } : undefined));
    const { SecretString, Name, VersionStages } = await get("app/dev/shop");
    expect(JSON.parse(SecretString ?? "")).toEqual({ api_key: "k=ü" });
    expect({ Name, VersionStages }).toEqual({
      Name: "app/dev/shop",
      VersionStages: ["AWSCURRENT"],
    });
  });

  test("A secret that is not there is a ResourceNotFoundException", async () => {
    const get = await open(async () => undefined);
    await expect(get("app/dev/none")).rejects.toMatchObject({ name: "ResourceNotFoundException" });
  });

  test("A rotated value is there at the next call", async () => {
    let key = "old";
    const get = await open(async () => ({ key }));
    expect((await get("s")).SecretString).toBe('{"key":"old"}');
    key = "new";
    expect((await get("s")).SecretString).toBe('{"key":"new"}');
  });

  test.each([
    {},
    { VersionStage: "AWSPREVIOUS" },
  ])("A call has to name the version stage AWSCURRENT, not %j", async (stage) => {
    const get = await open(async () => ({ key: "v" }));
    await expect(get("s", stage)).rejects.toMatchObject({ name: "InvalidParameterException" });
  });

  test("A config error of the lookup arrives, another one without its text", async () => {
    const get = await open(async (id) => {
      if (id === "wrong")
        throw new ConfigError({ code: "secrets.shape", message: "not an object" });
      throw new Error("hunter2");
    });
    await expect(get("wrong")).rejects.toMatchObject({
      name: "InvalidRequestException",
      message: "not an object",
    });
    const failure = await get("broken").catch((error: Error) => error);
    expect(failure).toMatchObject({ name: "InternalServiceError" });
    expect(JSON.stringify(failure) + failure).not.toContain("hunter2");
  });
});

describe("a secret is written only where an API replaces it", () => {
  const token = "a-token-of-32-characters-or-more";
  async function open() {
    const kept: Record<string, unknown> = {};
    const { endpoint, close } = await openSecretsEndpoint(
      async () => undefined,
      (id) => (id === "crm" ? async (members) => void Object.assign(kept, members) : undefined),
    );
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
    const put = (SecretId: string, ClientRequestToken: string) =>
      client.send(
        new PutSecretValueCommand({ SecretId, ClientRequestToken, SecretString: '{"a":"ü"}' }),
      );
    return { kept, put };
  }

  test("The real client writes one", async () => {
    const { kept, put } = await open();
    expect(await put("crm", token)).toMatchObject({ Name: "crm", VersionId: token });
    expect(kept).toEqual({ a: "ü" });
  });

  test.each([
    ["shop", token, "AccessDeniedException"],
    ["crm", "short", "InvalidParameterException"],
  ])("%s with the token %s is refused", async (id, word, name) => {
    const { kept, put } = await open();
    await expect(put(id, word)).rejects.toMatchObject({ name });
    expect(kept).toEqual({});
  });
});

describe("keepSecrets", () => {
  function folder(content: string, name = "mine.json") {
    const cwd = mkdtempSync(join(tmpdir(), "tidetable-secrets-"));
    onTestFinished(() => rmSync(cwd, { recursive: true }));
    const file = join(cwd, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content, { mode: 0o644 });
    return { cwd, file, places: { cwd, data: join(cwd, "data") } };
  }
  const read = (file: string) => JSON.parse(readFileSync(file, "utf8"));

  test("replaces what changed in the file of --secrets and leaves nothing else behind", async () => {
    const { cwd, file, places } = folder('{"refresh_token": "old", "id": 42, "deep": false}');
    const members = { refresh_token: "new", id: "42", deep: "false" };
    await updateSecretsFile("crm", members, { ...places, secrets: file });
    expect(read(file)).toEqual({ refresh_token: "new", id: 42, deep: false });
    expect(readdirSync(cwd)).toEqual(["mine.json"]);
    if (process.platform !== "win32") expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  test.skipIf(process.platform === "win32")("writes through a link", async () => {
    const { cwd, file, places } = folder('{"a": "old"}');
    const link = join(cwd, "link.json");
    symlinkSync(file, link);
    await updateSecretsFile("crm", { a: "new" }, { ...places, secrets: link });
    expect(read(file)).toEqual({ a: "new" });
  });

  test("finds the source's own file, and none where the environment has the values", async () => {
    const { file, places } = folder('{"a": "old"}', ".tidetable/secrets/crm.json");
    expect(await findSecretsFile("crm", places)).toBe(file);
    await updateSecretsFile("crm", { a: "new" }, places);
    expect(read(file)).toEqual({ a: "new" });
    expect(await findSecretsFile("other", places)).toBeUndefined();
    await expect(updateSecretsFile("other", { a: "new" }, places)).rejects.toBeInstanceOf(
      ConfigError,
    );
  });
});

describe("localSecrets", () => {
  function machine(files: Record<string, string>, env: Record<string, string> = {}) {
    const cwd = mkdtempSync(join(tmpdir(), "tidetable-secrets-"));
    onTestFinished(() => rmSync(cwd, { recursive: true }));
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(dirname(join(cwd, name)), { recursive: true });
      writeFileSync(join(cwd, name), content, { mode: 0o600 });
    }
    const warnings: string[] = [];
    const secrets = (file?: string) =>
      createSecretLookup({
        data: join(cwd, "data"),
        secrets: file && join(cwd, file),
        env,
        cwd,
        warn: (line) => warnings.push(line),
      });
    return { cwd, secrets, warnings };
  }

  const places = {
    "mine.json": '{"api_key":"of --secrets"}',
    "data/secrets/shop.json": '{"api_key":"of the data folder"}',
    ".tidetable/secrets/shop.json": '{"api_key":"of the current folder"}',
  };

  test("--secrets comes before the data folder, .tidetable and the environment", async () => {
    const { secrets } = machine(places, { TIDETABLE_SECRET_API_KEY: "of the environment" });
    expect(await secrets("mine.json")("shop", ["api_key"])).toEqual({ api_key: "of --secrets" });
    expect(await secrets()("shop", ["api_key"])).toEqual({ api_key: "of the data folder" });
    expect(await secrets()("other", ["api_key"])).toEqual({ api_key: "of the environment" });
  });

  test(".tidetable of the current folder comes before the environment", async () => {
    const { "data/secrets/shop.json": _, ...files } = places;
    const { secrets } = machine(files, { TIDETABLE_SECRET_API_KEY: "of the environment" });
    expect(await secrets()("shop", ["api_key"])).toEqual({ api_key: "of the current folder" });
  });

  test("The environment has capitals and underscores, and only what was asked for", async () => {
    const env = { TIDETABLE_SECRET_OAUTH_CLIENT_ID: "id", TIDETABLE_SECRET_B: "b" };
    const { secrets } = machine({}, env);
    expect(await secrets()("shop", ["oauth.client-id", "missing"])).toEqual({
      "oauth.client-id": "id",
    });
  });

  test("A file is read anew at each call", async () => {
    const { cwd, secrets } = machine(places);
    const read = secrets("mine.json");
    await read("shop", ["api_key"]);
    writeFileSync(join(cwd, "mine.json"), '{"api_key":"rotated"}');
    expect(await read("shop", ["api_key"])).toEqual({ api_key: "rotated" });
  });

  test("Numbers and booleans become texts", async () => {
    const { secrets } = machine({ "mine.json": '{"id": 42, "sandbox": true}' });
    expect(await secrets("mine.json")("shop", [])).toEqual({ id: "42", sandbox: "true" });
  });

  test.each([
    ["hunter2", "is not a JSON object"],
    ['["hunter2"]', "is not a JSON object"],
    ['{"a": {"b": "hunter2"}, "c": null}', '"a" is not a text and "c" is not a text'],
    ['{"id": 12345678901234567890}', '"id" is a number that needs quotes'],
  ])("A wrong file is an error that does not quote it: %s", async (content, message) => {
    const { cwd, secrets } = machine({ "mine.json": content });
    const error = await secrets("mine.json")("shop", []).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ConfigError);
    expect(error).toMatchObject({ code: "secrets.shape" });
    const text = explainError(error as ConfigError);
    expect(text).toContain(message);
    expect(text).toContain(join(cwd, "mine.json"));
    expect(text).not.toMatch(/hunter2|1234567/);
  });

  test("A --secrets file that is not there is an error, not another place", async () => {
    const { secrets } = machine({}, { TIDETABLE_SECRET_API_KEY: "of the environment" });
    await expect(secrets("typo.json")("shop", ["api_key"])).rejects.toMatchObject({
      code: "secrets.file",
      message: expect.stringMatching(/typo\.json cannot be read \(ENOENT\)$/),
    });
  });

  test.skipIf(process.platform === "win32")(
    "A file that others can read gives one warning, and is used",
    async () => {
      const { cwd, secrets, warnings } = machine(places);
      const read = secrets("mine.json");
      await read("shop", ["api_key"]);
      expect(warnings).toEqual([]);
      chmodSync(join(cwd, "mine.json"), 0o644);
      await read("shop", ["api_key"]);
      expect(await read("shop", ["api_key"])).toEqual({ api_key: "of --secrets" });
      const file = join(cwd, "mine.json");
      expect(warnings).toEqual([`warning: others can read ${file}; run: chmod 600 ${file}`]);
    },
  );
});
