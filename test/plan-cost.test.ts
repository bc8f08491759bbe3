import { afterAll, beforeAll, expect, it } from "vitest";
import { offsetPages, openApi } from "./support/api.ts";
import { openCliFolder } from "./support/cli.ts";
import { type Engine, startDynamodb } from "./support/dynamodb.ts";

// `plan --cost`, through the real command in a real process.

let engine: Engine;
beforeAll(async () => {
  engine = await startDynamodb();
});
afterAll(() => engine.close());

const rows = Array.from({ length: 250 }, (_, n) => ({ id: n + 1, title: `row ${n + 1}` }));

const sourceText = (url: string) => `
  import { dlt, rest_api_source } from "@tidetable/core";
  export default rest_api_source({
    client: { base_url: "${url}", auth: { type: "bearer", token: dlt.secrets["token"] } },
    resource_defaults: {
      primary_key: "id",
      write_disposition: "merge",
      endpoint: { data_selector: "data", paginator: { type: "offset", limit: 100 } },
    },
    resources: ["deals", "contacts"],
  }, { schedule: "rate(1 hour)" });`;

/** Opens a new source in the engine. `run` runs only one of two resources. */
async function openShop(name: string) {
  const api = await openApi(offsetPages(rows));
  const { cli } = await openCliFolder({
    [`${name}.ts`]: sourceText(api.url),
    "secrets.json": { token: "canary-77d0c1f2" },
  });
  const common = [`${name}.ts`, "--dynamodb", engine.endpoint];
  const run = () => cli(["run", ...common, "--secrets", "secrets.json", "--resource", "deals"]);
  const plan = (...flags: string[]) => cli(["plan", ...common, ...flags]);
  return { api, cli, common, run, plan };
}

it("plan --cost estimates nothing before the first run, and says so", async () => {
  const { plan, api } = await openShop("early");
  const { code, stdout } = await plan("--cost");
  expect(code).toBe(0);
  for (const name of ["deals", "contacts"]) {
    expect(stdout).toContain(`early.${name}: no run has succeeded yet, so nothing is estimated\n`);
  }
  expect(stdout).not.toMatch(/^a run /m);
  expect(stdout).toMatch(/^early +730 +- +\$0\.00\d+ +\$0\.41 +\$2\.40 +\$0\.50 +\$3\.31$/m);
  const [one] = (await plan("--cost", "--json")).json().sources;
  expect(one.resources.map(({ cost }: { cost: unknown }) => cost)).toEqual([null, null]);
  expect(api.requests).toHaveLength(0);
});

it("plan --cost estimates the dollars of a run and of a month from the history", async () => {
  const { run, plan, cli, common, api } = await openShop("late");
  await run();
  const asked = api.requests.length;
  const document = (await plan("--cost", "--json")).json();
  expect(api.requests).toHaveLength(asked);

  const [late] = document.sources;
  const [deals, contacts] = late.resources;
  expect(contacts.cost).toBeNull();
  const parts = Object.fromEntries(
    ["lambda", "writes", "reads", "logs", "total"].map((name) => [name, expect.any(Number)]),
  );
  expect(deals.cost).toEqual({ runs: 1, run: parts, month: parts });
  expect(deals.cost.month.total).toBeCloseTo(730 * deals.cost.run.total, 9);

  // `status` has the same cost.
  const [status] = (await cli(["status", ...common, "--json"])).json().resources;
  expect(deals.cost.run.total).toBeCloseTo(status.runs[0].cost_usd, 9);

  const { month, ...cost } = late.cost;
  expect(cost).toEqual({
    runs_per_month: 730,
    refreshes_per_month: 0,
    run: deals.cost.run,
  });
  expect(month).toMatchObject({ runs: deals.cost.month.total, metrics: 2.4, alarms: 0.5 });
  const { cost: stage } = document;
  expect(stage.month).toMatchObject({ alarms: 0.2, dashboard: 3 });
  expect(stage.total).toBeCloseTo(month.total + stage.month.total, 9);
  expect(stage.prices).toMatchObject({ region: "us-east-1", write_unit: 0.625e-6 });

  const { stdout } = await plan("--cost");
  expect(stdout).toMatch(/^late\.deals( +\$0\.000\d+){5} +\$0\.\d+$/m);
  expect(stdout).toMatch(/^late\.contacts: no run has succeeded yet, so nothing is estimated$/m);
  expect(stdout).toMatch(/^the stage: tick \$0\.\d+, alarms \$0\.20, dashboard \$3\.00 /m);
  expect(stdout).toContain("what the tables hold ($0.25 per GB), which is left out\n");
});

it("plan without --cost prints no dollars and reads no history", async () => {
  const { cli } = await openShop("plain");
  const nowhere = ["--dynamodb", "http://127.0.0.1:9", "--json"];
  const { code, json } = await cli(["plan", "plain.ts", ...nowhere]);
  expect(code).toBe(0);
  expect(json()).not.toHaveProperty("cost");
  expect(json().sources[0]).not.toHaveProperty("cost");
  expect(json().sources[0].resources[0]).not.toHaveProperty("cost");
});
