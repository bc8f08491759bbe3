import {
  failureQueueName,
  type SourcePlan,
  scheduleFunctionName,
  workerEnvironment,
  workerFunctionName,
} from "@tidetable/core";
import { type StageLocation, scheduleStatements, workerStatements } from "./permissions.ts";
import { names, values } from "./plans.ts";
import { restrictRole } from "./roles.ts";

const environment = {
  TIDETABLE_APP: names.app,
  TIDETABLE_STAGE: names.stage,
  ...(Object.keys(values).length > 0 ? { TIDETABLE_VALUES: JSON.stringify(values) } : {}),
};

const HOUR = 3600;

/**
 * Creates a worker per source, the schedule function that invokes workers, and the failure queue.
 */
export function createPipeline(plans: SourcePlan[], location: StageLocation) {
  const failures = new sst.aws.Queue("failures", {
    transform: {
      queue: {
        name: failureQueueName(names),
        messageRetentionSeconds: 14 * 24 * HOUR, // SQS's maximum
        sqsManagedSseEnabled: true,
      },
    },
  });

  const workers = plans.map((plan) => createWorker(plan, location, failures));

  const schedule = new sst.aws.Function("schedule", {
    handler: "functions/schedule.handler",
    name: scheduleFunctionName(names),
    description: "tidetable: starts one worker invocation per resource",
    timeout: "1 minute",
    memory: "256 MB",
    environment,
    transform: { role: restrictRole(scheduleStatements(plans, location)) },
  });

  return { schedule, workers, failures };
}

function createWorker(plan: SourcePlan, location: StageLocation, failures: sst.aws.Queue) {
  const { memoryMb, reservedConcurrency, vpc } = plan.function;
  return new sst.aws.Function(`worker-${plan.name}`, {
    handler: "functions/resource.handler",
    name: workerFunctionName(names, plan.name),
    description: `tidetable: one resource of ${plan.name} into its table`,
    timeout: "15 minutes",
    memory: `${memoryMb} MB`,
    retries: 2,
    environment: {
      ...environment,
      ...workerEnvironment,
      // Lets the worker request addresses of its own network, which are refused otherwise.
      ...(vpc ? { TIDETABLE_NETWORK: "vpc" } : {}),
    },
    ...(reservedConcurrency === undefined
      ? {}
      : { concurrency: { reserved: reservedConcurrency } }),
    ...(vpc ? { vpc: { privateSubnets: vpc.subnets, securityGroups: vpc.securityGroups } } : {}),
    transform: {
      role: restrictRole(workerStatements(plan, location)),
      eventInvokeConfig: (config) => {
        config.maximumEventAgeInSeconds = HOUR;
        config.destinationConfig = { onFailure: { destination: failures.arn } };
      },
    },
  });
}
