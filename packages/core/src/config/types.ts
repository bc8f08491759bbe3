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
 * The types of a user's dict are dlt's `rest_api` vocabulary, key by key, in its snake_case.
 * Editors show these comments. An unknown key is a type error (source.ts says how).
 */

/** The whole dict: an API and the resources to read from it. */
export interface SourceConfig {
  /** The API: its address, and how to authenticate. */
  client: ClientConfig;
  /** Merged into every resource, key by key; the resource wins. Default: none. */
  resource_defaults?: ResourceDefaults | None;
  /**
   * Each resource becomes one table. A string is a resource's name.
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
  /** Authentication of the requests. Default: none. */
  auth?: AuthName | AuthConfig | None;
  /** The paginator of endpoints without one. Default: detected from the first answer. */
  paginator?: PaginatorName | PaginatorConfig | None;
  /** Decides which failed requests are retried. Endpoints can replace single keys of it. */
  error_handler?: ErrorHandlerConfig | None;
  /** The most seconds that a request may take in total. Default: 30. tidetable's own key. */
  timeout?: number | None;
  /**
   * The most seconds that one answer of the API may ask to wait, for instance by Retry-After: up to
   * 604800, a week. Default: 86400, a day. tidetable's own key.
   */
  max_wait?: number | None;
  /**
   * Origins besides base_url's that may get the credentials. tidetable's own key.
   * @example ["https://files.example.com"]
   */
  allowed_origins?: string[] | None;
  /** In dlt a Python session. No effect here. */
  session?: unknown;
}

// ── Resources ────────────────────────────────────────────────────────────────────────────────────

interface ResourceBase extends ResourceExtensions {
  /** The last part of the table's name, or a function that names it per record. Default: `name`. */
  table_name?: string | ((record: JsonObject) => string) | None;
  /**
   * Decides what a run does to the table. Default: "merge" with a primary_key, otherwise "append".
   * @example "merge"
   */
  write_disposition?: WriteDisposition | WriteDispositionConfig | None;
  /**
   * The fields that identify a record. They become the table's key.
   * @example "id"
   */
  primary_key?: string | string[] | None;
  /** The fields by which dlt deletes rows before it merges. Refused here. */
  merge_key?: string | string[] | None;
  /**
   * The types and hints of fields, by name or as a list. Default: inferred from the records.
   * @example { "id": { "data_type": "bigint" } }
   */
  columns?: Record<string, ColumnConfig> | NamedColumnConfig[] | None;
  /** Decides about fields and types that the schema does not have. Default: "evolve". */
  schema_contract?: SchemaContractMode | SchemaContract | None;
  /** False reads a parent for its children only, and does not store it. Default: true. */
  selected?: boolean | None;
  /** Fields of the parent that each child record gets, as `_<parent>_<field>`. */
  include_from_parent?: string[] | None;
  /** Functions over the records, in order. They run before the cursor and the key are read. */
  processing_steps?: ProcessingStep[] | None;
  /** No effect: nested values always stay nested in DynamoDB. */
  max_table_nesting?: number | None;
  /** No effect: resources always run in parallel. */
  parallelized?: boolean | None;
  /** No effect in DynamoDB. */
  file_format?: string | None;
  /** No effect in DynamoDB. */
  table_format?: string | None;
  /** No effect in DynamoDB. */
  references?: unknown;
  /** No effect in DynamoDB. */
  nested_hints?: unknown;
}

export interface ResourceDefaults extends ResourceBase {
  /** `params` and `json` merge one level deeper. Every other key is replaced as a whole. */
  endpoint?: EndpointConfig | None;
}

export interface ResourceConfig extends ResourceBase {
  /** Unique in the source, `[a-z0-9_]+`. It is the default of the path and of the table's name. */
  name: string;
  /** The request. A string is its path. Default: `{ "path": name }`. */
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
      strategy?: "delete-insert" | "upsert" | "insert-only" | "cdc";
      deduplicated?: boolean;
      /** Rows that equal their record are not written: as `writes: "compare"`. */
      skip_unchanged_rows?: boolean;
      /** Whole rows are compared here, and not this field alone. */
      row_version_column_name?: string;
      /** A condition in SQL. Refused here. */
      source_filter?: string;
      /** A condition in SQL. Refused here. */
      destination_scope?: string;
    }
  | {
      disposition: "merge";
      strategy: "scd2";
      validity_column_names?: [string, string];
      active_record_timestamp?: string | None;
      boundary_timestamp?: string | None;
      row_version_column_name?: string;
    };

/** The hints for one field. Without a data_type it keeps the type that the API sends. */
export interface ColumnConfig {
  /** @example "bigint" */
  data_type?: DataType;
  /** Whether the field may be null or absent. */
  nullable?: boolean;
  description?: string;
  precision?: number | None;
  scale?: number | None;
  timezone?: boolean;
  primary_key?: boolean;
  merge_key?: boolean;
  /** A record in which this field is true deletes its row. */
  hard_delete?: boolean;
  /** Keeps the record that is first or last by this field, when several have the same key. */
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
  /** The mode for the first records of a table that has none. */
  tables?: SchemaContractMode;
  /** The mode for new fields. */
  columns?: SchemaContractMode;
  /** The mode for values of another type, and for null where `nullable` is false. */
  data_type?: SchemaContractMode;
}

export type ProcessingStep =
  | { filter: (record: JsonObject) => boolean }
  | { map: (record: JsonObject) => JsonObject }
  | { yield_map: (record: JsonObject) => Iterable<JsonObject> };

// ── Options beyond dlt ───────────────────────────────────────────────────────────────────────────

/** The second argument of `rest_api_source`, for settings that dlt's dict has no keys for. */
export interface SourceOptions {
  /**
   * The schedule of runs, as EventBridge takes it. Default: a run starts only on request.
   * @example "rate(1 hour)"
   */
  schedule?: string | ScheduleOptions;
  /**
   * The schedule on which incremental resources are read whole, so that rows which the API has
   * deleted go as well. Default: never.
   * @example "rate(7 days)"
   */
  full_refresh_schedule?: string | ScheduleOptions;
  /** Settings of the worker in AWS. */
  function?: FunctionOptions;
  /** Settings of all tables. A resource's own `table` replaces single options. */
  table?: TableOptions;
  /** Settings of single resources, by name. */
  resources?: Record<string, ResourceOptions>;
}

export interface ScheduleOptions {
  /** @example "cron(0 6 ? * MON-FRI *)" */
  expression: string;
  /**
   * The time zone of a cron expression. Default: UTC.
   * @example "Europe/Berlin"
   */
  timezone?: string;
  /** False deploys the schedule disabled. Default: true. */
  enabled?: boolean;
}

/** The settings of a source's worker in AWS. */
export interface FunctionOptions {
  /**
   * Megabytes, 128 to 10240; processor time grows with it. Default: 512.
   * @example 1024
   */
  memory?: number;
  /** The most invocations at once. Default: as many as the account allows. */
  reserved_concurrency?: number;
  /** A network of your own, for an API that can be reached only from it. */
  vpc?: { subnets: string[]; security_groups: string[] };
  /**
   * Whether batches go through the commands of the AWS SDK, which takes more processor time. For a
   * release of the SDK that does not go along with the sender of tidetable. Default: false.
   */
  sdk_writes?: boolean;
}

/** The settings of a table, apart from its key. */
export interface TableOptions {
  /**
   * The field with the time at which an item expires, in seconds since 1970.
   * @example "expires_at"
   */
  ttl?: string;
  /** The stream of changes for your own consumers. Default: none. */
  stream?: "keys-only" | "new-image" | "old-image" | "new-and-old-images";
  /**
   * Global secondary indexes by name. A key's type follows its column's data_type. A record whose
   * value has another type is set aside, and a record whose value is null stays out of the index.
   * @example { by_status: { hash: "status", range: "updated_at" } }
   */
  indexes?: Record<string, IndexOptions>;
  /** ARN of a customer managed KMS key. Default: the key that DynamoDB owns. */
  kms_key?: string;
  /** A limit on cost: DynamoDB throttles writes beyond this many write units per second. */
  max_write_units?: number;
}

export interface IndexOptions {
  hash: string;
  range?: string;
  /** The fields in the index besides the keys. Default: "all". */
  projection?: "all" | "keys-only" | string[];
}

/** Keys beyond dlt that a resource can have in the dict, too. */
export interface ResourceExtensions {
  /**
   * Allows a full refresh to delete more rows than it leaves. By default such a refresh is refused,
   * because an API with an empty answer would empty the table. Default: false.
   */
  allow_shrink?: boolean | None;
  /**
   * "ordered" writes a row only if the table has nothing newer by `version_field`: one request per
   * row instead of one for 25 rows. Default: "batch".
   */
  write_mode?: WriteMode | None;
  /**
   * Decides about a parent's record whose values cannot stand in the child's request: "raise" is an
   * error, "skip" reads nothing for it. Default: the record is set aside, and the others are read.
   */
  on_parent_value_missing?: "raise" | "skip" | None;
  /**
   * Decides about a parent's record whose request fails: "raise" fails the run, "skip" sets the
   * record aside and reads the others. Default: "raise".
   */
  on_parent_error?: "raise" | "skip" | None;
  /**
   * The field whose value is larger in a newer row. Its column needs a data_type.
   * @example "updated_at"
   */
  version_field?: string | None;
  /**
   * "always" writes every row that was read. "compare" reads the table and writes the rows that
   * differ. "fingerprints" finds the same rows without reading the table. Default: chosen by what
   * the last runs saw.
   */
  writes?: Writes | None;
  /**
   * The most pages of an offset or page_number paginator that are requested at once, 1 to 8. The
   * number grows from 1, and shrinks when the API asks to slow down. Default: 4 for offsets with an
   * overlap, otherwise 1, because nothing else shows whether rows have moved between two answers.
   */
  parallel_pages?: number | None;
}

export type Writes = "always" | "compare" | "fingerprints";

export type WriteMode = "batch" | "ordered";

export interface ResourceOptions extends ResourceExtensions {
  /** Replaces single hints of the dict's `columns`, so that the dict can stay unchanged. */
  columns?: Record<string, ColumnConfig>;
  /** Replaces the dict's `schema_contract`. */
  schema_contract?: SchemaContractMode | SchemaContract;
  /** Replaces single options of the source's `table`. */
  table?: TableOptions;
}
