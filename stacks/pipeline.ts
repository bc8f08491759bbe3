import {
  type SchedulePlan,
  type SourcePlan,
  scheduleFunctionName,
  workerFunctionName,
} from "@tidetable/core";
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
          actions: [
            "dynamodb:DescribeTable",
            "dynamodb:BatchWriteItem",
            "dynamodb:PutItem", // write_mode "ordered"
            "dynamodb:Scan", // the sweep of a refresh
            "dynamodb:DeleteItem",
          ],
          resources: own.map(({ table }) => table.arn),
        },
        {
          actions: [
            "dynamodb:GetItem",
            "dynamodb:BatchGetItem",
            "dynamodb:PutItem",
            "dynamodb:UpdateItem",
            "dynamodb:BatchWriteItem",
          ],
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
      { actions: ["dynamodb:BatchGetItem"], resources: [state.arn] },
    ],
  });

  const every = (name: string, plan: SchedulePlan | undefined, event: object) => {
    if (!plan) return;
    new sst.aws.CronV2(name, {
      function: schedule,
      schedule: plan.expression as `rate(${string})`,
      ...(plan.timezone ? { timezone: plan.timezone as "UTC" } : {}),
      enabled: plan.enabled,
      event: { ...event, time: "<aws.scheduler.scheduled-time>" },
      retries: 3,
    });
  };
  for (const { name: source, schedule: usual, fullRefreshSchedule } of plans) {
    every(`${pascal(source)}Schedule`, usual, { source });
    const refresh = { source, full_refresh: true, confirm: source };
    every(`${pascal(source)}Refresh`, fullRefreshSchedule, refresh);
  }
  // Goes on with runs that are longer than a function may take, that wait, or whose worker died.
  new sst.aws.CronV2("Resume", {
    function: schedule,
    schedule: "rate(1 minute)",
    event: { resume: true },
  });
  return { schedule, workers, failures };
}
