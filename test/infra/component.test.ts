import { fileURLToPath } from "node:url";
import { rest_api_source } from "@tidetable/core";
import { beforeAll, describe, expect, it } from "vitest";
import { appProblem, argumentProblem, versionProblem } from "../../packages/sst/src/problems.ts";
import { type Deployed, openStage, reasonToSkip } from "./harness.ts";
import {
  ALARM,
  FUNCTION,
  inputsNamed,
  inputsOf,
  namesOf,
  ofType,
  ROLE,
  rolesOf,
  SECRET,
  TABLE,
} from "./resources.ts";

const stackFile = (name: string) =>
  fileURLToPath(new URL(`./fixtures/stacks/${name}.ts`, import.meta.url));
const stageKey = "arn:aws:kms:us-east-1:123456789012:key/stage";

describe.skipIf(reasonToSkip)("a component in an app with functions of its own", () => {
  let deployed: Deployed;
  beforeAll(async () => {
    const { deploy, close } = await openStage("dev");
    deployed = await deploy({ stacks: stackFile("component") });
    await close();
    expect(deployed.errors).toEqual([]);
  });

  it("a linked function may read the tables of its component, and nothing else", () => {
    const { statements = [] } = rolesOf(deployed)["Reader"] ?? {};
    expect(statements).toEqual([
      {
        Effect: "Allow",
        Action: ["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query", "dynamodb:Scan"],
        Resource: ["arn:aws:dynamodb:us-east-1:123456789012:table/tidetable-dev-orders.*"],
      },
      {
        Effect: "Allow",
        Action: ["kms:Decrypt", "kms:DescribeKey"],
        Resource: ["arn:aws:kms:us-east-1:123456789012:key/orders", stageKey],
      },
    ]);
  });

  it("a link has the names of the tables, by source and resource", () => {
    expect(deployed.outputs["tables"]).toEqual({
      "orders.orders": "tidetable-dev-orders.orders",
      "orders.log": "tidetable-dev-orders.log",
    });
    const [link] = ofType(deployed, "sst:sst:LinkRef").filter(({ urn }) =>
      /MirrorLinkRef$/.test(urn),
    );
    expect(link?.outputs.properties).toEqual({
      type: "tidetable.sst.Tidetable",
      tables: deployed.outputs["tables"],
    });
  });

  it("the user's own functions keep SST's settings", () => {
    const [reader] = ofType(deployed, FUNCTION).filter(({ urn }) => /::ReaderFunction$/.test(urn));
    expect(reader?.inputs.architectures).toEqual(["x86_64"]);
    const groups = inputsOf(deployed, "aws:cloudwatch/logGroup:LogGroup");
    expect(groups.map(({ retentionInDays }) => retentionInDays).sort()).toEqual([
      30, 30, 30, 30, 30,
    ]);
  });

  it("every resource of the component that can have tags has those of its arguments", () => {
    const table = inputsNamed(deployed, TABLE, "tidetable-dev-orders.log");
    expect(table.tags).toMatchObject({ team: "data", kind: "mirror" });
    for (const type of [TABLE, FUNCTION, SECRET, ALARM, ROLE, "aws:sqs/queue:Queue"]) {
      const withoutTag = ofType(deployed, type).filter(
        ({ urn, inputs }) => /::Mirror-/.test(urn) && inputs.tags?.team !== "data",
      );
      expect(withoutTag.map(({ urn }) => urn)).toEqual([]);
    }
    expect(inputsNamed(deployed, TABLE, "tidetable-two-dev-state").tags?.team).toBeUndefined();
  });

  it("tables without a key of their own, secrets and the failure queue have the component's key", () => {
    const keyOf = (table: string) =>
      inputsNamed(deployed, TABLE, table).serverSideEncryption?.kmsKeyArn;
    expect(keyOf("tidetable-dev-orders.orders")).toBe(
      "arn:aws:kms:us-east-1:123456789012:key/orders",
    );
    expect(keyOf("tidetable-dev-orders.log")).toBe(stageKey);
    expect(keyOf("tidetable-dev-state")).toBe(stageKey);
    expect(inputsNamed(deployed, SECRET, "tidetable/dev/orders").kmsKeyId).toBe(stageKey);
    const queue = inputsNamed(deployed, "aws:sqs/queue:Queue", "tidetable-dev-failures");
    expect(queue.kmsMasterKeyId).toBe(stageKey);
    const keyStatements = ["worker-orders", "schedule"].map((owner) =>
      rolesOf(deployed)[owner]?.statements.filter(({ Resource }) => Resource.includes(stageKey)),
    );
    expect(keyStatements).toMatchObject([[{ Sid: "KeyOfTheStage" }], [{ Sid: "KeyOfTheStage" }]]);
  });

  it("alarms go to the given topic, and a transform changes resources before they are created", () => {
    for (const alarm of inputsOf(deployed, ALARM).filter(({ name }) =>
      /^tidetable-dev-/.test(name),
    )) {
      expect(alarm.alarmActions).toEqual(["arn:aws:sns:us-east-1:123456789012:ours"]);
      expect(alarm.okActions).toEqual(["arn:aws:sns:us-east-1:123456789012:calm"]);
    }
    expect(inputsNamed(deployed, FUNCTION, "tidetable-dev-worker-orders").memorySize).toBe(2048);
  });

  it("with retain, tables and secrets are kept in a stage that the app removes", () => {
    const kept = [...ofType(deployed, TABLE), ...ofType(deployed, SECRET)].filter(({ urn }) =>
      /::Mirror-/.test(urn),
    );
    expect(kept.map(({ retainOnDelete }) => retainOnDelete)).toEqual([true, true, true, true]);
  });

  it("a second component with a prefix has tables and functions of its own", () => {
    expect(namesOf(deployed, TABLE)).toContain("tidetable-two-dev-weather.days");
    expect(namesOf(deployed, FUNCTION)).toContain("tidetable-two-dev-schedule");
  });
});

describe.skipIf(reasonToSkip)("components that do not fit", () => {
  it.each([
    [
      "two-of-one-source",
      'new Tidetable("Second", …): "Mirror" is in this app already, and both have a source named orders',
    ],
    ["two-without-prefix", "both would have the table tidetable-dev-state"],
  ])("the app %s is refused, with what to write instead", async (name, message) => {
    const { deploy, close } = await openStage("dev");
    const { errors } = await deploy({ stacks: stackFile(name) });
    await close();
    expect(errors.join("\n")).toContain(message);
    expect(errors.join("\n")).toContain('prefix: "tidetable-two"');
  });
});

const sources = {
  crm: rest_api_source({ client: { base_url: "https://a.example" }, resources: ["a"] }),
};
const handlers = { worker: "functions/worker.handler", schedule: "functions/schedule.handler" };

it("a component of another version than core's is refused, with both versions", () => {
  expect(versionProblem("1.2.0", "1.2.0")).toBeUndefined();
  expect(versionProblem("1.2.0", "1.3.0")).toBe(
    "@tidetable/sst 1.3.0 does not fit @tidetable/core 1.2.0; give both the same version in package.json, and install again",
  );
});

it("an app whose name is another one in package.json is refused, with both ways out", () => {
  const names = { app: "shop", stage: "dev" };
  expect(appProblem(names, "shop")).toBeUndefined();
  expect(appProblem(names, undefined)).toBeUndefined();
  const problem = appProblem(names, "store");
  expect(problem).toContain('write "app": "shop" there');
  expect(problem).toContain('prefix: "store" here');
});

it.each([
  [{ ...handlers, sources: {} }, 'const { sources } = await import("./sources")'],
  [{ ...handlers, sources: undefined as never }, "there are no sources"],
  [{ ...handlers, sources, worker: "" }, 'write worker: "functions/worker.handler"'],
  [
    { ...handlers, sources, schedule: undefined as never },
    'write schedule: "functions/schedule.handler"',
  ],
])("arguments without sources or handlers are refused, with what to write: %#", (args, message) => {
  expect(argumentProblem(args)).toContain(message);
  expect(argumentProblem({ ...handlers, sources })).toBeUndefined();
});
