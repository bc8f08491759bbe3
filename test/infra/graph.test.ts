import {
  failureQueueName,
  scheduleFunctionName,
  secretName,
  stateTableName,
  tableName,
  workerFunctionName,
} from "@tidetable/core";
import { sources } from "@tidetable/sources";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { scheduleStatements, workerStatements } from "../../stacks/permissions.ts";
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

describe.skipIf(reasonToSkip).each(["dev", "production"])("the stage %s", (stage) => {
  const production = stage === "production";
  const place = placeOf(stage);
  const { names } = place;
  const plans = plansOf(sources);
  const resources = plans.flatMap((one) => one.resources);
  const workers = plans.map(({ name }) => workerFunctionName(names, name));
  const schedule = scheduleFunctionName(names);

  let deployed: Deployed;
  let close: () => Promise<void>;
  beforeAll(async () => {
    const opened = await openStage(stage);
    close = opened.close;
    deployed = await opened.deploy();
    expect(deployed.errors).toEqual([]);
  });
  afterAll(() => close());

  it("has a table per resource, under its fixed name and with its plan's key", () => {
    const state = stateTableName(names);
    const tables = resources.map((resource) => tableName(names, resource));
    expect(namesOf(deployed, TABLE)).toEqual([...tables, state].sort());
    for (const resource of resources) {
      const { hash, range } = resource.key;
      expect(named(deployed, TABLE, tableName(names, resource))).toMatchObject({
        hashKey: hash.name,
        ...(range ? { rangeKey: range.name } : {}),
        attributes: (range ? [hash, range] : [hash]).map(({ name, type }) => ({ name, type })),
      });
    }
    expect(named(deployed, TABLE, state)).toMatchObject({
      hashKey: "pk",
      rangeKey: "sk",
      ttl: { attributeName: "expires", enabled: true },
    });
  });

  it("pays for its tables by request and can restore them; only production protects them", () => {
    for (const table of inputsOf(deployed, TABLE)) {
      expect(table).toMatchObject({
        billingMode: "PAY_PER_REQUEST",
        pointInTimeRecovery: { enabled: true },
        deletionProtectionEnabled: production,
      });
    }
  });

  it("has a secret per source, without a value, that says what belongs into it", () => {
    expect(inputsOf(deployed, SECRET)).toHaveLength(plans.length);
    for (const { name, secrets } of plans) {
      expect(named(deployed, SECRET, secretName(names, name))).toMatchObject({
        description: expect.stringContaining(secrets.join(", ")),
        recoveryWindowInDays: production ? 30 : 0,
      });
    }
    const types = deployed.resources.map(({ type }) => type);
    expect(types).not.toContain("aws:secretsmanager/secretVersion:SecretVersion");
  });

  it("leaves tables and secrets behind in production when it is removed, and else nothing", () => {
    const left = deployed.resources.filter((one) => one.retainOnDelete).map(({ urn }) => urn);
    const filled = [...ofType(deployed, TABLE), ...ofType(deployed, SECRET)];
    expect(left.sort()).toEqual(production ? filled.map(({ urn }) => urn).sort() : []);
    expect(deployed.outputs["_protect"]).toBe(production);
  });

  it("lets each function do what permissions.ts says, and gives nothing by a managed policy", () => {
    const roles = rolesOf(deployed);
    const lambda = { managed: [], principals: [{ Service: "lambda.amazonaws.com" }] };
    for (const one of plans) {
      const statements = workerStatements(one, place);
      expect(roles[`worker-${one.name}`]).toEqual({ statements, ...lambda });
    }
    const statements = scheduleStatements(plans, place);
    expect(roles["schedule"]).toEqual({ statements, ...lambda });
    const policies = deployed.resources.filter(({ type }) => /^aws:iam\/.*polic/i.test(type));
    expect(policies).toEqual([]);
  });

  it("lets EventBridge Scheduler call the schedule function, and nobody else anything", () => {
    const roles = rolesOf(deployed);
    const functions = ["schedule", ...plans.map(({ name }) => `worker-${name}`)];
    const others = Object.keys(roles).filter((owner) => !functions.includes(owner));
    expect(others.sort()).toEqual(
      [...plans.map(({ name }) => `schedule-${name}`), "resume"].sort(),
    );
    const target = ofType(deployed, FUNCTION).find(({ inputs }) => inputs.name === schedule);
    for (const owner of others) {
      expect(roles[owner]).toEqual({
        statements: [
          { Effect: "Allow", Action: ["lambda:InvokeFunction"], Resource: [target?.outputs.arn] },
        ],
        managed: [],
        principals: [{ Service: "scheduler.amazonaws.com" }],
      });
    }
    const types = deployed.resources.map(({ type }) => type);
    expect(types.filter((type) => /permission|functionUrl/i.test(type))).toEqual([]);
  });

  it("names no action by a wildcard, and as a wildcard resource a source's own tables", () => {
    const statements = Object.values(rolesOf(deployed)).flatMap((role) => role.statements);
    expect(statements.flatMap(({ Action }) => Action).filter((one) => /[*?]/.test(one))).toEqual(
      [],
    );
    const wild = statements.flatMap(({ Resource }) => Resource).filter((one) => one.includes("*"));
    // What is in a log group, its streams, has no other name.
    expect(wild.filter((one) => !/:log-group:[^*]+:\*$/.test(one)).sort()).toEqual(
      plans
        .map(
          ({ name }) =>
            `arn:aws:dynamodb:us-east-1:123456789012:table/tidetable-${stage}-${name}.*`,
        )
        .sort(),
    );
  });

  it("runs its functions on one platform, with no configuration but app and stage", () => {
    expect(namesOf(deployed, FUNCTION)).toEqual([...workers, schedule].sort());
    for (const one of inputsOf(deployed, FUNCTION)) {
      const { TIDETABLE_APP, TIDETABLE_STAGE, NODE_OPTIONS, ...sst } = one.environment.variables;
      expect({ TIDETABLE_APP, TIDETABLE_STAGE }).toEqual({
        TIDETABLE_APP: "tidetable",
        TIDETABLE_STAGE: stage,
      });
      expect(Object.keys(sst).sort()).toEqual(["SST_KEY", "SST_KEY_FILE", "SST_RESOURCE_App"]);
      const worker = workers.includes(one.name);
      expect(NODE_OPTIONS).toBe(worker ? "--max-semi-space-size=8" : undefined);
      expect(one).toMatchObject({
        runtime: "nodejs24.x",
        architectures: ["arm64"],
        timeout: worker ? 900 : 60,
        memorySize: worker ? 512 : 256,
        loggingConfig: { logFormat: "JSON", logGroup: `/aws/lambda/${one.name}` },
      });
      expect(one.reservedConcurrentExecutions).toBeUndefined();
      expect(one.vpcConfig).toBeUndefined();
    }
  });

  it("keeps a function's logs in its own group, for a month", () => {
    const LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup";
    expect(namesOf(deployed, LOG_GROUP)).toEqual(
      [...workers, schedule].map((name) => `/aws/lambda/${name}`).sort(),
    );
    for (const group of inputsOf(deployed, LOG_GROUP)) expect(group.retentionInDays).toBe(30);
  });

  it("tries a worker three times within an hour, then keeps the event for two weeks", () => {
    const [queue, ...more] = ofType(deployed, "aws:sqs/queue:Queue");
    expect(more).toEqual([]);
    expect(queue?.inputs).toMatchObject({
      name: failureQueueName(names),
      messageRetentionSeconds: 14 * 24 * 3600,
      sqsManagedSseEnabled: true,
    });
    const invocations = inputsOf(
      deployed,
      "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig",
    );
    expect(invocations.map(({ functionName }) => functionName).sort()).toEqual([...workers].sort());
    for (const one of invocations) {
      expect(one).toMatchObject({
        maximumRetryAttempts: 2,
        maximumEventAgeInSeconds: 3600,
        destinationConfig: { onFailure: { destination: queue?.outputs.arn } },
      });
    }
  });

  it("has each source's schedule, off where there is only an example to read, and the tick", () => {
    const schedules = inputsOf(deployed, SCHEDULE).map(({ state, scheduleExpression, target }) => ({
      state,
      scheduleExpression,
      event: JSON.parse(target.input),
      retries: target.retryPolicy.maximumRetryAttempts,
    }));
    expect(schedules).toHaveLength(plans.length + 1);
    for (const { name: source, schedule: planned } of plans) {
      expect(schedules).toContainEqual({
        state: "DISABLED",
        scheduleExpression: planned?.expression,
        event: { source, time: "<aws.scheduler.scheduled-time>" },
        retries: 3,
      });
    }
    expect(schedules).toContainEqual({
      state: "ENABLED",
      scheduleExpression: "rate(1 minute)",
      event: { resume: true },
      retries: 0,
    });
  });

  it("rings for what is wrong with a source, the queue and the schedule function", () => {
    const alarm = (name: string) => named(deployed, ALARM, `tidetable-${stage}-${name}`);
    for (const { name: source } of plans) {
      const dimensions = { app: "tidetable", stage, source };
      for (const [metric, statistic, threshold, period] of [
        ["failed", "Sum", 0, 300],
        ["staleness", "Maximum", 2, 300],
        ["quarantined", "Sum", 0, 3600],
        ["throttled", "Sum", 100, 300],
      ] as const) {
        expect(alarm(`${source}-${metric}`)).toMatchObject({
          ...{ namespace: "tidetable", metricName: metric, dimensions },
          ...{ statistic, threshold, period, evaluationPeriods: 1 },
        });
      }
      expect(alarm(`${source}-worker-throttles`)).toMatchObject({
        namespace: "AWS/Lambda",
        metricName: "Throttles",
        dimensions: { FunctionName: workerFunctionName(names, source) },
        evaluationPeriods: 3,
      });
    }
    expect(alarm("failure-queue")).toMatchObject({
      namespace: "AWS/SQS",
      metricName: "ApproximateNumberOfMessagesVisible",
      dimensions: { QueueName: failureQueueName(names) },
      threshold: 0,
    });
    expect(alarm("schedule-errors")).toMatchObject({
      namespace: "AWS/Lambda",
      metricName: "Errors",
      dimensions: { FunctionName: schedule },
      threshold: 0,
    });
    const alarms = inputsOf(deployed, ALARM);
    expect(alarms).toHaveLength(5 * plans.length + 2);
    for (const one of alarms) {
      expect(one).toMatchObject({
        comparisonOperator: "GreaterThanThreshold",
        treatMissingData: "notBreaching",
        alarmDescription: expect.stringContaining("docs/operations.md"),
      });
      expect(one.alarmActions).toBeUndefined();
    }
  });

  it("shows every alarm and every metric on one dashboard", () => {
    const [dashboard, ...more] = inputsOf(deployed, "aws:cloudwatch/dashboard:Dashboard");
    expect(more).toEqual([]);
    expect(dashboard.dashboardName).toBe(`tidetable-${stage}`);
    const [alarms, ...graphs] = JSON.parse(dashboard.dashboardBody).widgets;
    const all = ofType(deployed, ALARM).map(({ outputs }) => outputs.arn);
    expect(alarms.properties.alarms.toSorted()).toEqual(all.sort());
    const searched = graphs.map(
      ({ properties }: { properties: { metrics: [[{ expression: string }]] } }) =>
        properties.metrics[0][0].expression,
    );
    for (const metric of ["written", "failed", "quarantined", "staleness", "throttled"]) {
      expect(searched.join("\n")).toContain(
        `SEARCH('{tidetable,app,stage,source} MetricName="${metric}" app="tidetable" stage="${stage}"'`,
      );
    }
  });

  it("says at the end of the deploy what there is and what to do next", () => {
    expect(deployed.outputs).toMatchObject({
      schedule,
      state: stateTableName(names),
      tables: resources.map((resource) => tableName(names, resource)),
    });
    const { next } = deployed.outputs;
    for (const { name } of plans) {
      expect(next).toContain(`npx tidetable secrets set ${name} --stage ${stage}`);
    }
    expect(next).toContain(`The schedules of ${plans.map(({ name }) => name).join(", ")} are off`);
  });
});
