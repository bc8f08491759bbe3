import type { Secret } from "../secret.ts";
import type { Path } from "./jsonpath.ts";

/*
 * A plan is a config with every default settled: the one shape that the engine, the stacks and
 * the CLI read. Here snake_case ends.
 */

export interface SourcePlan {
  name: string;
  /** The members that the source's secret must have. */
  secrets: string[];
  schedule: SchedulePlan | undefined;
  /** When incremental resources are read whole, so that deleted rows go too. */
  fullRefreshSchedule: SchedulePlan | undefined;
  /** Its host is reserved for examples: there is nothing to read until somebody changes it. */
  isExample: boolean;
  function: FunctionPlan;
  /** Parents before their children. */
  resources: ResourcePlan[];
}

export interface SchedulePlan {
  /** `rate(1 hour)` or `cron(…)`, in EventBridge's words. */
  expression: string;
  timezone: string | undefined;
  enabled: boolean;
  /** The longest time between two runs: who is older than two of these is stale. */
  longestGapMs: number;
}

/** The worker in AWS. */
export interface FunctionPlan {
  memoryMb: number;
  reservedConcurrency: number | undefined;
  vpc: { subnets: string[]; securityGroups: string[] } | undefined;
}

/** A table in AWS, beside its key. */
export interface TablePlan {
  ttl: string | undefined;
  stream: "keys-only" | "new-image" | "old-image" | "new-and-old-images" | undefined;
  indexes: IndexPlan[];
  kmsKey: string | undefined;
  maxWriteUnits: number | undefined;
}

export interface IndexPlan {
  name: string;
  hash: KeyAttribute;
  range: KeyAttribute | undefined;
  projection: "all" | "keys-only" | string[];
}

export interface ResourcePlan {
  source: string;
  name: string;
  /** The last part of the table's name: `table_name`, else the resource's name. */
  table: string;
  disposition: Disposition;
  key: KeyPlan;
  request: RequestPlan;
  auth: AuthPlan | undefined;
  paginator: PaginatorPlan;
  /** Undefined: every run reads everything. */
  incremental: IncrementalPlan | undefined;
  /** Undefined: find the list by its shape. */
  selector: Path | undefined;
  retry: RetryPlan;
  /** A request ends within this time, whatever the server trickles. */
  timeoutMs: number;
  columns: Record<string, ColumnPlan>;
  writeMode: WriteModePlan;
  /** A refresh may delete more rows than it leaves. */
  allowShrink: boolean;
  /** Of everything above: a run that was interrupted under another plan starts anew. */
  hash: string;
  /** Not in the hash: a run does not depend on it. */
  storage: TablePlan;
}

export type Disposition = "merge" | "append" | "replace";

export interface RequestPlan {
  method: "GET" | "POST";
  /** base_url and path, joined. */
  url: string;
  /** Of base_url. Credentials go there and nowhere else, whatever `url` says. */
  origin: string;
  params: Record<string, ParamValue>;
  headers: Record<string, string>;
  /** A JSON body. */
  json: unknown;
  /** A form body (pairs) or a raw one (text). */
  data: string | [string, string][] | undefined;
}

export type ParamValue = string | number | boolean | (string | number | boolean)[];

export type AuthPlan =
  | { type: "bearer"; token: Secret }
  | { type: "api_key"; name: string; apiKey: Secret; location: "header" | "query" | "cookie" }
  | { type: "http_basic"; username: Secret; password: Secret }
  | {
      type: "oauth2_client_credentials";
      accessTokenUrl: string;
      clientId: Secret;
      clientSecret: Secret;
      requestData: Record<string, string | Secret>;
      /** Seconds, where the answer names no expires_in. */
      defaultTokenExpiration: number;
    };

export type PaginatorPlan =
  | { type: "single_page" }
  | {
      type: "offset";
      limit: number;
      offset: number;
      offsetParam: string;
      limitParam: string;
      /** Where the body counts all rows. `required`: the config names it, so it has to be there. */
      total: { path: Path; required: boolean } | undefined;
      maximumOffset: number | undefined;
      stopAfterEmptyPage: boolean;
    };

export interface IncrementalPlan {
  /** Where the cursor is in a record. */
  path: Path;
  /** Undefined: the first run reads everything. */
  initialValue: string | number | undefined;
  /** A run starts so far before the cursor: seconds for times, days for dates, else units. */
  lag: number;
  /**
   * The query parameters that the start value goes into, each as the texts around it:
   * `"gte:{incremental.start_value}"` is `["gte:", ""]`.
   */
  params: Record<string, string[]>;
  /** The column is declared a timestamp: numbers in it count from 1970. */
  isTimestamp: boolean;
}

export interface RetryPlan {
  /** Statuses that another attempt may cure. */
  statuses: ReadonlySet<number>;
  /** Retries after the first attempt: 3 allows 4 requests. */
  maxRetries: number;
  /** Delay before retry n = factor × 2^(n−1) seconds, times random(0.5…1). */
  backoffFactor: number;
}

/** How rows are put: 25 at once, or each on condition that the table has nothing newer. */
export type WriteModePlan =
  | { kind: "batch" }
  | {
      kind: "ordered";
      /** The field by which rows grow newer, and its attribute's type. */
      versionField: string;
      type: "S" | "N";
    };

/** How a record's key fields become the table's key. */
export interface KeyPlan {
  /** The primary_key fields; empty when every record gets its own `_row_id`. */
  fields: string[];
  hash: KeyAttribute;
  range: KeyAttribute | undefined;
}

export interface KeyAttribute {
  /** The attribute's name: a field, `_key` (the joined rest) or `_row_id`. */
  name: string;
  type: "S" | "N" | "B";
}

export type DataType =
  | "text"
  | "double"
  | "bool"
  | "timestamp"
  | "bigint"
  | "binary"
  | "json"
  | "decimal"
  | "wei"
  | "date"
  | "time";

export interface ColumnPlan {
  dataType: DataType | undefined;
  nullable: boolean | undefined;
  description: string | undefined;
}
