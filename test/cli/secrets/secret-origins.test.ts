import { copyFile, mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from "vitest";
import type { Io } from "../../../packages/cli/src/base/io.ts";
import { openApi } from "../../support/api.ts";
import { guardSecret, recordOutput } from "../../support/canary.ts";
import { type Engine, startDynamodb } from "../../support/dynamodb.ts";

let engine: Engine;
beforeAll(async () => {
  engine = await startDynamodb();
});
afterAll(() => engine.close());

const KEY = guardSecret("canary-stored-key-5a07");
const OTHER_KEY = guardSecret("canary-other-key-91d2");

const dictFor = (url: string, client: object = {}) => ({
  client: { base_url: url, auth: { type: "bearer", token: { $secret: "api_key" } }, ...client },
  resources: [{ name: "orders", primary_key: "id", endpoint: { data_selector: "data" } }],
});

let shops = 0;

/** A folder with a config, the command line in it, and an API that every host of the config leads to. */
async function openShop() {
  shops += 1;
  const name = `bound${shops}`;
  const folder = await mkdtemp(join(tmpdir(), "tidetable-origins-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const api = await openApi(() => ({ body: { data: [{ id: 1 }] } }));
  const configure = (url: string, client?: object) =>
    writeFile(join(folder, `${name}.json`), JSON.stringify(dictFor(url, client)));
  const store = async (members: object) => {
    await mkdir(join(folder, ".tidetable", "secrets"), { recursive: true });
    const file = join(folder, ".tidetable", "secrets", `${name}.json`);
    await writeFile(file, JSON.stringify(members), { mode: 0o600 });
  };
  const cli = async (argv: string[], io: Partial<Io> = {}) => {
    // A process has one session, whose clients stay with the endpoints of its first request.
    vi.resetModules();
    const { runCommand } = await import("../../support/stage.ts");
    const ended = await runCommand([...argv, "--dynamodb", engine.endpoint], {
      cwd: folder,
      ...io,
    });
    recordOutput("output of a command", ended.stdout + ended.stderr);
    return ended;
  };
  const source = `${name}.json`;
  /** Local mode sends what is meant for base_url to the API of the test. */
  const divert = () => {
    vi.stubEnv(`TIDETABLE_ORIGIN_${name.toUpperCase()}`, api.url);
    onTestFinished(() => void vi.unstubAllEnvs());
  };
  const keysSeen = () => api.requests.map(({ headers }) => headers.authorization);
  const set = (key: string) =>
    cli(["secrets", "set", source], { input: async () => JSON.stringify({ api_key: key }) });
  const run = (...more: string[]) => cli(["run", source, "--json", ...more]);
  return { name, folder, source, api, configure, store, cli, divert, keysSeen, set, run };
}

test("a credential that was set for a config is sent without a question, and lies beside nothing else", async () => {
  const { configure, set, run, keysSeen, folder, source } = await openShop();
  const { api } = await openShop();
  await configure(api.url);
  expect((await set(KEY)).exit).toBe(0);
  const { exit, stderr } = await run();
  expect(exit, stderr).toBe(0);
  expect(stderr).not.toContain("note:");
  expect(keysSeen()).toEqual([]);
  expect(api.requests[0]?.headers.authorization).toBe(`Bearer ${KEY}`);
  expect(await readdir(join(folder, ".tidetable", "secrets"))).toEqual([source]);
});

test("another port of this machine is the same origin, and so is localhost", async () => {
  const { configure, set, run, api } = await openShop();
  await configure("http://localhost:9");
  await set(KEY);
  await configure(api.url);
  expect((await run()).exit).toBe(0);
});

test.each([
  ["base_url", "https://api.thief.example/v1", {}],
  ["the port of base_url", "https://api.shop.example:8443", {}],
  ["plain http", "http://api.shop.example", {}],
  ["a host that ends alike", "https://evil-api.shop.example", {}],
  ["allowed_origins", "https://api.shop.example", { allowed_origins: ["https://thief.example"] }],
  [
    "the token endpoint",
    "https://api.shop.example",
    {
      auth: {
        type: "oauth2_client_credentials",
        access_token_url: "https://thief.example/token",
        client_id: "shop",
        client_secret: { $secret: "api_key" },
      },
    },
  ],
  [
    "a token endpoint with the credential in its name",
    "https://api.shop.example",
    {
      auth: {
        type: "oauth2_client_credentials",
        access_token_url: "https://{secrets.api_key}.thief.example/token",
        client_id: "shop",
        client_secret: { $secret: "api_key" },
      },
    },
  ],
  ["this machine", "http://127.0.0.1:9", {}],
])("a config that takes a stored credential to another origin, by %s, is refused before any request", async (_, url, client) => {
  const { configure, set, cli, divert, source, api, name } = await openShop();
  divert();
  await configure("https://api.shop.example");
  await set(KEY);
  await configure(url, client);
  for (const argv of [
    ["run", source, "--json"],
    ["check", source, "--json"],
    ["preview", source, "orders", "--json"],
    ["invoke", "-", source, "--json"],
  ]) {
    const input = argv[0] === "invoke" ? { input: async () => "{}" } : {};
    const { exit, stdout } = await cli(argv, input);
    expect(exit, argv[0]).toBe(2);
    const [problem] = JSON.parse(stdout).problems;
    expect(problem.path).toBe(`${name}: secrets`);
    expect(problem.message).toContain("were set for https://api.shop.example, and this config");
    expect(problem.hint).toContain("`tidetable secrets set`");
  }
  expect(api.requests).toEqual([]);
});

test("at a terminal another origin is asked about once", async () => {
  const { configure, set, cli, divert, source, keysSeen } = await openShop();
  divert();
  await configure("https://api.shop.example");
  await set(KEY);
  await configure("https://new.shop.example");
  const questions: string[] = [];
  const answering = (answer: string): Partial<Io> => ({
    ask: async (question) => {
      questions.push(question);
      return answer;
    },
  });
  for (const answer of ["", "n", "no way"]) {
    expect((await cli(["run", source, "--json"], answering(answer))).exit).toBe(2);
  }
  expect(keysSeen()).toEqual([]);
  expect(questions).toHaveLength(3);
  expect(questions[0]).toMatch(
    /were set for https:\/\/api\.shop\.example, .* sends them to https:\/\/new\.shop\.example\. Send/,
  );
  expect((await cli(["run", source, "--json"], answering("yes"))).exit).toBe(0);
  expect(keysSeen()).toEqual([`Bearer ${KEY}`]);
  expect((await cli(["run", source, "--json"])).exit).toBe(0);
  expect(questions).toHaveLength(4);
});

test("credentials of --secrets and of the environment are the caller's own word", async () => {
  const { configure, cli, divert, source, folder, keysSeen } = await openShop();
  divert();
  await writeFile(join(folder, "own.json"), JSON.stringify({ api_key: KEY }), { mode: 0o600 });
  for (const url of ["https://one.example", "https://two.example"]) {
    await configure(url);
    expect((await cli(["run", source, "--secrets", "own.json"])).exit).toBe(0);
    const env = { TIDETABLE_SECRET_API_KEY: OTHER_KEY };
    expect((await cli(["run", source], { env })).exit).toBe(0);
  }
  expect(keysSeen()).toEqual([KEY, OTHER_KEY, KEY, OTHER_KEY].map((key) => `Bearer ${key}`));
  await expect(stat(join(folder, ".tidetable"))).rejects.toMatchObject({ code: "ENOENT" });
});

test("a secrets file without origins is bound at its first use, which is said once", async () => {
  const { configure, store, run, divert, api } = await openShop();
  divert();
  await store({ api_key: KEY });
  await configure("https://api.shop.example");
  const first = await run();
  expect(first.exit).toBe(0);
  expect(first.stderr).toMatch(
    /^note: from now on the credentials in .*\.json are sent to https:\/\/api\.shop\.example only$/m,
  );
  expect((await run()).stderr).not.toContain("note:");
  await configure("https://api.thief.example");
  expect((await run()).exit).toBe(2);
  expect(api.requests).toHaveLength(2);
});

test("a link to another project's stored credential is bound as that credential is", async () => {
  const owner = await openShop();
  await owner.configure("https://api.shop.example");
  await owner.set(KEY);
  const { configure, run, folder, name, divert, api } = await openShop();
  divert();
  await configure("https://api.thief.example");
  const data = join(folder, ".tidetable");
  const stored = join(owner.folder, ".tidetable", "secrets");
  for (const part of ["secrets", "origins"]) await mkdir(join(data, part), { recursive: true });
  await writeFile(join(data, "origins", `${name}.json`), '["https://api.thief.example"]');
  const link = join(data, "secrets", `${name}.json`);
  for (const target of [join(stored, owner.source), join(stored, `${name}.json`)]) {
    await copyFile(join(stored, owner.source), join(stored, `${name}.json`));
    await rm(link, { force: true });
    await symlink(target, link);
    await mkdir(join(owner.folder, ".tidetable", "origins"), { recursive: true });
    await writeFile(
      join(owner.folder, ".tidetable", "origins", `${name}.json`),
      '["https://api.shop.example"]',
    );
    expect((await run()).exit).toBe(2);
  }
  expect(api.requests).toEqual([]);
});

test("secrets set keeps no value that was set for another origin, and binds the new one", async () => {
  const { configure, set, run, cli, divert, source, keysSeen } = await openShop();
  divert();
  await configure("https://api.shop.example");
  await set(KEY);
  await configure("https://new.shop.example");
  const kept = await cli(["secrets", "set", source], { ask: async () => "" });
  expect(kept.exit).toBe(2);
  expect(kept.stderr).toContain("are not kept for https://new.shop.example");
  expect(kept.stderr).toContain("secrets.api_key: it has no value yet, and needs one");
  expect((await run()).exit).toBe(2);

  expect((await set(OTHER_KEY)).exit).toBe(0);
  expect((await run()).exit).toBe(0);
  expect(keysSeen()).toEqual([`Bearer ${OTHER_KEY}`]);
  await configure("https://api.shop.example");
  expect((await run()).exit).toBe(2);
});

test.each([
  ["http://api.shop.example", {}, "http://api.shop.example"],
  ["http://192.168.0.7:8080/v1", { auth: { token: "plain" } }, "http://192.168.0.7:8080"],
  ["https://api.shop.example", { allowed_origins: ["http://cdn.example"] }, "http://cdn.example"],
  [
    "https://api.shop.example",
    {
      auth: {
        type: "oauth2_client_credentials",
        access_token_url: "http://login.example/token",
        client_id: "shop",
        client_secret: "worthless",
      },
    },
    "http://login.example",
  ],
  ["https://api.shop.example", {}, undefined],
  ["http://127.0.0.1:9", {}, undefined],
  ["http://localhost:9", {}, undefined],
  ["http://[::1]:9", {}, undefined],
  ["http://api.shop.example", { auth: null }, undefined],
])("before a credential goes over plain http to %s, a run warns, but not of this machine: %j", async (url, client, warned) => {
  const { configure, cli, source, name } = await openShop();
  await configure(url, client);
  const signal = AbortSignal.abort(new Error("no request is needed"));
  const env = { TIDETABLE_SECRET_API_KEY: KEY };
  const { stderr } = await cli(["check", source], { env, signal });
  const lines = stderr.match(/^warning: .*without encryption.*$/gm) ?? [];
  expect(lines.length, stderr).toBe(warned === undefined ? 0 : 1);
  if (warned) expect(lines[0]).toContain(`${name}: its credentials go to ${warned} without`);
});
