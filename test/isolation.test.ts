import {
  BatchGetItemCommand,
  BatchWriteItemCommand,
  DeleteItemCommand,
  DescribeTableCommand,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  ScanCommand,
  TransactWriteItemsCommand,
  UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import {
  GetSecretValueCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import {
  scheduleFunctionName,
  secretName,
  stateTableName,
  tableName,
} from "../packages/core/src/base/names.ts";
import type { Statement } from "../stacks/permissions.ts";
import { clientOf } from "./support/dynamodb.ts";
import { allowedBy } from "./support/iam.ts";
import { openStage, place, type Stage, source } from "./support/iam-stage.ts";

// What the roles of `stacks/permissions.ts` do not allow, tried with the real clients.

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());
afterEach(() => expect(stage.iam.faults.splice(0)).toEqual([]));

const { names } = place;
const state = stateTableName(names);
/** A source that nothing is asked of. */
const deploy = () => stage.deploy(source("http://127.0.0.1:9", [{ name: "rows" }]));

/** Real clients with the credentials of one role. */
function clientsOf(role: string) {
  const { endpoint } = stage.iam;
  const credentials = { accessKeyId: role, secretAccessKey: "worth nothing" };
  const options = { endpoint, region: place.region, credentials, maxAttempts: 1 };
  const clients = {
    dynamodb: clientOf(endpoint, { credentials }),
    secrets: new SecretsManagerClient(options),
    lambda: new LambdaClient(options),
  };
  onTestFinished(() => {
    for (const client of Object.values(clients)) client.destroy();
  });
  return clients;
}

type Calls = Record<string, (clients: ReturnType<typeof clientsOf>) => Promise<unknown>>;
type Key = Record<string, { S: string }>;

const stateKey = (pk: string): Key => ({ pk: { S: pk }, sk: { S: "state" } });

const reads = (TableName: string, Key: Key): Calls => ({
  GetItem: ({ dynamodb }) => dynamodb.send(new GetItemCommand({ TableName, Key })),
  BatchGetItem: ({ dynamodb }) =>
    dynamodb.send(new BatchGetItemCommand({ RequestItems: { [TableName]: { Keys: [Key] } } })),
  Query: ({ dynamodb }) => {
    const [name = ""] = Object.keys(Key);
    const command = new QueryCommand({
      TableName,
      KeyConditionExpression: "#key = :key",
      ExpressionAttributeNames: { "#key": name },
      ExpressionAttributeValues: { ":key": Key[name] as { S: string } },
    });
    return dynamodb.send(command);
  },
});

const writes = (TableName: string, Key: Key): Calls => {
  const batch = (request: object): Calls[string] => {
    const command = new BatchWriteItemCommand({ RequestItems: { [TableName]: [request] } });
    return ({ dynamodb }) => dynamodb.send(command);
  };
  return {
    PutItem: ({ dynamodb }) => dynamodb.send(new PutItemCommand({ TableName, Item: Key })),
    UpdateItem: ({ dynamodb }) => dynamodb.send(new UpdateItemCommand({ TableName, Key })),
    DeleteItem: ({ dynamodb }) => dynamodb.send(new DeleteItemCommand({ TableName, Key })),
    "BatchWriteItem that puts": batch({ PutRequest: { Item: Key } }),
    "BatchWriteItem that deletes": batch({ DeleteRequest: { Key } }),
  };
};

const onTable = (TableName: string): Calls => ({
  Scan: ({ dynamodb }) => dynamodb.send(new ScanCommand({ TableName })),
  DescribeTable: ({ dynamodb }) => dynamodb.send(new DescribeTableCommand({ TableName })),
});

const getSecret = (source: string, VersionStage?: string): Calls => ({
  [`GetSecretValue ${VersionStage}`]: ({ secrets }) =>
    secrets.send(new GetSecretValueCommand({ SecretId: secretName(names, source), VersionStage })),
});

const putSecret = (source: string): Calls => ({
  PutSecretValue: ({ secrets }) => {
    const SecretId = secretName(names, source);
    return secrets.send(new PutSecretValueCommand({ SecretId, SecretString: "{}" }));
  },
});

const invoke = (FunctionName: string): Calls => ({
  [`Invoke ${FunctionName}`]: ({ lambda }) =>
    lambda.send(new InvokeCommand({ FunctionName, InvocationType: "Event", Payload: "{}" })),
});

/** How each call ends: "allowed", or the name of its error. */
async function ends(role: string, calls: Calls): Promise<Record<string, string>> {
  const clients = clientsOf(role);
  const found: Record<string, string> = {};
  for (const [name, call] of Object.entries(calls)) {
    found[name] = await call(clients).then(
      () => "allowed",
      (error: Error) => error.name,
    );
  }
  return found;
}

const every = (calls: Calls, end: string) =>
  Object.fromEntries(Object.keys(calls).map((name) => [name, end]));
const DENIED = "AccessDeniedException";

describe("the worker of one source", () => {
  const two = async () => {
    const [mine, other] = [await deploy(), await deploy()];
    return { mine, other, role: mine.roles.worker.name };
  };

  it("can neither read nor write another's tables", async () => {
    const { mine, other, role } = await two();
    const key = { id: { S: "1" } };
    // The second is of a source that has a name which begins like its own.
    for (const source of [other.name, `${mine.name}0`]) {
      const table = tableName(names, { source, table: "rows" });
      const calls = { ...reads(table, key), ...writes(table, key), ...onTable(table) };
      expect(await ends(role, calls)).toEqual(every(calls, DENIED));
    }
    expect(await other.rows()).toEqual([]);
  });

  it("can work on its own keys of the state table and on no others", async () => {
    const { mine, other, role } = await two();
    const on = (pk: string) => ({ ...reads(state, stateKey(pk)), ...writes(state, stateKey(pk)) });
    for (const pk of [`${mine.name}#rows`, `${mine.name}#`, `${mine.name}#rows/seen/0`]) {
      expect(await ends(role, on(pk))).toEqual(every(on(pk), "allowed"));
    }
    // The second has a name that begins like its own.
    for (const pk of [`${other.name}#rows`, `${mine.name}0#rows`, mine.name, "#"]) {
      expect(await ends(role, on(pk))).toEqual(every(on(pk), DENIED));
    }
    expect(await ends(role, onTable(state))).toEqual(every(onTable(state), DENIED));
  });

  it("can not smuggle another's key in among its own", async () => {
    const { mine, other, role } = await two();
    const keys = [stateKey(`${mine.name}#rows`), stateKey(`${other.name}#rows`)];
    const puts = keys.map((Item) => ({ PutRequest: { Item } }));
    const calls: Calls = {
      BatchGetItem: ({ dynamodb }) =>
        dynamodb.send(new BatchGetItemCommand({ RequestItems: { [state]: { Keys: keys } } })),
      BatchWriteItem: ({ dynamodb }) =>
        dynamodb.send(new BatchWriteItemCommand({ RequestItems: { [state]: puts } })),
      "BatchWriteItem to two tables": ({ dynamodb }) => {
        const [own] = puts;
        const foreign = [{ PutRequest: { Item: { id: { S: "1" } } } }];
        const RequestItems = {
          [state]: own ? [own] : [],
          [tableName(names, other.resource)]: foreign,
        };
        return dynamodb.send(new BatchWriteItemCommand({ RequestItems }));
      },
    };
    expect(await ends(role, calls)).toEqual(every(calls, DENIED));
    expect(await mine.kept("")).toEqual([]);
  });

  it("can read its secret as it is now, write none and read no other", async () => {
    const { mine, other, role } = await two();
    const now = getSecret(mine.name, "AWSCURRENT");
    expect(await ends(role, now)).toEqual(every(now, "allowed"));
    for (const calls of [
      getSecret(mine.name),
      getSecret(mine.name, "AWSPREVIOUS"),
      getSecret(other.name, "AWSCURRENT"),
      getSecret(`${mine.name}0`, "AWSCURRENT"),
      { ...putSecret(mine.name), ...putSecret(other.name) },
    ]) {
      expect(await ends(role, calls)).toEqual(every(calls, DENIED));
    }
  });

  it("can invoke nothing, itself included", async () => {
    const { other, role } = await two();
    for (const name of [role, other.roles.worker.name, scheduleFunctionName(names)]) {
      expect(await ends(role, invoke(name))).toEqual(every(invoke(name), DENIED));
    }
  });

  it("does nothing for an event of another source", async () => {
    const { mine, other } = await two();
    const both = { [mine.name]: mine.declare, [other.name]: other.declare };
    const worker = await stage.workerOf(mine.roles.worker, both);
    const event = { source: other.name, resource: "rows", run_id: "r1" };
    await expect(worker(event)).rejects.toMatchObject({ name: "RunError" });
    expect(stage.iam.decisions.at(-1)).toMatchObject({ allowedBy: undefined });
    expect([...(await other.rows()), ...(await other.kept(""))]).toEqual([]);
  });
});

describe("the schedule function", () => {
  it("can read states and write nothing", async () => {
    const { name, resource, roles } = await deploy();
    const key = stateKey(`${name}#rows`);
    const { BatchGetItem, ...others } = reads(state, key);
    const { role, table } = { role: roles.schedule.name, table: tableName(names, resource) };
    expect(await ends(role, { BatchGetItem } as Calls)).toEqual({ BatchGetItem: "allowed" });
    for (const calls of [
      { ...others, ...writes(state, key), ...onTable(state) },
      { ...reads(table, key), ...writes(table, key), ...onTable(table) },
      { ...getSecret(name, "AWSCURRENT"), ...putSecret(name) },
    ]) {
      expect(await ends(role, calls)).toEqual(every(calls, DENIED));
    }
  });

  it("can invoke the workers of its sources and nothing else", async () => {
    const { roles } = await deploy();
    const role = roles.schedule.name;
    const worker = invoke(roles.worker.name);
    expect(await ends(role, worker)).toEqual(every(worker, "allowed"));
    for (const name of [role, `${roles.worker.name}0`, "another-function"]) {
      expect(await ends(role, invoke(name))).toEqual(every(invoke(name), DENIED));
    }
  });
});

describe("the IAM of these tests", () => {
  it("refuses what it does not know, whatever the role may do", async () => {
    stage.iam.roles.set("admin", [{ Sid: "All", Effect: "Allow", Action: ["*"], Resource: ["*"] }]);
    const Put = { TableName: state, Item: stateKey("smuggled#rows") };
    const calls: Calls = {
      TransactWriteItems: ({ dynamodb }) =>
        dynamodb.send(new TransactWriteItemsCommand({ TransactItems: [{ Put }] })),
      "GetItem of nobody": () =>
        clientsOf("nobody").dynamodb.send(new GetItemCommand({ TableName: state, Key: Put.Item })),
    };
    expect(await ends("admin", calls)).toEqual(every(calls, "UnknownOperationException"));
    expect(stage.iam.faults.splice(0)).toEqual([
      "dynamodb:TransactWriteItems is not known here",
      "there is no role nobody",
    ]);
    const items = await stage.engine.scan(state);
    expect(items.filter(({ pk }) => pk?.S?.startsWith("smuggled"))).toEqual([]);
  });

  const allow = (changes: Partial<Statement>): Statement => ({
    ...{ Sid: "One", Effect: "Allow", Action: ["dynamodb:GetItem"], Resource: ["arn:t/a.*"] },
    ...changes,
  });
  const access = { action: "dynamodb:GetItem", resource: "arn:t/a.b", context: {} };
  const equals = { Condition: { StringEquals: { key: ["value"] } } };
  it.each<[string, Statement[], object, string | undefined]>([
    ["a star stands for anything", [allow({})], {}, "One"],
    ["a dot stands for a dot", [allow({})], { resource: "arn:t/aXb" }, undefined],
    ["a question mark stands for one character", [allow({ Resource: ["arn:t/a.?"] })], {}, "One"],
    [
      "and not for two",
      [allow({ Resource: ["arn:t/a.?"] })],
      { resource: "arn:t/a.bc" },
      undefined,
    ],
    ["another action is another", [allow({})], { action: "dynamodb:PutItem" }, undefined],
    ["a denial wins", [allow({}), allow({ Effect: "Deny" })], {}, undefined],
    ["nothing allows nothing", [], {}, undefined],
    ["a value that is asked for has to be there", [allow(equals)], {}, undefined],
    ["and is enough", [allow(equals)], { context: { key: ["value"] } }, "One"],
  ])("says as AWS does: %s", (_, statements, changes, sid) => {
    expect(allowedBy(statements, { ...access, ...changes })?.Sid).toBe(sid);
  });

  it("knows the conditions that are used, and throws for another", () => {
    const leading = (...keys: string[]) => ({ ...access, context: { keys } });
    const statement = allow({ Condition: { "ForAllValues:StringLike": { keys: ["a#*"] } } });
    expect(allowedBy([statement], leading("a#rows", "a#"))).toBe(statement);
    expect(allowedBy([statement], leading("a#rows", "b#rows"))).toBeUndefined();
    const other = allow({ Condition: { StringLike: { keys: ["a#*"] } } });
    expect(() => allowedBy([other], access)).toThrow("StringLike is not known here");
  });
});
