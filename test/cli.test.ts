import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Handler, offsetPages, openApi } from "./support/api.ts";
import { cliFolder } from "./support/cli.ts";
import { type Engine, startDynamodb } from "./support/dynamodb.ts";

// The contract that scripts rely on, through the real command in a real process.

const KEY = "canary-5f1e9c77d2";
const rows = Array.from({ length: 250 }, (_, n) => ({ id: n + 1, title: `row ${n + 1}` }));

const dict = (url: string, resources: object[] = [{ name: "rows" }]) => ({
  client: {
    base_url: url,
    auth: {
      type: "api_key",
      name: "api_key",
      api_key: { $secret: "api_key" },
      location: "query",
    },
  },
  resource_defaults: {
    primary_key: "id",
    write_disposition: "merge",
    endpoint: {
      data_selector: "data",
      paginator: { type: "offset", limit: 100 },
      error_handler: { backoff_factor: 0.01 },
    },
  },
  resources,
});

const guarded =
  (handler: Handler): Handler =>
  (request, response) =>
    request.query.get("api_key") === KEY
      ? handler(request, response)
      : { status: 401, body: { error: `bad key ${request.query.get("api_key")}` } };

let engine: Engine;
beforeAll(async () => {
  engine = await startDynamodb();
});
afterAll(() => engine.close());

let shops = 0;
/** A folder with a source, its secret and an API. Each source has its own name in the engine. */
async function shop(handler: Handler = offsetPages(rows), resources?: object[]) {
  shops += 1;
  const name = `shop${shops}`;
  const api = await openApi(guarded(handler));
  const folder = await cliFolder({
    [`${name}.json`]: dict(api.url, resources),
    "secrets.json": { api_key: KEY },
  });
  const engineArgs = ["--dynamodb", engine.endpoint];
  const run = (...args: string[]) =>
    folder.cli(["run", `${name}.json`, ...engineArgs, "--secrets", "secrets.json", ...args]);
  return { ...folder, name, api, run, engineArgs };
}

describe("run", () => {
  it("prints one document as the contract has it, and ends with 0", async () => {
    const { run, name } = await shop();
    const { code, json, stdout } = await run("--json");
    expect(code).toBe(0);
    expect(stdout.trim().split("\n")).toHaveLength(1);
    expect(json()).toMatchObject({
      run_id: expect.any(String),
      status: "succeeded",
      started_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      duration_ms: expect.any(Number),
      resources: [
        {
          source: name,
          resource: "rows",
          table: `tidetable-local-${name}.rows`,
          status: "succeeded",
          requests: 4,
          pages: 4,
          records: 250,
          written: 250,
          unchanged: 0,
          superseded: 0,
          quarantined: 0,
          deleted: 0,
          retries: 0,
          waited_ms: 0,
          slices: 1,
          cursor: null,
          error: null,
        },
      ],
    });
    expect(await engine.scan(`tidetable-local-${name}.rows`)).toHaveLength(250);
  });

  it("prints a table for a person, with progress on stderr", async () => {
    const { run, name } = await shop();
    const { code, stdout, stderr } = await run();
    expect(code).toBe(0);
    expect(stdout).toMatch(/source +resource +status +records +written +retries +waited +time/);
    expect(stdout).toContain("1 of 1 resource succeeded: 250 records");
    expect(stderr).toContain(`${name}.rows: done, 250 records in 4 pages`);
  });

  it("is partial when one resource fails and the others do not stop (P18)", async () => {
    const resources = [{ name: "rows" }, { name: "broken" }];
    const { run, name } = await shop((request, response) => {
      return request.path === "/broken" ? { status: 500 } : offsetPages(rows)(request, response);
    }, resources);
    const { code, json } = await run("--json");
    expect(code).toBe(1);
    expect(json()).toMatchObject({
      status: "partial",
      resources: [
        { resource: "rows", status: "succeeded", records: 250, error: null },
        {
          resource: "broken",
          status: "failed",
          records: 0,
          retries: 3,
          error: { code: "extract.status", message: "GET /broken answered 500 (4 attempts)" },
        },
      ],
    });
    const { stdout } = await run();
    expect(stdout).toContain(`${name}.broken: GET /broken answered 500 (4 attempts);`);
  });

  it("runs only the resources that are asked for", async () => {
    const { run } = await shop(undefined, [{ name: "rows" }, { name: "others" }]);
    const { json } = await run("--json", "--resource", "others");
    expect(json().resources).toMatchObject([{ resource: "others" }]);
    const unknown = await run("--json", "--resource", "othrs");
    expect(unknown.code).toBe(2);
    expect(unknown.json().problems[0].message).toContain('"othrs"');
  });

  it("takes a sample with --limit-pages and says that it is one", async () => {
    const { run } = await shop();
    const { code, json } = await run("--json", "--limit-pages", "1");
    expect(code).toBe(0);
    expect(json()).toMatchObject({ limited: true, resources: [{ pages: 1, records: 100 }] });
  });

  it("says where, what and what next when the key is wrong", async () => {
    const { cli, put, name, engineArgs, api } = await shop();
    await put("secrets.json", { api_key: "another-canary-wrong" });
    const args = ["run", `${name}.json`, ...engineArgs, "--secrets", "secrets.json"];
    const { code, stdout, stderr } = await cli(args);
    expect(code).toBe(1);
    expect(stdout).toContain(
      `${name}.rows: GET /rows answered 401; check the secret "api_key" (tidetable check ${name})`,
    );
    expect(stdout + stderr).not.toContain("canary");
    // Once, and once more with the secret read afresh.
    expect(api.requests).toHaveLength(2);
  });

  it("prints its document when it is interrupted, and the next run goes on", async () => {
    let asked: () => void = () => {};
    const atSecondPage = new Promise<void>((done) => {
      asked = done;
    });
    let hang = true;
    const { start, run, name, engineArgs, api } = await shop((request, response) => {
      if (!hang || request.query.get("offset") !== "100") {
        return offsetPages(rows)(request, response);
      }
      asked();
      return undefined;
    });
    const args = ["run", `${name}.json`, ...engineArgs, "--secrets", "secrets.json", "--json"];
    const { child, ended } = start(args);
    await atSecondPage;
    child.kill("SIGINT");
    const interrupted = await ended;
    expect(interrupted.code).toBe(1);
    expect(interrupted.json()).toMatchObject({
      status: "failed",
      resources: [{ records: 100, error: { code: "run.interrupted" } }],
    });
    hang = false;
    const before = api.requests.length;
    const { json } = await run("--json");
    expect(json()).toMatchObject({ status: "succeeded", resources: [{ records: 250, slices: 2 }] });
    expect(api.requests[before]?.query.get("offset")).toBe("100");
  });

  it("takes over at once from a process that was killed (P6)", async () => {
    let asked: () => void = () => {};
    const atSecondPage = new Promise<void>((done) => {
      asked = done;
    });
    let hang = true;
    const { start, run, name, engineArgs } = await shop((request, response) => {
      if (!hang || request.query.get("offset") !== "100") {
        return offsetPages(rows)(request, response);
      }
      asked();
      return undefined;
    });
    const args = ["run", `${name}.json`, ...engineArgs, "--secrets", "secrets.json", "--json"];
    const { child } = start(args);
    await atSecondPage;
    const twin = await run("--json");
    expect(twin.code).toBe(1);
    expect(twin.json().resources[0]).toMatchObject({
      status: "skipped",
      error: { code: "state.lease_held" },
    });
    child.kill("SIGKILL");
    await once(child, "close");
    hang = false;
    const { code, json } = await run("--json");
    expect(code).toBe(0);
    expect(json()).toMatchObject({ resources: [{ status: "succeeded", records: 250 }] });
  });
});

describe("exit code 2 requests nothing and writes nothing", () => {
  it("a config with mistakes: all of them, with path and nearest right word", async () => {
    const { cli, put, name, engineArgs, api } = await shop();
    const wrong = dict(api.url, [
      { name: "rows", endpoint: { data_selecter: "data" } },
      { name: "rows", primary_key: 7 },
    ]);
    await put(`${name}.json`, wrong);
    const { code, json } = await cli(["run", `${name}.json`, ...engineArgs, "--json"]);
    expect(code).toBe(2);
    expect(json().status).toBe("invalid");
    expect(json().problems).toContainEqual({
      path: "resources[0].endpoint.data_selecter",
      message: expect.stringContaining("data_selecter"),
      hint: "did you mean data_selector?",
    });
    expect(json().problems.length).toBeGreaterThan(2);
    expect(api.requests).toHaveLength(0);
  });

  it("a missing secret: its name, and where to put it", async () => {
    const { cli, name, engineArgs, api } = await shop();
    const { code, json } = await cli(["run", `${name}.json`, ...engineArgs, "--json"]);
    expect(code).toBe(2);
    expect(json().problems).toEqual([
      {
        path: `${name}: secrets.api_key`,
        message: 'the secret "api_key" is missing',
        hint: expect.stringContaining(`.tidetable/secrets/${name}.json`),
      },
    ]);
    expect(api.requests).toHaveLength(0);
  });

  it("a secrets file that is not a JSON object, without a word of it", async () => {
    const { run, put } = await shop();
    await put("secrets.json", `{"api_key": ${KEY}`);
    const { code, stdout, stderr } = await run("--json");
    expect(code).toBe(2);
    expect(stdout).toContain("secrets.json");
    expect(stdout + stderr).not.toContain(KEY);
  });
});

describe("beside run", () => {
  it("check reads one page and writes nothing", async () => {
    const { cli, name, engineArgs, api } = await shop();
    const args = ["check", `${name}.json`, ...engineArgs, "--secrets", "secrets.json"];
    const { code, json } = await cli([...args, "--json"]);
    expect(code).toBe(0);
    expect(json()).toEqual({
      status: "succeeded",
      resources: [
        {
          source: name,
          resource: "rows",
          status: "succeeded",
          requests: 1,
          records: 100,
          quarantined: 0,
          error: null,
        },
      ],
    });
    expect(api.requests).toHaveLength(1);
    const items = await cli(["items", `${name}.json/rows`, ...engineArgs]);
    expect(items.code).toBe(2);
    expect(items.stderr).toContain(`tidetable-local-${name}.rows`);
  });

  it("a plain string where a secret stands works, warns, and stays unprinted", async () => {
    const { cli, put, name, engineArgs, api } = await shop();
    const open = JSON.stringify(dict(api.url)).replace('{"$secret":"api_key"}', `"${KEY}"`);
    await put(`${name}.json`, open);
    const { code, stdout, stderr } = await cli(["run", `${name}.json`, ...engineArgs, "--json"]);
    expect(code).toBe(0);
    expect(stderr).toContain("warning");
    expect(stdout + stderr).not.toContain(KEY);
    const planned = await cli(["plan", `${name}.json`, "--json"]);
    expect(planned.code).toBe(0);
    expect(planned.stdout + planned.stderr).not.toContain(KEY);
  });

  it("items prints every digit, in key order; state prints the checkpoint", async () => {
    const big = `{"data":[{"id":2,"n":9007199254740993},{"id":1,"n":0.1234567890123456789}]}`;
    const { run, cli, name, engineArgs } = await shop(({ query }) => ({
      headers: { "content-type": "application/json" },
      body: query.get("offset") === "0" ? big : '{"data":[]}',
    }));
    await run();
    const { stdout } = await cli(["items", `${name}.json/rows`, ...engineArgs, "--json"]);
    expect(stdout).toBe('{"id":"1","n":0.1234567890123456789}\n{"id":"2","n":9007199254740993}\n');
    const { json } = await cli(["state", `${name}.json`, ...engineArgs, "--json"]);
    expect(json().resources).toMatchObject([{ source: name, resource: "rows", status: "done" }]);
  });
});
