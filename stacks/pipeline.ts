import {
  failureQueueName,
  type SourcePlan,
  scheduleFunctionName,
  workerEnvironment,
  workerFunctionName,
} from "@tidetable/core";
import { type Place, scheduleStatements, workerStatements } from "./permissions";
import { names } from "./plans";
import { allowing } from "./roles";

const environment = { TIDETABLE_APP: names.app, TIDETABLE_STAGE: names.stage };

const hour = 3600;

/** A worker per source, the schedule function that fans out to them, and the failure queue. */
export function pipeline(plans: SourcePlan[], place: Place) {
  const failures = new sst.aws.Queue("failures", {
    transform: {
      queue: {
        name: failureQueueName(names),
        messageRetentionSeconds: 14 * 24 * hour, // as long as SQS keeps anything
        sqsManagedSseEnabled: true,
      },
    },
  });

  const workers = plans.map((plan) => {
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
        // Its own network's addresses are open to it then.
        ...(vpc ? { TIDETABLE_NETWORK: "vpc" } : {}),
      },
      ...(reservedConcurrency === undefined
        ? {}
        : { concurrency: { reserved: reservedConcurrency } }),
      ...(vpc ? { vpc: { privateSubnets: vpc.subnets, securityGroups: vpc.securityGroups } } : {}),
      transform: {
        role: allowing(workerStatements(plan, place)),
        eventInvokeConfig: (config) => {
          config.maximumEventAgeInSeconds = hour;
          config.destinationConfig = { onFailure: { destination: failures.arn } };
        },
      },
    });
  });

  const schedule = new sst.aws.Function("schedule", {
    handler: "functions/schedule.handler",
    name: scheduleFunctionName(names),
    description: "tidetable: starts one worker invocation per resource",
    timeout: "1 minute",
    memory: "256 MB",
    environment,
    transform: { role: allowing(scheduleStatements(plans, place)) },
  });
  return { schedule, workers, failures };
}
