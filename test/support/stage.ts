import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import {
  handleScheduleEvent,
  handleWorkerEvent,
  planSource,
  type Sources,
  scheduleFunctionName,
  stateTable,
  stateTableName,
  tableDefinition,
  tableName,
  type WorkerEvent,
  workerFunctionName,
} from "@tidetable/core";
import { sources } from "@tidetable/sources";
import { onTestFinished, vi } from "vitest";
import type { Io } from "../../packages/local/src/base/io.ts";
import { main } from "../../packages/local/src/cli.ts";
import { recordOutput } from "./canary.ts";
import type { Engine } from "./dynamodb.ts";
import { type LambdaStub, openLambdaStub } from "./lambda-stub.ts";
import { openSecretsManager, type Secrets } from "./secrets-manager.ts";
import { testWorld } from "./world.ts";

let stages = 0;

/** A region and credentials as a person has them; where the services are, is the test's to say. */
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

/**
 * A stage of its own in which these registered sources are deployed: their tables, the functions
 * as they are in AWS but in this process, their secrets. Their requests go to `api`.
 */
export async function deployStage(
  engine: Engine,
  {
    api,
    secrets = {},
    deny = [],
    only = ["ticketing"],
    change = (functions) => functions,
  }: {
    api: string;
    /** By source. */
    secrets?: Secrets;
    deny?: string[];
    only?: string[];
    change?: (functions: Functions) => Functions;
  },
) {
  stages += 1;
  const names = { app: "tidetable", stage: `stage-${stages}` };
  const deployed = only.map((name) => {
    const source = (sources as Sources)[name];
    if (!source) throw new Error(`no source ${name}`);
    return planSource(source, name);
  });
  await engine.createTables({
    [stateTableName(names)]: stateTable,
    ...Object.fromEntries(
      deployed.flatMap(({ resources }) =>
        resources.map((one) => [tableName(names, one), tableDefinition(one)]),
      ),
    ),
  });
  const values = Object.fromEntries(
    deployed.map(({ name }) => [`tidetable/${names.stage}/${name}`, secrets[name]]),
  );
  const secretsManager = await openSecretsManager(values, { deny });
  const client = new SecretsManagerClient({
    endpoint: (await openSecretsManager(values)).endpoint,
    region: "us-east-1",
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
  });
  onTestFinished(() => client.destroy());

  const world = testWorld(engine, { names, secretsManager: client });
  const localOrigin = () => ({ override: api, dynamodbEndpoint: engine.endpoint });
  let invocations = 0;
  const worker = (event: unknown) => {
    invocations += 1;
    const invocation = `log-stream/${invocations}`;
    return handleWorkerEvent(event, { sources, world, invocation, localOrigin });
  };
  const functions: Functions = Object.fromEntries(
    only.map((source) => [workerFunctionName(names, source), worker]),
  );
  const invoke = async (event: WorkerEvent) => {
    const target = changed[workerFunctionName(names, event.source)];
    setTimeout(() => void Promise.resolve(target?.(event)).catch(() => {}), 0);
  };
  functions[scheduleFunctionName(names)] = (event) =>
    handleScheduleEvent(event, { ...world, sources, requestId: "request", invoke });
  const changed = change(functions);
  const lambda: LambdaStub = await openLambdaStub(changed);
  pointAws({
    DYNAMODB: engine.endpoint,
    SECRETS_MANAGER: secretsManager.endpoint,
    LAMBDA: lambda.endpoint,
  });
  return { names, stage: names.stage, lambda, work: worker };
}

type Functions = Record<string, (event: unknown) => unknown>;

export interface CommandResult {
  exit: number;
  stdout: string;
  stderr: string;
}

/** A command line in this process. */
export async function runCommand(argv: string[], more: Partial<Io> = {}): Promise<CommandResult> {
  const out = { stdout: "", stderr: "" };
  const exit = await main(argv, {
    stdout: { write: (text) => (out.stdout += text) },
    stderr: { write: (text) => (out.stderr += text) },
    env: {},
    cwd: process.cwd(),
    signal: new AbortController().signal,
    ...more,
  });
  for (const [name, text] of Object.entries(out)) recordOutput(`${name} of a command`, text);
  return { exit, ...out };
}
