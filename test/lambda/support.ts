import { execFileSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type AttributeValue, DeleteItemCommand } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, onTestFinished } from "vitest";
import { followRuns } from "../../packages/cli/src/runner/follow.ts";
import {
  bundleFunctions,
  type FunctionBundles,
} from "../../packages/cli/src/runner/function-bundles.ts";
import {
  type LambdaStageOptions,
  openLambdaStage,
} from "../../packages/cli/src/runner/lambda-stage.ts";
import { openSecretsEndpoint } from "../../packages/cli/src/secrets/secrets-endpoint.ts";
import { realClock } from "../../packages/core/src/base/clock.ts";
import { stateTableName, tableName } from "../../packages/core/src/base/names.ts";
import { planSource } from "../../packages/core/src/config/plan.ts";
import type { Sources } from "../../packages/core/src/config/source.ts";
import { stateTable, tableDefinition } from "../../packages/core/src/dynamodb/tables.ts";
import { sources as registeredSources } from "../../packages/sources/src/index.ts";
import { repository } from "../../scripts/bundle-packages.ts";
import { recordOutput } from "../support/canary.ts";
import { clientOf, scanTable, startDynamodb } from "../support/dynamodb.ts";
import { type Call, type Fault, openFaultyDynamodb } from "../support/faulty-dynamodb.ts";

/** The Node for the functions: each of Lambda's versions in turn. */
const node = process.env.TIDETABLE_LAMBDA_NODE ?? process.execPath;

export const nodeVersion = () => execFileSync(node, ["-v"], { encoding: "utf8" }).trim();

/** Builds the deployed bundles once for a test file, or those of other files. */
export function buildBundles(
  bundle = (folder: string): Promise<FunctionBundles> => bundleFunctions(repository, folder),
): FunctionBundles {
  const bundles = {} as FunctionBundles;
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "tidetable-bundles-"));
    Object.assign(bundles, await bundle(folder));
  });
  afterAll(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  return bundles;
}

export const createRows = (count: number) =>
  numbersBelow(count).map((n) => ({ id: n, subject: `ticket ${n}`, open: n % 2 === 0 }));

/** 0, 1, 2, … */
export const numbersBelow = (count: number) => Array.from({ length: count }, (_, n) => n);

/** The sorted ids of items made of `rows`. */
export const sortedIds = (items: Record<string, AttributeValue>[]) =>
  items.map(({ id }) => Number(id?.S)).sort((a, b) => a - b);

const names = { app: "tidetable", stage: "test" };

/** Opens a separate stage for a test: tables, secrets, functions, and the APIs at `origins`. */
export async function openStage({
  origins,
  sources = registeredSources,
  secrets = {},
  hangingFault: trouble,
  ...options
}: {
  /** The origins of the deployed sources, by name. */
  origins: Record<string, string>;
  sources?: Sources;
  secrets?: Record<string, Record<string, string>>;
  /** Injects faults between the functions and DynamoDB. */
  hangingFault?: (call: Call) => Fault | undefined;
} & Pick<LambdaStageOptions, "bundles"> &
  Partial<LambdaStageOptions>) {
  const plans = Object.keys(origins).map((name) => {
    const source = sources[name];
    if (!source) throw new Error(`there is no source ${name}`);
    return planSource(source, name);
  });
  const engine = await startDynamodb();
  await engine.createTables({ [stateTableName(names)]: stateTable });
  for (const resource of plans.flatMap((one) => one.resources)) {
    await engine.createTables({ [tableName(names, resource)]: tableDefinition(resource) });
  }
  const proxy = await openFaultyDynamodb(engine.endpoint, (call) => trouble?.(call));
  const vault = await openSecretsEndpoint(
    async (id) => secrets[id.split("/").at(-1) ?? ""] ?? { api_key: "canary/key+of=workers" },
  );
  const warnings: string[] = [];
  const warn = (line: string) => void warnings.push(line);
  const log = { debug() {}, info() {}, warn, error: warn };
  const stage = await openLambdaStage({
    plans,
    names,
    log,
    onLine: (line) => recordOutput("log of a function", line),
    node,
    tickMs: 500,
    retryDelaysMs: [200, 400],
    environment: {
      AWS_REGION: "us-east-1",
      AWS_ACCESS_KEY_ID: "test",
      AWS_SECRET_ACCESS_KEY: "test",
      AWS_ENDPOINT_URL_DYNAMODB: proxy.endpoint,
      AWS_ENDPOINT_URL_SECRETS_MANAGER: vault.endpoint,
      ...Object.fromEntries(
        Object.entries(origins).map(([name, url]) => [
          `TIDETABLE_ORIGIN_${name.toUpperCase()}`,
          url,
        ]),
      ),
    },
    ...options,
  });
  onTestFinished(async () => {
    await stage.close();
    await vault.close();
    await proxy.close();
    await engine.close();
  });
  const signal = new AbortController().signal;
  const world = { dynamodb: engine.dynamodb, names, clock: realClock, random: Math.random };
  return {
    ...stage,
    warnings,
    /** Runs the sources, to their end. */
    run() {
      const events = plans.map(({ name: source }) => ({ source }));
      return followRuns(stage.pipeline, events, { plans, world, log, signal });
    },
    /** The items of a resource's table, as plain records in key order. */
    items: (source: string, table: string) => engine.scan(`tidetable-test-${source}.${table}`),
    state: () => engine.scan(stateTableName(names)),
    /** Forgets every run, lease and schema: the next run begins as the first one does. */
    async forgetState() {
      const TableName = stateTableName(names);
      // The engine may have closed the connections of a client that was idle.
      const client = clientOf(engine.endpoint);
      for (const { pk, sk } of await scanTable(client, TableName)) {
        const Key = { pk, sk } as Record<string, AttributeValue>;
        await client.send(new DeleteItemCommand({ TableName, Key }));
      }
      client.destroy();
    },
  };
}
