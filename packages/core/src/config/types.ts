import type { JsonObject } from "../values/json.ts";
import type { DataType } from "./data-types.ts";
import type {
  AuthConfig,
  AuthName,
  Credential,
  EndpointConfig,
  ErrorHandlerConfig,
  None,
  PaginatorConfig,
  PaginatorName,
} from "./endpoint-types.ts";

/*
 * What a user types: dlt's `rest_api` vocabulary, key by key, in snake_case as they write it.
 * An editor shows these comments; an unknown key is a type error (source.ts says how).
 */

/** The whole dict: one API and what to read from it. */
export interface SourceConfig {
  /** The API: where it is and how to be let in. */
  client: ClientConfig;
  /** Merged into every resource, key by key; the resource wins. Default: nothing. */
  resource_defaults?: ResourceDefaults | None;
  /**
   * What to read. Each resource becomes one table; a text stands for `{ "name": text }`.
   * @example [{ "name": "tickets", "endpoint": { "path": "/v1/tickets", "data_selector": "data" } }]
   */
  resources: (string | ResourceConfig)[];
}

export interface ClientConfig {
  /**
   * Paths are joined to it with one slash.
   * @example "https://api.example.com/v2"
   */
  base_url: string;
  /** Sent with every request; an endpoint's header of the same name wins. Default: none. */
  headers?: Record<string, Credential | None> | None;
  /** How requests prove who they are. Default: not at all. */
  auth?: AuthName | AuthConfig | None;
  /** For endpoints that name none. */
  paginator?: PaginatorName | PaginatorConfig | None;
  /** Which failures are tried again, for endpoints that do not say. */
  error_handler?: ErrorHandlerConfig | None;
  /** Seconds that one request may take in total. Default: 30. tidetable's own key. */
  timeout?: number | None;
  /**
   * Other origins that may be sent the credentials, besides base_url's. tidetable's own key.
   * @example ["https://files.example.com"]
   */
  allowed_origins?: string[] | None;
  /** A Python session in dlt. Means nothing here. */
  session?: unknown;
}

// ── Resources ────────────────────────────────────────────────────────────────────────────────────

interface ResourceBase extends ResourceExtensions {
  /** The last part of the table's name, or a function that names it per record. Default: `name`. */
  table_name?: string | ((record: JsonObject) => string) | None;
  /**
   * What a run does to the table. Default: "merge" with a primary_key, else "append".
   * @example "merge"
   */
  write_disposition?: WriteDisposition | WriteDispositionConfig | None;
  /**
   * The fields that tell records apart; they become the table's key.
   * @example "id"
   */
  primary_key?: string | string[] | None;
  /** The fields that dlt deletes by before it merges. */
  merge_key?: string | string[] | None;
  /**
   * What is known about fields, by name or as a list. Default: found out from the records.
   * @example { "id": { "data_type": "bigint" } }
   */
  columns?: Record<string, ColumnConfig> | NamedColumnConfig[] | None;
  /** What becomes of fields and types that the schema does not have. Default: "evolve". */
  schema_contract?: SchemaContractMode | SchemaContract | None;
  /** False reads a parent for its children's sake and stores nothing. Default: true. */
  selected?: boolean | None;
  /** Fields of the parent that each child record gets, as `_<parent>_<field>`. */
  include_from_parent?: string[] | None;
  /** Functions over the records, in order, before anything else looks at them. */
  processing_steps?: ProcessingStep[] | None;
  /** Nested values always stay nested in DynamoDB: accepted, and means nothing here. */
  max_table_nesting?: number | None;
  /** Resources always run side by side: accepted, and means nothing here. */
  parallelized?: boolean | None;
  /** Means nothing in DynamoDB. */
  file_format?: string | None;
  /** Means nothing in DynamoDB. */
  table_format?: string | None;
  /** Means nothing in DynamoDB. */
  references?: unknown;
  /** Means nothing in DynamoDB. */
  nested_hints?: unknown;
}

export interface ResourceDefaults extends ResourceBase {
  /** `params` and `json` merge one level deeper; everything else in it is replaced as a whole. */
  endpoint?: EndpointConfig | None;
}

export interface ResourceConfig extends ResourceBase {
  /** Unique in the source, `[a-z0-9_]+`; also the default of the path and of the table's name. */
  name: string;
  /** What to request. A text is its path. Default: `{ "path": name }`. */
  endpoint?: string | EndpointConfig | None;
}

export type WriteDisposition = "append" | "replace" | "merge" | "skip";

export type WriteDispositionConfig =
  | { disposition: "append" | "skip" }
  | {
      disposition: "replace";
      strategy?: "truncate-and-insert" | "insert-from-staging" | "staging-optimized";
    }
  | {
      disposition: "merge";
      strategy?: "delete-insert" | "upsert" | "insert-only";
      deduplicated?: boolean;
    }
  | {
      disposition: "merge";
      strategy: "scd2";
      validity_column_names?: [string, string];
      active_record_timestamp?: string | None;
      boundary_timestamp?: string | None;
      row_version_column_name?: string;
    };

/** What is known about one field. Without a data_type it keeps the type that the API sends. */
export interface ColumnConfig {
  /** @example "bigint" */
  data_type?: DataType;
  /** May it be null or absent? */
  nullable?: boolean;
  description?: string;
  precision?: number | None;
  scale?: number | None;
  timezone?: boolean;
  primary_key?: boolean;
  merge_key?: boolean;
  /** A record in which this field is true deletes its row. */
  hard_delete?: boolean;
  /** Of records with the same key, the one that comes first or last by this field stays. */
  dedup_sort?: "asc" | "desc";
  unique?: boolean;
  sort?: boolean;
  partition?: boolean;
  cluster?: boolean;
}

export interface NamedColumnConfig extends ColumnConfig {
  name: string;
}

export type SchemaContractMode = "evolve" | "freeze" | "discard_row" | "discard_value";

export interface SchemaContract {
  /** The first records of a table that has none. */
  tables?: SchemaContractMode;
  /** Fields that are new. */
  columns?: SchemaContractMode;
  /** Values of another type, and null where that is declared away. */
  data_type?: SchemaContractMode;
}

export type ProcessingStep =
  | { filter: (record: JsonObject) => boolean }
  | { map: (record: JsonObject) => JsonObject }
  | { yield_map: (record: JsonObject) => Iterable<JsonObject> };

// ── What dlt has not ─────────────────────────────────────────────────────────────────────────────

/** The second argument of `rest_api_source`: what the dict has no words for. */
export interface SourceOptions {
  /**
   * When to run, in EventBridge's words. Default: only when asked.
   * @example "rate(1 hour)"
   */
  schedule?: string | ScheduleOptions;
  /**
   * When to read incremental resources whole, so that rows which the API has deleted go too.
   * Default: never.
   * @example "rate(7 days)"
   */
  full_refresh_schedule?: string | ScheduleOptions;
  /** The worker in AWS. */
  function?: FunctionOptions;
  /** The tables of all resources; a resource's own `table` goes over it, option by option. */
  table?: TableOptions;
  /** By resource name. */
  resources?: Record<string, ResourceOptions>;
}

export interface ScheduleOptions {
  /** @example "cron(0 6 ? * MON-FRI *)" */
  expression: string;
  /**
   * Of a cron expression. Default: UTC.
   * @example "Europe/Berlin"
   */
  timezone?: string;
  /** False deploys the schedule switched off. Default: true. */
  enabled?: boolean;
}

/** What the worker of a source is given in AWS. */
export interface FunctionOptions {
  /**
   * Megabytes, 128 to 10240; processor time grows with it. Default: 512.
   * @example 1024
   */
  memory?: number;
  /** At most so many invocations at once. Default: as many as the account allows. */
  reserved_concurrency?: number;
  /** A network of your own, for an API that only it reaches. */
  vpc?: { subnets: string[]; security_groups: string[] };
}

/** What DynamoDB is asked for beside the key. */
export interface TableOptions {
  /**
   * The field that says when an item expires, in seconds since 1970.
   * @example "expires_at"
   */
  ttl?: string;
  /** A stream of changes for other consumers. Default: none. */
  stream?: "keys-only" | "new-image" | "old-image" | "new-and-old-images";
  /**
   * Global secondary indexes by name. A key's type follows its column's data_type; a record in
   * which it has another type is set aside, one in which it is null stays out of the index.
   * @example { by_status: { hash: "status", range: "updated_at" } }
   */
  indexes?: Record<string, IndexOptions>;
  /** ARN of a customer managed KMS key. Default: the key that DynamoDB owns. */
  kms_key?: string;
  /** A fuse against cost: DynamoDB throttles what is above so many write units per second. */
  max_write_units?: number;
}

export interface IndexOptions {
  hash: string;
  range?: string;
  /** What the index holds beside the keys. Default: "all". */
  projection?: "all" | "keys-only" | string[];
}

/** What a resource can say in the dict as well, though dlt has no words for it. */
export interface ResourceExtensions {
  /**
   * May a full refresh delete more rows than it leaves? It is refused otherwise, for an API that
   * shows nothing today would empty the table. Default: false.
   */
  allow_shrink?: boolean | None;
  /**
   * "ordered" puts each row on condition that the table has nothing newer by `version_field`: one
   * request per row instead of one for 25. Default: "batch".
   */
  write_mode?: WriteMode | None;
  /**
   * What a parent's record means that has no value where a request of the child needs one: an error,
   * or nothing to read. Default: "raise".
   */
  on_parent_value_missing?: "raise" | "skip" | None;
  /**
   * Of a child: what a request that fails means. "raise" (the default): the run fails. "skip": the
   * parent's record is set aside, and the others are read.
   */
  on_parent_error?: "raise" | "skip" | None;
  /**
   * The field by which rows grow newer, in one format. Its column needs a data_type.
   * @example "updated_at"
   */
  version_field?: string | None;
  /**
   * "always" puts every row that was read; "compare" reads what the table has and puts what differs;
   * "fingerprints" knows that without reading the table. Default: by what the last runs saw.
   */
  writes?: Writes | None;
  /**
   * How many pages of an offset or page_number paginator may be asked for at once. Their number
   * grows from 1, and shrinks when the API asks to slow down. At most 8. Default: 4.
   */
  parallel_pages?: number | None;
}

export type Writes = "always" | "compare" | "fingerprints";

export type WriteMode = "batch" | "ordered";

export interface ResourceOptions extends ResourceExtensions {
  /** As `columns` in the dict, over it hint by hint. For a dict that is to stay as it is. */
  columns?: Record<string, ColumnConfig>;
  /** As in the dict, and instead of it. */
  schema_contract?: SchemaContractMode | SchemaContract;
  /** Over the source's `table`. */
  table?: TableOptions;
}
