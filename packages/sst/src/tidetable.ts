import type { TidetableArgs } from "./arguments.ts";
import { refuseKeyChanges } from "./keys.ts";
import { readPermissions } from "./link.ts";
import { refuseMisfits } from "./misfits.ts";
import { createMonitoring } from "./monitoring.ts";
import { listNextSteps } from "./next-steps.ts";
import { createPipeline } from "./pipeline.ts";
import { planSources, readStageValues } from "./plans.ts";
import { locateStage } from "./roles.ts";
import { createSchedules } from "./schedules.ts";
import { createSecrets } from "./secrets.ts";
import { type Stage, tableNames } from "./stage.ts";
import { createStorage } from "./storage.ts";
import { addTags } from "./tags.ts";

/**
 * Everything that registered sources need in AWS: a table per resource, the state table, a secret
 * and a worker per source, schedules, a failure queue, alarms and a dashboard.
 *
 * @example
 * const { Tidetable } = await import("@tidetable/sst");
 * const { sources } = await import("./sources");
 * const mirror = new Tidetable("Mirror", {
 *   sources,
 *   worker: "functions/worker.handler",
 *   schedule: "functions/schedule.handler",
 * });
 */
export class Tidetable extends $util.ComponentResource {
  /** The names of the tables in AWS, by `source.resource`. */
  readonly tables: Record<string, string>;
  /** What a person does after a deploy, for the outputs of the app. */
  readonly nextSteps: string;
  /** The resources of the component. */
  readonly nodes: {
    tables: sst.aws.Dynamo[];
    state: sst.aws.Dynamo;
    workers: sst.aws.Function[];
    schedule: sst.aws.Function;
    failures: sst.aws.Queue;
    secrets: aws.secretsmanager.Secret[];
    alarms: aws.cloudwatch.MetricAlarm[];
    dashboard: aws.cloudwatch.Dashboard;
  };
  readonly #stage: Stage;

  constructor(name: string, args: TidetableArgs, opts: $util.ComponentResourceOptions = {}) {
    const names = { app: args.prefix ?? $app.name, stage: $app.stage };
    refuseMisfits(name, args, names);
    const values = readStageValues(names, args.values);
    const plans = planSources(args.sources, names, values);
    const transformations = [...(opts.transformations ?? []), addTags(args.tags ?? {})];
    // No part is created before the component itself, which waits for this.
    const dependsOn = refuseKeyChanges(plans, names).then(() => opts.dependsOn ?? []) as Promise<
      $util.Resource[]
    >;
    super("tidetable:sst:Tidetable", name, {}, { ...opts, transformations, dependsOn });

    const stage: Stage = {
      args,
      names,
      values,
      plans,
      location: $output(locateStage(names, args.kmsKey)),
      retain: args.retain ?? $app.removal !== "remove",
      optionsOf: (part) => ({
        name: `${name}-${part}`,
        opts: { parent: this, aliases: olderAliases(part, args) },
      }),
    };
    const storage = createStorage(stage);
    const secrets = createSecrets(stage);
    const functions = createPipeline(stage);
    createSchedules(stage, storage, functions);
    const monitoring = createMonitoring(stage, functions);
    this.#stage = stage;
    this.tables = tableNames(plans, names);
    this.nextSteps = listNextSteps(stage);
    this.nodes = { ...storage, ...functions, secrets, ...monitoring };
    this.registerOutputs({ tables: this.tables });
  }

  /**
   * What `link: [mirror]` gives a function: the names of the tables, as
   * `Resource.Mirror.tables["crm.deals"]`, and the right to read them.
   *
   * @internal
   */
  getSSTLink() {
    return { properties: { tables: this.tables }, include: readPermissions(this.#stage) };
  }
}

/** Before there was a component, its parts stood at the top of the app, under their own names. */
const olderAliases = (part: string, { prefix }: TidetableArgs): $util.Alias[] =>
  prefix === undefined ? [{ name: part, parent: $util.rootStackResource }] : [];
