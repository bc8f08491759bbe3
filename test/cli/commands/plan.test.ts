import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";

const bin = fileURLToPath(new URL("../../../packages/cli/bin/tidetable.mjs", import.meta.url));

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tidetable-plan-"));
});
afterAll(() => rm(folder, { recursive: true }));

/** Runs `tidetable plan` for a source with the options. */
async function runPlan(host: string, options: object, ...flags: string[]): Promise<string> {
  const config = {
    client: { base_url: `https://${host}` },
    resources: [
      {
        name: "deals",
        primary_key: "id",
        columns: { updated_at: { data_type: "timestamp" }, amount: { data_type: "decimal" } },
        endpoint: { data_selector: "data", paginator: "single_page" },
      },
    ],
  };
  await writeFile(
    join(folder, "crm.ts"),
    `import { rest_api_source } from "@tidetable/core";
     export default rest_api_source(${JSON.stringify(config)}, ${JSON.stringify(options)});`,
  );
  return new Promise((resolve, reject) => {
    const argv = [bin, "plan", "crm.ts", ...flags];
    execFile(process.execPath, argv, { cwd: folder }, (error, stdout) =>
      error ? reject(error) : resolve(stdout),
    );
  });
}

const kms_key = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const vpc = { subnets: ["subnet-0a1b2c3d"], security_groups: ["sg-0a1b2c3d"] };
const options = {
  schedule: { expression: "cron(0 6 ? * MON-FRI *)", timezone: "Europe/Berlin", enabled: false },
  full_refresh_schedule: "rate(7 days)",
  function: { memory: 1024, reserved_concurrency: 2, vpc, sdk_writes: true },
  table: {
    ttl: "expires_at",
    stream: "new-image",
    indexes: {
      by_stage: { hash: "stage", range: "updated_at" },
      by_amount: { hash: "amount", projection: ["stage", "owner"] },
    },
    kms_key,
    max_write_units: 100,
  },
};

it("plan shows the settings that AWS gets", async () => {
  const lines = (await runPlan("api.acme.io", options)).split("\n");
  expect(lines[0]).toBe(
    "crm: cron(0 6 ? * MON-FRI *) Europe/Berlin (off), full refresh rate(7 days), " +
      "worker with 1024 MB, at most 2 at once, in subnet-0a1b2c3d, writes by the SDK's commands",
  );
  expect(lines.slice(3, 10)).toEqual([
    "    key      id (S)",
    "    index    by_stage: stage (S), updated_at (S), all",
    "    index    by_amount: amount (N), with stage, owner",
    "    expires  at expires_at",
    "    stream   new-image",
    `    kms key  ${kms_key}`,
    "    fuse     100 write units per second",
  ]);
});

it("plan notes that a source on an example host is deployed with its schedules off", async () => {
  const schedules = { schedule: "rate(1 hour)", full_refresh_schedule: "rate(7 days)" };
  const [first] = (await runPlan("api.example.com", schedules)).split("\n");
  const off = "(off in AWS: an example host)";
  expect(first).toBe(
    `crm: rate(1 hour) ${off}, full refresh rate(7 days) ${off}, worker with 512 MB`,
  );
  expect(JSON.parse(await runPlan("api.acme.io", {}, "--json")).sources[0].example_host).toBe(
    false,
  );
});

it("plan --json has the settings as data", async () => {
  const { sources } = JSON.parse(await runPlan("api.acme.io", options, "--json"));
  expect(sources[0]).toMatchObject({
    schedule: { ...options.schedule, longest_gap_ms: 72 * 3_600_000 },
    full_refresh_schedule: {
      expression: "rate(7 days)",
      timezone: null,
      enabled: true,
      longest_gap_ms: 7 * 24 * 3_600_000,
    },
    example_host: false,
    function: options.function,
  });
  expect(sources[0].resources[0].table_options).toEqual({
    ...options.table,
    indexes: [
      {
        name: "by_stage",
        hash: { name: "stage", type: "S" },
        range: { name: "updated_at", type: "S" },
        projection: "all",
      },
      {
        name: "by_amount",
        hash: { name: "amount", type: "N" },
        range: null,
        projection: ["stage", "owner"],
      },
    ],
  });
});

it("plan --json has null for the gap of a schedule that fires once", async () => {
  const { sources } = JSON.parse(
    await runPlan("api.acme.io", { schedule: "cron(0 6 1 1 ? 2030)" }, "--json"),
  );
  expect(sources[0].schedule.longest_gap_ms).toBeNull();
});

it("plan --stage names the tables of that stage", async () => {
  expect(await runPlan("api.acme.io", {})).toContain("tidetable-local-crm.deals");
  expect(await runPlan("api.acme.io", {}, "--stage", "dev")).toContain("tidetable-dev-crm.deals");
  const [source] = JSON.parse(await runPlan("api.acme.io", {}, "--json", "--stage", "dev")).sources;
  expect(source.resources[0].table).toBe("tidetable-dev-crm.deals");
  expect(await runPlan("api.acme.io", {}, "--stage", "local")).toContain(
    "tidetable-local-crm.deals",
  );
});

it("plan shows the placeholders that a parent's records fill in a child's request", async () => {
  const config = {
    client: { base_url: "https://api.acme.io" },
    resources: [
      { name: "users", selected: false },
      { name: "posts", endpoint: "users/{resources.users.id}/posts" },
    ],
  };
  await writeFile(join(folder, "blog.json"), JSON.stringify(config));
  const run = (...flags: string[]) =>
    new Promise<string>((resolve, reject) => {
      execFile(
        process.execPath,
        [bin, "plan", "blog.json", ...flags],
        { cwd: folder },
        (error, out) => (error ? reject(error) : resolve(out)),
      );
    });
  const text = await run();
  expect(text).toContain("none: it is read for its children");
  expect(text).toContain(
    "GET https://api.acme.io/users/{resources.users.id}/posts, for each record of users",
  );
  const [source] = JSON.parse(await run("--json")).sources;
  expect(source.resources[1]).toMatchObject({ resource: "posts", parent: "users", selected: true });
});

it("plan shows no credential that stands in the config as plain text, and warns of it", async () => {
  const config = {
    client: { base_url: "https://api.example.com/v1", headers: { "X-Api-Key": "plain-header-1" } },
    resources: [
      {
        name: "a",
        endpoint: { path: "a", params: { api_key: "p-1", token: "t0k3n-t0k3n-t0k3n" } },
      },
    ],
  };
  await writeFile(join(folder, "open.json"), JSON.stringify(config));
  const output = await new Promise<string>((resolve) => {
    execFile(process.execPath, [bin, "plan", "open.json"], { cwd: folder }, (_, stdout, stderr) =>
      resolve(stdout + stderr),
    );
  });
  expect(output).toContain("/v1/a?api_key=***&token=***");
  expect(output).not.toMatch(/plain-header-1|p-1|t0k3n/);
  expect(output).toContain("client.headers.X-Api-Key");
  expect(output).toContain("resources[0].endpoint.params.token");
});
