import { DeleteItemCommand, UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import type { Context } from "aws-lambda";
import { vi } from "vitest";
import { openInvokeApi } from "../../packages/cli/src/lambda/invoke-api.ts";
import type { SecretMembers } from "../../packages/cli/src/secrets/local-secrets.ts";
import { openSecretsEndpoint } from "../../packages/cli/src/secrets/secrets-endpoint.ts";
import {
  scheduleFunctionName,
  secretName,
  stateTableName,
  tableName,
  workerFunctionName,
} from "../../packages/core/src/base/names.ts";
import { planSource } from "../../packages/core/src/config/plan.ts";
import type { ResourcePlan, SourcePlan } from "../../packages/core/src/config/plan-types.ts";
import { dlt, rest_api_source, type Source } from "../../packages/core/src/config/source.ts";
import type { ResourceConfig } from "../../packages/core/src/config/types.ts";
import { stateTable, tableDefinition } from "../../packages/core/src/dynamodb/tables.ts";
import type { WorkerEvent } from "../../packages/core/src/entry/events.ts";
import type { HandlerOptions, LambdaContext } from "../../packages/core/src/lambda/world.ts";
import type { ResourceReport } from "../../packages/core/src/report/types.ts";
import {
  type StageLocation,
  type Statement,
  scheduleStatements,
  workerStatements,
} from "../../packages/sst/src/permissions.ts";
import { type Engine, startDynamodb } from "./dynamodb.ts";
import { type Iam, openIam } from "./iam.ts";

/*
 * A stage as it is in AWS, with its permissions: the handlers that AWS calls, each in a container
 * of its own and under its own role, and a simulated IAM before the services of AWS.
 */

export const stageLocation: StageLocation = {
  names: { app: "tidetable", stage: "iam" },
  ...{ partition: "aws", region: "us-east-1", account: "123456789012" },
};
const { names } = stageLocation;

const silent = { debug() {}, info() {}, warn() {}, error() {} };

/** The file of a source. Each container loads it with its own modules. */
export type Declaration = (
  core: Pick<typeof import("../../packages/core/src/config/source.ts"), "dlt" | "rest_api_source">,
) => Source;

/** Declares a source whose key is in its secret; without `secret` it needs no key. */
export const declareSource =
  (base_url: string, resources: ResourceConfig[], secret = true): Declaration =>
  ({ dlt, rest_api_source }) =>
    rest_api_source({
      client: {
        base_url,
        ...(secret && {
          auth: {
            type: "api_key",
            name: "key",
            api_key: dlt.secrets["api_key"],
            location: "query",
          },
        }),
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

/** An event that was sent to a function. */
interface SentEvent {
  to: string;
  event: WorkerEvent;
  requestId: string;
}

interface Role {
  /** The name of the function, which also is the access key id of its requests. */
  name: string;
  statements: Statement[];
}

/** A function that runs in a container of its own, under its role. */
type DeployedFunction<T> = (event: unknown, requestId?: string) => Promise<T>;

/** AWS as all sources of a stage share it. Open one per test file. */
export async function openStage(): Promise<Stage> {
  const engine = await startDynamodb();
  await engine.createTables({ [stateTableName(names)]: stateTable });
  const secrets = new Map<string, SecretMembers>();
  const secretsEndpoint = await openSecretsEndpoint(async (id) => secrets.get(id));
  const queue: SentEvent[] = [];
  const lambda = await openInvokeApi((to) => ({
    invoke: () => Promise.resolve("throttled"),
    send: (requestId, payload) => void queue.push({ to, event: JSON.parse(payload), requestId }),
  }));
  const iam = await openIam(stageLocation, {
    dynamodb: engine.endpoint,
    secretsmanager: secretsEndpoint.endpoint,
    lambda: lambda.endpoint,
  });
  pointFunctionsAt(iam.endpoint);
  return new Stage({ engine, iam, secrets, queue }, async () => {
    vi.unstubAllEnvs();
    await Promise.all([iam.close(), lambda.close(), secretsEndpoint.close(), engine.close()]);
  });
}

/** Sends the requests of functions to IAM first, for every service of AWS. */
function pointFunctionsAt(endpoint: string): void {
  const environment = {
    AWS_REGION: stageLocation.region,
    AWS_SECRET_ACCESS_KEY: "worth nothing",
    AWS_ENDPOINT_URL: endpoint,
    AWS_ENDPOINT_URL_DYNAMODB: endpoint,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: undefined,
    AWS_ENDPOINT_URL_LAMBDA: undefined,
    AWS_SESSION_TOKEN: undefined,
    TIDETABLE_APP: names.app,
    TIDETABLE_STAGE: names.stage,
  };
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
}

interface StageParts {
  engine: Engine;
  iam: Iam;
  /** The members of each secret that has a value, by the name of the secret. */
  secrets: Map<string, SecretMembers>;
  /** Events that functions have sent and nobody has received yet. */
  queue: SentEvent[];
}

export class Stage {
  readonly engine: Engine;
  readonly iam: Iam;
  readonly close: () => Promise<void>;
  readonly #parts: StageParts;
  #sourceCount = 0;

  constructor(parts: StageParts, close: () => Promise<void>) {
    this.engine = parts.engine;
    this.iam = parts.iam;
    this.close = close;
    this.#parts = parts;
  }

  /** Deploys a source with its tables, its secret, its worker and a schedule function. */
  async deploy(declare: Declaration, changes: Changes = {}): Promise<DeployedSource> {
    this.#sourceCount += 1;
    const name = `source${this.#sourceCount}`;
    const plan = planSource(declare({ dlt, rest_api_source }), name);
    for (const resource of plan.resources) {
      await this.engine.createTables({ [tableName(names, resource)]: tableDefinition(resource) });
    }
    const roles = rolesOf(plan);
    const declarations = { [name]: declare };
    const worker = await this.workerOf(changedRole(roles.worker, changes.worker), declarations);
    const scheduleRole = changedRole(roles.schedule, changes.schedule);
    const schedule = await this.#scheduleOf(scheduleRole, declarations);
    const source = new DeployedSource(this.#parts, { plan, declare, roles, worker, schedule });
    source.setSecret("first");
    return source;
  }

  workerOf(
    role: Role,
    declarations: Record<string, Declaration>,
  ): Promise<DeployedFunction<ResourceReport>> {
    const loadHandler = async () =>
      (await import("../../packages/core/src/lambda/worker.ts")).worker;
    return this.#openContainer(role, loadHandler, declarations);
  }

  #scheduleOf(role: Role, declarations: Record<string, Declaration>) {
    const loadHandler = async () =>
      (await import("../../packages/core/src/lambda/scheduler.ts")).scheduler;
    return this.#openContainer(role, loadHandler, declarations);
  }

  /** Gives a function its role, and a container of its own. */
  async #openContainer<T>(
    role: Role,
    loadHandler: () => Promise<
      (options: HandlerOptions) => (event: unknown, context: LambdaContext) => Promise<T>
    >,
    declarations: Record<string, Declaration>,
  ): Promise<DeployedFunction<T>> {
    this.iam.roles.set(role.name, role.statements);
    // A container has modules of its own, because they keep clients, and clients keep credentials.
    vi.resetModules();
    const core = await import("../../packages/core/src/config/source.ts");
    const sources = Object.fromEntries(
      Object.entries(declarations).map(([name, declare]) => [name, declare(core)]),
    );
    const handler = (await loadHandler())({ sources, log: silent });
    return (event, requestId = "request") => {
      vi.stubEnv("AWS_ACCESS_KEY_ID", role.name);
      return handler(event, contextOf(requestId));
    };
  }
}

interface SourceParts {
  plan: SourcePlan;
  declare: Declaration;
  roles: Record<"worker" | "schedule", Role>;
  worker: DeployedFunction<ResourceReport>;
  schedule: DeployedFunction<unknown>;
}

/** A source in the stage, as the people see it who call its functions and look at its tables. */
class DeployedSource {
  readonly name: string;
  readonly declare: Declaration;
  readonly roles: SourceParts["roles"];
  /** The first resource. */
  readonly resource: ResourcePlan;
  readonly #stage: StageParts;
  readonly #source: SourceParts;
  #runCount = 0;

  constructor(stage: StageParts, source: SourceParts) {
    const { plan, declare, roles } = source;
    const [resource] = plan.resources;
    if (!resource) throw new Error("a source without resources");
    this.name = plan.name;
    this.declare = declare;
    this.roles = roles;
    this.resource = resource;
    this.#stage = stage;
    this.#source = source;
  }

  run = (event: object = {}): Promise<ResourceReport[]> =>
    this.#send({ source: this.name, ...event });

  tick = (): Promise<ResourceReport[]> => this.#send({ source: this.name, resume: true });

  rows = () => this.#stage.engine.scan(tableName(names, this.resource));

  /** The items of the source in the state table whose sort keys begin with `prefix`. */
  stateItems = async (prefix: string) =>
    (await this.#stage.engine.scan(stateTableName(names))).filter(
      ({ pk, sk }) => pk?.S?.startsWith(`${this.name}#`) && sk?.S?.startsWith(prefix),
    );

  /** Sets the key in the secret of the source; without a key the secret has no value. */
  setSecret = (api_key?: string): void => {
    const secret = secretName(names, this.name);
    if (api_key === undefined) this.#stage.secrets.delete(secret);
    else this.#stage.secrets.set(secret, { api_key });
  };

  /** Ends every wait that the API has asked for. */
  letTimePass = async (): Promise<void> => {
    const { dynamodb } = this.#stage.engine;
    for (const { pk, sk } of await this.stateItems("")) {
      if (!pk || !sk) continue;
      const item = { TableName: stateTableName(names), Key: { pk, sk } };
      if (sk.S === "gate") await dynamodb.send(new DeleteItemCommand(item));
      if (sk.S !== "state") continue;
      const command = new UpdateItemCommand({
        ...item,
        UpdateExpression: "SET not_before = :then",
        ExpressionAttributeValues: { ":then": { S: new Date(0).toISOString() } },
      });
      await dynamodb.send(command);
    }
  };

  /** Calls the schedule function, and then the worker with each event that it was sent. */
  async #send(event: object): Promise<ResourceReport[]> {
    const { queue } = this.#stage;
    const { plan, roles, worker, schedule } = this.#source;
    this.#runCount += 1;
    queue.length = 0;
    await schedule(event, `run${this.#runCount}`);
    // Events arrive in no particular order. Here parents come first, or a child would wait.
    const positionOf = ({ event }: SentEvent) =>
      plan.resources.findIndex(({ name }) => name === event.resource);
    const reports: ResourceReport[] = [];
    for (const { to, event, requestId } of queue
      .splice(0)
      .sort((a, b) => positionOf(a) - positionOf(b))) {
      if (to !== roles.worker.name) throw new Error(`${to} was invoked`);
      reports.push(await worker(event, requestId).catch(reportOf));
    }
    return reports;
  }
}

/** The roles that `packages/sst/src/permissions.ts` declares for a source. */
const rolesOf = (plan: SourcePlan): Record<"worker" | "schedule", Role> => ({
  worker: {
    name: workerFunctionName(names, plan.name),
    statements: workerStatements(plan, stageLocation),
  },
  schedule: {
    name: scheduleFunctionName(names),
    statements: scheduleStatements([plan], stageLocation),
  },
});

/** Changes of the declared roles. */
export type Changes = Partial<Record<"worker" | "schedule", Change>>;
type Change = (statements: Statement[]) => Statement[];

const changedRole = (role: Role, change: Change = (statements) => statements): Role => ({
  ...role,
  statements: change(role.statements),
});

const contextOf = (awsRequestId: string) =>
  ({
    awsRequestId,
    logStreamName: "2026/11/21/[$LATEST]abc",
    getRemainingTimeInMillis: () => 60_000,
  }) as Context;

/** The report of a failed worker. It throws, so that the platform tries again. */
function reportOf(error: unknown): ResourceReport {
  const { report } = error as { report?: ResourceReport };
  if (!report) throw error;
  return report;
}
