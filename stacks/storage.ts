import { type ResourcePlan, type SourcePlan, stateTableName, tableName } from "@tidetable/core";
import { names, production } from "./plans";

const types = { S: "string", N: "number", B: "binary" } as const;

/** One table per resource, keyed as the plan says, and the state table. */
export function storage(plans: SourcePlan[]) {
  const stored = plans.flatMap(({ resources }) => resources.filter(({ selected }) => selected));
  const tables = stored.map(table);
  const state = new sst.aws.Dynamo("state", {
    fields: { pk: "string", sk: "string" },
    primaryIndex: { hashKey: "pk", rangeKey: "sk" },
    ttl: "expires",
    deletionProtection: production,
    transform: { table: { name: stateTableName(names) } },
  });
  return { tables, state };
}

function table(resource: ResourcePlan) {
  const { key, storage } = resource;
  const keys = [key, ...storage.indexes].flatMap(({ hash, range }) =>
    range ? [hash, range] : hash,
  );
  return new sst.aws.Dynamo(`${resource.source}.${resource.table}`, {
    fields: Object.fromEntries(keys.map(({ name, type }) => [name, types[type]])),
    primaryIndex: index(key),
    globalIndexes: Object.fromEntries(
      storage.indexes.map(({ name, projection, ...keys }) => [
        name,
        { ...index(keys), ...(projection === "all" ? {} : { projection }) },
      ]),
    ),
    ttl: storage.ttl,
    stream: storage.stream,
    deletionProtection: production,
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

const index = ({ hash, range }: Pick<ResourcePlan["key"], "hash" | "range">) => ({
  hashKey: hash.name,
  ...(range ? { rangeKey: range.name } : {}),
});

/** An index has a limit of its own, and is written to with its table. */
function limitWrites(args: aws.dynamodb.TableArgs, maxWriteRequestUnits: number) {
  const onDemandThroughput = { maxWriteRequestUnits };
  args.onDemandThroughput = onDemandThroughput;
  args.globalSecondaryIndexes = $output(args.globalSecondaryIndexes ?? []).apply((indexes) =>
    indexes.map((one) => ({ ...one, onDemandThroughput })),
  );
}
