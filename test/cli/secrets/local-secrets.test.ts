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
import { ConfigError, explainError } from "@tidetable/core/internal";
import { expect, onTestFinished, test } from "vitest";
import {
  createSecretLookup,
  findSecretsFile,
  updateSecretsFile,
} from "../../../packages/cli/src/secrets/local-secrets.ts";

const isWindows = process.platform === "win32";

/** Writes files into a new folder, which is removed after the test. */
function writeFiles(files: Record<string, string>, mode: number): string {
  const cwd = mkdtempSync(join(tmpdir(), "tidetable-secrets-"));
  onTestFinished(() => rmSync(cwd, { recursive: true }));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(cwd, name)), { recursive: true });
    writeFileSync(join(cwd, name), content, { mode });
  }
  return cwd;
}

/** A secrets file that others can read. */
function openFile(content: string, name = "mine.json") {
  const cwd = writeFiles({ [name]: content }, 0o644);
  return { cwd, file: join(cwd, name), folders: { cwd, data: join(cwd, "data") } };
}

const readJson = (file: string) => JSON.parse(readFileSync(file, "utf8"));

test("an update replaces the changed members of the --secrets file and leaves no other file", async () => {
  const { cwd, file, folders } = openFile('{"refresh_token": "old", "id": 42, "deep": false}');
  const members = { refresh_token: "new", id: "42", deep: "false" };
  await updateSecretsFile("crm", members, { ...folders, secrets: file });
  expect(readJson(file)).toEqual({ refresh_token: "new", id: 42, deep: false });
  expect(readdirSync(cwd)).toEqual(["mine.json"]);
  if (!isWindows) expect(statSync(file).mode & 0o777).toBe(0o600);
});

test.skipIf(isWindows)("an update writes through a symbolic link", async () => {
  const { cwd, file, folders } = openFile('{"a": "old"}');
  const link = join(cwd, "link.json");
  symlinkSync(file, link);
  await updateSecretsFile("crm", { a: "new" }, { ...folders, secrets: link });
  expect(readJson(file)).toEqual({ a: "new" });
});

test("an update finds the source's own file, and fails if only the environment has values", async () => {
  const { file, folders } = openFile('{"a": "old"}', ".tidetable/secrets/crm.json");
  expect(await findSecretsFile("crm", folders)).toBe(file);
  await updateSecretsFile("crm", { a: "new" }, folders);
  expect(readJson(file)).toEqual({ a: "new" });
  expect(await findSecretsFile("other", folders)).toBeUndefined();
  await expect(updateSecretsFile("other", { a: "new" }, folders)).rejects.toBeInstanceOf(
    ConfigError,
  );
});

/** A machine with these secrets files and variables, and a lookup of its secrets. */
function openMachine(files: Record<string, string>, env: Record<string, string> = {}) {
  const cwd = writeFiles(files, 0o600);
  const warnings: string[] = [];
  const createLookup = (secretsFile?: string) =>
    createSecretLookup({
      data: join(cwd, "data"),
      secrets: secretsFile && join(cwd, secretsFile),
      env,
      cwd,
      warn: (line) => warnings.push(line),
    });
  return { cwd, createLookup, warnings };
}

const secretsFiles = {
  "mine.json": '{"api_key":"of --secrets"}',
  "data/secrets/shop.json": '{"api_key":"of the data folder"}',
  ".tidetable/secrets/shop.json": '{"api_key":"of the current folder"}',
};
const environment = { TIDETABLE_SECRET_API_KEY: "of the environment" };

test("the --secrets file comes before the data folder, .tidetable and the environment", async () => {
  const { createLookup } = openMachine(secretsFiles, environment);
  expect(await createLookup("mine.json")("shop", ["api_key"])).toEqual({
    api_key: "of --secrets",
  });
  expect(await createLookup()("shop", ["api_key"])).toEqual({ api_key: "of the data folder" });
  expect(await createLookup()("other", ["api_key"])).toEqual({ api_key: "of the environment" });
});

test("the .tidetable folder of the current folder comes before the environment", async () => {
  const { "data/secrets/shop.json": _dataFile, ...files } = secretsFiles;
  const { createLookup } = openMachine(files, environment);
  expect(await createLookup()("shop", ["api_key"])).toEqual({ api_key: "of the current folder" });
});

test("secrets from the environment are named in capitals with underscores, and only the needed ones are read", async () => {
  const { createLookup } = openMachine(
    {},
    { TIDETABLE_SECRET_OAUTH_CLIENT_ID: "id", TIDETABLE_SECRET_B: "b" },
  );
  expect(await createLookup()("shop", ["oauth.client-id", "missing"])).toEqual({
    "oauth.client-id": "id",
  });
});

test("a secrets file is read again at each call", async () => {
  const { cwd, createLookup } = openMachine(secretsFiles);
  const lookUp = createLookup("mine.json");
  await lookUp("shop", ["api_key"]);
  writeFileSync(join(cwd, "mine.json"), '{"api_key":"rotated"}');
  expect(await lookUp("shop", ["api_key"])).toEqual({ api_key: "rotated" });
});

test("numbers and booleans in a secrets file become strings", async () => {
  const { createLookup } = openMachine({ "mine.json": '{"id": 42, "sandbox": true}' });
  expect(await createLookup("mine.json")("shop", [])).toEqual({ id: "42", sandbox: "true" });
});

test.each([
  ["hunter2", "is not a JSON object"],
  ['["hunter2"]', "is not a JSON object"],
  ['{"a": {"b": "hunter2"}, "c": null}', '"a" is not a string and "c" is not a string'],
  ['{"id": 12345678901234567890}', '"id" is a number that needs quotes'],
])("the error about the invalid secrets file %s does not quote it", async (content, message) => {
  const { cwd, createLookup } = openMachine({ "mine.json": content });
  const error = await createLookup("mine.json")("shop", []).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(ConfigError);
  expect(error).toMatchObject({ code: "secrets.shape" });
  const text = explainError(error as ConfigError);
  expect(text).toContain(message);
  expect(text).toContain(join(cwd, "mine.json"));
  expect(text).not.toMatch(/hunter2|1234567/);
});

test("a missing --secrets file is an error, even if the environment has the values", async () => {
  const { createLookup } = openMachine({}, environment);
  await expect(createLookup("typo.json")("shop", ["api_key"])).rejects.toMatchObject({
    code: "secrets.file",
    message: expect.stringMatching(/typo\.json cannot be read \(ENOENT\)$/),
  });
});

test.skipIf(isWindows)(
  "a secrets file that others can read is used, with a single warning",
  async () => {
    const { cwd, createLookup, warnings } = openMachine(secretsFiles);
    const lookUp = createLookup("mine.json");
    await lookUp("shop", ["api_key"]);
    expect(warnings).toEqual([]);
    chmodSync(join(cwd, "mine.json"), 0o644);
    await lookUp("shop", ["api_key"]);
    expect(await lookUp("shop", ["api_key"])).toEqual({ api_key: "of --secrets" });
    const file = join(cwd, "mine.json");
    expect(warnings).toEqual([`warning: others can read ${file}; run: chmod 600 ${file}`]);
  },
);
