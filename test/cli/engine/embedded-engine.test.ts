import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import {
  CreateTableCommand,
  DynamoDBClient,
  GetItemCommand,
  ListTablesCommand,
  PutItemCommand,
  waitUntilTableExists,
} from "@aws-sdk/client-dynamodb";
import { expect, onTestFinished, test } from "vitest";
import { openEmbeddedEngine } from "../../../packages/cli/src/engine/embedded-engine.ts";

const engineUrl = new URL("../../../packages/cli/src/engine/embedded-engine.ts", import.meta.url)
  .href;

async function dataFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "tidetable-engine-"));
  onTestFinished(async () => {
    const pid = publishedPid(folder);
    if (pid) await killProcess(pid);
    // A process without the lock may still be writing into the folder. The asynchronous rm tries
    // again; Node 22's rmSync does not retry for a folder that is not empty.
    await rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  });
  return folder;
}

function publishedPid(folder: string): number | undefined {
  const file = join(folder, "engine.json");
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")).pid : undefined;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function killProcess(pid: number): Promise<void> {
  if (isAlive(pid)) process.kill(pid, "SIGKILL");
  await waitForExit(pid);
}

const waitForExit = async (pid: number) => {
  while (isAlive(pid)) await wait(20);
};

function clientOf({ endpoint, key }: { endpoint: string; key: string }): DynamoDBClient {
  const client = new DynamoDBClient({
    endpoint,
    region: "us-east-1",
    credentials: { accessKeyId: key, secretAccessKey: "local" },
    maxAttempts: 1,
  });
  onTestFinished(() => client.destroy());
  return client;
}

type Engine = Awaited<ReturnType<typeof openEmbeddedEngine>>;

async function createNotes(client: DynamoDBClient): Promise<void> {
  const command = new CreateTableCommand({
    TableName: "notes",
    BillingMode: "PAY_PER_REQUEST",
    AttributeDefinitions: [{ AttributeName: "id", AttributeType: "S" }],
    KeySchema: [{ AttributeName: "id", KeyType: "HASH" }],
  });
  await client.send(command);
  // Even the embedded engine creates for a moment.
  await waitUntilTableExists(
    { client, minDelay: 1, maxDelay: 1, maxWaitTime: 20 },
    { TableName: "notes" },
  );
}

test("commands that start at the same moment share one engine", async () => {
  const folder = await dataFolder();
  const engines = await Promise.all(Array.from({ length: 5 }, () => openEmbeddedEngine(folder)));
  expect(new Set(engines.map(({ endpoint }) => endpoint)).size).toBe(1);
  expect(engines[0]?.endpoint).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  await createNotes(clientOf(engines[0] as Engine));
  const tables = await clientOf(engines[4] as Engine).send(new ListTablesCommand());
  expect(tables.TableNames).toEqual(["notes"]);
  expect(readFileSync(join(folder, "engine.log"), "utf8")).toBe("");
});

test("a later command finds the running engine", async () => {
  const folder = await dataFolder();
  const first = await openEmbeddedEngine(folder);
  await first.close();
  const second = await openEmbeddedEngine(folder);
  expect(second.endpoint).toBe(first.endpoint);
});

test("after kill -9 the next command starts a new engine with all data", async () => {
  const folder = await dataFolder();
  const client = clientOf(await openEmbeddedEngine(folder));
  await createNotes(client);
  const ids = Array.from({ length: 50 }, (_, n) => `note-${n}`);
  for (const id of ids) {
    await client.send(new PutItemCommand({ TableName: "notes", Item: { id: { S: id } } }));
  }
  const pid = publishedPid(folder) as number;
  await killProcess(pid);

  const again = clientOf(await openEmbeddedEngine(folder));
  expect(publishedPid(folder)).not.toBe(pid);
  for (const id of ids) {
    const { Item } = await again.send(
      new GetItemCommand({ TableName: "notes", Key: { id: { S: id } } }),
    );
    expect(Item?.id?.S).toBe(id);
  }
});

test("the engine exits when it is idle, and not while it has a client", async () => {
  const folder = await dataFolder();
  const engine = await openEmbeddedEngine(folder, { idleMs: 100 });
  const pid = publishedPid(folder) as number;
  await wait(700);
  expect(isAlive(pid)).toBe(true);
  await engine.close();
  await waitForExit(pid);
  expect(existsSync(join(folder, "engine.json"))).toBe(false);
});

test("a client that disconnects does not end the engine of another client", async () => {
  const folder = await dataFolder();
  const [firstClient, secondClient] = await Promise.all([
    openEmbeddedEngine(folder, { idleMs: 100 }),
    openEmbeddedEngine(folder, { idleMs: 100 }),
  ]);
  await firstClient.close();
  await wait(700);
  const { TableNames } = await clientOf(secondClient).send(new ListTablesCommand());
  expect(TableNames).toEqual([]);
});

test("the engine exits after its only client is killed", async () => {
  const folder = await dataFolder();
  const script = `
    const { openEmbeddedEngine } = await import(${JSON.stringify(engineUrl)});
    await openEmbeddedEngine(${JSON.stringify(folder)}, { idleMs: 100 });
    console.log("open");
    setInterval(() => {}, 1000);
  `;
  const client = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script]);
  await once(client.stdout, "data");
  const pid = publishedPid(folder) as number;
  await wait(400);
  expect(isAlive(pid)).toBe(true);
  client.kill("SIGKILL");
  await waitForExit(pid);
});

test("a command can exit without closing the engine", async () => {
  const folder = await dataFolder();
  const script = `
    const { openEmbeddedEngine } = await import(${JSON.stringify(engineUrl)});
    await openEmbeddedEngine(${JSON.stringify(folder)});
  `;
  const client = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script]);
  const [code] = await once(client, "exit");
  expect(code).toBe(0);
  expect(publishedPid(folder)).toBeGreaterThan(0);
});

test("a client that dies in the middle of a request does not end the engine", async () => {
  const folder = await dataFolder();
  const engine = await openEmbeddedEngine(folder);
  const { host, port } = new URL(engine.endpoint);
  const socket = connect(Number(port), "127.0.0.1");
  const key = `authorization: Credential=${engine.key}/`;
  socket.write(`POST / HTTP/1.1\r\nhost: ${host}\r\n${key}\r\ncontent-length: 1000\r\n\r\n{`);
  await wait(200);
  socket.resetAndDestroy();
  await wait(200);
  const { TableNames } = await clientOf(engine).send(new ListTablesCommand());
  expect(TableNames).toEqual([]);
});

test("commands that arrive while the engine exits get an engine that keeps running", async () => {
  const folder = await dataFolder();
  for (let round = 0; round < 15; round += 1) {
    const engine = await openEmbeddedEngine(folder, { idleMs: 50 });
    const client = clientOf(engine);
    expect((await client.send(new ListTablesCommand())).TableNames).toEqual([]);
    client.destroy();
    await engine.close();
    // The waits cover the time around the engine's exit.
    await wait(45 + round);
  }
});

test("a stale engine.json is replaced if its port is closed, belongs to another server, or is missing", async () => {
  const stranger = createServer((_, response) => response.end("a stranger")).listen(0, "127.0.0.1");
  await once(stranger, "listening");
  onTestFinished(() => void stranger.close());
  const { port } = stranger.address() as AddressInfo;
  const staleAddress = (url: string) => JSON.stringify({ url, pid: 2 ** 22 + 1, id: "gone" });

  for (const content of [
    staleAddress("http://127.0.0.1:9"),
    staleAddress(`http://127.0.0.1:${port}`),
    "{",
  ]) {
    const folder = await dataFolder();
    writeFileSync(join(folder, "engine.json"), content);
    const engine = await openEmbeddedEngine(folder);
    const { endpoint } = engine;
    expect(endpoint).not.toContain(`:${port}`);
    expect((await clientOf(engine).send(new ListTablesCommand())).TableNames).toEqual([]);
    expect(JSON.parse(readFileSync(join(folder, "engine.json"), "utf8")).url).toBe(endpoint);
  }
});

test("an engine.json that was sent with a folder is not believed, whatever it names", async () => {
  const source = await dataFolder();
  await openEmbeddedEngine(source);
  const genuine = JSON.parse(readFileSync(join(source, "engine.json"), "utf8"));
  const asked: string[] = [];
  const stranger = createServer((request, response) => {
    asked.push(request.url ?? "");
    // It knows everything that the file says.
    response.setHeader("tidetable-engine", genuine.id).flushHeaders();
  }).listen(0, "127.0.0.1");
  await once(stranger, "listening");
  onTestFinished(() => {
    stranger.closeAllConnections();
    stranger.close();
  });
  const { port } = stranger.address() as AddressInfo;
  for (const address of [
    { ...genuine, url: `http://127.0.0.1:${port}` },
    { ...genuine, url: `http://localhost:${port}`, inode: undefined },
    { ...genuine, url: `http://127.0.0.1:${port}@example.com` },
    genuine,
  ]) {
    const folder = await dataFolder();
    writeFileSync(join(folder, "engine.json"), JSON.stringify(address), { mode: 0o600 });
    const engine = await openEmbeddedEngine(folder);
    expect([`http://127.0.0.1:${port}`, genuine.url]).not.toContain(engine.endpoint);
    await engine.close();
  }
  expect(asked).toEqual([]);
});

test("the engine of another folder is not used, even at this folder's old address", async () => {
  const [mine, theirs] = [await dataFolder(), await dataFolder()];
  const otherEngine = await openEmbeddedEngine(theirs);
  const copied = { url: otherEngine.endpoint, pid: 1, id: "of an engine that is gone" };
  writeFileSync(join(mine, "engine.json"), JSON.stringify(copied));
  const engine = await openEmbeddedEngine(mine);
  expect(engine.endpoint).not.toBe(otherEngine.endpoint);
});

test("a data folder that cannot be written is a clear error", async () => {
  const file = join(await dataFolder(), "data");
  writeFileSync(file, "in the way");
  await expect(openEmbeddedEngine(file)).rejects.toMatchObject({
    code: "local.engine",
    message: expect.stringContaining(`the data folder ${file} cannot be used`),
    hint: "choose one that you may write to with --data",
  });
});

test("a data folder that LevelDB cannot open is a clear error, and the log has the reason", async () => {
  const folder = await dataFolder();
  mkdirSync(join(folder, "dynamodb"));
  writeFileSync(join(folder, "dynamodb", "CURRENT"), "damaged\n");
  await expect(openEmbeddedEngine(folder)).rejects.toMatchObject({
    code: "local.engine",
    message: `the embedded engine did not start in ${folder}`,
    hint: expect.stringContaining("engine.log"),
  });
  expect(readFileSync(join(folder, "engine.log"), "utf8")).toMatch(/dynamodb/);
});
