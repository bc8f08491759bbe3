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
import { nameOf, outcome, patiently } from "./client.ts";

/** What a table is by its key and its indexes; everything else about it is the deployment's. */
export interface TableDefinition {
  KeySchema: KeySchemaElement[];
  AttributeDefinitions: AttributeDefinition[];
  GlobalSecondaryIndexes?: GlobalSecondaryIndex[];
}

/** The one or two attributes of a key, hash first. */
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
  // A field may be in several keys. Its type is the same in each, for it hangs on the field alone.
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
  keyAttributes(key).map(({ name }, n) => ({
    AttributeName: name,
    KeyType: n === 0 ? "HASH" : "RANGE",
  }));

const indexDefinition = (index: IndexPlan): GlobalSecondaryIndex => ({
  IndexName: index.name,
  KeySchema: keySchema(index),
  Projection: projection(index),
});

function projection({ projection }: IndexPlan): GlobalSecondaryIndex["Projection"] {
  if (projection === "all") return { ProjectionType: "ALL" };
  if (projection === "keys-only") return { ProjectionType: "KEYS_ONLY" };
  return { ProjectionType: "INCLUDE", NonKeyAttributes: projection };
}

/** Both keys of the state table: `source#resource`, and what of it. */
export const stateKey = {
  hash: { name: "pk", type: "S" },
  range: { name: "sk", type: "S" },
} as const;

export const stateTable: TableDefinition = tableDefinition({ key: stateKey });

/**
 * Creates the table if it is not there and waits until it can be written. In AWS, SST does this.
 * A table that is there stays as it is, and the answer names the indexes that it lacks.
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
  const wait = { client: dynamodb, maxWaitTime: 60, minDelay: 0.1, maxDelay: 1 };
  const { reason } = await waitUntilTableExists(wait, { TableName: name });
  const there = namesOf((reason as DescribeTableOutput).Table?.GlobalSecondaryIndexes);
  const wanted = namesOf(definition.GlobalSecondaryIndexes);
  return { missingIndexes: wanted.filter((index) => !there.includes(index)) };
}

const namesOf = (indexes: { IndexName?: string | undefined }[] = []): string[] =>
  indexes.flatMap(({ IndexName: name }) => (name === undefined ? [] : [name]));

/**
 * Looks at the table before the run asks the API for anything: it is there, takes writes, and has
 * the key that the plan writes. Its id tells a table from one that replaced it.
 */
export async function checkTable(
  world: Pick<World, "dynamodb" | "names" | "clock" | "random"> &
    Partial<Pick<World, "deadline" | "signal">>,
  resource: Pick<ResourcePlan, "source" | "table" | "key">,
): Promise<{ tableId: string | undefined }> {
  const name = tableName(world.names, resource);
  const command = new DescribeTableCommand({ TableName: name });
  const answer = await patiently(world, () => world.dynamodb.send(command)).catch(
    (error: unknown) => {
      if (isFailure(error)) throw error;
      throw outcome(error) === "missing" ? tableMissing(name) : unreadable(name, error);
    },
  );
  const table = answer.Table ?? {};

  if (table.TableStatus !== "ACTIVE" && table.TableStatus !== "UPDATING") {
    throw new WriteError({
      code: "load.table_status",
      message: `the table ${name} can not be written: it is ${table.TableStatus}`,
      hint: "run again when it is ACTIVE",
    });
  }
  const is = keyText(keyIn(table));
  const wanted = keyText(keyAttributes(resource.key));
  if (is !== wanted) {
    throw new ConfigError({
      code: "load.table_key",
      message: `the table ${name} has the key ${is}, and the config asks for ${wanted}`,
      hint: "a table's key can not change: set another table_name, or delete the table and run again, or go back to the primary_key and the data_type that made it",
    });
  }
  return { tableId: table.TableId };
}

const keyIn = ({ KeySchema = [], AttributeDefinitions = [] }: TableDescription) =>
  KeySchema.map(({ AttributeName: name }) => ({
    name,
    type: AttributeDefinitions.find((one) => one.AttributeName === name)?.AttributeType,
  }));

/** `id (S), line (N)`: hash key first, as DescribeTable lists them. */
const keyText = (attributes: { name: string | undefined; type: string | undefined }[]) =>
  attributes.map(({ name, type }) => `${name} (${type})`).join(", ");

export const tableMissing = (table: string): WriteError =>
  new WriteError({
    code: "load.table_missing",
    message: `the table ${table} does not exist`,
    hint: "in AWS `npx sst deploy` creates it, locally `npx tidetable run` does",
  });

const unreadable = (table: string, error: unknown): WriteError =>
  new WriteError({
    code: "load.failed",
    message: `DynamoDB did not describe the table ${table} (${nameOf(error)})`,
    hint: "check the connection to DynamoDB, the AWS credentials and what they are allowed to do",
  });
