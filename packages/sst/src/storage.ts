import {
  type KeyAttribute,
  type ResourcePlan,
  type SourcePlan,
  stateTableName,
  tableName,
} from "@tidetable/core";
import { isProtected, names } from "./plans.ts";

const attributeTypes = { S: "string", N: "number", B: "binary" } as const;

/** Creates a table per resource with the key from the plan, and the state table. */
export function createStorage(plans: SourcePlan[]) {
  const storedResources = plans.flatMap(({ resources }) =>
    resources.filter(({ selected }) => selected),
  );
  const tables = storedResources.map(createTable);
  const state = new sst.aws.Dynamo("state", {
    fields: { pk: "string", sk: "string" },
    primaryIndex: { hashKey: "pk", rangeKey: "sk" },
    ttl: "expires",
    deletionProtection: isProtected,
    transform: { table: { name: stateTableName(names) } },
  });
  return { tables, state };
}

function createTable(resource: ResourcePlan) {
  const { key, storage } = resource;
  const keyAttributes = [key, ...storage.indexes].flatMap(({ hash, range }) =>
    range ? [hash, range] : hash,
  );
  return new sst.aws.Dynamo(`${resource.source}.${resource.table}`, {
    fields: Object.fromEntries(keyAttributes.map(({ name, type }) => [name, attributeTypes[type]])),
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
    deletionProtection: isProtected,
    transform: {
      table: (args) => {
        args.name = tableName(names, resource);
        if (storage.kmsKey) {
          args.serverSideEncryption = { enabled: true, kmsKeyArn: storage.kmsKey };
        }
        if (storage.maxWriteUnits) limitWrites(args, storage.maxWriteUnits);
      },
    },
  });
}

const keySchema = ({ hash, range }: { hash: KeyAttribute; range: KeyAttribute | undefined }) => ({
  hashKey: hash.name,
  ...(range ? { rangeKey: range.name } : {}),
});

/** A write to a table also writes to its indexes, which have their own limits. */
function limitWrites(args: aws.dynamodb.TableArgs, maxWriteRequestUnits: number) {
  const onDemandThroughput = { maxWriteRequestUnits };
  args.onDemandThroughput = onDemandThroughput;
  args.globalSecondaryIndexes = $output(args.globalSecondaryIndexes ?? []).apply((indexes) =>
    indexes.map((index) => ({ ...index, onDemandThroughput })),
  );
}
