import type { Secret } from "../secrets/reference.ts";
import type { JsonObject } from "../values/json.ts";
import type { DataType } from "./data-types.ts";
import type { CursorValue, ResponseHook } from "./endpoint-types.ts";
import type { JsonPath } from "./jsonpath.ts";
import type { RelativeTime } from "./relative-time.ts";
import type { Template } from "./templates.ts";
import type { Writes } from "./types.ts";

/*
 * A plan is a config with every default settled. The engine, the stacks and the CLI read nothing
 * else. A config's keys are snake_case, a plan's are camelCase.
 */

export interface SourcePlan {
  name: string;
  /** The members that the source's secret must have. */
  secrets: string[];
  /** True when an API can replace a credential, which the worker then writes to the secret. */
  rotatesSecret: boolean;
  schedule: SchedulePlan | undefined;
  /** Incremental resources are read whole on this schedule, to delete rows that the API deleted. */
  fullRefreshSchedule: SchedulePlan | undefined;
  /** True when the host is reserved for examples: a deployed stage has no API to read there. */
  isExample: boolean;
  function: FunctionPlan;
  /** Parents stand before their children. */
  resources: ResourcePlan[];
}

export interface SchedulePlan {
  /** `rate(1 hour)` or `cron(…)`, as EventBridge takes it. */
  expression: string;
  timezone: string | undefined;
  enabled: boolean;
  /** The longest time between two runs. A run that is twice as long ago makes a resource stale. */
  longestGapMs: number;
}

/** The settings of the worker in AWS. */
export interface FunctionPlan {
  memoryMb: number;
  reservedConcurrency: number | undefined;
  vpc: { subnets: string[]; securityGroups: string[] } | undefined;
  /** Batches go through the SDK's commands and not as text. */
  sdkWrites: boolean;
}

/** The settings of a table in AWS, apart from its key. */
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
  /** The last part of the table's name: `table_name`, or the resource's name. */
  table: string;
  disposition: Disposition;
  /** False: the resource is read for its children alone, and is not stored. */
  selected: boolean;
  /** A child is read once for each record of its parent. */
  parent: ParentPlan | undefined;
  /** The fields of each record that children need. Empty for a resource without children. */
  spooled: JsonPath[];
  /** Stored resources below it whose parent records its cursor decides about. Not in the hash. */
  followers: FollowerPlan[];
  key: KeyPlan;
  request: RequestPlan;
  auth: AuthPlan | undefined;
  paginator: PaginatorPlan;
  /** Undefined: every run reads everything. */
  incremental: IncrementalPlan | undefined;
  /** Undefined: the first page shows where the list is. */
  selector: JsonPath | undefined;
  /** The config's functions over the records, in order. */
  steps: StepPlan[];
  /** The config's actions on answers of a certain status or content. */
  actions: ActionPlan[];
  retry: RetryPlan;
  /** The time limit of a whole request, however slowly the server sends. */
  timeoutMs: number;
  columns: Record<string, ColumnPlan>;
  contract: ContractPlan;
  writeMode: WriteModePlan;
  /** A record with a true value in this field deletes its row. */
  hardDelete: string | undefined;
  /**
   * Among a page's records with one key, the first in this order stays. Undefined: the last read.
   */
  dedupSort: { field: string; order: "asc" | "desc" } | undefined;
  /** True: a refresh may delete more rows than it leaves. */
  allowShrink: boolean;
  /** Covers the members above. A run that was interrupted under a different hash starts anew. */
  hash: string;
  /** Not in the hash, like the members below: a run does not depend on it. */
  storage: TablePlan;
  /**
   * The method of finding rows that have not changed. Undefined: chosen by what the last runs saw.
   */
  writes: Writes | undefined;
  /** The largest number of pages that are requested at once. */
  parallelPages: number;
}

export interface StepPlan {
  kind: "filter" | "map" | "yield_map";
  run: (record: JsonObject) => unknown;
}

export interface ActionPlan {
  /** Undefined: any status. */
  statusCode: number | undefined;
  content: string | undefined;
  run: "ignore" | ResponseHook[];
}

export interface ParentPlan {
  plan: ResourcePlan;
  /** The fields of a parent's record that requests name, as JSONPath. */
  needed: string[];
  /** Fields of the parent's record that each record gets: the first of the paths that is there. */
  include: { paths: JsonPath[]; as: string }[];
  /** Decides about a parent's record whose values cannot stand in a request. */
  onMissing: "set_aside" | "skip" | "raise";
  /** Decides about a parent's record whose request fails: the run fails, or the record is set aside. */
  onError: "raise" | "skip";
}

export interface FollowerPlan {
  name: string;
  /** It replaces its rows in every run, so every run needs all records of its ancestors. */
  needsWhole: boolean;
  /** The followers between it and the resource whose cursor decides. */
  above: string[];
}

export type Disposition = "merge" | "append" | "replace";

export interface RequestPlan {
  method: "GET" | "POST";
  /** base_url and path, joined. */
  url: TemplateText;
  /** The origin of base_url. Only it and `allowedOrigins` get credentials, whatever `url` says. */
  origin: string;
  allowedOrigins: string[];
  params: Record<string, ParamPlan>;
  headers: [TemplateText, TemplateText][];
  /** A JSON body, in which strings with references are templates. */
  json: unknown;
  /** Pairs are a form, a string is a raw body. */
  data: TemplateText | [string, TemplateText][] | undefined;
}

/** A template is filled in for each run, or for each record of a parent. */
export type TemplateText = string | Template;

export type ParamPlan = TemplateText | number | boolean | (TemplateText | number | boolean)[];

export type AuthPlan =
  | { type: "bearer"; token: Secret }
  | { type: "api_key"; name: string; apiKey: Secret; location: "header" | "query" | "cookie" }
  | { type: "http_basic"; username: Secret; password: Secret }
  | ({ type: "oauth2_client_credentials" } & TokenPlan & {
        /** Used first, until it expires. */
        accessToken: Secret | undefined;
      })
  | ({ type: "oauth2_refresh_token" } & TokenPlan & {
        /** A member of the source's secret, to which a new refresh token is written. */
        refreshToken: Secret;
      });

/** The request for an access token. */
export interface TokenPlan {
  accessTokenUrl: string | Secret;
  clientId: Secret;
  /** Undefined for a public client. */
  clientSecret: Secret | undefined;
  clientAuthMethod: "client_secret_post" | "client_secret_basic";
  /** Additional fields of the form. They replace fields of the grant with the same name. */
  requestData: Record<string, Secret>;
  /** Seconds, used when the answer has no expires_in. */
  defaultTokenExpiration: number;
}

export type PaginatorPlan =
  /** Detected from the first answer. */
  | { type: "auto" }
  | { type: "single_page" }
  | OffsetPlan
  | PageNumberPlan
  | CursorPlan
  | { type: "header_cursor"; header: string; param: string }
  | { type: "json_link"; next: JsonPath }
  | { type: "header_link"; rel: string };

/** The place of a value in a request: a query parameter, or a dotted path in the JSON body. */
export type Slot = { param: string } | { bodyPath: string };

/** The conditions that end a list with offsets or page numbers. */
export interface RangeEnd {
  /** The answer's count of rows, or pages. A required total has to be in the first answer. */
  total: { path: JsonPath; required: boolean } | undefined;
  /** No request is made at or after this offset or page. */
  maximum: number | undefined;
  stopAfterEmptyPage: boolean;
  /** The answer's flag for more pages. Total and maximum hold although it is true. */
  hasMore: JsonPath | undefined;
}

export interface OffsetPlan extends RangeEnd {
  type: "offset";
  limit: number;
  offset: number;
  offsetAt: Slot;
  limitAt: Slot;
  /** The number of rows that are requested again with the next page, to notice moved rows. */
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
  cursor: JsonPath;
  cursorAt: Slot;
  stopAfterEmptyPage: boolean;
  hasMore: JsonPath | undefined;
}

export interface IncrementalPlan {
  /** The cursor's path in a record. */
  path: JsonPath;
  /** Undefined: the first run reads everything, or from `relativeStart` on. */
  initialValue: CursorValue | undefined;
  /** A start that is resolved when a read starts from nothing. The read then has an initialValue. */
  relativeStart: RelativeTime | undefined;
  /** Makes the run a backfill: it reads up to this value and stores no cursor. */
  endValue: CursorValue | undefined;
  /** The length of a backfill's windows: seconds for times, days for dates, otherwise units. */
  step: number | undefined;
  /**
   * A run starts this far before the cursor: seconds for times, days for dates, otherwise units.
   */
  lag: number;
  /** Decides which of two values is further. */
  furthest: "max" | "min" | ((values: CursorValue[]) => CursorValue);
  /** The order in which the API sends records. Paging can end at the first record out of range. */
  rowOrder: "asc" | "desc" | undefined;
  onMissing: "raise" | "include" | "exclude";
  /** "closed" keeps records whose cursor is the start (or the end), "open" drops them. */
  rangeStart: "open" | "closed";
  rangeEnd: "open" | "closed";
  /** True: each record of the parent has a cursor of its own. */
  perParent: boolean;
  /** Turns a cursor into the value that the request sends. */
  convert: ((value: CursorValue) => CursorValue) | undefined;
  /** True: the column is declared a timestamp, and a number in it counts from 1970. */
  isTimestamp: boolean;
}

export interface RetryPlan {
  /** The statuses after which another attempt is made. */
  statuses: ReadonlySet<number>;
  /** Retries after the first attempt: 3 allows 4 requests. */
  maxRetries: number;
  /** The delay before retry n is factor × 2^(n−1) seconds, times random(0.5…1). */
  backoffFactor: number;
  /** The longest delay, whatever an answer asks for. */
  maxWaitMs: number;
}

export type WriteModePlan =
  /** Puts 25 rows in one request. */
  | { kind: "batch" }
  /** Keeps existing rows unchanged. */
  | { kind: "insert" }
  /** Puts each row on condition that the table has nothing newer. */
  | {
      kind: "ordered";
      /** The field by which rows grow newer, and the type of its attribute. */
      versionField: string;
      type: "S" | "N";
    };

/** The table's key, and the fields of a record that make it. */
export interface KeyPlan {
  /** The primary_key's fields. Empty when every record gets a `_row_id` of its own. */
  fields: string[];
  /** What a `_row_id` is made of. Undefined: rows have a key of their own. */
  rowId?: RowIdPlan | undefined;
  hash: KeyAttribute;
  range: KeyAttribute | undefined;
}

/**
 * Rows without a key of their own are named by what they are, so that reading a record again never
 * doubles it. Values that the request takes from the parent are part of every name.
 */
export type RowIdPlan =
  /** By key fields and cursor: each version of a record is a row. */
  | { kind: "version"; fields: string[]; cursor: JsonPath }
  /** By content. `isPerRead`: each read that covers everything appends all rows anew. */
  | { kind: "content"; isPerRead: boolean };

export interface KeyAttribute {
  /** A field, `_key` (all fields after the first, joined) or `_row_id`. */
  name: string;
  type: "S" | "N" | "B";
}

export interface ColumnPlan {
  dataType: DataType | undefined;
  nullable: boolean | undefined;
  /** Hints that only readers of the schema use. */
  hints: {
    description?: string;
    precision?: number;
    scale?: number;
    timezone?: boolean;
    unique?: true;
  };
}

/** Decides about a value that the schema does not have. */
export type ContractMode = "evolve" | "freeze" | "discard_row" | "discard_value";

export interface ContractPlan {
  /** Applies to the first records of a table without a schema. */
  tables: ContractMode;
  /** Applies to new fields. */
  columns: ContractMode;
  /** Applies to values of another type, and to null in a column that is not nullable. */
  dataType: ContractMode;
}
