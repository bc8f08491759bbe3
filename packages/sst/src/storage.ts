import {
  type KeyAttribute,
  type ResourcePlan,
  stateTableName,
  tableName,
} from "@tidetable/core/plan";
import { applyTransform, type Stage } from "./stage.ts";

const attributeTypes = { S: "string", N: "number", B: "binary" } as const;

/** Creates a table per resource with the key from the plan, and the state table. */
export function createStorage(stage: Stage) {
  const storedResources = stage.plans.flatMap(({ resources }) =>
    resources.filter(({ selected }) => selected),
  );
  const tables = storedResources.map((resource) => createTable(resource, stage));
  const part = stage.optionsOf("state");
  const state = new sst.aws.Dynamo(
    part.name,
    {
      fields: { pk: "string", sk: "string" },
      primaryIndex: { hashKey: "pk", rangeKey: "sk" },
      ttl: "expires",
      deletionProtection: stage.retain,
      transform: {
        table: (args, opts) => {
          opts.retainOnDelete = stage.retain;
          args.name = stateTableName(stage.names);
          encrypt(args, stage.args.kmsKey);
        },
      },
    },
    part.opts,
  );
  return { tables, state };
}

function createTable(resource: ResourcePlan, { names, retain, args, optionsOf }: Stage) {
  const { key, storage } = resource;
  const keyAttributes = [key, ...storage.indexes].flatMap(({ hash, range }) =>
    range ? [hash, range] : hash,
  );
  const part = optionsOf(`${resource.source}.${resource.table}`);
  return new sst.aws.Dynamo(
    part.name,
    {
      fields: Object.fromEntries(
        keyAttributes.map(({ name, type }) => [name, attributeTypes[type]]),
      ),
      primaryIndex: keySchema(key),
      globalIndexes: Object.fromEntries(
        storage.indexes.map((index) => [
          index.name,
          {
            ...keySchema(index),
            ...(index.projection === "all" ? {} : { projection: index.projection }),
          },
        ]),
      ),
      ttl: storage.ttl,
      stream: storage.stream,
      deletionProtection: retain,
      transform: {
        table: (table, opts) => {
          opts.retainOnDelete = retain;
          encrypt(table, storage.kmsKey ?? args.kmsKey);
          if (storage.maxWriteUnits) limitWrites(table, storage.maxWriteUnits);
          Object.assign(table, applyTransform(args.transform?.table, table, part));
          table.name = tableName(names, resource);
        },
      },
    },
    part.opts,
  );
}

const keySchema = ({ hash, range }: { hash: KeyAttribute; range: KeyAttribute | undefined }) => ({
  hashKey: hash.name,
  ...(range ? { rangeKey: range.name } : {}),
});

function encrypt(args: aws.dynamodb.TableArgs, kmsKeyArn: string | undefined) {
  if (kmsKeyArn) args.serverSideEncryption = { enabled: true, kmsKeyArn };
}

/** A write to a table also writes to its indexes, which have their own limits. */
function limitWrites(args: aws.dynamodb.TableArgs, maxWriteRequestUnits: number) {
  const onDemandThroughput = { maxWriteRequestUnits };
  args.onDemandThroughput = onDemandThroughput;
  args.globalSecondaryIndexes = $output(args.globalSecondaryIndexes ?? []).apply((indexes) =>
    indexes.map((index) => ({ ...index, onDemandThroughput })),
  );
}
