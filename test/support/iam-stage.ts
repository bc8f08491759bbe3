import { DeleteItemCommand, UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import type { Context } from "aws-lambda";
import { vi } from "vitest";
import type { Seams } from "../../functions/world.ts";
import {
  scheduleFunctionName,
  secretName,
  stateTableName,
  tableName,
  workerFunctionName,
} from "../../packages/core/src/base/names.ts";
import { planSource } from "../../packages/core/src/config/plan.ts";
import type { SourcePlan } from "../../packages/core/src/config/plan-types.ts";
import { dlt, rest_api_source, type Source } from "../../packages/core/src/config/source.ts";
import type { ResourceConfig } from "../../packages/core/src/config/types.ts";
import { stateTable, tableDefinition } from "../../packages/core/src/dynamodb/tables.ts";
import type { WorkerEvent } from "../../packages/core/src/entry/events.ts";
import type { ResourceReport } from "../../packages/core/src/report/types.ts";
import { openInvokeApi } from "../../packages/local/src/lambda/invoke-api.ts";
import type { SecretMembers } from "../../packages/local/src/secrets/local-secrets.ts";
import { openSecretsEndpoint } from "../../packages/local/src/secrets/secrets-endpoint.ts";
import {
  type StageLocation,
  type Statement,
  scheduleStatements,
  workerStatements,
} from "../../stacks/permissions.ts";
import { startDynamodb } from "./dynamodb.ts";
import { openIam } from "./iam.ts";

/*
 * A stage as it is in AWS, as far as permissions go: the handlers that AWS calls, each in a
 * container of its own and under its own role, with AWS behind IAM.
 */

export const stageLocation: StageLocation = {
  names: { app: "tidetable", stage: "iam" },
  ...{ partition: "aws", region: "us-east-1", account: "123456789012" },
};
const { names } = stageLocation;

const silent = { debug() {}, info() {}, warn() {}, error() {} };

/** A source's file: each container loads it with the modules that are its own. */
export type Declaration = (
  core: Pick<typeof import("../../packages/core/src/config/source.ts"), "dlt" | "rest_api_source">,
) => Source;

/** A source whose key is in its secret, unless it has none. */
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

export type Stage = Awaited<ReturnType<typeof openStage>>;

/** Everything that sources share. Open one per test file. */
export async function openStage() {
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
  const environment = {
    AWS_REGION: stageLocation.region,
    AWS_SECRET_ACCESS_KEY: "worth nothing",
    // Whatever service a handler calls, it finds IAM first.
    AWS_ENDPOINT_URL: iam.endpoint,
    AWS_ENDPOINT_URL_DYNAMODB: iam.endpoint,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: undefined,
    AWS_ENDPOINT_URL_LAMBDA: undefined,
    AWS_SESSION_TOKEN: undefined,
    TIDETABLE_APP: names.app,
    TIDETABLE_STAGE: names.stage,
  };
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);

  /** Gives a function a role, whose name is the function's, and a container of its own. */
  async function container<T>(
    role: Role,
    load: () => Promise<(seams: Seams) => (event: unknown, context: Context) => Promise<T>>,
    declarations: Record<string, Declaration>,
  ) {
    iam.roles.set(role.name, role.statements);
    // Modules of its own: a container keeps its clients, and they their credentials.
    vi.resetModules();
    const core = await import("../../packages/core/src/config/source.ts");
    const sources = Object.fromEntries(
      Object.entries(declarations).map(([name, declare]) => [name, declare(core)]),
    );
    const handler = (await load())({ sources, log: silent });
    return (event: unknown, requestId = "request") => {
      vi.stubEnv("AWS_ACCESS_KEY_ID", role.name);
      return handler(event, contextOf(requestId));
    };
  }

  const workerOf = (role: Role, declarations: Record<string, Declaration>) =>
    container(
      role,
      async () => (await import("../../functions/resource.ts")).createWorker,
      declarations,
    );
  const scheduleOf = (role: Role, declarations: Record<string, Declaration>) =>
    container(
      role,
      async () => (await import("../../functions/schedule.ts")).createScheduler,
      declarations,
    );

  let count = 0;

  /** A source with its tables, its secret, its worker and a schedule function. */
  async function deploy(declare: Declaration, changes: Changes = {}) {
    count += 1;
    const name = `source${count}`;
    const planned = planSource(declare({ dlt, rest_api_source }), name);
    for (const resource of planned.resources) {
      await engine.createTables({ [tableName(names, resource)]: tableDefinition(resource) });
    }
    const secret = secretName(names, name);
    secrets.set(secret, { api_key: "first" });
    const roles = rolesOf(planned);
    const worker = await workerOf(changedRole(roles.worker, changes.worker), { [name]: declare });
    const schedule = await scheduleOf(changedRole(roles.schedule, changes.schedule), {
      [name]: declare,
    });

    let runs = 0;
    /** Calls the schedule function, then the worker with each event that it was sent. */
    async function send(event: object): Promise<ResourceReport[]> {
      runs += 1;
      queue.length = 0;
      await schedule(event, `run${runs}`);
      const reports: ResourceReport[] = [];
      // They come in no order; a child would wait for its parent.
      const order = ({ event }: SentEvent) =>
        planned.resources.findIndex((one) => one.name === event.resource);
      const sent = queue.splice(0).sort((a, b) => order(a) - order(b));
      for (const { to, event, requestId } of sent) {
        if (to !== roles.worker.name) throw new Error(`${to} was invoked`);
        reports.push(await worker(event, requestId).catch(reportOf));
      }
      return reports;
    }

    const [resource] = planned.resources;
    if (!resource) throw new Error("a source without resources");
    return {
      name,
      declare,
      roles,
      resource,
      run: (event: object = {}) => send({ source: name, ...event }),
      tick: () => send({ source: name, resume: true }),
      letTimePass: () => letTimePass(name),
      rows: () => engine.scan(tableName(names, resource)),
      /** What stands in the state table about the source, by the beginning of its sort key. */
      kept: async (sk: string) =>
        (await engine.scan(stateTableName(names))).filter(
          (item) => item.pk?.S?.startsWith(`${name}#`) && item.sk?.S?.startsWith(sk),
        ),
      /** Sets the key in its secret; without one the secret has no value. */
      fill: (api_key?: string) =>
        void (api_key === undefined ? secrets.delete(secret) : secrets.set(secret, { api_key })),
    };
  }

  /** Whatever the API asked the workers of a source to wait for is over. */
  async function letTimePass(source: string) {
    for (const { pk, sk } of await engine.scan(stateTableName(names))) {
      if (!pk?.S?.startsWith(`${source}#`) || !sk?.S) continue;
      const at = { TableName: stateTableName(names), Key: { pk, sk } };
      if (sk.S === "gate") await engine.dynamodb.send(new DeleteItemCommand(at));
      if (sk.S !== "state") continue;
      const command = new UpdateItemCommand({
        ...at,
        UpdateExpression: "SET not_before = :then",
        ExpressionAttributeValues: { ":then": { S: new Date(0).toISOString() } },
      });
      await engine.dynamodb.send(command);
    }
  }

  async function close() {
    vi.unstubAllEnvs();
    await Promise.all([iam.close(), lambda.close(), secretsEndpoint.close(), engine.close()]);
  }
  return { engine, iam, deploy, workerOf, scheduleOf, close };
}

/** What was sent to a function. */
interface SentEvent {
  to: string;
  event: WorkerEvent;
  requestId: string;
}

interface Role {
  /** Of the function, and here its access key id as well. */
  name: string;
  statements: Statement[];
}

/** What `stacks/permissions.ts` declares for a source. */
const rolesOf = (planned: SourcePlan): Record<"worker" | "schedule", Role> => ({
  worker: {
    name: workerFunctionName(names, planned.name),
    statements: workerStatements(planned, stageLocation),
  },
  schedule: {
    name: scheduleFunctionName(names),
    statements: scheduleStatements([planned], stageLocation),
  },
});

/** How the roles differ from what is declared. */
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

/** A worker that fails throws, so that the platform tries again; its report says why. */
function reportOf(error: unknown): ResourceReport {
  const { report } = error as { report?: ResourceReport };
  if (!report) throw error;
  return report;
}
