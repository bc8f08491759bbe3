import { type KeyPlan, type Names, type SourcePlan, tableName } from "@tidetable/core/plan";

/**
 * Refuses a deploy that would change the key of an existing table. DynamoDB cannot change a key, so
 * Pulumi would replace the table and its rows would be lost.
 */
export async function refuseKeyChanges(plans: SourcePlan[], names: Names): Promise<void> {
  const resources = plans.flatMap((plan) => plan.resources).filter(({ selected }) => selected);
  // `getTable` throws for a missing table, hence the list of existing tables.
  const existingTables = new Set((await aws.dynamodb.getTables()).names);
  const changes = await Promise.all(
    resources
      .map((resource) => ({ name: tableName(names, resource), plannedKey: planKey(resource.key) }))
      .filter(({ name }) => existingTables.has(name))
      .map(async ({ name, plannedKey }) => {
        const deployedKey = tableKey(await aws.dynamodb.getTable({ name }));
        if (deployedKey === plannedKey) return [];
        return [`  ${name} has the key ${deployedKey}, and the plan wants ${plannedKey}`];
      }),
  );
  const lines = changes.flat();
  if (lines.length === 0) return;
  throw new Error(
    [
      "the key of a deployed table cannot change:",
      ...lines,
      "Either give the resource another table_name, and the next run fills a new table;",
      "or delete the table, after an export if you need its rows, and deploy again;",
      "or go back to the old primary_key and data_type.",
    ].join("\n"),
  );
}

const keyText = (attributes: { name: string; type: string }[]) =>
  attributes.map(({ name, type }) => `${name} (${type})`).join(" + ");

const planKey = ({ hash, range }: KeyPlan) => keyText(range ? [hash, range] : [hash]);

function tableKey({ hashKey, rangeKey, attributes }: aws.dynamodb.GetTableResult) {
  const typeOf = (name: string) =>
    attributes.find((attribute) => attribute.name === name)?.type ?? "?";
  // The provider gives an empty string for a table without a range key.
  const keyNames = [hashKey, rangeKey].filter(Boolean);
  return keyText(keyNames.map((name) => ({ name, type: typeOf(name) })));
}
