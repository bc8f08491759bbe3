import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { type IncomingHttpHeaders, type IncomingMessage, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, expect, it, onTestFinished } from "vitest";
import { prepareDataFolder } from "../../../packages/cli/src/base/data-folder.ts";
import { openEmbeddedEngine } from "../../../packages/cli/src/engine/embedded-engine.ts";
import { openRuntimeApi } from "../../../packages/cli/src/lambda/runtime-api.ts";
import { openLambda } from "../../../packages/cli/src/lambda/service.ts";
import { openSampleApi } from "../../../packages/cli/src/sample/server.ts";
import { openSecretsEndpoint } from "../../../packages/cli/src/secrets/secrets-endpoint.ts";

interface Local {
  url: string;
  close(): Promise<void>;
  /** A request of the server's own client. */
  path?: string;
  headers?: Record<string, string>;
  body?: string;
}

async function openDataFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "tidetable-guard-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 20 }));
  return folder;
}

const signedWith = (key: string, target: string) => ({
  "content-type": "application/x-amz-json-1.0",
  "x-amz-target": target,
  "x-amz-date": "20260101T000000Z",
  authorization: `AWS4-HMAC-SHA256 Credential=${key}/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0`,
});

const servers: Record<string, () => Promise<Local>> = {
  "the embedded engine": async () => {
    const { endpoint, key, close } = await openEmbeddedEngine(await openDataFolder(), {
      idleMs: 100,
    });
    const headers = signedWith(key, "DynamoDB_20120810.ListTables");
    return { url: endpoint, close, headers, body: "{}" };
  },
  "the secrets endpoint": async () => {
    const { endpoint, close } = await openSecretsEndpoint(async () => ({ api_key: "worthless" }));
    const headers = signedWith("any", "secretsmanager.GetSecretValue");
    const body = JSON.stringify({ SecretId: "a", VersionStage: "AWSCURRENT" });
    return { url: endpoint, close, headers, body };
  },
  "the Lambda service": async () => {
    const lambda = await openLambda({
      functions: [{ name: "f", folder: ".", handler: "x.y", memoryMb: 128, timeoutMs: 1_000 }],
    });
    const path = "/2015-03-31/functions/f/invocations";
    const headers = { "x-amz-invocation-type": "DryRun" };
    return { url: lambda.endpoint, close: () => lambda.close(), path, headers, body: "{}" };
  },
  "the runtime API": async () => {
    const api = await openRuntimeApi();
    const url = `http://${api.address}`;
    return { url, close: () => api.close(), path: "/2018-06-01/runtime/init/error", body: "{}" };
  },
  "the sample API": async () => {
    const api = await openSampleApi();
    const { api_key } = api.secrets.ticketing ?? {};
    return { url: api.origins.ticketing ?? "", close: api.close, path: `/?api_key=${api_key}` };
  },
};

/** Sends a request with any headers, which `fetch` would not let a test do. */
async function send(
  { url, path = "/", headers, body }: Local,
  more: Record<string, string> = {},
): Promise<{ status: number; headers: IncomingHttpHeaders; body: string }> {
  const outgoing = request(`${url}${url.endsWith("/") ? path.slice(1) : path}`, {
    method: body === undefined ? "GET" : "POST",
    headers: { ...headers, ...more },
    agent: false,
  });
  outgoing.end(body);
  const incoming = await new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.once("response", resolve).once("error", reject);
  });
  return {
    status: incoming.statusCode ?? 0,
    headers: incoming.headers,
    body: await text(incoming),
  };
}

describe.each(Object.entries(servers))("%s", (name, open) => {
  it(`${name} answers its own client, and refuses web pages and foreign names of this machine`, async () => {
    const local = await open();
    onTestFinished(() => local.close());
    const { port } = new URL(local.url);
    expect((await send(local)).status).not.toBe(403);
    expect((await send(local, { host: `localhost:${port}` })).status).not.toBe(403);
    for (const headers of [
      { host: `rebound.example.com:${port}` },
      { host: "127.0.0.1" },
      { host: `127.0.0.1:${Number(port) + 1}` },
      { host: `127.0.0.1.example.com:${port}` },
      { origin: "https://example.com" },
      { origin: "null" },
      { origin: "http://localhost:5173" },
      { "sec-fetch-site": "cross-site" },
      { "sec-fetch-site": "same-site" },
    ]) {
      const refused = await send(local, headers);
      expect(refused.status, JSON.stringify(headers)).toBe(403);
      expect(Object.keys(refused.headers).join()).not.toContain("access-control");
    }
  });

  it.skipIf(name === "the sample API")(
    `${name} refuses programs that do not have its key`,
    async () => {
      const local = await open();
      onTestFinished(() => local.close());
      const { origin } = new URL(local.url);
      const others = { ...local, headers: { ...local.headers } };
      for (const url of [origin, `${origin}/${"0".repeat(40)}`]) {
        for (const authorization of ["", "AWS4-HMAC-SHA256 Credential=local/x", "Bearer local"]) {
          const refused = await send({ ...others, url }, { authorization });
          expect(refused.status).toBe(403);
          expect(refused.body).toContain("tidetable env");
        }
      }
    },
  );
});

describe.skipIf(process.platform === "win32")("the data folder", () => {
  const modeOf = (path: string) => statSync(path).mode & 0o777;

  it("the data folder, and what the engine writes into it, is for its owner alone", async () => {
    const folder = join(await openDataFolder(), "data");
    const { close } = await openEmbeddedEngine(folder, { idleMs: 100 });
    onTestFinished(close);
    expect(modeOf(folder)).toBe(0o700);
    expect(modeOf(join(folder, "dynamodb"))).toBe(0o700);
    for (const file of ["engine.json", "engine.log", "dynamodb/CURRENT", ".gitignore"]) {
      expect(modeOf(join(folder, file)), file).toBe(0o600);
    }
    expect(readFileSync(join(folder, ".gitignore"), "utf8")).toBe("*\n");
  });

  it("a data folder of an earlier version is closed to others, and keeps its .gitignore", async () => {
    const folder = join(await openDataFolder(), ".tidetable");
    mkdirSync(join(folder, "secrets"), { recursive: true, mode: 0o755 });
    writeFileSync(join(folder, ".gitignore"), "mine\n");
    prepareDataFolder(folder);
    expect([modeOf(folder), modeOf(join(folder, "secrets"))]).toEqual([0o700, 0o700]);
    expect(readFileSync(join(folder, ".gitignore"), "utf8")).toBe("mine\n");
  });

  it("a folder with other things in it keeps its mode and gets no .gitignore", async () => {
    const folder = join(await openDataFolder(), "project");
    mkdirSync(join(folder, "dynamodb"), { recursive: true, mode: 0o755 });
    writeFileSync(join(folder, "README.md"), "mine");
    prepareDataFolder(folder);
    expect([modeOf(folder), modeOf(join(folder, "dynamodb"))]).toEqual([0o755, 0o700]);
    expect(existsSync(join(folder, ".gitignore"))).toBe(false);
  });
});
