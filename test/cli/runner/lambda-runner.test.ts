import { spawnSync } from "node:child_process";
import { describe, expect, it, onTestFinished } from "vitest";
import { type Handler, offsetPages, openApi } from "../../support/api.ts";
import { openCliFolder } from "../../support/cli.ts";
import { startDynamodb } from "../../support/dynamodb.ts";

// `run --lambda` with a registered source, real bundles and the local Lambda service.

const KEY = "canary-77c01f";
const rows = Array.from({ length: 250 }, (_, n) => ({ id: n, name: `ticket ${n}` }));

/** Opens a folder for running `ticketing`, with a separate API and engine. */
async function openDesk(handler: Handler = offsetPages(rows)) {
  const api = await openApi(handler);
  const engine = await startDynamodb();
  onTestFinished(() => engine.close());
  const { start, ...folder } = await openCliFolder({ "shop.json": {} });
  const env = { TIDETABLE_ORIGIN_TICKETING: api.url, TIDETABLE_SECRET_API_KEY: KEY };
  const startProgram = (...args: string[]) =>
    start(["run", "--lambda", "--json", "--dynamodb", engine.endpoint, ...args], env);
  const readItems = () => engine.scan("tidetable-local-ticketing.tickets");
  const countCheckpoints = async () =>
    JSON.stringify(await engine.scan("tidetable-local-state")).replaceAll("\\", "");
  return {
    ...folder,
    api,
    begin: startProgram,
    items: readItems,
    checkpoints: countCheckpoints,
    run: (...args: string[]) => startProgram(...args).ended,
  };
}

describe("run --lambda", { timeout: 60_000 }, () => {
  it("run --lambda prints the document of a run, with the worker's own counts", async () => {
    const { run, items, api } = await openDesk();
    const { code, stdout, stderr, json } = await run("ticketing");
    expect(code, stderr).toBe(0);
    expect(stdout.trim().split("\n")).toHaveLength(1);
    expect(json()).toMatchObject({
      status: "succeeded",
      resources: [
        {
          source: "ticketing",
          resource: "tickets",
          table: "tidetable-local-ticketing.tickets",
          status: "succeeded",
          requests: 4,
          records: 250,
          written: 250,
          slices: 1,
          error: null,
        },
      ],
    });
    expect(stderr).toMatch(/^bundled as for AWS: schedule \d+ kB, worker \d+ kB zipped; on Node/);
    expect(stderr).toContain("ticketing.tickets: done, 250 records in 4 pages");
    expect(stdout + stderr).not.toContain(KEY);
    expect(api.requests[0]?.query.get("api_key")).toBe(KEY);
    expect(await items()).toHaveLength(250);
  });

  it("run --lambda takes a sample of the chosen resources", async () => {
    const { run, items } = await openDesk();
    const { code, json } = await run("ticketing", "--resource", "tickets", "--limit-pages", "1");
    expect(code).toBe(0);
    expect(json()).toMatchObject({ limited: true, resources: [{ records: 100 }] });
    expect(await items()).toHaveLength(100);
  });

  it("run --lambda --full-refresh sweeps the rows that the API no longer shows", async () => {
    const data = [...rows];
    const { run, items } = await openDesk((request, response) =>
      offsetPages(data)(request, response),
    );
    expect((await run("ticketing")).code).toBe(0);
    data.splice(0, 30);
    const { code, json } = await run("ticketing", "--full-refresh");
    expect(code).toBe(0);
    expect(json().resources).toMatchObject([{ status: "succeeded", records: 220, deleted: 30 }]);
    expect(await items()).toHaveLength(220);
  });

  it("run --lambda attempts a failing worker three times, prints its error and ends with exit code 1", async () => {
    const { run, api } = await openDesk(() => ({ body: { rows: [] } }));
    const { code, json, stderr } = await run("ticketing");
    expect(code).toBe(1);
    expect(json()).toMatchObject({
      status: "failed",
      resources: [
        {
          status: "failed",
          error: { code: "extract.selector", hint: expect.stringContaining("data_selector") },
        },
      ],
    });
    expect(stderr).toContain("Lambda tries again");
    expect(api.requests).toHaveLength(3);
  });

  it("run --lambda refuses a source that is not registered, because no bundle contains it", async () => {
    const { run, put, api } = await openDesk();
    await put("shop.json", {
      client: { base_url: api.url },
      resources: [{ name: "rows", endpoint: { data_selector: "$", paginator: "single_page" } }],
    });
    const { code, json } = await run("shop.json");
    expect(code).toBe(2);
    expect(json()).toEqual({
      status: "invalid",
      problems: [
        {
          path: "shop",
          message: expect.stringContaining("registered sources only"),
          hint: expect.stringContaining("npx --no tidetable add"),
        },
      ],
    });
    expect(api.requests).toHaveLength(0);
  });

  it("run --lambda ends its processes on Ctrl-C, and the next run continues at once from the checkpoint", async () => {
    let hang = true;
    const { begin, run, api, items, checkpoints } = await openDesk((request, response) => {
      if (hang && request.query.get("offset") === "95") return undefined;
      return offsetPages(rows)(request, response);
    });
    const { child, ended } = begin("ticketing");
    await expect.poll(() => api.requests.length, { timeout: 30_000 }).toBe(2);
    await expect.poll(checkpoints, { timeout: 10_000 }).toContain('"records":100');
    const workers = processesBelow(child.pid);
    expect(workers).not.toEqual([]);
    child.kill("SIGINT");
    const interrupted = await ended;
    expect(interrupted.code).toBe(1);
    expect(interrupted.json()).toMatchObject({
      status: "failed",
      resources: [{ status: "failed", records: 100, error: { code: "run.interrupted" } }],
    });
    await expect.poll(() => workers.filter(isAlive), { timeout: 10_000 }).toEqual([]);

    hang = false;
    const { code, json } = await run("ticketing");
    expect(code).toBe(0);
    expect(json().resources).toMatchObject([{ status: "succeeded", records: 250, slices: 2 }]);
    expect(api.requests[2]?.query.get("offset")).toBe("95");
    expect(await items()).toHaveLength(250);
  });
});

/** The ids of a process's children. */
function processesBelow(pid: number | undefined): number[] {
  const { stdout } = spawnSync("ps", ["-A", "-o", "pid=,ppid="], { encoding: "utf8" });
  return stdout
    .trim()
    .split("\n")
    .map((line) => line.trim().split(/\s+/).map(Number))
    .flatMap(([id = 0, parent]) => (parent === pid ? [id] : []));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
