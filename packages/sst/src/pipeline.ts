import {
  failureQueueName,
  type SourcePlan,
  scheduleFunctionName,
  version,
  workerEnvironment,
  workerFunctionName,
} from "@tidetable/core/plan";
import { scheduleStatements, workerStatements } from "./permissions.ts";
import { restrictRole } from "./roles.ts";
import { applyTransform, type Stage } from "./stage.ts";

const HOUR = 3600;

/**
 * Creates a worker per source, the schedule function that invokes workers, and the failure queue.
 */
export function createPipeline(stage: Stage) {
  const failures = createFailureQueue(stage);
  const workers = stage.plans.map((plan) => createWorker(plan, stage, failures));
  return { schedule: createScheduleFunction(stage), workers, failures };
}

function createFailureQueue({ names, args, optionsOf }: Stage) {
  const part = optionsOf("failures");
  return new sst.aws.Queue(
    part.name,
    {
      transform: {
        queue: (queue) => {
          queue.messageRetentionSeconds = 14 * 24 * HOUR; // SQS's maximum
          if (args.kmsKey) queue.kmsMasterKeyId = args.kmsKey;
          else queue.sqsManagedSseEnabled = true;
          Object.assign(queue, applyTransform(args.transform?.queue, queue, part));
          queue.name = failureQueueName(names);
        },
      },
    },
    part.opts,
  );
}

function createScheduleFunction({ args, names, values, plans, location, optionsOf }: Stage) {
  const part = optionsOf("schedule");
  const settings: sst.aws.FunctionArgs = {
    ...commonSettings(),
    handler: args.schedule,
    name: scheduleFunctionName(names),
    description: "tidetable: starts one worker invocation per resource",
    timeout: "1 minute",
    memory: "256 MB",
    environment: stageEnvironment({ names, values }),
    transform: {
      role: restrictRole(location.apply((place) => scheduleStatements(plans, place))),
    },
  };
  return new sst.aws.Function(
    part.name,
    applyTransform(args.transform?.schedule, settings, part),
    part.opts,
  );
}

function createWorker(plan: SourcePlan, stage: Stage, failures: sst.aws.Queue) {
  const { args, names, location } = stage;
  const { memoryMb, reservedConcurrency, vpc } = plan.function;
  const part = stage.optionsOf(`worker-${plan.name}`);
  const settings: sst.aws.FunctionArgs = {
    ...commonSettings(),
    handler: args.worker,
    name: workerFunctionName(names, plan.name),
    description: `tidetable: one resource of ${plan.name} into its table`,
    timeout: "15 minutes",
    memory: `${memoryMb} MB`,
    retries: 2,
    environment: {
      ...stageEnvironment(stage),
      ...workerEnvironment,
      // Lets the worker request addresses of its own network, which are refused otherwise.
      ...(vpc ? { TIDETABLE_NETWORK: "vpc" } : {}),
    },
    ...(reservedConcurrency === undefined
      ? {}
      : { concurrency: { reserved: reservedConcurrency } }),
    ...(vpc ? { vpc: { privateSubnets: vpc.subnets, securityGroups: vpc.securityGroups } } : {}),
    transform: {
      role: restrictRole(location.apply((place) => workerStatements(plan, place))),
      eventInvokeConfig: (config) => {
        config.maximumEventAgeInSeconds = HOUR;
        config.destinationConfig = { onFailure: { destination: failures.arn } };
      },
    },
  };
  return new sst.aws.Function(
    part.name,
    applyTransform(args.transform?.worker, settings, part),
    part.opts,
  );
}

/** Each function has these of its own: a transform of all functions would change the user's, too. */
const commonSettings = () =>
  ({
    runtime: "nodejs24.x",
    architecture: "arm64",
    logging: { format: "json", retention: "1 month" },
    nodejs: { minify: true },
  }) satisfies Partial<sst.aws.FunctionArgs>;

/** The CLI reads the version and compares it with its own. */
const stageEnvironment = ({ names, values }: Pick<Stage, "names" | "values">) => ({
  TIDETABLE_APP: names.app,
  TIDETABLE_STAGE: names.stage,
  TIDETABLE_VERSION: version,
  ...(Object.keys(values).length > 0 ? { TIDETABLE_VALUES: JSON.stringify(values) } : {}),
});
