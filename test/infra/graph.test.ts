import {
  failureQueueName,
  scheduleFunctionName,
  secretName,
  stateTableName,
  tableName,
  version,
  workerFunctionName,
} from "@tidetable/core/plan";
import { sources } from "@tidetable/sources";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { scheduleStatements, workerStatements } from "../../packages/sst/src/permissions.ts";
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

describe.skipIf(reasonToSkip).each(["dev", "production"])("the stage %s", (stage) => {
  const isProduction = stage === "production";
  const location = locationOf(stage);
  const { names } = location;
  const plans = plansOf(sources);
  const resources = plans.flatMap((plan) => plan.resources);
  const workers = plans.map(({ name }) => workerFunctionName(names, name));
  const schedule = scheduleFunctionName(names);

  let deployed: Deployed;
  let closeStage: () => Promise<void>;
  beforeAll(async () => {
    const opened = await openStage(stage);
    closeStage = opened.close;
    deployed = await opened.deploy();
    expect(deployed.errors).toEqual([]);
  });
  afterAll(() => closeStage());

  it("every resource has a table with its fixed name and the key of its plan", () => {
    const state = stateTableName(names);
    const tables = resources.map((resource) => tableName(names, resource));
    expect(namesOf(deployed, TABLE)).toEqual([...tables, state].sort());
    for (const resource of resources) {
      const { hash, range } = resource.key;
      expect(inputsNamed(deployed, TABLE, tableName(names, resource))).toMatchObject({
        hashKey: hash.name,
        ...(range ? { rangeKey: range.name } : {}),
        attributes: (range ? [hash, range] : [hash]).map(({ name, type }) => ({ name, type })),
      });
    }
    expect(inputsNamed(deployed, TABLE, state)).toMatchObject({
      hashKey: "pk",
      rangeKey: "sk",
      ttl: { attributeName: "expires", enabled: true },
    });
  });

  it("tables are billed per request and can be restored, and only production protects them", () => {
    for (const table of inputsOf(deployed, TABLE)) {
      expect(table).toMatchObject({
        billingMode: "PAY_PER_REQUEST",
        pointInTimeRecovery: { enabled: true },
        deletionProtectionEnabled: isProduction,
      });
    }
  });

  it("every source has a secret without a value, and its description names the members", () => {
    expect(inputsOf(deployed, SECRET)).toHaveLength(plans.length);
    for (const { name, secrets } of plans) {
      expect(inputsNamed(deployed, SECRET, secretName(names, name))).toMatchObject({
        description: expect.stringContaining(secrets.join(", ")),
        recoveryWindowInDays: isProduction ? 30 : 0,
      });
    }
    const types = deployed.resources.map(({ type }) => type);
    expect(types).not.toContain("aws:secretsmanager/secretVersion:SecretVersion");
  });

  it("removing a stage keeps tables and secrets in production, and nothing elsewhere", () => {
    const retained = deployed.resources
      .filter(({ retainOnDelete }) => retainOnDelete)
      .map(({ urn }) => urn);
    const withData = [...ofType(deployed, TABLE), ...ofType(deployed, SECRET)];
    expect(retained.sort()).toEqual(isProduction ? withData.map(({ urn }) => urn).sort() : []);
    expect(deployed.outputs["_protect"]).toBe(isProduction);
  });

  it("each function has the permissions of permissions.ts and no managed policy", () => {
    const roles = rolesOf(deployed);
    const lambdaOnly = { managed: [], principals: [{ Service: "lambda.amazonaws.com" }] };
    for (const plan of plans) {
      const statements = workerStatements(plan, location);
      expect(roles[`worker-${plan.name}`]).toEqual({ statements, ...lambdaOnly });
    }
    const statements = scheduleStatements(plans, location);
    expect(roles["schedule"]).toEqual({ statements, ...lambdaOnly });
    const policies = deployed.resources.filter(({ type }) => /^aws:iam\/.*polic/i.test(type));
    expect(policies).toEqual([]);
  });

  it("EventBridge Scheduler may invoke the schedule function, and nobody else may do anything", () => {
    const roles = rolesOf(deployed);
    const functionRoles = ["schedule", ...plans.map(({ name }) => `worker-${name}`)];
    const otherRoles = Object.keys(roles).filter((owner) => !functionRoles.includes(owner));
    expect(otherRoles.sort()).toEqual(
      [...plans.map(({ name }) => `schedule-${name}`), "resume"].sort(),
    );
    const target = ofType(deployed, FUNCTION).find(({ inputs }) => inputs.name === schedule);
    for (const owner of otherRoles) {
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

  it("no action has a wildcard, and the only wildcard resources are the tables of a source", () => {
    const statements = Object.values(rolesOf(deployed)).flatMap((role) => role.statements);
    expect(
      statements.flatMap(({ Action }) => Action).filter((action) => /[*?]/.test(action)),
    ).toEqual([]);
    const wildcards = statements
      .flatMap(({ Resource }) => Resource)
      .filter((resource) => resource.includes("*"));
    // The streams of a log group can only be named by a wildcard.
    expect(wildcards.filter((resource) => !/:log-group:[^*]+:\*$/.test(resource)).sort()).toEqual(
      plans
        .map(
          ({ name }) =>
            `arn:aws:dynamodb:us-east-1:123456789012:table/tidetable-${stage}-${name}.*`,
        )
        .sort(),
    );
  });

  it("every function runs on the same platform, configured by app, stage and version alone", () => {
    expect(namesOf(deployed, FUNCTION)).toEqual([...workers, schedule].sort());
    for (const inputs of inputsOf(deployed, FUNCTION)) {
      const { TIDETABLE_APP, TIDETABLE_STAGE, TIDETABLE_VERSION, NODE_OPTIONS, ...sstVariables } =
        inputs.environment.variables;
      expect(TIDETABLE_VERSION).toBe(version);
      expect({ TIDETABLE_APP, TIDETABLE_STAGE }).toEqual({
        TIDETABLE_APP: "tidetable",
        TIDETABLE_STAGE: stage,
      });
      expect(Object.keys(sstVariables).sort()).toEqual([
        "SST_KEY",
        "SST_KEY_FILE",
        "SST_RESOURCE_App",
      ]);
      const isWorker = workers.includes(inputs.name);
      expect(NODE_OPTIONS).toBe(isWorker ? "--max-semi-space-size=8" : undefined);
      expect(inputs).toMatchObject({
        runtime: "nodejs24.x",
        architectures: ["arm64"],
        timeout: isWorker ? 900 : 60,
        memorySize: isWorker ? 512 : 256,
        loggingConfig: { logFormat: "JSON", logGroup: `/aws/lambda/${inputs.name}` },
      });
      expect(inputs.reservedConcurrentExecutions).toBeUndefined();
      expect(inputs.vpcConfig).toBeUndefined();
    }
  });

  it("the logs of a function are kept in its own group for a month", () => {
    const LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup";
    expect(namesOf(deployed, LOG_GROUP)).toEqual(
      [...workers, schedule].map((name) => `/aws/lambda/${name}`).sort(),
    );
    for (const group of inputsOf(deployed, LOG_GROUP)) expect(group.retentionInDays).toBe(30);
  });

  it("Lambda tries a worker three times within an hour, then the queue keeps the event for two weeks", () => {
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
    for (const config of invocations) {
      expect(config).toMatchObject({
        maximumRetryAttempts: 2,
        maximumEventAgeInSeconds: 3600,
        destinationConfig: { onFailure: { destination: queue?.outputs.arn } },
      });
    }
  });

  it("every source has its schedule, which is off for examples, and the stage has the tick", () => {
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

  it("alarms watch every source, the failure queue and the schedule function", () => {
    const alarm = (name: string) => inputsNamed(deployed, ALARM, `tidetable-${stage}-${name}`);
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
    for (const inputs of alarms) {
      expect(inputs).toMatchObject({
        comparisonOperator: "GreaterThanThreshold",
        treatMissingData: "notBreaching",
        alarmDescription: expect.stringContaining("docs/operations.md"),
      });
      expect(inputs.alarmActions).toBeUndefined();
    }
  });

  it("one dashboard shows every alarm and every metric", () => {
    const [dashboard, ...more] = inputsOf(deployed, "aws:cloudwatch/dashboard:Dashboard");
    expect(more).toEqual([]);
    expect(dashboard.dashboardName).toBe(`tidetable-${stage}`);
    const [alarms, ...graphs] = JSON.parse(dashboard.dashboardBody).widgets;
    const alarmArns = ofType(deployed, ALARM).map(({ outputs }) => outputs.arn);
    expect(alarms.properties.alarms.toSorted()).toEqual(alarmArns.sort());
    const expressions = graphs.map(
      ({ properties }: { properties: { metrics: [[{ expression: string }]] } }) =>
        properties.metrics[0][0].expression,
    );
    for (const metric of ["written", "failed", "quarantined", "staleness", "throttled"]) {
      expect(expressions.join("\n")).toContain(
        `SEARCH('{tidetable,app,stage,source} MetricName="${metric}" app="tidetable" stage="${stage}"'`,
      );
    }
  });

  it("the output of a deploy names the resources and the next steps", () => {
    expect(deployed.outputs).toMatchObject({
      schedule,
      state: stateTableName(names),
      tables: resources.map((resource) => tableName(names, resource)),
    });
    const { next } = deployed.outputs;
    for (const { name } of plans) {
      expect(next).toContain(`npx --no tidetable secrets set ${name} --stage ${stage}`);
    }
    expect(next).toContain(`The schedules of ${plans.map(({ name }) => name).join(", ")} are off`);
  });
});
