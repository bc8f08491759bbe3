import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { dlt, planSource, rest_api_source } from "@tidetable/core";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import type { World } from "../packages/core/src/base/world.ts";
import { createAuthenticator } from "../packages/core/src/extract/auth/auth.ts";
import { runResource } from "../packages/core/src/run/run.ts";
import { openSecretStore } from "../packages/core/src/secrets/store.ts";
import { tokenLock } from "../packages/core/src/state/token-lock.ts";
import { openSecretsEndpoint } from "../packages/local/src/secrets/secrets-endpoint.ts";
import { type Api, openApi, type Reply, type SeenRequest } from "./support/api.ts";
import { cliFolder } from "./support/cli.ts";
import { type Engine, startDynamodb } from "./support/dynamodb.ts";
import { deploy, testWorld } from "./support/world.ts";

// Refresh tokens that are good once, as the strictest APIs have them: one that comes twice ends all.

let engine: Engine;
beforeAll(async () => {
  engine = await startDynamodb();
});
afterAll(() => engine.close());

type Members = Record<string, string>;

/** Everything that is secret here has the word canary in it. */
async function scene({ rotates = true, pages = 1 } = {}) {
  const vault: Members = {
    client_id: "canary-id",
    client_secret: "canary/ü+",
    refresh: "canary&0",
  };
  let good = vault.refresh;
  let given = 0;
  let access: string | undefined;
  const api = await openApi((request) => {
    if (request.path === "/token") return token(request);
    if (!access || request.headers.authorization !== `Bearer ${access}`) return { status: 401 };
    return { body: { data: [{ id: request.query.get("offset") ?? "0" }], total: pages } };
  });
  const asked: Members[] = [];
  let onToken = (): Reply | undefined => undefined;
  function token({ body }: SeenRequest): Reply {
    const form = Object.fromEntries(new URLSearchParams(body)) as Members;
    asked.push(form);
    const instead = onToken();
    if (instead) return instead;
    if (form.refresh_token !== good) {
      good = "revoked";
      return { status: 400, body: { error: "invalid_grant", was: form.refresh_token } };
    }
    given += 1;
    access = `canary access ${given}`.replaceAll(" ", "-");
    if (rotates) good = `canary&${given}`;
    return {
      body: { access_token: access, expires_in: 3600, ...(rotates ? { refresh_token: good } : {}) },
    };
  }

  const written: Members[] = [];
  let refuse = false;
  const { endpoint, close } = await openSecretsEndpoint(
    async () => ({ ...vault }),
    () => async (members) => {
      if (refuse) throw new Error("canary refused");
      written.push(members);
      Object.assign(vault, members);
    },
  );
  onTestFinished(close);

  const lines: string[] = [];
  const write = (message: string, fields?: object) =>
    lines.push(`${message} ${JSON.stringify(fields ?? {})}`);
  /** A worker's container: clients of its own. */
  const container = (changes: Partial<World> = {}): World => {
    const secretsManager = new SecretsManagerClient({
      endpoint,
      region: "us-east-1",
      credentials: { accessKeyId: "x", secretAccessKey: "x" },
      maxAttempts: 1,
    });
    onTestFinished(() => secretsManager.destroy());
    const log = { debug: write, info: write, warn: write, error: write };
    return testWorld(engine, { secretsManager, log, ...changes });
  };

  const config = {
    client: {
      base_url: api.url,
      error_handler: { backoff_factor: 0.01 },
      auth: {
        type: "oauth2_refresh_token" as const,
        access_token_url: `${api.url}/token`,
        client_id: dlt.secrets["client_id"],
        client_secret: dlt.secrets["client_secret"],
        refresh_token: dlt.secrets["refresh"],
      },
    },
    resources: ["rows", "more"].map((name) => ({
      name,
      primary_key: "id",
      endpoint: { data_selector: "data", paginator: { type: "offset" as const, limit: 1 } },
    })),
  };
  const source = await deploy(engine, config);
  return {
    api: api as Api,
    asked,
    written,
    vault,
    lines,
    container,
    source,
    config,
    good: () => good,
    access: () => access,
    revokeAccess: () => {
      access = undefined;
    },
    onToken: (handler: () => Reply | undefined) => {
      onToken = handler;
    },
    refuseWrites: (value: boolean) => {
      refuse = value;
    },
  };
}

/** P15: in what is told, logged or kept. */
async function expectNothingSaid(
  told: unknown,
  { lines, source }: Awaited<ReturnType<typeof scene>>,
) {
  const kept = [...(await engine.scan(source.state)), ...(await engine.scan(source.table))];
  expect(JSON.stringify([told, lines, kept])).not.toMatch(/canary/i);
}

describe("a refresh token that is good once", () => {
  it("is replaced in the secret, where all else stays", async () => {
    const s = await scene();
    const report = await s.source.run(s.container());
    expect(report).toMatchObject({ status: "done", written: 1 });
    expect(s.asked).toEqual([
      {
        client_id: "canary-id",
        client_secret: "canary/ü+",
        grant_type: "refresh_token",
        refresh_token: "canary&0",
      },
    ]);
    expect(s.vault).toEqual({
      client_id: "canary-id",
      client_secret: "canary/ü+",
      refresh: "canary&1",
    });
    await expectNothingSaid(report, s);
  });

  it("survives workers that all start at once, each in a container of its own", async () => {
    const s = await scene();
    const refresh = async () => {
      const world = s.container();
      const { name, secrets } = planSource(rest_api_source(s.config), s.source.resourceRef.source);
      const store = { ...openSecretStore(world, name, secrets), withLock: tokenLock(world, name) };
      // As every run begins: what they all have read is out of date for all but one.
      await store.read();
      const { source, name: resource, retry, timeoutMs } = s.source.resource;
      const context = { resourceRef: { source, resource }, world, retry, timeoutMs };
      const auth = createAuthenticator(s.source.resource, { secrets: store, context });
      return auth.apply({ method: "GET", url: s.api.url, headers: {} });
    };
    const signed = await Promise.all(Array.from({ length: 4 }, refresh));
    expect(new Set(signed.map(({ headers }) => headers.authorization)).size).toBe(4);
    expect(s.asked.map((form) => form.refresh_token)).toEqual([
      "canary&0",
      "canary&1",
      "canary&2",
      "canary&3",
    ]);
    expect(s.vault.refresh).toBe("canary&4");
  }, 30_000);

  it("is spent once for all resources in one container, and for the next run", async () => {
    const s = await scene();
    const world = s.container();
    const { name, secrets, resources } = planSource(
      rest_api_source(s.config),
      s.source.resourceRef.source,
    );
    const store = { ...openSecretStore(world, name, secrets), withLock: tokenLock(world, name) };
    const more = resources[1] ?? s.source.resource;
    const second = await deploy(
      engine,
      { ...s.config, resources: [s.config.resources[1] ?? "x"] },
      { name },
    );
    expect(second.table).toContain("more");
    const reports = await Promise.all(
      [s.source.resource, more].map((resource) =>
        runResource(resource, { runId: "r", owner: resource.name }, world, store),
      ),
    );
    expect(reports.map(({ status }) => status)).toEqual(["done", "done"]);
    await s.source.run(world, { runId: "later" });
    expect(s.asked).toHaveLength(1);
  });

  it("brings a new access token after a 401, and the request is replayed", async () => {
    const s = await scene();
    const world = s.container();
    await s.source.run(world);
    s.revokeAccess();
    expect(await s.source.run(world)).toMatchObject({ status: "done", requests: 2, retries: 0 });
    expect(s.vault.refresh).toBe("canary&2");
  });
});

describe("a refresh token that is refused", () => {
  it("is read afresh once: somebody else may have replaced it", async () => {
    const s = await scene();
    let first = true;
    s.onToken(() => {
      if (!first) return undefined;
      first = false;
      s.vault.refresh = String(s.good());
      return { status: 400, body: { error: "invalid_grant" } };
    });
    s.vault.refresh = "canary-old";
    // Between the worker's read and its request.
    const report = await s.source.run(s.container());
    expect(report.status).toBe("done");
    expect(s.asked.map((form) => form.refresh_token)).toEqual(["canary-old", "canary&0"]);
  });

  it("is not sent again when it is still the same", async () => {
    const s = await scene();
    s.vault.refresh = "canary-old";
    const report = await s.source.run(s.container());
    expect(report).toMatchObject({
      status: "failed",
      error: {
        message: "POST /token answered 400",
        hint: expect.stringContaining('"refresh"'),
      },
    });
    expect(s.asked).toHaveLength(1);
    await expectNothingSaid(report, s);
  });
});

describe("a secret that takes no new value", () => {
  it("fails the run with a clear error, and the container keeps the value until it is taken", async () => {
    const s = await scene();
    s.refuseWrites(true);
    const world = s.container();
    const report = await s.source.run(world);
    expect(report).toMatchObject({
      status: "failed",
      error: {
        code: "secrets.unwritten",
        message: expect.stringContaining("did not take the new one (InternalServiceError)"),
        hint: expect.stringContaining("secretsmanager:PutSecretValue"),
      },
    });
    expect(s.vault.refresh).toBe("canary&0");
    await expectNothingSaid(report, s);

    s.refuseWrites(false);
    expect(await s.source.run(world)).toMatchObject({ status: "done" });
    expect(s.asked.map((form) => form.refresh_token)).toEqual(["canary&0", "canary&1"]);
    expect(s.vault.refresh).toBe("canary&2");
  }, 30_000);

  it("wins over what the container keeps, when a person has put another one there", async () => {
    const s = await scene();
    s.refuseWrites(true);
    const world = s.container();
    await s.source.run(world);
    s.refuseWrites(false);
    s.vault.refresh = "canary-new";
    await s.source.run(world);
    expect(s.asked.map((form) => form.refresh_token)).toEqual(["canary&0", "canary-new"]);
    expect(s.written).toEqual([]);
  }, 30_000);
});

it("an API that keeps its refresh token is not written for", async () => {
  const s = await scene({ rotates: false });
  expect(await s.source.run(s.container())).toMatchObject({ status: "done" });
  expect(s.written).toEqual([]);
});

it("a failing token endpoint is tried again like any other", async () => {
  const s = await scene();
  let failures = 1;
  s.onToken(() => (failures-- > 0 ? { status: 503, body: "canary" } : undefined));
  const report = await s.source.run(s.container());
  expect(report).toMatchObject({ status: "done" });
  expect(s.asked).toHaveLength(2);
  await expectNothingSaid(report, s);
}, 30_000);

describe("on a laptop", () => {
  /** The command, a source file and an API that replaces its refresh token. */
  async function laptop() {
    const s = await scene();
    const config = {
      client: {
        base_url: s.api.url,
        auth: {
          type: "oauth2_refresh_token",
          token_url: `${s.api.url}/token`,
          refresh_token: { $secret: "refresh" },
        },
      },
      resources: [
        {
          name: "rows",
          primary_key: "id",
          endpoint: { data_selector: "data", paginator: "single_page" },
        },
      ],
    };
    const { vault } = s;
    const name = s.source.resourceRef.source.replace("source", "laptop");
    const folder = await cliFolder({
      [`${name}.json`]: config,
      "mine.json": { ...vault, team: 7 },
    });
    const run = (...args: string[]) =>
      folder.cli(["run", `${name}.json`, "--dynamodb", engine.endpoint, ...args], {
        TIDETABLE_SECRET_CLIENT_ID: "canary-id",
        TIDETABLE_SECRET_CLIENT_SECRET: "canary",
        TIDETABLE_SECRET_REFRESH: "canary&0",
      });
    return { ...s, ...folder, run };
  }

  it("it is replaced in the file", async () => {
    const { run, folder, asked } = await laptop();
    const { code, stdout, stderr } = await run("--secrets", "mine.json");
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(stdout + stderr).not.toMatch(/canary/);
    const kept = JSON.parse(await readFile(join(folder, "mine.json"), "utf8"));
    expect(kept).toMatchObject({ refresh: "canary&1", client_id: "canary-id", team: 7 });
    await run("--secrets", "mine.json");
    expect(asked.map((form) => form.refresh_token)).toEqual(["canary&0", "canary&1"]);
  }, 30_000);

  it("one in an environment variable is refused before it is spent", async () => {
    const { run, asked } = await laptop();
    const { code, stderr } = await run();
    expect(code).toBe(2);
    expect(stderr).toContain("can not be kept in an environment variable");
    expect(asked).toEqual([]);
  }, 30_000);
});
