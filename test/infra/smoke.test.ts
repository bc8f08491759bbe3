import { rm } from "node:fs/promises";
import {
  scheduleFunctionName,
  secretName,
  stateTableName,
  tableName,
  workerFunctionName,
} from "@tidetable/core/plan";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import {
  copyProject,
  names,
  plans,
  type Resource,
  readBuiltFiles,
  removeArtifacts,
  secretValues,
  startAccount,
} from "./smoke-stage.ts";

const tables = [
  ...plans.flatMap(({ resources }) => resources.map((resource) => tableName(names, resource))),
  stateTableName(names),
];
const functions = [
  ...plans.map(({ name }) => workerFunctionName(names, name)),
  scheduleFunctionName(names),
];

const ofType = (resources: Resource[], type: string) =>
  resources.filter((resource) => resource.type === type).map(({ inputs }) => inputs);
const namesOf = (resources: Resource[], type: string): string[] =>
  ofType(resources, type).map(({ name }) => name);

const isRequested = process.env.TIDETABLE_INFRA !== undefined;
if (!isRequested) printLine("skipped: sst deploy against stand-ins (npm run infra:smoke)");

describe.skipIf(!isRequested)(
  "the unmodified sst, with stand-ins for Pulumi's engine and AWS",
  () => {
    let account: Awaited<ReturnType<typeof startAccount>>;
    let deploy: Awaited<ReturnType<typeof account.sst>>;
    beforeAll(async () => {
      account = await startAccount();
      await removeArtifacts();
      deploy = await account.sst(["deploy"]);
    }, 180_000);
    afterAll(() => account.close());

    it("a deploy succeeds, prints the names of its resources, and releases its lock", async () => {
      expect(deploy.code, deploy.stdout).toBe(0);
      expect(deploy.stdout).toContain("✓  Complete");
      expect(deploy.stdout).toContain(`schedule: ${scheduleFunctionName(names)}`);
      for (const table of tables) expect(deploy.stdout).toContain(table);
      const lock = `/sst-state/lock/${names.app}/${names.stage}.json`;
      expect(account.aws.requests.filter((request) => request.includes(lock))).toMatchObject([
        expect.stringMatching(/^GET/),
        expect.stringMatching(/^PUT/),
        expect.stringMatching(/^DELETE/),
      ]);
      expect([...account.aws.objects.keys()]).not.toContain(lock);
    });

    it("a diff in an empty account lists every table, function, secret and schedule", async () => {
      const empty = await startAccount();
      onTestFinished(() => empty.close());
      const { code, stdout } = await empty.sst(["diff", "--json"]);
      expect(code, stdout).toBe(0);
      const steps: { op: string; new: Resource }[] = JSON.parse(stdout);
      expect(new Set(steps.map(({ op }) => op))).toEqual(new Set(["create"]));
      const resources = steps.map((step) => step.new);
      expect(namesOf(resources, "aws:dynamodb/table:Table").sort()).toEqual([...tables].sort());
      expect(namesOf(resources, "aws:lambda/function:Function").sort()).toEqual(
        [...functions].sort(),
      );
      expect(namesOf(resources, "aws:secretsmanager/secret:Secret").sort()).toEqual(
        plans
          .filter(({ secrets }) => secrets.length > 0)
          .map(({ name }) => secretName(names, name))
          .sort(),
      );
      const events = ofType(resources, "aws:scheduler/schedule:Schedule").map(({ target }) =>
        JSON.parse(target.input),
      );
      const scheduledSources = events.filter(({ source }) => source).map(({ source }) => source);
      expect(new Set(scheduledSources)).toEqual(
        new Set(plans.filter(({ schedule }) => schedule).map(({ name }) => name)),
      );
      expect(events.filter(({ resume }) => resume)).toHaveLength(1);
    });

    it("no credential is in the state, its history, a parameter, a bundle or the output", async () => {
      const places = [
        ["output", deploy.stdout],
        ...account.aws.objects,
        ...account.aws.parameters,
        ...(await readBuiltFiles()),
      ] as const;
      expect(places.length).toBeGreaterThan(3 * functions.length);
      const leaks = places.flatMap(([place, content]) =>
        Object.entries(secretValues)
          .filter(([, value]) => content.includes(value))
          .map(([name]) => `${name} in ${place}`),
      );
      expect(leaks).toEqual([]);
      const types = (await account.deployed()).map(({ type }) => type);
      expect(types).toContain("aws:secretsmanager/secret:Secret");
      expect(types).not.toContain("aws:secretsmanager/secretVersion:SecretVersion");
    });

    it("every function has a bundle, whose size is printed", async () => {
      const files = await readBuiltFiles();
      const bundlePaths = [...files.keys()].filter((path) => path.endsWith("-src/bundle.mjs"));
      expect(bundlePaths).toHaveLength(functions.length);
      const sizes = bundlePaths.map((path) => {
        const name = path.split("-src")[0];
        const [bundle, zip] = [files.get(path), files.get(`${name}/code.zip`)];
        return `${name}: bundle.mjs ${kilobytes(bundle)}, code.zip ${kilobytes(zip)}`;
      });
      printLine(sizes.join("\n"));
    });

    it("a second deploy changes nothing", async () => {
      const { code, stdout } = await account.sst(["deploy"]);
      expect(code, stdout).toBe(0);
      expect(stdout).toContain("✓  Complete");
      expect(stdout).not.toMatch(/Created|Updated|Deleted/);
    });

    it("removing a stage that is not production leaves only source maps", async () => {
      const kept = (await account.deployed()).filter(({ retainOnDelete }) => retainOnDelete);
      expect(kept.filter(({ inputs }) => inputs.bucket !== "sst-asset")).toEqual([]);
      const { code, stdout } = await account.sst(["remove"]);
      expect(code, stdout).toBe(0);
      expect(stdout).toContain("✓  Removed");
      expect(await account.deployed()).toEqual([]);
    });

    it("removing the stage production is refused", async () => {
      const { code, stderr } = await account.sst(["remove"], { stage: "production" });
      expect(code).toBe(1);
      expect(stderr).toContain("Cannot remove protected stage");
    });

    it("a deploy asks AWS only for SST's bootstrap and state, and asks no other host", () => {
      expect(account.aws.requests.length).toBeGreaterThan(0);
      expect(account.aws.refused).toEqual([]);
    });

    it("a missing handler fails the deploy, which releases its lock", async () => {
      const copy = await copyProject();
      const empty = await startAccount();
      onTestFinished(async () => {
        await empty.close();
        await rm(copy, { recursive: true });
      });
      await rm(`${copy}/functions/worker.ts`);
      const { code, stdout } = await empty.sst(["deploy"], { cwd: copy });
      expect(code, stdout).toBe(1);
      expect(stdout).toContain("✕  Failed");
      expect(stdout).toContain("functions/worker.handler");
      expect([...empty.aws.objects.keys()].filter((key) => key.includes("/lock/"))).toEqual([]);
    });
  },
);

function printLine(text: string): void {
  process.stdout.write(`${text}\n`);
}

const kilobytes = (file: Buffer | undefined) => `${Math.round((file?.length ?? 0) / 1000)} kB`;
