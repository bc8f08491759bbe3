import {
  createTable,
  dynamodbClient,
  isFailure,
  type Log,
  realClock,
  refOf,
  stateTable,
  tableDefinition,
} from "@tidetable/core/internal";
import {
  type ResourcePlan,
  type SourcePlan,
  secretName,
  stateTableName,
  tableName,
} from "@tidetable/core/plan";
import { localNames } from "../base/names.ts";
import type { Session } from "../base/session-type.ts";
import { openEmbeddedEngine } from "../engine/embedded-engine.ts";
import type { SecretMembers } from "../secrets/local-secrets.ts";
import { type FindSecretWriter, openSecretsEndpoint } from "../secrets/secrets-endpoint.ts";
import { openStageSession } from "../stage/stage-session.ts";
import { releaseDeadLease } from "./dead-leases.ts";

/**
 * Starts or finds the embedded engine of the data folder and points the AWS clients of the process
 * to the engine. The credentials are the engine's own key: local mode cannot reach a real account.
 * With a stage, the session is the stage's.
 */
export async function openSession(options: {
  data: string;
  dynamodb?: string | undefined;
  app?: string | undefined;
  stage?: string | undefined;
  /** Reads the members of a source's secret. Called each time a worker asks for them. */
  readSecret?: (source: string) => Promise<SecretMembers | undefined>;
  /** Finds the function for writing a secret, for sources whose API replaces the refresh token. */
  findSecretWriter?: FindSecretWriter;
  /** How long the embedded engine stays without clients. */
  idleMs?: number;
}): Promise<Session> {
  if (options.stage !== undefined) {
    return openStageSession({ app: options.app ?? localNames.app, stage: options.stage });
  }
  const engine = options.dynamodb
    ? { endpoint: options.dynamodb, key: "local", close: async () => {} }
    : await openEmbeddedEngine(options.data, options);
  const { readSecret = async () => undefined, findSecretWriter = () => undefined } = options;
  const secrets = await openSecretsEndpoint(
    async (secretId) => withSource(secretId, readSecret),
    (secretId) => withSource(secretId, findSecretWriter),
  );
  const environment = localEnvironment(engine);
  Object.assign(process.env, environment, { AWS_ENDPOINT_URL_SECRETS_MANAGER: secrets.endpoint });
  for (const name of replacedVariables) delete process.env[name];
  const dynamodb = dynamodbClient();
  return {
    names: localNames,
    endpoint: engine.endpoint,
    environment,
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

/** Variables of an AWS account, which would win over those of local mode. */
export const replacedVariables = ["AWS_SESSION_TOKEN", "AWS_PROFILE"];

/** What AWS's SDKs and CLI need to use the engine, and the reader to find its tables. */
const localEnvironment = ({ endpoint, key }: { endpoint: string; key: string }) => ({
  AWS_REGION: "us-east-1",
  // Version 1 of AWS's CLI reads this one.
  AWS_DEFAULT_REGION: "us-east-1",
  AWS_ACCESS_KEY_ID: key,
  AWS_SECRET_ACCESS_KEY: "local",
  AWS_ENDPOINT_URL_DYNAMODB: endpoint,
  TIDETABLE_APP: localNames.app,
  TIDETABLE_STAGE: localNames.stage,
});

/** Calls `find` with the source that a secret belongs to. Other secrets are not served. */
function withSource<T>(secretId: string, find: (source: string) => T): T | undefined {
  const prefix = secretName(localNames, "");
  return secretId.startsWith(prefix) ? find(secretId.slice(prefix.length)) : undefined;
}

/** Does for local mode what a deployment does: creates the tables. Also ends dead workers' leases. */
export async function prepareSession(
  session: Session,
  plans: SourcePlan[],
  log: Log,
): Promise<void> {
  const { dynamodb, names } = session;
  await createTable(dynamodb, stateTableName(names), stateTable);
  for (const resource of plans.flatMap((plan) => plan.resources)) {
    if (resource.selected) await createResourceTable(session, resource, log);
    await releaseDeadLease(session, refOf(resource));
  }
}

async function createResourceTable(
  session: Session,
  resource: ResourcePlan,
  log: Log,
): Promise<void> {
  const { source, name } = resource;
  const table = tableName(session.names, resource);
  const { missingIndexes } = await createTable(session.dynamodb, table, tableDefinition(resource));
  if (missingIndexes.length === 0) return;
  // The embedded engine cannot add an index to a table, and a mirror works without its indexes.
  log.warn(
    `the table ${table} was created without the index ${missingIndexes.join(", ")}: \`npx --no tidetable reset ${source}/${name} --tables\` creates it again`,
    { source, resource: name },
  );
}

/** The result of a read, or undefined when the state table does not exist: nothing has run yet. */
export async function readIfPresent<T>(read: Promise<T>): Promise<T | undefined> {
  return read.catch((error: unknown) => {
    if (isFailure(error) && error.code === "load.table_missing") return undefined;
    throw error;
  });
}
