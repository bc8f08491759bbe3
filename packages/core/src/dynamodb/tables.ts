import {
  type AttributeDefinition,
  CreateTableCommand,
  DescribeTableCommand,
  type DescribeTableOutput,
  type DynamoDBClient,
  type GlobalSecondaryIndex,
  type KeySchemaElement,
  ResourceInUseException,
  type TableDescription,
  waitUntilTableExists,
} from "@aws-sdk/client-dynamodb";
import { ConfigError, isFailure, WriteError } from "../base/errors.ts";
import { tableName } from "../base/names.ts";
import type { World } from "../base/world.ts";
import type {
  IndexPlan,
  KeyAttribute,
  KeyPlan,
  ResourcePlan,
  TablePlan,
} from "../config/plan-types.ts";
import { classifyError, errorName, retryTransient } from "./client.ts";

/** The key and the indexes of a table. All other settings belong to the deployment. */
export interface TableDefinition {
  KeySchema: KeySchemaElement[];
  AttributeDefinitions: AttributeDefinition[];
  GlobalSecondaryIndexes?: GlobalSecondaryIndex[];
}

/** The attributes of a key, hash first. */
export const keyAttributes = ({ hash, range }: TableKey): KeyAttribute[] =>
  range ? [hash, range] : [hash];

type TableKey = Pick<KeyPlan, "hash" | "range">;

export function tableDefinition({
  key,
  storage,
}: {
  key: KeyPlan | TableKey;
  storage?: Pick<TablePlan, "indexes">;
}): TableDefinition {
  const indexes = storage?.indexes ?? [];
  // A field has the same type in all of its keys, because the type depends on the field alone.
  const types = new Map(
    [key, ...indexes].flatMap(keyAttributes).map(({ name, type }) => [name, type]),
  );
  return {
    KeySchema: keySchema(key),
    AttributeDefinitions: [...types].map(([name, type]) => ({
      AttributeName: name,
      AttributeType: type,
    })),
    ...(indexes.length > 0 ? { GlobalSecondaryIndexes: indexes.map(indexDefinition) } : {}),
  };
}

const keySchema = (key: TableKey): KeySchemaElement[] =>
  keyAttributes(key).map(({ name }, position) => ({
    AttributeName: name,
    KeyType: position === 0 ? "HASH" : "RANGE",
  }));

const indexDefinition = (index: IndexPlan): GlobalSecondaryIndex => ({
  IndexName: index.name,
  KeySchema: keySchema(index),
  Projection: indexProjection(index),
});

function indexProjection({ projection }: IndexPlan): GlobalSecondaryIndex["Projection"] {
  if (projection === "all") return { ProjectionType: "ALL" };
  if (projection === "keys-only") return { ProjectionType: "KEYS_ONLY" };
  return { ProjectionType: "INCLUDE", NonKeyAttributes: projection };
}

/** The state table's key: `source#resource`, and the kind of item. */
export const stateTableKey = {
  hash: { name: "pk", type: "S" },
  range: { name: "sk", type: "S" },
} as const;

export const stateTable: TableDefinition = tableDefinition({ key: stateTableKey });

/**
 * Creates a table and waits until the table can be written. In AWS, SST creates the tables. An
 * existing table stays unchanged, and the result names the missing indexes.
 */
export async function createTable(
  dynamodb: DynamoDBClient,
  name: string,
  definition: TableDefinition,
): Promise<{ missingIndexes: string[] }> {
  const command = new CreateTableCommand({
    TableName: name,
    BillingMode: "PAY_PER_REQUEST",
    ...definition,
  });
  await dynamodb.send(command).catch((error: unknown) => {
    if (!(error instanceof ResourceInUseException)) throw error;
  });
  const waiter = { client: dynamodb, maxWaitTime: 60, minDelay: 0.1, maxDelay: 1 };
  const { reason } = await waitUntilTableExists(waiter, { TableName: name });
  const presentIndexes = indexNames((reason as DescribeTableOutput).Table?.GlobalSecondaryIndexes);
  const definedIndexes = indexNames(definition.GlobalSecondaryIndexes);
  return { missingIndexes: definedIndexes.filter((index) => !presentIndexes.includes(index)) };
}

const indexNames = (indexes: { IndexName?: string | undefined }[] = []): string[] =>
  indexes.flatMap(({ IndexName: name }) => (name === undefined ? [] : [name]));

/**
 * Checks, before the first request to the API, that the table exists, takes writes and has the key
 * of the plan. The id changes when the table is deleted and created again.
 */
export async function checkTable(
  world: Pick<World, "dynamodb" | "names" | "clock" | "random"> &
    Partial<Pick<World, "deadline" | "signal">>,
  resource: Pick<ResourcePlan, "source" | "table" | "key">,
): Promise<{ tableId: string | undefined }> {
  const name = tableName(world.names, resource);
  const command = new DescribeTableCommand({ TableName: name });
  const answer = await retryTransient(world, () => world.dynamodb.send(command)).catch(
    (error: unknown) => {
      if (isFailure(error)) throw error;
      throw classifyError(error) === "missing"
        ? missingTableError(name)
        : unreadableTableError(name, error);
    },
  );
  const table = answer.Table ?? {};

  if (table.TableStatus !== "ACTIVE" && table.TableStatus !== "UPDATING") {
    throw new WriteError({
      code: "load.table_status",
      message: `the table ${name} cannot be written: it is ${table.TableStatus}`,
      hint: "run again when it is ACTIVE",
    });
  }
  const presentKey = keyText(describedKey(table));
  const plannedKey = keyText(keyAttributes(resource.key));
  if (presentKey !== plannedKey) {
    throw new ConfigError({
      code: "load.table_key",
      message: `the table ${name} has the key ${presentKey}, and the config asks for ${plannedKey}`,
      hint: "a table's key cannot change: set another table_name, or delete the table and run again, or go back to the primary_key and the data_type that made it",
    });
  }
  return { tableId: table.TableId };
}

const describedKey = ({ KeySchema = [], AttributeDefinitions = [] }: TableDescription) =>
  KeySchema.map(({ AttributeName: name }) => ({
    name,
    type: AttributeDefinitions.find(({ AttributeName }) => AttributeName === name)?.AttributeType,
  }));

/** Writes a key as `id (S), line (N)`, the hash key first. */
const keyText = (attributes: { name: string | undefined; type: string | undefined }[]) =>
  attributes.map(({ name, type }) => `${name} (${type})`).join(", ");

export const missingTableError = (table: string): WriteError =>
  new WriteError({
    code: "load.table_missing",
    message: `the table ${table} does not exist`,
    hint: "in AWS `npx sst deploy` creates it, locally `npx --no tidetable run` does",
  });

const unreadableTableError = (table: string, error: unknown): WriteError =>
  new WriteError({
    code: "load.failed",
    message: `DynamoDB did not describe the table ${table} (${errorName(error)})`,
    hint: "check the connection to DynamoDB, the AWS credentials and what they are allowed to do",
  });
