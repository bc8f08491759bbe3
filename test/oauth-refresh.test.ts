import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { dlt, rest_api_source } from "@tidetable/core";
import { planSource } from "@tidetable/core/plan";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { openSecretsEndpoint } from "../packages/cli/src/secrets/secrets-endpoint.ts";
import { realClock } from "../packages/core/src/base/clock.ts";
import type { World } from "../packages/core/src/base/world.ts";
import { createAuthenticator } from "../packages/core/src/extract/auth/auth.ts";
import { runResource } from "../packages/core/src/run/run.ts";
import { openSecretStore } from "../packages/core/src/secrets/store.ts";
import { tokenLock } from "../packages/core/src/state/token-lock.ts";
import { type Api, type ApiRequest, openApi, type Reply } from "./support/api.ts";
import { openCliFolder } from "./support/cli.ts";
import { type Engine, startDynamodb } from "./support/dynamodb.ts";
import { deploySource, testWorld } from "./support/world.ts";

// The strictest APIs accept a refresh token once, and revoke everything when one comes twice.

let engine: Engine;
beforeAll(async () => {
  engine = await startDynamodb();
});
afterAll(() => engine.close());

type Members = Record<string, string>;

/** Opens an API with refresh tokens, and a source for it. Every secret contains the word canary. */
async function openScene({ rotates = true, pages = 1 } = {}) {
  const vault: Members = {
    client_id: "canary-id",
    client_secret: "canary/ü+",
    refresh: "canary&0",
  };
  let validToken = vault.refresh;
  let tokenCount = 0;
  let accessToken: string | undefined;
  const api = await openApi((request) => {
    if (request.path === "/token") return answerTokenRequest(request);
    if (!accessToken || request.headers.authorization !== `Bearer ${accessToken}`)
      return { status: 401 };
    return { body: { data: [{ id: request.query.get("offset") ?? "0" }], total: pages } };
  });
  const tokenForms: Members[] = [];
  let overrideAnswer = (): Reply | undefined => undefined;
  function answerTokenRequest({ body }: ApiRequest): Reply {
    const form = Object.fromEntries(new URLSearchParams(body)) as Members;
    tokenForms.push(form);
    const override = overrideAnswer();
    if (override) return override;
    if (form.refresh_token !== validToken) {
      validToken = "revoked";
      return { status: 400, body: { error: "invalid_grant", was: form.refresh_token } };
    }
    tokenCount += 1;
    accessToken = `canary access ${tokenCount}`.replaceAll(" ", "-");
    if (rotates) validToken = `canary&${tokenCount}`;
    return {
      body: {
        access_token: accessToken,
        expires_in: 3600,
        ...(rotates ? { refresh_token: validToken } : {}),
      },
    };
  }

  const writtenMembers: Members[] = [];
  let refusesWrites = false;
  const { endpoint, close } = await openSecretsEndpoint(
    async () => ({ ...vault }),
    () => async (members) => {
      if (refusesWrites) throw new Error("canary refused");
      writtenMembers.push(members);
      Object.assign(vault, members);
    },
  );
  onTestFinished(close);

  const lines: string[] = [];
  const writeLine = (message: string, fields?: object) =>
    lines.push(`${message} ${JSON.stringify(fields ?? {})}`);
  /** Opens the world of a new container, which has clients of its own. */
  const openContainer = (changes: Partial<World> = {}): World => {
    const secretsManager = new SecretsManagerClient({
      endpoint,
      region: "us-east-1",
      credentials: { accessKeyId: "x", secretAccessKey: "x" },
      maxAttempts: 1,
    });
    onTestFinished(() => secretsManager.destroy());
    const log = { debug: writeLine, info: writeLine, warn: writeLine, error: writeLine };
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
  const source = await deploySource(engine, config);
  return {
    api: api as Api,
    tokenForms,
    writtenMembers,
    vault,
    lines,
    openContainer,
    source,
    config,
    validToken: () => validToken,
    revokeAccess: () => {
      accessToken = undefined;
    },
    overrideTokenAnswers: (handler: () => Reply | undefined) => {
      overrideAnswer = handler;
    },
    refuseWrites: (value: boolean) => {
      refusesWrites = value;
    },
  };
}

/** Expects no secret in reports, logs and tables (P15). */
async function expectNoLeak(
  output: unknown,
  { lines, source }: Awaited<ReturnType<typeof openScene>>,
) {
  const stored = [...(await engine.scan(source.state)), ...(await engine.scan(source.table))];
  expect(JSON.stringify([output, lines, stored])).not.toMatch(/canary/i);
}

describe("a refresh token that is valid once", () => {
  it("a refresh token is replaced in the secret, and the other members stay", async () => {
    const scene = await openScene();
    const report = await scene.source.run(scene.openContainer());
    expect(report).toMatchObject({ status: "done", written: 1 });
    expect(scene.tokenForms).toEqual([
      {
        client_id: "canary-id",
        client_secret: "canary/ü+",
        grant_type: "refresh_token",
        refresh_token: "canary&0",
      },
    ]);
    expect(scene.vault).toEqual({
      client_id: "canary-id",
      client_secret: "canary/ü+",
      refresh: "canary&1",
    });
    await expectNoLeak(report, scene);
  });

  it("containers share the token that came with a refresh token, and write the secret once", async () => {
    const scene = await openScene();
    const refresh = async (world = scene.openContainer()) => {
      const { name, secrets } = planSource(
        rest_api_source(scene.config),
        scene.source.resourceRef.source,
      );
      const store = { ...openSecretStore(world, name, secrets), withLock: tokenLock(world, name) };
      // Every run begins with a read, which is out of date for all workers but one.
      await store.read();
      const { source, name: resource, retry, timeoutMs } = scene.source.resource;
      const context = { resourceRef: { source, resource }, world, retry, timeoutMs };
      const auth = createAuthenticator(scene.source.resource, { secrets: store, context });
      return auth.apply({ method: "GET", url: scene.api.url, headers: {} });
    };
    const signed = await Promise.all(Array.from({ length: 4 }, () => refresh()));
    expect(new Set(signed.map(({ headers }) => headers.authorization)).size).toBe(1);
    expect(scene.tokenForms.map((form) => form.refresh_token)).toEqual(["canary&0"]);
    expect(scene.writtenMembers).toHaveLength(1);
    expect(scene.vault.refresh).toBe("canary&1");
    // After its end nobody takes the shared token.
    const later = { ...realClock, now: () => realClock.now() + 3_600_000 };
    await refresh(scene.openContainer({ clock: later }));
    expect(scene.tokenForms.map((form) => form.refresh_token)).toEqual(["canary&0", "canary&1"]);
    await expectNoLeak(signed.length, scene);
  }, 30_000);

  it("a shared token that the API refuses is replaced, once for all containers", async () => {
    const scene = await openScene();
    const [first, second] = [scene.openContainer(), scene.openContainer()];
    await scene.source.run(first);
    await scene.source.run(second);
    expect(scene.tokenForms).toHaveLength(1);
    scene.revokeAccess();
    await scene.source.run(second);
    await scene.source.run(first);
    expect(scene.tokenForms).toHaveLength(2);
    expect(scene.vault.refresh).toBe("canary&2");
  });

  it("a person who sets another refresh token ends the token that is shared", async () => {
    const scene = await openScene();
    await scene.source.run(scene.openContainer());
    scene.vault.refresh = "canary-of-another-account";
    await scene.source.run(scene.openContainer());
    expect(scene.tokenForms[1]?.refresh_token).toBe("canary-of-another-account");
  });

  it("a refresh token is used once for all resources in a container, and for the next run", async () => {
    const scene = await openScene();
    const world = scene.openContainer();
    const { name, secrets, resources } = planSource(
      rest_api_source(scene.config),
      scene.source.resourceRef.source,
    );
    const store = { ...openSecretStore(world, name, secrets), withLock: tokenLock(world, name) };
    const more = resources[1] ?? scene.source.resource;
    const second = await deploySource(
      engine,
      { ...scene.config, resources: [scene.config.resources[1] ?? "x"] },
      { name },
    );
    expect(second.table).toContain("more");
    const reports = await Promise.all(
      [scene.source.resource, more].map((resource) =>
        runResource(resource, { runId: "r", owner: resource.name }, world, store),
      ),
    );
    expect(reports.map(({ status }) => status)).toEqual(["done", "done"]);
    await scene.source.run(world, { runId: "later" });
    expect(scene.tokenForms).toHaveLength(1);
  });

  it("after a 401 a refresh token brings a new access token, and the request is replayed", async () => {
    const scene = await openScene();
    const world = scene.openContainer();
    await scene.source.run(world);
    scene.revokeAccess();
    expect(await scene.source.run(world)).toMatchObject({
      status: "done",
      requests: 2,
      retries: 0,
    });
    expect(scene.vault.refresh).toBe("canary&2");
  });
});

describe("a refresh token that is refused", () => {
  it("a refused refresh token is read again once, because another worker may have replaced it", async () => {
    const scene = await openScene();
    let isFirst = true;
    scene.overrideTokenAnswers(() => {
      if (!isFirst) return undefined;
      isFirst = false;
      scene.vault.refresh = String(scene.validToken());
      return { status: 400, body: { error: "invalid_grant" } };
    });
    scene.vault.refresh = "canary-old";
    // The token is replaced between the worker's read and its request.
    const report = await scene.source.run(scene.openContainer());
    expect(report.status).toBe("done");
    expect(scene.tokenForms.map((form) => form.refresh_token)).toEqual(["canary-old", "canary&0"]);
  });

  it("a refused refresh token is not sent again if the secret still has it", async () => {
    const scene = await openScene();
    scene.vault.refresh = "canary-old";
    const report = await scene.source.run(scene.openContainer());
    expect(report).toMatchObject({
      status: "failed",
      error: {
        message: "POST /token answered 400",
        hint: expect.stringContaining('"refresh"'),
      },
    });
    expect(scene.tokenForms).toHaveLength(1);
    await expectNoLeak(report, scene);
  });
});

describe("a secret that cannot be written", () => {
  it("a secret that cannot be written fails the run, and the container keeps the value until it can", async () => {
    const scene = await openScene();
    scene.refuseWrites(true);
    const world = scene.openContainer();
    const report = await scene.source.run(world);
    expect(report).toMatchObject({
      status: "failed",
      error: {
        code: "secrets.unwritten",
        message: expect.stringContaining("did not accept the new one (InternalServiceError)"),
        hint: expect.stringContaining("secretsmanager:PutSecretValue"),
      },
    });
    expect(scene.vault.refresh).toBe("canary&0");
    await expectNoLeak(report, scene);

    scene.refuseWrites(false);
    expect(await scene.source.run(world)).toMatchObject({ status: "done" });
    expect(scene.tokenForms.map((form) => form.refresh_token)).toEqual(["canary&0", "canary&1"]);
    expect(scene.vault.refresh).toBe("canary&2");
  }, 30_000);

  it("a value that a person has set wins over one that could not be written", async () => {
    const scene = await openScene();
    scene.refuseWrites(true);
    const world = scene.openContainer();
    await scene.source.run(world);
    scene.refuseWrites(false);
    scene.vault.refresh = "canary-new";
    await scene.source.run(world);
    expect(scene.tokenForms.map((form) => form.refresh_token)).toEqual(["canary&0", "canary-new"]);
    expect(scene.writtenMembers).toEqual([]);
  }, 30_000);
});

it("the secret is not written if the API keeps its refresh token", async () => {
  const scene = await openScene({ rotates: false });
  expect(await scene.source.run(scene.openContainer())).toMatchObject({ status: "done" });
  expect(scene.writtenMembers).toEqual([]);
});

it("a request to a failing token endpoint is repeated like any other", async () => {
  const scene = await openScene();
  let failures = 1;
  scene.overrideTokenAnswers(() => (failures-- > 0 ? { status: 503, body: "canary" } : undefined));
  const report = await scene.source.run(scene.openContainer());
  expect(report).toMatchObject({ status: "done" });
  expect(scene.tokenForms).toHaveLength(2);
  await expectNoLeak(report, scene);
}, 30_000);

describe("refresh tokens on a laptop", () => {
  /** Opens a folder with a source file for an API that replaces its refresh token. */
  async function openLaptop() {
    const scene = await openScene();
    const config = {
      client: {
        base_url: scene.api.url,
        auth: {
          type: "oauth2_refresh_token",
          token_url: `${scene.api.url}/token`,
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
    const { vault } = scene;
    const name = scene.source.resourceRef.source.replace("source", "laptop");
    const folder = await openCliFolder({
      [`${name}.json`]: config,
      "mine.json": { ...vault, team: 7 },
    });
    const run = (...args: string[]) =>
      folder.cli(["run", `${name}.json`, "--dynamodb", engine.endpoint, ...args], {
        TIDETABLE_SECRET_CLIENT_ID: "canary-id",
        TIDETABLE_SECRET_CLIENT_SECRET: "canary",
        TIDETABLE_SECRET_REFRESH: "canary&0",
      });
    return { ...scene, ...folder, run };
  }

  it("a refresh token in a secrets file is replaced in the file", async () => {
    const { run, folder, tokenForms } = await openLaptop();
    const { code, stdout, stderr } = await run("--secrets", "mine.json");
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(stdout + stderr).not.toMatch(/canary/);
    const kept = JSON.parse(await readFile(join(folder, "mine.json"), "utf8"));
    expect(kept).toMatchObject({ refresh: "canary&1", client_id: "canary-id", team: 7 });
    await run("--secrets", "mine.json");
    expect(tokenForms.map((form) => form.refresh_token)).toEqual(["canary&0", "canary&1"]);
  }, 30_000);

  it("a refresh token in an environment variable is refused before it is used", async () => {
    const { run, tokenForms } = await openLaptop();
    const { code, stderr } = await run();
    expect(code).toBe(2);
    expect(stderr).toContain("cannot be kept in an environment variable");
    expect(tokenForms).toEqual([]);
  }, 30_000);
});
