import type { BatchWriteItemInput, WriteRequest } from "@aws-sdk/client-dynamodb";
import type { TableDefinition } from "../../packages/core/src/dynamodb/tables.ts";
import { conditionFailed, invalid, notFound } from "./dynamodb-errors.ts";
import { type ReadRequest, readPage } from "./dynamodb-reads.ts";
import { accepted, checkKeyOnly, keyOf } from "./dynamodb-rules.ts";
import type { Table } from "./dynamodb-table.ts";
import { compiler, type Item } from "./expressions.ts";

/*
 * An in-memory DynamoDB with the strict rules of AWS. It never fails by itself: `network.ts` stands
 * between it and the workers.
 */

/** One version of an item replaced another: what the oracle sees of every effect. */
export interface Change {
  table: string;
  key: string;
  before: Item | undefined;
  after: Item | undefined;
}

// biome-ignore lint/suspicious/noExplicitAny: the input of any command, as the SDK types it.
export type Input = any;

export interface Dynamodb {
  /** By the command's name without "Command"; throws what AWS would throw. */
  execute(operation: string, input: Input): object;
  /** What is there, for the oracle. */
  items(table: string): Item[];
  item(table: string, key: string): Item | undefined;
  /** Drops a table and makes it anew, under the same name. */
  recreate(table: string): void;
}

export function openDynamodb(
  definitions: Record<string, TableDefinition>,
  seams: {
    now: () => number;
    /** Whether an eventually consistent read shows what was there before. */
    readsOld: () => boolean;
    changed: (change: Change) => void;
  },
): Dynamodb {
  const tables = new Map(
    Object.entries(definitions).map(([name, definition], n): [string, Table] => [
      name,
      { ...definition, id: `table-${n}`, slots: new Map() },
    ]),
  );

  const tableOf = (name: string): Table => {
    const table = tables.get(name);
    if (!table) throw notFound();
    return table;
  };
  const read = (table: Table, key: string, consistent: boolean): Item | undefined => {
    const slot = table.slots.get(key);
    const old = slot && !consistent && seams.now() - slot.changedAt < 1000 && seams.readsOld();
    return old ? slot.before : slot?.item;
  };
  const write = (name: string, key: string, after: Item | undefined) => {
    const { slots } = tableOf(name);
    const before = slots.get(key)?.item;
    slots.set(key, { item: after, before, changedAt: seams.now() });
    seams.changed({ table: name, key, before, after });
  };

  /** UpdateItem, PutItem and DeleteItem: check the condition, then change. */
  const change = (input: Input, key: Item, next: (old: Item | undefined) => Item | undefined) => {
    const table = tableOf(input.TableName);
    const id = keyOf(key, table);
    const old = read(table, id, true);
    const { ConditionExpression, ExpressionAttributeNames, ExpressionAttributeValues } = input;
    const words = { names: ExpressionAttributeNames, values: ExpressionAttributeValues };
    const expressions = compiler(words);
    const condition = expressions.condition(ConditionExpression);
    const update = input.UpdateExpression && expressions.update(input.UpdateExpression);
    expressions.done();
    if (!condition(old ?? {})) {
      const shown = input.ReturnValuesOnConditionCheckFailure === "ALL_OLD";
      throw conditionFailed(shown ? old : undefined);
    }
    const after = update ? accepted(update(old ?? key), table) : next(old);
    if (after && keyOf(after, table) !== id) throw invalid("an update can not change the key");
    write(input.TableName, id, after);
    const returned = { ALL_OLD: old, ALL_NEW: after }[input.ReturnValues as string];
    return { ...(returned ? { Attributes: returned } : {}), ...capacity(input, 1) };
  };

  const operations: Record<string, (input: Input) => object> = {
    DescribeTable({ TableName }) {
      const { KeySchema, AttributeDefinitions, id } = tableOf(TableName);
      return {
        Table: { TableName, TableStatus: "ACTIVE", TableId: id, KeySchema, AttributeDefinitions },
      };
    },
    GetItem(input) {
      const table = tableOf(input.TableName);
      checkKeyOnly(input.Key, table);
      const found = read(table, keyOf(input.Key, table), input.ConsistentRead === true);
      return found ? { Item: found } : {};
    },
    BatchGetItem({ RequestItems }) {
      const Responses: Record<string, Item[]> = {};
      for (const [name, { Keys, ConsistentRead }] of Object.entries<Input>(RequestItems)) {
        if (Keys.length > 100) throw invalid("Too many items requested for the BatchGetItem call");
        const table = tableOf(name);
        noDuplicates(Keys.map((key: Item) => keyOf(key, table)));
        Responses[name] = Keys.flatMap(
          (key: Item) => read(table, keyOf(key, table), ConsistentRead === true) ?? [],
        );
      }
      return { Responses, UnprocessedKeys: {} };
    },
    PutItem(input) {
      const item = accepted(input.Item, tableOf(input.TableName));
      return change(input, item, () => item);
    },
    UpdateItem(input) {
      checkKeyOnly(input.Key, tableOf(input.TableName));
      return change(input, input.Key, (old) => old ?? input.Key);
    },
    DeleteItem(input) {
      checkKeyOnly(input.Key, tableOf(input.TableName));
      return change(input, input.Key, () => undefined);
    },
    BatchWriteItem(input: BatchWriteItemInput) {
      const prepared = prepareBatch(input, tableOf);
      for (const { table, key, item } of prepared) write(table, key, item);
      return { UnprocessedItems: {}, ...capacity(input, prepared.length) };
    },
    Query: (input: ReadRequest) =>
      readPage("Query", input, tableOf(input.TableName), (table, key) =>
        read(table, key, input.ConsistentRead === true),
      ),
    Scan: (input: ReadRequest) =>
      readPage("Scan", input, tableOf(input.TableName), (table, key) =>
        read(table, key, input.ConsistentRead === true),
      ),
  };

  return {
    execute(operation, input) {
      const run = operations[operation];
      if (!run) throw invalid(`${operation} is not part of this simulation`);
      return run(input);
    },
    items: (name) =>
      [...tableOf(name).slots.values()]
        .map(({ item }) => item)
        .filter((item) => item !== undefined),
    item: (name, key) => tableOf(name).slots.get(key)?.item,
    recreate(name) {
      const table = tableOf(name);
      tables.set(name, { ...table, id: `${table.id}'`, slots: new Map() });
    },
  };
}

/** All or nothing: one bad item refuses all of its batch, and there is no condition. */
function prepareBatch(
  { RequestItems = {} }: BatchWriteItemInput,
  tableOf: (name: string) => Table,
) {
  const requests = Object.entries(RequestItems).flatMap(([table, list]) =>
    list.map((request: WriteRequest) => ({ table, ...request })),
  );
  if (requests.length === 0 || requests.length > 25) throw invalid("a batch has 1 to 25 requests");
  if (Buffer.byteLength(JSON.stringify(RequestItems)) > 16 * 1024 * 1024) throw invalid("16 MB");
  const prepared = requests.map(({ table: name, PutRequest, DeleteRequest }) => {
    const table = tableOf(name);
    if (PutRequest?.Item) {
      const item = accepted(PutRequest.Item, table);
      return { table: name, key: keyOf(item, table), item };
    }
    const key = DeleteRequest?.Key ?? {};
    checkKeyOnly(key, table);
    return { table: name, key: keyOf(key, table), item: undefined };
  });
  noDuplicates(prepared.map(({ table, key }) => `${table}\u0000${key}`));
  return prepared;
}

function noDuplicates(keys: string[]): void {
  if (new Set(keys).size < keys.length) throw invalid("Provided list of item keys has duplicates");
}

const capacity = (input: Input, units: number) =>
  input.ReturnConsumedCapacity ? { ConsumedCapacity: consumed(input, units) } : {};

const consumed = (input: Input, CapacityUnits: number) =>
  input.RequestItems
    ? Object.keys(input.RequestItems).map((TableName) => ({ TableName, CapacityUnits }))
    : { TableName: input.TableName, CapacityUnits };
