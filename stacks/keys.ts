import { type KeyPlan, type SourcePlan, tableName } from "@tidetable/core";
import { names } from "./plans";

/**
 * Refuses a plan that wants another key than a deployed table has. DynamoDB can not change a key:
 * Pulumi would replace the table, and its rows would be gone.
 */
export async function sameKeys(plans: SourcePlan[]) {
  const resources = plans.flatMap((plan) => plan.resources).filter(({ selected }) => selected);
  // Asking for a table that is not there would be an error, hence the list.
  const deployed = new Set((await aws.dynamodb.getTables()).names);
  const changes = await Promise.all(
    resources
      .map((resource) => ({ name: tableName(names, resource), key: planned(resource.key) }))
      .filter(({ name }) => deployed.has(name))
      .map(async ({ name, key }) => {
        const old = keyOf(await aws.dynamodb.getTable({ name }));
        return old === key ? [] : [`  ${name} has the key ${old}, and the plan wants ${key}`];
      }),
  );
  const lines = changes.flat();
  if (lines.length === 0) return;
  throw new Error(
    [
      "the key of a deployed table can not change:",
      ...lines,
      "Either give the resource another table_name, and the next run fills a new table;",
      "or delete the table, after an export if you need its rows, and deploy again;",
      "or go back to the old primary_key and data_type.",
    ].join("\n"),
  );
}

const text = (parts: { name: string; type: string }[]) =>
  parts.map(({ name, type }) => `${name} (${type})`).join(" + ");

const planned = ({ hash, range }: KeyPlan) => text(range ? [hash, range] : [hash]);

function keyOf({ hashKey, rangeKey, attributes }: aws.dynamodb.GetTableResult) {
  const type = (name: string) => attributes.find((one) => one.name === name)?.type ?? "?";
  // Without a range key, `rangeKey` is empty.
  const fields = [hashKey, rangeKey].filter(Boolean);
  return text(fields.map((name) => ({ name, type: type(name) })));
}
