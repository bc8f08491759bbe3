import type { Secret } from "../secrets/reference.ts";
import type { JsonObject } from "../values/json.ts";
import type { DataType } from "./data-types.ts";
import type { CursorValue, ResponseHook } from "./endpoint-types.ts";
import type { Path } from "./jsonpath.ts";
import type { Template } from "./templates.ts";
import type { Writes } from "./types.ts";

/*
 * A plan is a config with every default settled: the one shape that the engine, the stacks and
 * the CLI read. Here snake_case ends.
 */

export interface SourcePlan {
  name: string;
  /** The members that the source's secret must have. */
  secrets: string[];
  /** An API replaces one of them: the worker writes it back. */
  rotatesSecret: boolean;
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
  /** False: it is read for its children's sake, and nothing of it is stored. */
  selected: boolean;
  /** It is read once for each record of this one. */
  parent: ParentPlan | undefined;
  /** What children need of each record. Empty: there are none. */
  spooled: Path[];
  /** Stored resources below it whose parent records its cursor decides about. Not in the hash. */
  followers: FollowerPlan[];
  key: KeyPlan;
  request: RequestPlan;
  auth: AuthPlan | undefined;
  paginator: PaginatorPlan;
  /** Undefined: every run reads everything. */
  incremental: IncrementalPlan | undefined;
  /** Undefined: find the list by its shape. */
  selector: Path | undefined;
  /** The config's functions over the records, in order. */
  steps: StepPlan[];
  /** What is done with answers of a certain status or content. */
  actions: ActionPlan[];
  retry: RetryPlan;
  /** A request ends within this time, whatever the server trickles. */
  timeoutMs: number;
  columns: Record<string, ColumnPlan>;
  contract: ContractPlan;
  writeMode: WriteModePlan;
  /** A record that says so here deletes its row. */
  hardDelete: string | undefined;
  /** Of a page's records with one key, the first by this order counts. Undefined: the last one read. */
  dedupSort: { field: string; order: "asc" | "desc" } | undefined;
  /** A refresh may delete more rows than it leaves. */
  allowShrink: boolean;
  /** Of everything above: a run that was interrupted under another plan starts anew. */
  hash: string;
  /** Not in the hash, like all below: a run does not depend on it. */
  storage: TablePlan;
  /** How rows that have not changed are told from others. Undefined: by what the last runs saw. */
  writes: Writes | undefined;
  /** So many pages at most are asked for at once. */
  parallelPages: number;
}

export interface StepPlan {
  kind: "filter" | "map" | "yield_map";
  run: (record: JsonObject) => unknown;
}

export interface ActionPlan {
  /** Undefined: any. */
  statusCode: number | undefined;
  content: string | undefined;
  run: "ignore" | ResponseHook[];
}

export interface ParentPlan {
  plan: ResourcePlan;
  /** The fields of its record that requests name, by the texts of their paths. */
  needed: string[];
  /** Fields of its record that each record gets. */
  include: { field: Path; as: string }[];
  /** What becomes of a record of it whose values cannot stand in a request. */
  onMissing: "set_aside" | "skip" | "raise";
  /** What a request for one of its records that fails means for the run. */
  onError: "raise" | "skip";
}

export interface FollowerPlan {
  name: string;
  /** It replaces its rows in every run, so every run needs all records of its ancestors. */
  needsWhole: boolean;
}

export type Disposition = "merge" | "append" | "replace";

export interface RequestPlan {
  method: "GET" | "POST";
  /** base_url and path, joined. */
  url: Text;
  /** Of base_url. Credentials go there, whatever `url` says, and to `allowedOrigins`. */
  origin: string;
  allowedOrigins: string[];
  params: Record<string, ParamPlan>;
  headers: [Text, Text][];
  /** A JSON body, with templates for some of its texts. */
  json: unknown;
  /** A form body (pairs) or a raw one (text). */
  data: Text | [string, Text][] | undefined;
}

/** A text, or one that is filled in for each run or each record of a parent. */
export type Text = string | Template;

export type ParamPlan = Text | number | boolean | (Text | number | boolean)[];

export type AuthPlan =
  | { type: "bearer"; token: Secret }
  | { type: "api_key"; name: string; apiKey: Secret; location: "header" | "query" | "cookie" }
  | { type: "http_basic"; username: Secret; password: Secret }
  | ({ type: "oauth2_client_credentials" } & TokenPlan & {
        /** Used first, for as long as it is good. */
        accessToken: Secret | undefined;
      })
  | ({ type: "oauth2_refresh_token" } & TokenPlan & {
        /** A member of the source's secret, where its successor goes. */
        refreshToken: Secret;
      });

/** How an access token is asked for. */
export interface TokenPlan {
  accessTokenUrl: string | Secret;
  clientId: Secret;
  /** Undefined: a public client has none. */
  clientSecret: Secret | undefined;
  clientAuthMethod: "client_secret_post" | "client_secret_basic";
  /** More fields of the form, over those that the grant has. */
  requestData: Record<string, Secret>;
  /** Seconds, where the answer names no expires_in. */
  defaultTokenExpiration: number;
}

export type PaginatorPlan =
  /** Found out from the first answer. */
  | { type: "auto" }
  | { type: "single_page" }
  | OffsetPlan
  | PageNumberPlan
  | CursorPlan
  | { type: "header_cursor"; header: string; param: string }
  | { type: "json_link"; next: Path }
  | { type: "header_link"; rel: string };

/** Where a request has a value: a query parameter, or a dotted path in the JSON body. */
export type Slot = { param: string } | { bodyPath: string };

/** When a list that is counted ends. */
export interface RangeEnd {
  /** Where the body counts all rows, or pages. `required`: the config names it, so it has to be there. */
  total: { path: Path; required: boolean } | undefined;
  /** Nothing is asked for at or behind this offset or page. */
  maximum: number | undefined;
  stopAfterEmptyPage: boolean;
  /** Where the body says whether there is more: it decides over total and maximum. */
  hasMore: Path | undefined;
}

export interface OffsetPlan extends RangeEnd {
  type: "offset";
  limit: number;
  offset: number;
  offsetAt: Slot;
  limitAt: Slot;
  /** So many rows are read twice, to see whether rows have moved. */
  overlap: number;
}

export interface PageNumberPlan extends RangeEnd {
  type: "page_number";
  basePage: number;
  page: number;
  pageAt: Slot;
}

export interface CursorPlan {
  type: "cursor";
  cursor: Path;
  cursorAt: Slot;
  stopAfterEmptyPage: boolean;
  hasMore: Path | undefined;
}

export interface IncrementalPlan {
  /** Where the cursor is in a record. */
  path: Path;
  /** Undefined: the first run reads everything. */
  initialValue: CursorValue | undefined;
  /** A backfill: it reads up to here and remembers nothing. */
  endValue: CursorValue | undefined;
  /** A backfill in windows of this length: seconds for times, days for dates, else units. */
  step: number | undefined;
  /** A run starts so far before the cursor: seconds for times, days for dates, else units. */
  lag: number;
  /** Which of two values is further. */
  furthest: "max" | "min" | ((values: CursorValue[]) => CursorValue);
  /** The order in which the API sends records: paging can end where the rest is out of range. */
  rowOrder: "asc" | "desc" | undefined;
  onMissing: "raise" | "include" | "exclude";
  /** Whether a record at the start is read again, and one at the end still belongs to it. */
  rangeStart: "open" | "closed";
  rangeEnd: "open" | "closed";
  /** A cursor for each record of the parent instead of one for all. */
  perParent: boolean;
  /** What is sent instead of a value. */
  convert: ((value: CursorValue) => CursorValue) | undefined;
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
  /** A row that is there stays as it is. */
  | { kind: "insert" }
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
  /** What a `_row_id` is made of; undefined where rows have a key of their own. */
  rowId: RowIdPlan | undefined;
  hash: KeyAttribute;
  range: KeyAttribute | undefined;
}

/**
 * Rows without a key of their own are named by what they are, so that reading a record again never
 * doubles it. Values that the request takes from the parent are part of every name.
 */
export type RowIdPlan =
  /** By key fields and cursor: each version of a record is a row. */
  | { kind: "version"; fields: string[]; cursor: Path }
  /** By content; `isPerRead`: each read that covers everything appends all rows anew. */
  | { kind: "content"; isPerRead: boolean };

export interface KeyAttribute {
  /** The attribute's name: a field, `_key` (the joined rest) or `_row_id`. */
  name: string;
  type: "S" | "N" | "B";
}

export interface ColumnPlan {
  dataType: DataType | undefined;
  nullable: boolean | undefined;
  /** What else is said about it, for those who read the schema. */
  hints: {
    description?: string;
    precision?: number;
    scale?: number;
    timezone?: boolean;
    unique?: true;
  };
}

/** What happens to a value that the schema does not have. */
export type ContractMode = "evolve" | "freeze" | "discard_row" | "discard_value";

export interface ContractPlan {
  /** The first records of a table that has none. */
  tables: ContractMode;
  /** Fields that are new. */
  columns: ContractMode;
  /** Values of another type, or null where that is declared away. */
  dataType: ContractMode;
}
