import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { workerFunctionName } from "@tidetable/core/plan";
import { sources as registered } from "@tidetable/sources";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { findLongNames } from "../../packages/sst/src/limits.ts";
import { workerStatements } from "../../packages/sst/src/permissions.ts";
import { sources as orders } from "./fixtures/orders.ts";
import { type Deployed, openStage, reasonToSkip } from "./harness.ts";
import {
  ALARM,
  FUNCTION,
  inputsNamed,
  inputsOf,
  locationOf,
  namesOf,
  ofType,
  plansOf,
  rolesOf,
  SCHEDULE,
  SECRET,
  TABLE,
} from "./resources.ts";

const withOrders = fileURLToPath(new URL("./fixtures/orders.ts", import.meta.url));
const ordersStack = fileURLToPath(new URL("./fixtures/stacks/orders.ts", import.meta.url));
const withRekeyed = fileURLToPath(new URL("./fixtures/orders-rekeyed.ts", import.meta.url));
const withOneMore = fileURLToPath(new URL("./fixtures/one-more.ts", import.meta.url));

/** The state after a deploy of the sources of orders.ts, when the stacks were no component yet. */
const stateOfTheStacks: { type: string }[] = JSON.parse(
  readFileSync(new URL("./fixtures/state-of-the-stacks.json", import.meta.url), "utf8"),
);

/** Opens an empty stage that is closed after the test. */
async function openTestStage() {
  const stage = await openStage("dev");
  onTestFinished(stage.close);
  return stage;
}

describe.skipIf(reasonToSkip)("a source with options", () => {
  let deployed: Deployed;
  beforeAll(async () => {
    const { deploy, close } = await openStage("dev");
    deployed = await deploy({ stacks: ordersStack });
    await close();
    expect(deployed.errors).toEqual([]);
  });

  it("a table has the TTL, stream, indexes, key and write limit that its options ask for", () => {
    const limit = { maxWriteRequestUnits: 500 };
    expect(inputsNamed(deployed, TABLE, "tidetable-dev-orders.orders")).toMatchObject({
      hashKey: "id",
      attributes: [
        { name: "id", type: "N" },
        { name: "status", type: "S" },
        { name: "amount", type: "N" },
      ],
      ttl: { attributeName: "expires_at", enabled: true },
      streamEnabled: true,
      streamViewType: "NEW_AND_OLD_IMAGES",
      serverSideEncryption: {
        enabled: true,
        kmsKeyArn: "arn:aws:kms:us-east-1:123456789012:key/orders",
      },
      onDemandThroughput: limit,
      globalSecondaryIndexes: [
        {
          name: "by_status",
          ...{ hashKey: "status", rangeKey: "amount", projectionType: "ALL" },
          onDemandThroughput: limit,
        },
        {
          name: "by_amount",
          ...{ hashKey: "amount", projectionType: "INCLUDE", nonKeyAttributes: ["status"] },
          onDemandThroughput: limit,
        },
      ],
    });
    const plain = inputsNamed(deployed, TABLE, "tidetable-dev-orders.log");
    expect(plain).toMatchObject({ hashKey: "_row_id", streamEnabled: false });
    for (const option of ["ttl", "serverSideEncryption", "onDemandThroughput"]) {
      expect(plain).not.toHaveProperty(option);
    }
  });

  it("the worker, the schedules and the mail follow the options of the source", () => {
    expect(inputsNamed(deployed, FUNCTION, "tidetable-dev-worker-orders")).toMatchObject({
      memorySize: 1024,
      reservedConcurrentExecutions: 2,
      vpcConfig: {
        subnetIds: ["subnet-0a1b2c3d", "subnet-1a1b2c3d"],
        securityGroupIds: ["sg-0a1b2c3d"],
      },
      // The worker may request addresses of its own network.
      environment: { variables: { TIDETABLE_NETWORK: "vpc" } },
    });
    const time = "<aws.scheduler.scheduled-time>";
    const schedules = inputsOf(deployed, SCHEDULE).map(({ target, ...schedule }) => ({
      ...schedule,
      event: JSON.parse(target.input),
    }));
    expect(schedules).toContainEqual(
      expect.objectContaining({
        scheduleExpression: "cron(0 6 ? * MON-FRI *)",
        scheduleExpressionTimezone: "Europe/Berlin",
        state: "ENABLED",
        event: { source: "orders", time },
      }),
    );
    expect(schedules).toContainEqual(
      expect.objectContaining({
        scheduleExpression: "rate(7 days)",
        state: "DISABLED",
        event: { source: "orders", full_refresh: true, confirm: "orders", time },
      }),
    );
    const [topic] = ofType(deployed, "aws:sns/topic:Topic");
    const mails = inputsOf(deployed, "aws:sns/topicSubscription:TopicSubscription");
    expect(mails.map(({ endpoint }) => endpoint)).toEqual([
      "ops@acme.internal",
      "data@acme.internal",
    ]);
    for (const mail of mails) {
      expect(mail).toMatchObject({ protocol: "email", topic: topic?.outputs.arn });
    }
    for (const alarm of inputsOf(deployed, ALARM)) {
      expect(alarm.alarmActions).toEqual([topic?.outputs.arn]);
    }
    expect(deployed.outputs["next"]).toContain("npx --no tidetable run orders --stage dev");
    expect(deployed.outputs["next"]).not.toContain("are off");
  });

  it("the role of a worker follows the options of its source", () => {
    const { statements, managed } = rolesOf(deployed)["worker-orders"] ?? {};
    const [planned] = plansOf(orders);
    expect(statements).toEqual(planned && workerStatements(planned, locationOf("dev")));
    expect(statements).toHaveLength(8);
    expect(managed).toEqual([]);
  });
});

describe.skipIf(reasonToSkip)("a change", () => {
  it("registering another source adds its table, worker, schedule and alarms", async () => {
    const { deploy } = await openTestStage();
    const before = await deploy();
    const after = await deploy({ sources: withOneMore });
    expect(after.errors).toEqual([]);
    const addedNames = (type: string) =>
      namesOf(after, type).filter((name) => !namesOf(before, type).includes(name));
    expect(addedNames(TABLE)).toEqual(["tidetable-dev-weather.days"]);
    expect(addedNames(FUNCTION)).toEqual(["tidetable-dev-worker-weather"]);
    expect(addedNames(ALARM)).toHaveLength(5);
    expect(addedNames(SECRET)).toEqual([]); // it has no credentials
    const events = inputsOf(after, SCHEDULE).map(({ target }) => JSON.parse(target.input));
    expect(events).toContainEqual(expect.objectContaining({ source: "weather" }));
    const { statements } = rolesOf(after)["schedule"] ?? {};
    const location = locationOf("dev");
    expect(statements?.flatMap(({ Resource }) => Resource)).toContain(
      `arn:aws:lambda:us-east-1:123456789012:function:${workerFunctionName(location.names, "weather")}`,
    );
  });

  it("changing the key of a deployed table is refused before anything is changed, with the ways out", async () => {
    const { deploy } = await openTestStage();
    await deploy({ sources: withOrders });
    const { errors, resources } = await deploy({ sources: withRekeyed });
    expect(errors.join("\n")).toContain(
      "tidetable-dev-orders.orders has the key id (N), and the plan wants id (N) + status (S)",
    );
    expect(errors.join("\n")).toContain("another table_name");
    expect(errors.join("\n")).not.toContain("orders.log");
    // Neither the component nor anything in AWS was declared.
    const types = resources.map(({ type }) => type);
    expect(types.filter((type) => /^(aws|tidetable|sst:aws):/.test(type))).toEqual([]);
  });

  it("the component takes over what older versions deployed: nothing is created twice, replaced or deleted", async () => {
    const { deploy, close } = await openStage("dev", stateOfTheStacks);
    onTestFinished(close);
    const { errors, steps } = await deploy({ stacks: ordersStack });
    expect(errors).toEqual([]);
    const inAws = steps.filter(({ type }) => /^aws:/.test(type));
    expect(inAws.length).toBe(stateOfTheStacks.filter(({ type }) => /^aws:/.test(type)).length);
    expect(inAws.filter(({ op }) => op !== "same" && op !== "update")).toEqual([]);
    expect(inAws.filter(({ op, type }) => type === TABLE && op !== "same")).toEqual([]);
    // SST's own list of what can be linked, which is nothing in AWS, now has the component alone.
    const deleted = steps.filter(({ op }) => op === "delete").map(({ type }) => type);
    expect(new Set(deleted)).toEqual(new Set(["sst:sst:LinkRef"]));
  });

  it("a second deploy without a change is not refused", async () => {
    const { deploy } = await openTestStage();
    await deploy({ sources: withOrders });
    expect((await deploy({ sources: withOrders })).errors).toEqual([]);
  });
});

describe("a physical name", () => {
  const longName = (length: number) => "x".repeat(length);
  const [ordersPlan] = plansOf(orders);
  if (!ordersPlan) throw new Error("the fixture has no source");

  it("the names of the registered sources fit AWS's limits", () => {
    expect(findLongNames(plansOf(registered), locationOf("production").names)).toEqual([]);
  });

  it("the message about a long function name has the source, the stage and the limit", () => {
    const plan = { ...ordersPlan, name: longName(50) };
    expect(findLongNames([plan], locationOf("dev").names)).toEqual([
      `tidetable-dev-worker-${longName(50)}: a Lambda function has at most 64 characters, and this one ` +
        `71; give the source ${longName(50)} a shorter name, or use a shorter stage than dev`,
    ]);
  });

  it("the message about a long table name has the resource", () => {
    const resources = ordersPlan.resources.map((resource) => ({
      ...resource,
      table: longName(240),
    }));
    expect(findLongNames([{ ...ordersPlan, resources }], locationOf("dev").names)).toMatchObject([
      expect.stringMatching(/255 .* 261; give orders\/orders a shorter table_name/),
      expect.stringMatching(/255 .* 261; give orders\/log a shorter table_name/),
    ]);
  });

  it("a stage name can be too long for every function and queue", () => {
    const messages = findLongNames([], locationOf(longName(64)).names);
    expect(messages).toHaveLength(2);
    for (const message of messages) expect(message).toContain("use a shorter stage");
  });
});
