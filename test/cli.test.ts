import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Handler, offsetPages, openApi } from "./support/api.ts";
import { openCliFolder } from "./support/cli.ts";
import { type Engine, startDynamodb } from "./support/dynamodb.ts";

// The contract that scripts rely on, through the real command in a real process.

const KEY = "canary-5f1e9c77d2";
const rows = Array.from({ length: 250 }, (_, n) => ({ id: n + 1, title: `row ${n + 1}` }));

const sourceDict = (url: string, resources: object[] = [{ name: "rows" }]) => ({
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

const guardedPages =
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
async function openShop(handler: Handler = offsetPages(rows), resources?: object[]) {
  shops += 1;
  const name = `shop${shops}`;
  const api = await openApi(guardedPages(handler));
  const folder = await openCliFolder({
    [`${name}.json`]: sourceDict(api.url, resources),
    "secrets.json": { api_key: KEY },
  });
  const engineArgs = ["--dynamodb", engine.endpoint];
  const run = (...args: string[]) =>
    folder.cli(["run", `${name}.json`, ...engineArgs, "--secrets", "secrets.json", ...args]);
  return { ...folder, name, api, run, engineArgs };
}

describe("run", () => {
  it("run --json prints the contract's document and ends with exit code 0", async () => {
    const { run, name } = await openShop();
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

  it("run prints a table for a person, with progress on stderr", async () => {
    const { run, name } = await openShop();
    const { code, stdout, stderr } = await run();
    expect(code).toBe(0);
    expect(stdout).toMatch(/source +resource +status +records +written +retries +waited +time/);
    expect(stdout).toContain("1 of 1 resource succeeded: 250 records");
    expect(stderr).toContain(`${name}.rows: done, 250 records in 4 pages`);
  });

  it("a run is partial if one resource fails, and the others do not stop (P18)", async () => {
    const resources = [{ name: "rows" }, { name: "broken" }];
    const { run, name } = await openShop((request, response) => {
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

  it("run --resource runs only the chosen resources", async () => {
    const { run } = await openShop(undefined, [{ name: "rows" }, { name: "others" }]);
    const { json } = await run("--json", "--resource", "others");
    expect(json().resources).toMatchObject([{ resource: "others" }]);
    const unknown = await run("--json", "--resource", "othrs");
    expect(unknown.code).toBe(2);
    expect(unknown.json().problems[0].message).toContain('"othrs"');
  });

  it("run --limit-pages takes a sample and says so", async () => {
    const { run } = await openShop();
    const { code, json } = await run("--json", "--limit-pages", "1");
    expect(code).toBe(0);
    expect(json()).toMatchObject({ limited: true, resources: [{ pages: 1, records: 100 }] });
  });

  it("run with a wrong API key prints the place, the cause and the next step", async () => {
    const { cli, put, name, engineArgs, api } = await openShop();
    await put("secrets.json", { api_key: "another-canary-wrong" });
    const args = ["run", `${name}.json`, ...engineArgs, "--secrets", "secrets.json"];
    const { code, stdout, stderr } = await cli(args);
    expect(code).toBe(1);
    expect(stdout).toContain(
      `${name}.rows: GET /rows answered 401; check the secret "api_key" (tidetable check ${name})`,
    );
    expect(stdout + stderr).not.toContain("canary");
    // The second request has the secret read again.
    expect(api.requests).toHaveLength(2);
  });

  it("an interrupted run prints its document, and the next run continues", async () => {
    let requested: () => void = () => {};
    const atSecondPage = new Promise<void>((done) => {
      requested = done;
    });
    let hang = true;
    const { start, run, name, engineArgs, api } = await openShop((request, response) => {
      if (!hang || request.query.get("offset") !== "95") {
        return offsetPages(rows)(request, response);
      }
      requested();
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
    expect(api.requests[before]?.query.get("offset")).toBe("95");
  });

  it("a run takes over at once from a process that was killed (P6)", async () => {
    let requested: () => void = () => {};
    const atSecondPage = new Promise<void>((done) => {
      requested = done;
    });
    let hang = true;
    const { start, run, name, engineArgs } = await openShop((request, response) => {
      if (!hang || request.query.get("offset") !== "95") {
        return offsetPages(rows)(request, response);
      }
      requested();
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

  it("a run fails for good if a page kills worker after worker, and the next run starts from the beginning", async () => {
    let deadly = true;
    let killWorker: () => void = () => {};
    const { start, run, name, engineArgs } = await openShop((request, response) => {
      if (!deadly || request.query.get("offset") !== "95") {
        return offsetPages(rows)(request, response);
      }
      killWorker();
      return undefined;
    });
    const args = ["run", `${name}.json`, ...engineArgs, "--secrets", "secrets.json", "--json"];
    for (let death = 0; death < 3; death++) {
      const { child, ended } = start(args);
      killWorker = () => child.kill("SIGKILL");
      await ended;
    }
    deadly = false;
    const poisoned = await run("--json");
    expect(poisoned.code).toBe(1);
    expect(poisoned.json().resources[0].error.code).toBe("run.page_poison");
    expect((await run("--json")).json()).toMatchObject({ status: "succeeded" });
  });
});

describe("exit code 2", () => {
  it("all mistakes of a config are exit code 2, each with its path and the nearest right word", async () => {
    const { cli, put, name, engineArgs, api } = await openShop();
    const wrong = sourceDict(api.url, [
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

  it("a missing secret is exit code 2, with its name and its place", async () => {
    const { cli, name, engineArgs, api } = await openShop();
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

  it("a secrets file that is not a JSON object is exit code 2, and is not quoted", async () => {
    const { run, put } = await openShop();
    await put("secrets.json", `{"api_key": ${KEY}`);
    const { code, stdout, stderr } = await run("--json");
    expect(code).toBe(2);
    expect(stdout).toContain("secrets.json");
    expect(stdout + stderr).not.toContain(KEY);
  });
});

describe("other commands", () => {
  it("check reads one page and writes nothing", async () => {
    const { cli, name, engineArgs, api } = await openShop();
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

  it("a plain string as a secret works, with a warning that does not print it", async () => {
    const { cli, put, name, engineArgs, api } = await openShop();
    const open = JSON.stringify(sourceDict(api.url)).replace('{"$secret":"api_key"}', `"${KEY}"`);
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
    const { run, cli, name, engineArgs } = await openShop(({ query }) => ({
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

/** A list that a test changes between runs. */
const changingList = (data: object[]): Handler => offsetPages(data);

describe("run --full-refresh", () => {
  it("run --full-refresh deletes the rows that the API no longer shows, and counts them (P4)", async () => {
    const data = rows.slice(0, 10);
    const { run, cli, name, engineArgs } = await openShop(changingList(data));
    await run();
    data.splice(3, 2);
    const plain = await run("--json");
    expect(plain.json().resources[0]).toMatchObject({ records: 8, deleted: 0 });
    const refresh = await run("--json", "--full-refresh");
    expect(refresh.code).toBe(0);
    expect(refresh.json().resources[0]).toMatchObject({ records: 8, deleted: 2 });
    const { stdout } = await cli(["items", `${name}.json/rows`, ...engineArgs, "--json"]);
    expect(stdout.trim().split("\n")).toHaveLength(8);
  });

  it("run --full-refresh fails and deletes nothing if it would delete most of a table (P4)", async () => {
    const data = rows.slice(0, 10);
    const { run, name } = await openShop(changingList(data));
    await run();
    data.splice(0, 9);
    const { code, json } = await run("--json", "--full-refresh");
    expect(code).toBe(1);
    expect(json().resources[0]).toMatchObject({ status: "failed", deleted: 0 });
    expect(await engine.scan(`tidetable-local-${name}.rows`)).toHaveLength(10);
  });

  it("run --full-refresh first finishes an open run and then does its own", async () => {
    const data = rows.slice(0, 250);
    let broken = true;
    const { start, run, name, engineArgs, api } = await openShop((request, response) => {
      if (!broken || request.query.get("offset") !== "95")
        return changingList(data)(request, response);
      interrupt();
      return undefined;
    });
    const args = ["run", `${name}.json`, ...engineArgs, "--secrets", "secrets.json", "--json"];
    const { child, ended } = start(args);
    const interrupt = () => child.kill("SIGINT");
    await ended;
    broken = false;
    const before = api.requests.length;
    data.pop();
    const { code, json } = await run("--json", "--full-refresh");
    expect(code).toBe(0);
    expect(json().resources[0]).toMatchObject({ status: "succeeded", records: 249, slices: 1 });
    const offsets = api.requests.slice(before).map(({ query }) => query.get("offset"));
    expect(offsets.slice(0, 2)).toEqual(["95", "190"]);
    expect(offsets.filter((offset) => offset === "0")).toHaveLength(1);
  });

  it("run --full-refresh of a resource that appends is exit code 2 without --yes", async () => {
    const append = [{ name: "rows" }, { name: "log", write_disposition: "append" }];
    const { run, name, api } = await openShop(undefined, append);
    const refused = await run("--json", "--full-refresh");
    expect(refused.code).toBe(2);
    expect(refused.json().problems).toEqual([
      {
        path: "--full-refresh",
        message: `${name}.log appends: all of its records would be added once more`,
        hint: expect.stringContaining("--yes"),
      },
    ]);
    expect(api.requests).toHaveLength(0);
    expect((await run("--json", "--full-refresh", "--resource", "rows")).code).toBe(0);
    expect((await run("--json", "--full-refresh", "--yes")).code).toBe(0);
  });

  it("run --full-refresh excludes --limit-pages", async () => {
    const { run, api } = await openShop();
    const { code, json } = await run("--json", "--full-refresh", "--limit-pages", "1");
    expect(code).toBe(2);
    expect(json().problems[0]).toMatchObject({ path: "--limit-pages" });
    expect(api.requests).toHaveLength(0);
  });
});

describe("status", () => {
  it("status prints how fresh a table is, even while its runs fail, and their costs", async () => {
    let broken = false;
    const { run, cli, name, engineArgs } = await openShop((request, response) =>
      broken ? { status: 404 } : offsetPages(rows)(request, response),
    );
    const status = (...more: string[]) => cli(["status", `${name}.json`, ...engineArgs, ...more]);
    expect((await status("--json")).json()).toEqual({
      resources: [
        {
          source: name,
          resource: "rows",
          table: `tidetable-local-${name}.rows`,
          status: "new",
          not_before: null,
          last_success_at: null,
          age_ms: null,
          served: null,
          next_start: null,
          wishes: [],
          runs: [],
        },
      ],
    });
    const first = (await run("--json")).json();
    broken = true;
    const second = (await run("--json")).json();

    const { code, json } = await status("--json");
    expect(code).toBe(0);
    const [resource] = json().resources;
    expect(resource).toMatchObject({
      status: "failed",
      age_ms: expect.any(Number),
      runs: [
        { run_id: second.run_id, status: "failed", error: { code: "extract.status" } },
        {
          run_id: first.run_id,
          status: "done",
          records: 250,
          written: 250,
          slices: 1,
          cursor: null,
          error: null,
        },
      ],
    });
    const [, success] = resource.runs;
    expect(resource.last_success_at).toBe(success.ended_at);
    // Each row takes one write unit, and checkpoints take more.
    expect(success.write_units).toBeGreaterThan(250);
    expect(success.cost_usd).toBeGreaterThan(250 * 0.625e-6);
    expect((await status()).stdout).toMatch(
      /rows +failed +\d.* ago +failed +0 .*\$0\.0000\d\d +v1\n/,
    );
  });
});

describe("quarantine", () => {
  it("quarantine lists records that were set aside, and replays them with a corrected config", async () => {
    const data: object[] = [
      { id: 1, code: "a" },
      { code: "b", n: 12 },
      { code: "c\u001b[2J" },
      "text",
    ].map((record) => record as object);
    const { run, cli, put, name, engineArgs, api } = await openShop(changingList(data));
    await run();
    const list = (...more: string[]) => cli(["quarantine", "list", ...engineArgs, ...more]);
    const listed = await list(`${name}.json`, "--json");
    expect(listed.code).toBe(0);
    const { entries } = listed.json();
    expect(entries).toHaveLength(3);
    expect(entries).toContainEqual({
      source: name,
      resource: "rows",
      id: expect.any(String),
      code: "record.key_missing",
      message: 'the key field "id" is missing',
      path: "id",
      run_id: expect.any(String),
      page: 0,
      index: 1,
      record: '{"code":"b","n":12}',
      record_bytes: null,
      redacted: false,
      naming: null,
      at: expect.any(String),
    });
    const text = await list(`${name}.json/rows`);
    expect(text.stdout).toMatch(/the key field "id" is missing +id +\{"code":"b","n":12\}/);
    expect(text.stdout).not.toContain("\u001b");

    data.splice(1);
    await put(
      `${name}.json`,
      sourceDict(api.url, [{ name: "rows", table_name: "by_code", primary_key: "code" }]),
    );
    await run();
    const replay = (...more: string[]) =>
      cli(["quarantine", "replay", `${name}.json/rows`, ...engineArgs, ...more]);
    const { code, json } = await replay("--json");
    expect(code).toBe(1);
    expect(json()).toEqual({
      status: "partial",
      source: name,
      resource: "rows",
      replayed: 2,
      kept: 1,
      reasons: [
        {
          id: expect.any(String),
          code: "record.not_object",
          message: "the record is not an object",
        },
      ],
      error: null,
    });
    const table = await engine.scan(`tidetable-local-${name}.by_code`);
    expect(table.map((item) => item.code?.S).sort()).toEqual(["a", "b", "c\u001b[2J"]);
    expect((await list(`${name}.json`, "--json")).json().entries).toMatchObject([
      { record: '"text"' },
    ]);
    expect((await replay()).stdout).toBe(
      `${name}.rows: 0 records replayed, 1 kept\n  1 kept: the record is not an object\n`,
    );
  });

  it("quarantine is empty before the first run, and replays one resource at a time", async () => {
    const { cli, name, engineArgs } = await openShop();
    const { code, json } = await cli([
      "quarantine",
      "list",
      `${name}.json`,
      ...engineArgs,
      "--json",
    ]);
    expect(code).toBe(0);
    expect(json()).toEqual({ entries: [] });
    const replay = await cli(["quarantine", "replay", `${name}.json`, ...engineArgs]);
    expect(replay.code).toBe(2);
    expect(replay.stderr).toContain(`name it, as in ${name}.json/rows`);
  });
});

describe("reset", () => {
  it("reset forgets after a confirmation", async () => {
    const { run, cli, name, engineArgs } = await openShop();
    const state = async () =>
      (await cli(["state", `${name}.json`, ...engineArgs, "--json"])).json().resources[0];
    await run();
    const reset = (...more: string[]) => cli(["reset", `${name}.json`, ...engineArgs, ...more]);

    // The test has no terminal.
    const asked = await reset("--json");
    expect(asked.code).toBe(2);
    expect(asked.json().problems[0].hint).toContain("--yes");
    expect(await state()).toMatchObject({ status: "done" });

    const { code, json } = await reset("--json", "--yes");
    expect(code).toBe(0);
    expect(json()).toEqual({
      status: "succeeded",
      resources: [
        {
          source: name,
          resource: "rows",
          table: `tidetable-local-${name}.rows`,
          status: "succeeded",
          items_deleted: false,
          error: null,
        },
      ],
    });
    expect(await state()).toMatchObject({ status: "new", run_id: null, checkpoint: null });
    expect(await engine.scan(`tidetable-local-${name}.rows`)).toHaveLength(250);

    expect((await reset("--yes", "--tables")).stdout).toContain("the table is empty");
    expect(await engine.scan(`tidetable-local-${name}.rows`)).toHaveLength(0);
    expect((await run("--json")).json()).toMatchObject({ resources: [{ written: 250 }] });
  });

  it("reset neither waits for a run nor disturbs one (P5)", async () => {
    let requested: () => void = () => {};
    const atSecondPage = new Promise<void>((done) => {
      requested = done;
    });
    const { start, cli, name, engineArgs } = await openShop((request, response) => {
      if (request.query.get("offset") !== "95") return offsetPages(rows)(request, response);
      requested();
      return undefined;
    });
    const args = ["run", `${name}.json`, ...engineArgs, "--secrets", "secrets.json", "--json"];
    const { child, ended } = start(args);
    await atSecondPage;
    const reset = ["reset", `${name}.json/rows`, ...engineArgs, "--yes", "--tables", "--json"];
    const { code, json } = await cli(reset);
    expect(code).toBe(1);
    expect(json()).toMatchObject({
      status: "failed",
      resources: [{ items_deleted: false, error: { code: "state.lease_held" } }],
    });
    expect(await engine.scan(`tidetable-local-${name}.rows`)).toHaveLength(100);
    child.kill("SIGKILL");
    await ended;
    expect((await cli(reset)).code).toBe(0);
  });
});
