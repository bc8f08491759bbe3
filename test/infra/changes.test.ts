import { fileURLToPath } from "node:url";
import { workerFunctionName } from "@tidetable/core";
import { sources as registered } from "@tidetable/sources";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { findLongNames } from "../../stacks/limits.ts";
import { workerStatements } from "../../stacks/permissions.ts";
import { alarmEmails, sources as orders } from "./fixtures/orders.ts";
import { type Deployed, openStage, reasonToSkip } from "./harness.ts";
import {
  ALARM,
  FUNCTION,
  inputsOf,
  named,
  namesOf,
  ofType,
  placeOf,
  plansOf,
  rolesOf,
  SCHEDULE,
  SECRET,
  TABLE,
} from "./resources.ts";

const withOrders = fileURLToPath(new URL("./fixtures/orders.ts", import.meta.url));
const withRekeyed = fileURLToPath(new URL("./fixtures/orders-rekeyed.ts", import.meta.url));
const withOneMore = fileURLToPath(new URL("./fixtures/one-more.ts", import.meta.url));

async function stage() {
  const opened = await openStage("dev");
  onTestFinished(opened.close);
  return opened;
}

describe.skipIf(reasonToSkip)("a source with options", () => {
  let deployed: Deployed;
  beforeAll(async () => {
    const { deploy, close } = await openStage("dev");
    deployed = await deploy(withOrders);
    await close();
    expect(deployed.errors).toEqual([]);
  });

  it("has its table as it asks for it", () => {
    const limit = { maxWriteRequestUnits: 500 };
    expect(named(deployed, TABLE, "tidetable-dev-orders.orders")).toMatchObject({
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
    const plain = named(deployed, TABLE, "tidetable-dev-orders.log");
    expect(plain).toMatchObject({ hashKey: "_row_id", streamEnabled: false });
    for (const option of ["ttl", "serverSideEncryption", "onDemandThroughput"]) {
      expect(plain).not.toHaveProperty(option);
    }
  });

  it("has its worker, its schedules and its mail as it asks for them", () => {
    expect(named(deployed, FUNCTION, "tidetable-dev-worker-orders")).toMatchObject({
      memorySize: 1024,
      reservedConcurrentExecutions: 2,
      vpcConfig: {
        subnetIds: ["subnet-0a1b2c3d", "subnet-1a1b2c3d"],
        securityGroupIds: ["sg-0a1b2c3d"],
      },
      // Its network's addresses are open to it.
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
    expect(mails.map(({ endpoint }) => endpoint)).toEqual(alarmEmails);
    for (const mail of mails) {
      expect(mail).toMatchObject({ protocol: "email", topic: topic?.outputs.arn });
    }
    for (const alarm of inputsOf(deployed, ALARM)) {
      expect(alarm.alarmActions).toEqual([topic?.outputs.arn]);
    }
    expect(deployed.outputs["next"]).toContain("npx tidetable run orders --stage dev");
    expect(deployed.outputs["next"]).not.toContain("are off");
  });

  it("has a role that follows its options", () => {
    const { statements, managed } = rolesOf(deployed)["worker-orders"] ?? {};
    const [planned] = plansOf(orders);
    expect(statements).toEqual(planned && workerStatements(planned, placeOf("dev")));
    expect(statements).toHaveLength(8);
    expect(managed).toEqual([]);
  });
});

describe.skipIf(reasonToSkip)("a change", () => {
  it("that registers one more source adds its table, worker, schedule and alarms", async () => {
    const { deploy } = await stage();
    const before = await deploy();
    const after = await deploy(withOneMore);
    expect(after.errors).toEqual([]);
    const added = (type: string) =>
      namesOf(after, type).filter((name) => !namesOf(before, type).includes(name));
    expect(added(TABLE)).toEqual(["tidetable-dev-weather.days"]);
    expect(added(FUNCTION)).toEqual(["tidetable-dev-worker-weather"]);
    expect(added(ALARM)).toHaveLength(5);
    expect(added(SECRET)).toEqual([]); // it has no credentials
    const events = inputsOf(after, SCHEDULE).map(({ target }) => JSON.parse(target.input));
    expect(events).toContainEqual(expect.objectContaining({ source: "weather" }));
    const { statements } = rolesOf(after)["schedule"] ?? {};
    const place = placeOf("dev");
    expect(statements?.flatMap(({ Resource }) => Resource)).toContain(
      `arn:aws:lambda:us-east-1:123456789012:function:${workerFunctionName(place.names, "weather")}`,
    );
  });

  it("of a deployed table's key is refused, with the ways out, before anything is changed", async () => {
    const { deploy } = await stage();
    await deploy(withOrders);
    const { errors, resources } = await deploy(withRekeyed);
    expect(errors.join("\n")).toContain(
      "tidetable-dev-orders.orders has the key id (N), and the plan wants id (N) + status (S)",
    );
    expect(errors.join("\n")).toContain("another table_name");
    expect(errors.join("\n")).not.toContain("orders.log");
    // Nothing was declared but the stack itself.
    expect(resources.map(({ type }) => type)).toEqual(["pulumi:pulumi:Stack"]);
  });

  it("of nothing is no change of a key", async () => {
    const { deploy } = await stage();
    await deploy(withOrders);
    expect((await deploy(withOrders)).errors).toEqual([]);
  });
});

describe("a name", () => {
  const long = (length: number) => "x".repeat(length);
  const [ordersPlan] = plansOf(orders);
  if (!ordersPlan) throw new Error("the fixture has a source");

  it("that fits is deployed", () => {
    expect(findLongNames(plansOf(registered), placeOf("production").names)).toEqual([]);
  });

  it("of a function that AWS would refuse names the source, the stage and the limit", () => {
    const plan = { ...ordersPlan, name: long(50) };
    expect(findLongNames([plan], placeOf("dev").names)).toEqual([
      `tidetable-dev-worker-${long(50)}: a Lambda function has at most 64 characters, and this one ` +
        `71; give the source ${long(50)} a shorter name, or use a shorter stage than dev`,
    ]);
  });

  it("of a table that AWS would refuse names the resource", () => {
    const resources = ordersPlan.resources.map((one) => ({ ...one, table: long(240) }));
    expect(findLongNames([{ ...ordersPlan, resources }], placeOf("dev").names)).toMatchObject([
      expect.stringMatching(/255 .* 261; give orders\/orders a shorter table_name/),
      expect.stringMatching(/255 .* 261; give orders\/log a shorter table_name/),
    ]);
  });

  it("of a stage can be too long for all", () => {
    const refused = findLongNames([], placeOf(long(64)).names);
    expect(refused).toHaveLength(2);
    for (const line of refused) expect(line).toContain("use a shorter stage");
  });
});
