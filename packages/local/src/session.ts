import {
  createTable,
  dynamodbClient,
  isFailure,
  type Log,
  type ResourcePlan,
  realClock,
  type SourcePlan,
  secretName,
  stateTable,
  stateTableName,
  tableDefinition,
  tableName,
} from "@tidetable/core";
import { openEngine } from "./engine.ts";
import { releaseDeadLease } from "./leases.ts";
import { localNames } from "./names.ts";
import { type KeeperOf, openSecretsEndpoint } from "./secrets-endpoint.ts";
import type { Session } from "./session-type.ts";
import { openStage } from "./stage.ts";

/**
 * Starts (or finds) the embedded engine on the data folder and points this process's AWS clients
 * at it. The credentials are dummies on purpose: nothing here can reach a real account, unless a
 * stage is asked for.
 */
export async function openSession(options: {
  data: string;
  dynamodb?: string | undefined;
  stage?: string | undefined;
  /** The members of a source's secret, read afresh whenever a worker asks. */
  secretsOf?: (source: string) => Promise<Record<string, string> | undefined>;
  /** What writes a source's secret, where its API replaces it. */
  keeperOf?: KeeperOf;
}): Promise<Session> {
  if (options.stage !== undefined) return openStage(options.stage);
  const engine = options.dynamodb
    ? { endpoint: options.dynamodb, close: async () => {} }
    : await openEngine(options.data);
  const { secretsOf = async () => undefined, keeperOf } = options;
  const sourceOf = (id: string) => id.slice(secretName(localNames, "").length);
  const secrets = await openSecretsEndpoint(
    (id) => secretsOf(sourceOf(id)),
    (id) => keeperOf?.(sourceOf(id)),
  );
  Object.assign(process.env, {
    AWS_REGION: "us-east-1",
    AWS_ACCESS_KEY_ID: "local",
    AWS_SECRET_ACCESS_KEY: "local",
    AWS_ENDPOINT_URL_DYNAMODB: engine.endpoint,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: secrets.endpoint,
    TIDETABLE_APP: localNames.app,
    TIDETABLE_STAGE: localNames.stage,
  });
  delete process.env.AWS_SESSION_TOKEN;
  delete process.env.AWS_PROFILE;
  const dynamodb = dynamodbClient();
  return {
    names: localNames,
    endpoint: engine.endpoint,
    dynamodb,
    clock: realClock,
    random: Math.random,
    async close() {
      dynamodb.destroy();
      await secrets.close();
      await engine.close();
    },
  };
}

/** What a deployment has done before the first run: the tables are there, no dead worker holds one. */
export async function prepare(session: Session, plans: SourcePlan[], log: Log): Promise<void> {
  const { dynamodb, names } = session;
  await createTable(dynamodb, stateTableName(names), stateTable);
  for (const resource of plans.flatMap((plan) => plan.resources)) {
    if (resource.selected) await makeTable(session, resource, log);
    await releaseDeadLease(session, { source: resource.source, resource: resource.name });
  }
}

async function makeTable(session: Session, resource: ResourcePlan, log: Log): Promise<void> {
  const { source, name } = resource;
  const table = tableName(session.names, resource);
  const { missingIndexes } = await createTable(session.dynamodb, table, tableDefinition(resource));
  if (missingIndexes.length === 0) return;
  // The embedded engine adds none later, and a mirror does its work without.
  log.warn(
    `the table ${table} was made without the index ${missingIndexes.join(", ")}: \`npx tidetable reset ${source}/${name} --tables\` makes it anew`,
    { source, resource: name },
  );
}

/** What is read from the state table; before the first run there is none, and so nothing. */
export async function orNothing<T>(read: Promise<T>): Promise<T | undefined> {
  return read.catch((error: unknown) => {
    if (isFailure(error) && error.code === "load.table_missing") return undefined;
    throw error;
  });
}
