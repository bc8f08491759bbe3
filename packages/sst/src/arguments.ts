import type { Sources, StageValues } from "@tidetable/core/plan";

/** What a `transform` does with the arguments of a resource: SST's own form. */
export type Transform<Args> =
  | Partial<Args>
  | ((args: Args, opts: $util.CustomResourceOptions, name: string) => undefined);

/** The arguments of `new Tidetable(name, args)`. */
export interface TidetableArgs {
  /** The registered sources, by name: `import { sources } from "./sources"`. */
  sources: Sources;
  /** The handler of the workers: `"functions/worker.handler"`. */
  worker: string;
  /** The handler of the schedule function: `"functions/schedule.handler"`. */
  schedule: string;
  /**
   * The values that sources ask for with `value("name")`. They win over those in `package.json` and in
   * `values.STAGE.json`.
   */
  values?: StageValues;
  /**
   * The first part of all names in AWS. It has to be given where an app has two components.
   *
   * @default the name of the app
   */
  prefix?: string;
  /**
   * Protects tables from deletion, and keeps tables and secrets where the stage is removed.
   *
   * @default true, unless the app's `removal` is "remove"
   */
  retain?: boolean;
  /** Addresses that get the alarms by mail, or a topic of yours. */
  alarms?: string[] | { arn: $util.Input<string> };
  /** The ARN of the KMS key for all tables without a `kms_key`, secrets and the failure queue. */
  kmsKey?: string;
  /** Tags for every resource that can have tags. */
  tags?: Record<string, string>;
  /** Changes resources before they are created. The names of tables and functions are fixed. */
  transform?: {
    table?: Transform<aws.dynamodb.TableArgs>;
    worker?: Transform<sst.aws.FunctionArgs>;
    schedule?: Transform<sst.aws.FunctionArgs>;
    queue?: Transform<aws.sqs.QueueArgs>;
    secret?: Transform<aws.secretsmanager.SecretArgs>;
    alarm?: Transform<aws.cloudwatch.MetricAlarmArgs>;
  };
}
