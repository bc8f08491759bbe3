import { type SourcePlan, scheduleFunctionName, workerFunctionName } from "@tidetable/core";
import { names, pascal } from "./plans";
import type { secrets } from "./secrets";
import type { storage } from "./storage";

type Parts = ReturnType<typeof storage> & { credentials: ReturnType<typeof secrets> };

const environment = { TIDETABLE_APP: names.app, TIDETABLE_STAGE: names.stage };

/** A worker per source, the schedule function that fans out to them, and its schedules. */
export function pipeline(plans: SourcePlan[], { tables, state, credentials }: Parts) {
  const failures = new sst.aws.Queue("Failures");

  const workers = plans.map((plan) => {
    const own = tables.filter(({ source }) => source === plan.name);
    const credential = credentials[plan.name];
    return new sst.aws.Function(`${pascal(plan.name)}Worker`, {
      handler: "functions/resource.handler",
      name: workerFunctionName(names, plan.name),
      description: `tidetable: one resource of ${plan.name} into its table`,
      timeout: "15 minutes",
      memory: "512 MB",
      retries: 2,
      environment,
      permissions: [
        {
          actions: ["dynamodb:BatchWriteItem", "dynamodb:DescribeTable"],
          resources: own.map(({ table }) => table.arn),
        },
        {
          actions: ["dynamodb:GetItem", "dynamodb:UpdateItem", "dynamodb:BatchWriteItem"],
          resources: [state.arn],
          conditions: [
            {
              test: "ForAllValues:StringLike",
              variable: "dynamodb:LeadingKeys",
              values: [`${plan.name}#*`],
            },
          ],
        },
        ...(credential
          ? [{ actions: ["secretsmanager:GetSecretValue"], resources: [credential.arn] }]
          : []),
        { actions: ["sqs:SendMessage"], resources: [failures.arn] },
      ],
      transform: {
        eventInvokeConfig: (config) => {
          config.maximumEventAgeInSeconds = 3600;
          config.destinationConfig = { onFailure: { destination: failures.arn } };
        },
      },
    });
  });

  const schedule = new sst.aws.Function("Schedule", {
    handler: "functions/schedule.handler",
    name: scheduleFunctionName(names),
    description: "tidetable: starts one worker invocation per resource",
    timeout: "1 minute",
    memory: "256 MB",
    environment,
    permissions: [
      { actions: ["lambda:InvokeFunction"], resources: workers.map((worker) => worker.arn) },
    ],
  });

  for (const plan of plans) {
    if (!plan.schedule) continue;
    new sst.aws.CronV2(`${pascal(plan.name)}Schedule`, {
      function: schedule,
      schedule: plan.schedule.expression as `rate(${string})`,
      ...(plan.schedule.timezone ? { timezone: plan.schedule.timezone as "UTC" } : {}),
      enabled: plan.schedule.enabled,
      event: { source: plan.name, time: "<aws.scheduler.scheduled-time>" },
      retries: 3,
    });
  }
  return { schedule, workers, failures };
}
