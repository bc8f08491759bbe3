import { BatchWriteItemCommand } from "@aws-sdk/client-dynamodb";
import type { JsonObject, Source } from "@tidetable/core";
import { tableDefinition } from "@tidetable/core/internal";
import { planSource, tableName } from "@tidetable/core/plan";
import { toItems } from "../../packages/core/src/normalize/items.ts";
import { recordFitter } from "../../packages/core/src/schema/contract.ts";
import type { Engine } from "./dynamodb.ts";
import { attributesIn } from "./items.ts";
import { rowNaming } from "./naming.ts";

/** Makes a resource's table and writes records into it, as a run would; gives the table's name. */
export async function fillTable(
  engine: Engine,
  {
    source,
    name,
    resource,
    stage,
  }: { source: Source; name: string; resource: string; stage: string },
  records: JsonObject[],
): Promise<string> {
  const found = planSource(source, name).resources.find((one) => one.name === resource);
  if (!found) throw new Error(`no resource ${resource}`);
  const TableName = tableName({ app: "tidetable", stage }, found);
  await engine.createTables({ [TableName]: tableDefinition(found) });
  const { items, rejections } = toItems(
    records,
    found,
    rowNaming(),
    recordFitter(found, undefined),
  );
  if (rejections[0]) throw new Error(rejections[0].message);
  for (let first = 0; first < items.length; first += 25) {
    const puts = items
      .slice(first, first + 25)
      .map((item) => ({ PutRequest: { Item: attributesIn(item) } }));
    const command = new BatchWriteItemCommand({ RequestItems: { [TableName]: puts } });
    const { UnprocessedItems = {} } = await engine.dynamodb.send(command);
    if (Object.keys(UnprocessedItems).length > 0) throw new Error("not all were written");
  }
  return TableName;
}

export async function collectPages<T>(pages: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const page of pages) all.push(page);
  return all;
}
