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
import type { Statement } from "../packages/sst/src/permissions.ts";
import { clientOf } from "./support/dynamodb.ts";
import { allowedBy } from "./support/iam.ts";
import { declareSource, openStage, type Stage, stageLocation } from "./support/iam-stage.ts";

// The suite tries with the real clients everything that the roles of `packages/sst/src/permissions.ts` must not allow.

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());
afterEach(() => expect(stage.iam.faults.splice(0)).toEqual([]));

const { names } = stageLocation;
const stateTable = stateTableName(names);
/** Deploys a source whose API is never asked. */
const deploySource = () => stage.deploy(declareSource("http://127.0.0.1:9", [{ name: "rows" }]));

/** Real clients with the credentials of one role. */
function clientsOf(role: string) {
  const { endpoint } = stage.iam;
  const credentials = { accessKeyId: role, secretAccessKey: "worth nothing" };
  const options = { endpoint, region: stageLocation.region, credentials, maxAttempts: 1 };
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

const readCalls = (TableName: string, Key: Key): Calls => ({
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

const writeCalls = (TableName: string, Key: Key): Calls => {
  const batchCall = (request: object): Calls[string] => {
    const command = new BatchWriteItemCommand({ RequestItems: { [TableName]: [request] } });
    return ({ dynamodb }) => dynamodb.send(command);
  };
  return {
    PutItem: ({ dynamodb }) => dynamodb.send(new PutItemCommand({ TableName, Item: Key })),
    UpdateItem: ({ dynamodb }) => dynamodb.send(new UpdateItemCommand({ TableName, Key })),
    DeleteItem: ({ dynamodb }) => dynamodb.send(new DeleteItemCommand({ TableName, Key })),
    "BatchWriteItem that puts": batchCall({ PutRequest: { Item: Key } }),
    "BatchWriteItem that deletes": batchCall({ DeleteRequest: { Key } }),
  };
};

const tableCalls = (TableName: string): Calls => ({
  Scan: ({ dynamodb }) => dynamodb.send(new ScanCommand({ TableName })),
  DescribeTable: ({ dynamodb }) => dynamodb.send(new DescribeTableCommand({ TableName })),
});

const readSecretCalls = (source: string, VersionStage?: string): Calls => ({
  [`GetSecretValue ${VersionStage}`]: ({ secrets }) =>
    secrets.send(new GetSecretValueCommand({ SecretId: secretName(names, source), VersionStage })),
});

const writeSecretCalls = (source: string): Calls => ({
  PutSecretValue: ({ secrets }) => {
    const SecretId = secretName(names, source);
    return secrets.send(new PutSecretValueCommand({ SecretId, SecretString: "{}" }));
  },
});

const invokeCalls = (FunctionName: string): Calls => ({
  [`Invoke ${FunctionName}`]: ({ lambda }) =>
    lambda.send(new InvokeCommand({ FunctionName, InvocationType: "Event", Payload: "{}" })),
});

/** Makes the calls, and gives "allowed" or the name of the error for each. */
async function outcomesOf(role: string, calls: Calls): Promise<Record<string, string>> {
  const clients = clientsOf(role);
  const outcomes: Record<string, string> = {};
  for (const [name, call] of Object.entries(calls)) {
    outcomes[name] = await call(clients).then(
      () => "allowed",
      (error: Error) => error.name,
    );
  }
  return outcomes;
}

const allEndAs = (calls: Calls, end: string) =>
  Object.fromEntries(Object.keys(calls).map((name) => [name, end]));
const DENIED = "AccessDeniedException";

describe("the worker of one source", () => {
  const deployTwoSources = async () => {
    const [ownSource, otherSource] = [await deploySource(), await deploySource()];
    return { ownSource, otherSource, role: ownSource.roles.worker.name };
  };

  it("the worker of one source can neither read nor write another source's tables", async () => {
    const { ownSource, otherSource, role } = await deployTwoSources();
    const key = { id: { S: "1" } };
    // The second name begins like that of the worker's own source.
    for (const source of [otherSource.name, `${ownSource.name}0`]) {
      const table = tableName(names, { source, table: "rows" });
      const calls = { ...readCalls(table, key), ...writeCalls(table, key), ...tableCalls(table) };
      expect(await outcomesOf(role, calls)).toEqual(allEndAs(calls, DENIED));
    }
    expect(await otherSource.rows()).toEqual([]);
  });

  it("the worker of one source can use its own keys of the state table and no others", async () => {
    const { ownSource, otherSource, role } = await deployTwoSources();
    const callsOn = (pk: string) => ({
      ...readCalls(stateTable, stateKey(pk)),
      ...writeCalls(stateTable, stateKey(pk)),
    });
    for (const pk of [
      `${ownSource.name}#rows`,
      `${ownSource.name}#`,
      `${ownSource.name}#rows/seen/0`,
    ]) {
      expect(await outcomesOf(role, callsOn(pk))).toEqual(allEndAs(callsOn(pk), "allowed"));
    }
    // The second name begins like that of the worker's own source.
    for (const pk of [`${otherSource.name}#rows`, `${ownSource.name}0#rows`, ownSource.name, "#"]) {
      expect(await outcomesOf(role, callsOn(pk))).toEqual(allEndAs(callsOn(pk), DENIED));
    }
    expect(await outcomesOf(role, tableCalls(stateTable))).toEqual(
      allEndAs(tableCalls(stateTable), DENIED),
    );
  });

  it("the worker of one source cannot use another source's key together with its own", async () => {
    const { ownSource, otherSource, role } = await deployTwoSources();
    const keys = [stateKey(`${ownSource.name}#rows`), stateKey(`${otherSource.name}#rows`)];
    const puts = keys.map((Item) => ({ PutRequest: { Item } }));
    const calls: Calls = {
      BatchGetItem: ({ dynamodb }) =>
        dynamodb.send(new BatchGetItemCommand({ RequestItems: { [stateTable]: { Keys: keys } } })),
      BatchWriteItem: ({ dynamodb }) =>
        dynamodb.send(new BatchWriteItemCommand({ RequestItems: { [stateTable]: puts } })),
      "BatchWriteItem to two tables": ({ dynamodb }) => {
        const [ownPut] = puts;
        const foreign = [{ PutRequest: { Item: { id: { S: "1" } } } }];
        const RequestItems = {
          [stateTable]: ownPut ? [ownPut] : [],
          [tableName(names, otherSource.resource)]: foreign,
        };
        return dynamodb.send(new BatchWriteItemCommand({ RequestItems }));
      },
    };
    expect(await outcomesOf(role, calls)).toEqual(allEndAs(calls, DENIED));
    expect(await ownSource.stateItems("")).toEqual([]);
  });

  it("the worker of one source can read the current version of its own secret, and write or read no other", async () => {
    const { ownSource, otherSource, role } = await deployTwoSources();
    const current = readSecretCalls(ownSource.name, "AWSCURRENT");
    expect(await outcomesOf(role, current)).toEqual(allEndAs(current, "allowed"));
    for (const calls of [
      readSecretCalls(ownSource.name),
      readSecretCalls(ownSource.name, "AWSPREVIOUS"),
      readSecretCalls(otherSource.name, "AWSCURRENT"),
      readSecretCalls(`${ownSource.name}0`, "AWSCURRENT"),
      { ...writeSecretCalls(ownSource.name), ...writeSecretCalls(otherSource.name) },
    ]) {
      expect(await outcomesOf(role, calls)).toEqual(allEndAs(calls, DENIED));
    }
  });

  it("the worker of one source can invoke no function, not even itself", async () => {
    const { otherSource, role } = await deployTwoSources();
    for (const name of [role, otherSource.roles.worker.name, scheduleFunctionName(names)]) {
      expect(await outcomesOf(role, invokeCalls(name))).toEqual(
        allEndAs(invokeCalls(name), DENIED),
      );
    }
  });

  it("the worker of one source does nothing for an event of another source", async () => {
    const { ownSource, otherSource } = await deployTwoSources();
    const declarations = {
      [ownSource.name]: ownSource.declare,
      [otherSource.name]: otherSource.declare,
    };
    const worker = await stage.workerOf(ownSource.roles.worker, declarations);
    const event = { source: otherSource.name, resource: "rows", run_id: "r1" };
    await expect(worker(event)).rejects.toMatchObject({ name: "RunError" });
    expect(stage.iam.decisions.at(-1)).toMatchObject({ allowedBy: undefined });
    expect([...(await otherSource.rows()), ...(await otherSource.stateItems(""))]).toEqual([]);
  });
});

describe("the schedule function", () => {
  it("the schedule function can read states and write nothing", async () => {
    const { name, resource, roles } = await deploySource();
    const key = stateKey(`${name}#rows`);
    const { BatchGetItem, ...others } = readCalls(stateTable, key);
    const { role, table } = { role: roles.schedule.name, table: tableName(names, resource) };
    expect(await outcomesOf(role, { BatchGetItem } as Calls)).toEqual({ BatchGetItem: "allowed" });
    for (const calls of [
      { ...others, ...writeCalls(stateTable, key), ...tableCalls(stateTable) },
      { ...readCalls(table, key), ...writeCalls(table, key), ...tableCalls(table) },
      { ...readSecretCalls(name, "AWSCURRENT"), ...writeSecretCalls(name) },
    ]) {
      expect(await outcomesOf(role, calls)).toEqual(allEndAs(calls, DENIED));
    }
  });

  it("the schedule function can invoke the workers of its sources and no other function", async () => {
    const { roles } = await deploySource();
    const role = roles.schedule.name;
    const worker = invokeCalls(roles.worker.name);
    expect(await outcomesOf(role, worker)).toEqual(allEndAs(worker, "allowed"));
    for (const name of [role, `${roles.worker.name}0`, "another-function"]) {
      expect(await outcomesOf(role, invokeCalls(name))).toEqual(
        allEndAs(invokeCalls(name), DENIED),
      );
    }
  });
});

describe("the IAM of these tests", () => {
  it("the simulated IAM refuses requests that it does not know, whatever the role allows", async () => {
    stage.iam.roles.set("admin", [{ Sid: "All", Effect: "Allow", Action: ["*"], Resource: ["*"] }]);
    const Put = { TableName: stateTable, Item: stateKey("smuggled#rows") };
    const calls: Calls = {
      TransactWriteItems: ({ dynamodb }) =>
        dynamodb.send(new TransactWriteItemsCommand({ TransactItems: [{ Put }] })),
      "GetItem of nobody": () =>
        clientsOf("nobody").dynamodb.send(
          new GetItemCommand({ TableName: stateTable, Key: Put.Item }),
        ),
    };
    expect(await outcomesOf("admin", calls)).toEqual(allEndAs(calls, "UnknownOperationException"));
    expect(stage.iam.faults.splice(0)).toEqual([
      "dynamodb:TransactWriteItems is not known here",
      "there is no role nobody",
    ]);
    const items = await stage.engine.scan(stateTable);
    expect(items.filter(({ pk }) => pk?.S?.startsWith("smuggled"))).toEqual([]);
  });

  const allowStatement = (changes: Partial<Statement>): Statement => ({
    ...{ Sid: "One", Effect: "Allow", Action: ["dynamodb:GetItem"], Resource: ["arn:t/a.*"] },
    ...changes,
  });
  const access = { action: "dynamodb:GetItem", resource: "arn:t/a.b", context: {} };
  const equals = { Condition: { StringEquals: { key: ["value"] } } };
  it.each<[string, Statement[], object, string | undefined]>([
    ["a star in a resource stands for any characters", [allowStatement({})], {}, "One"],
    [
      "a dot in a resource stands for a dot",
      [allowStatement({})],
      { resource: "arn:t/aXb" },
      undefined,
    ],
    [
      "a question mark in a resource stands for one character",
      [allowStatement({ Resource: ["arn:t/a.?"] })],
      {},
      "One",
    ],
    [
      "a question mark in a resource does not stand for two characters",
      [allowStatement({ Resource: ["arn:t/a.?"] })],
      { resource: "arn:t/a.bc" },
      undefined,
    ],
    [
      "a statement does not allow another action",
      [allowStatement({})],
      { action: "dynamodb:PutItem" },
      undefined,
    ],
    [
      "a denial has precedence",
      [allowStatement({}), allowStatement({ Effect: "Deny" })],
      {},
      undefined,
    ],
    ["without a statement a request is denied", [], {}, undefined],
    ["a condition denies a request without the value", [allowStatement(equals)], {}, undefined],
    [
      "a condition allows a request with the value",
      [allowStatement(equals)],
      { context: { key: ["value"] } },
      "One",
    ],
  ])("the simulated IAM decides as AWS does: %s", (_, statements, changes, sid) => {
    expect(allowedBy(statements, { ...access, ...changes })?.Sid).toBe(sid);
  });

  it("the simulated IAM knows the conditions that the stacks use, and throws for any other", () => {
    const accessTo = (...keys: string[]) => ({ ...access, context: { keys } });
    const statement = allowStatement({
      Condition: { "ForAllValues:StringLike": { keys: ["a#*"] } },
    });
    expect(allowedBy([statement], accessTo("a#rows", "a#"))).toBe(statement);
    expect(allowedBy([statement], accessTo("a#rows", "b#rows"))).toBeUndefined();
    const unknownCondition = allowStatement({ Condition: { StringLike: { keys: ["a#*"] } } });
    expect(() => allowedBy([unknownCondition], access)).toThrow("StringLike is not known here");
  });
});
