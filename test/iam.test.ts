import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { ResourceConfig } from "../packages/core/src/config/types.ts";
import type { Statement } from "../packages/sst/src/permissions.ts";
import { offsetPages, openApi, type Reply } from "./support/api.ts";
import { type Changes, declareSource, openStage, type Stage } from "./support/iam-stage.ts";
import { declaredStatements, reasonsForUnneededActions } from "./support/permissions.ts";

// Checks the roles of `packages/sst/src/permissions.ts` against every request that the functions make.

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());
afterEach(() => {
  stage.iam.decisions.length = 0;
  expect(stage.iam.faults.splice(0)).toEqual([]);
});

const deniedRequests = () => stage.iam.decisions.filter(({ allowedBy }) => allowedBy === undefined);

interface Row {
  id: number;
  v: number;
}
const makeRows = (count: number): Row[] =>
  Array.from({ length: count }, (_, n) => ({ id: n, v: n }));

/** Deploys a source with the rows, under the declared roles. Every scenario starts with this. */
type DeploySource = (
  rows: object[],
  resource?: Partial<ResourceConfig>,
  otherResources?: ResourceConfig[],
) => ReturnType<typeof deploySource>;

async function deploySource(
  rows: object[],
  resource: Partial<ResourceConfig> = {},
  otherResources: ResourceConfig[] = [],
  changes: Changes = {},
) {
  const api = { key: "first", answer: offsetPages(rows) };
  const { url } = await openApi((request, response) =>
    request.query.get("key") === api.key ? api.answer(request, response) : { status: 401 },
  );
  const resources = [{ name: "rows", ...resource }, ...otherResources];
  const deployed = await stage.deploy(declareSource(url, resources), changes);
  return { api, ...deployed };
}

const doneReport = (report: object = {}) => ({ status: "done", error: null, ...report });

/** Everything that a worker and the schedule function do. */
const scenarios: Record<string, (deploy: DeploySource) => Promise<void>> = {
  async "a merge fills its table and writes the history"(deploy) {
    const { run, rows, stateItems } = await deploy(makeRows(150));
    expect(await run()).toMatchObject([doneReport({ written: 150 })]);
    expect(await rows()).toHaveLength(150);
    expect(await stateItems("run#")).toMatchObject([{ status: { S: "done" } }]);
  },

  async "an append keeps the existing rows"(deploy) {
    const { run, rows } = await deploy(makeRows(3), { write_disposition: "append" });
    await run();
    expect(await run()).toMatchObject([doneReport({ written: 3 })]);
    expect(await rows()).toHaveLength(6);
  },

  async "a replace deletes the rows that are gone"(deploy) {
    const apiRows = makeRows(30);
    const { run, rows } = await deploy(apiRows, { write_disposition: "replace" });
    await run();
    apiRows.splice(0, 10);
    expect(await run()).toMatchObject([doneReport({ deleted: 10 })]);
    expect(await rows()).toHaveLength(20);
  },

  async "a full refresh of a merge deletes the rows that are gone"(deploy) {
    const apiRows = makeRows(30);
    const { name, run, rows } = await deploy(apiRows);
    await run();
    apiRows.splice(0, 10);
    expect(await run({ full_refresh: true, confirm: name })).toMatchObject([
      doneReport({ deleted: 10 }),
    ]);
    expect(await rows()).toHaveLength(20);
  },

  async "ordered writes keep newer rows"(deploy) {
    const apiRows = [{ id: 1, v: 2 }];
    const { run, rows } = await deploy(apiRows, {
      write_mode: "ordered",
      version_field: "v",
      columns: { v: { data_type: "bigint" } },
    });
    await run();
    apiRows[0] = { id: 1, v: 1 };
    expect(await run()).toMatchObject([doneReport({ superseded: 1 })]);
    expect(await rows()).toMatchObject([{ v: { N: "2" } }]);
  },

  async "an incremental resource moves its cursor"(deploy) {
    const apiRows = makeRows(5);
    const { run } = await deploy(apiRows, {
      endpoint: { incremental: { cursor_path: "v", start_param: "since", initial_value: 0 } },
    });
    expect(await run()).toMatchObject([doneReport({ cursor: { before: null, after: 4 } })]);
    apiRows.push({ id: 9, v: 9 });
    expect(await run()).toMatchObject([doneReport({ cursor: { before: 4, after: 9 } })]);
  },

  async "a record that cannot be stored is set aside"(deploy) {
    const { run, stateItems } = await deploy([...makeRows(30), { v: 1 }]);
    expect(await run()).toMatchObject([doneReport({ written: 30, quarantined: 1 })]);
    expect(await stateItems("quarantine#")).toHaveLength(1);
  },

  async "a 429 stops all workers of a source, and the tick goes on after the pause"(deploy) {
    const { api, run, tick, stateItems, letTimePass } = await deploy(makeRows(3), {}, [
      { name: "others" },
    ]);
    const tooManyRequests: Reply = { status: 429, headers: { "retry-after": "120" } };
    api.answer = () => tooManyRequests;
    expect(await run()).toMatchObject([
      { status: "waiting", error: { code: "extract.status" } },
      { status: "waiting", error: { code: "extract.blocked" } },
    ]);
    expect(await stateItems("gate")).toHaveLength(1);
    expect(await tick()).toEqual([]);
    api.answer = offsetPages(makeRows(3));
    await letTimePass();
    expect(await tick()).toMatchObject([doneReport({ slices: 2 }), doneReport({ slices: 2 })]);
  },

  async "a check reads one page and writes nothing"(deploy) {
    const { run, rows, stateItems } = await deploy(makeRows(3));
    expect(await run({ check: true })).toMatchObject([doneReport({ records: 3 })]);
    expect([...(await rows()), ...(await stateItems(""))]).toEqual([]);
  },

  async "a sample writes one page"(deploy) {
    const { run, rows } = await deploy(makeRows(150));
    expect(await run({ limit_pages: 1 })).toMatchObject([doneReport({ limited: true })]);
    expect(await rows()).toHaveLength(100);
  },

  async "a failed run writes the history, and the next run starts anew"(deploy) {
    const { api, run, stateItems } = await deploy(makeRows(3));
    const { answer } = api;
    api.answer = () => ({ body: { items: [] } });
    const error = { code: "extract.selector" };
    expect(await run()).toMatchObject([{ status: "failed", error }]);
    expect(await stateItems("run#")).toMatchObject([{ error_code: { S: error.code } }]);
    api.answer = answer;
    expect(await run()).toMatchObject([doneReport({ written: 3 })]);
  },

  async "a secret that was rotated is read again after a 401"(deploy) {
    const { api, run, setSecret } = await deploy(makeRows(3));
    await run();
    api.key = "rotated-key";
    setSecret("rotated-key");
    expect(await run()).toMatchObject([doneReport({ unchanged: 3, requests: 3 })]);
  },

  async "a secret without a value skips the run"(deploy) {
    const { run, setSecret, stateItems } = await deploy(makeRows(3));
    setSecret();
    expect(await run()).toMatchObject([{ status: "skipped", error: { code: "secrets.empty" } }]);
    expect(await stateItems("run#")).toMatchObject([{ status: { S: "skipped" } }]);
  },

  async "a child reads the records that its parent has put into the spool"(deploy) {
    const posts = { name: "posts", endpoint: { path: "rows/{resources.rows.id}/posts" } };
    const { api, run } = await deploy(makeRows(2), {}, [posts]);
    const { answer } = api;
    api.answer = (request, response) =>
      request.path === "/rows"
        ? answer(request, response)
        : { body: { data: request.query.get("offset") === "0" ? [{ id: request.path }] : [] } };
    expect(await run()).toMatchObject([doneReport({ written: 2 }), doneReport({ written: 2 })]);
    expect(await run({ resources: ["posts"] })).toHaveLength(2);
  },
};

/** The grants that the scenarios use, as `Sid action`. */
const usedGrants = new Set<string>();

describe("the declared roles are enough", () => {
  afterEach(() => {
    for (const { allowedBy, action } of stage.iam.decisions)
      usedGrants.add(`${allowedBy} ${action}`);
  });

  it.each(
    Object.entries(scenarios),
  )("the declared roles are enough when %s", async (_, scenario) => {
    await scenario(deploySource);
    expect(deniedRequests()).toEqual([]);
    expect(stage.iam.decisions).not.toEqual([]);
  });

  it("the declared roles are enough for a source without a secret, whose worker may not read secrets", async () => {
    const api = await openApi(offsetPages(makeRows(3)));
    const { run, roles } = await stage.deploy(declareSource(api.url, [{ name: "rows" }], false));
    expect(roles.worker.statements.map(({ Sid }) => Sid)).not.toContain("ItsSecret");
    expect(await run()).toMatchObject([doneReport({ written: 3 })]);
    expect(deniedRequests()).toEqual([]);
  });
});

/** Every grant with its role, as `Sid action`. */
const allGrants = Object.entries(declaredStatements).flatMap(([role, statements]) =>
  statements
    .filter(({ Effect }) => Effect === "Allow")
    .flatMap(({ Sid, Action }) =>
      Action.map(
        (action) => [role as keyof typeof declaredStatements, `${Sid} ${action}`] as const,
      ),
    ),
);

const withoutGrant = (grant: string) => (statements: Statement[]) =>
  statements.map((statement) => ({
    ...statement,
    Action: statement.Action.filter((action) => `${statement.Sid} ${action}` !== grant),
  }));

/** Returns the name of the first scenario that fails without the grant. */
async function findFailingScenario(role: keyof typeof declaredStatements, grant: string) {
  const [, action] = grant.split(" ");
  const deployWithout: DeploySource = (rows, resource, otherResources) =>
    deploySource(rows, resource, otherResources, { [role]: withoutGrant(grant) });
  for (const [name, scenario] of Object.entries(scenarios)) {
    stage.iam.decisions.length = 0;
    const hasFailed = await scenario(deployWithout).then(
      () => false,
      () => true,
    );
    if (hasFailed && deniedRequests().some((request) => request.action === action)) return name;
  }
  return undefined;
}

describe("no action is granted without need", () => {
  const neededGrants = allGrants.filter(([, grant]) => !reasonsForUnneededActions[grant]);
  it.each(neededGrants)("a %s fails without the grant %s", async (role, grant) => {
    expect(await findFailingScenario(role, grant)).toBeDefined();
  });

  const unusedGrants = allGrants.filter(([, grant]) => reasonsForUnneededActions[grant]);
  it.each(
    unusedGrants.map(([role, grant]) => [role, grant, reasonsForUnneededActions[grant]] as const),
  )("no code of a %s uses the grant %s, whose reason is documented: %s", (_, grant) => {
    expect(usedGrants.size).toBeGreaterThan(0);
    expect(usedGrants).not.toContain(grant);
  });
});
