import { type SourcePlan, stateTableName, tableName } from "@tidetable/core";
import { names, pascal, production } from "./plans";

const types = { S: "string", N: "number", B: "binary" } as const;

/** One table per resource, keyed as the plan says, and the state table. */
export function storage(plans: SourcePlan[]) {
  const tables = plans.flatMap(({ name: source, resources }) =>
    resources.map((resource) => {
      const { hash, range } = resource.key;
      const keys = range ? [hash, range] : [hash];
      const table = new sst.aws.Dynamo(pascal(source, resource.table), {
        fields: Object.fromEntries(keys.map(({ name, type }) => [name, types[type]])),
        primaryIndex: { hashKey: hash.name, ...(range ? { rangeKey: range.name } : {}) },
        deletionProtection: production,
        transform: { table: { name: tableName(names, resource) } },
      });
      return { source, table };
    }),
  );
  const state = new sst.aws.Dynamo("State", {
    fields: { pk: "string", sk: "string" },
    primaryIndex: { hashKey: "pk", rangeKey: "sk" },
    ttl: "expires",
    deletionProtection: production,
    transform: { table: { name: stateTableName(names) } },
  });
  return { tables, state };
}
