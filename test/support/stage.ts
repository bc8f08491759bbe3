import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import type { Sources } from "@tidetable/core";
import {
  handleScheduleEvent,
  handleWorkerEvent,
  stateTable,
  tableDefinition,
  type WorkerEvent,
} from "@tidetable/core/internal";
import {
  planSource,
  scheduleFunctionName,
  stateTableName,
  tableName,
  workerFunctionName,
} from "@tidetable/core/plan";
import { sources } from "@tidetable/sources";
import { onTestFinished, vi } from "vitest";
import type { Io } from "../../packages/cli/src/base/io.ts";
import { main } from "../../packages/cli/src/cli.ts";
import type { Names } from "../../packages/core/src/base/names.ts";
import { recordOutput } from "./canary.ts";
import type { Engine } from "./dynamodb.ts";
import { openLambdaStub } from "./lambda-stub.ts";
import { openSecretsManager, type Secrets } from "./secrets-manager.ts";
import { testWorld } from "./world.ts";

let stages = 0;

/** Sets a region and credentials as a person has them, and the endpoints of the given services. */
export function pointAws(endpoints: Record<string, string>): void {
  vi.unstubAllEnvs();
  const env = {
    AWS_REGION: "us-east-1",
    AWS_ACCESS_KEY_ID: "test",
    AWS_SECRET_ACCESS_KEY: "test",
    AWS_SESSION_TOKEN: undefined,
    AWS_PROFILE: undefined,
    ...Object.fromEntries(
      Object.entries(endpoints).map(([service, url]) => [`AWS_ENDPOINT_URL_${service}`, url]),
    ),
  };
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  onTestFinished(() => void vi.unstubAllEnvs());
}

type Functions = Record<string, (event: unknown) => unknown>;

interface StageOptions {
  /** The address to which the requests of the sources go. */
  api: string;
  /** The value of each source's secret. */
  secrets?: Secrets;
  /** Operations of Secrets Manager that the caller may not use. */
  deny?: string[];
  /** The registered sources that are deployed. */
  only?: string[];
  /** Replaces functions, for faults of Lambda. */
  change?: (functions: Functions) => Functions;
  /** The version of tidetable that the functions have been deployed with. */
  deployed?: string;
}

/**
 * Deploys registered sources into a stage of its own: their tables, their secrets, and their
 * functions as they are in AWS, but in this process.
 */
export async function deployStage(
  engine: Engine,
  {
    api,
    secrets = {},
    deny = [],
    only = ["ticketing"],
    change = (functions) => functions,
    deployed,
  }: StageOptions,
) {
  stages += 1;
  const names = { app: "tidetable", stage: `stage-${stages}` };
  await createTables(engine, names, only);
  const values = Object.fromEntries(
    only.map((name) => [`tidetable/${names.stage}/${name}`, secrets[name]]),
  );
  const secretsManager = await openSecretsManager(values, { deny });
  const world = testWorld(engine, { names, secretsManager: await workersClient(values) });

  let invocations = 0;
  const worker = (event: unknown) => {
    invocations += 1;
    return handleWorkerEvent(event, {
      sources,
      world,
      invocation: `log-stream/${invocations}`,
      localOrigin: () => ({ override: api, dynamodbEndpoint: engine.endpoint }),
    });
  };
  const invoke = async (event: WorkerEvent) => {
    const target = functions[workerFunctionName(names, event.source)];
    setTimeout(() => void Promise.resolve(target?.(event)).catch(() => {}), 0);
  };
  const scheduler = (event: unknown) =>
    handleScheduleEvent(event, { ...world, sources, requestId: "request", invoke });
  const functions = change({
    ...Object.fromEntries(only.map((source) => [workerFunctionName(names, source), worker])),
    [scheduleFunctionName(names)]: scheduler,
  });
  const lambda = await openLambdaStub(
    functions,
    deployed === undefined ? {} : { TIDETABLE_VERSION: deployed },
  );
  pointAws({
    DYNAMODB: engine.endpoint,
    SECRETS_MANAGER: secretsManager.endpoint,
    LAMBDA: lambda.endpoint,
  });
  return { names, stage: names.stage, lambda, work: worker };
}

async function createTables(engine: Engine, names: Names, only: string[]): Promise<void> {
  const resources = only.flatMap((name) => {
    const source = (sources as Sources)[name];
    if (!source) throw new Error(`no source ${name}`);
    return planSource(source, name).resources;
  });
  await engine.createTables({
    [stateTableName(names)]: stateTable,
    ...Object.fromEntries(
      resources.map((resource) => [tableName(names, resource), tableDefinition(resource)]),
    ),
  });
}

/** The client of the workers, which may read each secret. */
async function workersClient(secrets: Secrets): Promise<SecretsManagerClient> {
  const client = new SecretsManagerClient({
    endpoint: (await openSecretsManager(secrets)).endpoint,
    region: "us-east-1",
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
  });
  onTestFinished(() => client.destroy());
  return client;
}

export interface CommandResult {
  exit: number;
  stdout: string;
  stderr: string;
}

/** Runs a command line in this process. */
export async function runCommand(argv: string[], io: Partial<Io> = {}): Promise<CommandResult> {
  const out = { stdout: "", stderr: "" };
  const exit = await main(argv, {
    stdout: { write: (text) => (out.stdout += text) },
    stderr: { write: (text) => (out.stderr += text) },
    env: {},
    cwd: process.cwd(),
    signal: new AbortController().signal,
    ...io,
  });
  for (const [name, text] of Object.entries(out)) recordOutput(`${name} of a command`, text);
  return { exit, ...out };
}
