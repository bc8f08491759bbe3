import * as z from "zod";
import type { DataType } from "../data-types.ts";
import type {
  ClientConfig,
  ColumnConfig,
  FunctionOptions,
  IndexOptions,
  NamedColumnConfig,
  ResourceConfig,
  ResourceDefaults,
  ResourceExtensions,
  ResourceOptions,
  ScheduleOptions,
  SchemaContract,
  SourceConfig,
  SourceOptions,
  TableOptions,
} from "../types.ts";
import { auth, endpoint, errorHandler, headers, paginator } from "./schema-endpoint.ts";
import {
  anyText,
  anything,
  baseUrl,
  byName,
  cadence,
  call,
  count,
  dict,
  dictBy,
  either,
  flag,
  fromOne,
  fromZero,
  list,
  matching,
  name,
  number,
  oneOf,
  optional,
  type Shape,
  text,
  texts,
  url,
  when,
} from "./schema-words.ts";

/*
 * The shapes of a spelled config (see spell.ts), dict by dict as in types.ts.
 */

// ── Resources ────────────────────────────────────────────────────────────────────────────────────

const dataTypes: Record<DataType, true> = {
  text: true,
  double: true,
  bool: true,
  timestamp: true,
  bigint: true,
  binary: true,
  json: true,
  decimal: true,
  wei: true,
  date: true,
  time: true,
};

const hints: Shape<ColumnConfig> = {
  data_type: optional(oneOf(...Object.keys(dataTypes))),
  nullable: optional(flag),
  description: optional(anyText),
  precision: optional(fromZero),
  scale: optional(fromZero),
  timezone: optional(flag),
  primary_key: optional(flag),
  merge_key: optional(flag),
  hard_delete: optional(flag),
  dedup_sort: optional(oneOf("asc", "desc")),
  unique: optional(flag),
  sort: optional(flag),
  partition: optional(flag),
  cluster: optional(flag),
};

const columns = either(
  "an object by field name, or a list",
  byName(dict<ColumnConfig>(hints)),
  z.array(dict<NamedColumnConfig>({ name: text, ...hints })),
);

const contractMode = oneOf("evolve", "freeze", "discard_row", "discard_value");

const schemaContract = either(
  "evolve, freeze, discard_row or discard_value, or an object of these",
  contractMode,
  dict<SchemaContract>({
    tables: optional(contractMode),
    columns: optional(contractMode),
    data_type: optional(contractMode),
  }),
);

const writeDisposition = dictBy("disposition", [
  ["append", {}],
  [
    "replace",
    {
      strategy: optional(oneOf("truncate-and-insert", "insert-from-staging", "staging-optimized")),
    },
  ],
  [
    "merge",
    {
      strategy: optional(oneOf("delete-insert", "upsert", "scd2", "insert-only")),
      deduplicated: optional(flag),
      validity_column_names: optional(list(text)),
      active_record_timestamp: optional(text),
      boundary_timestamp: optional(text),
      row_version_column_name: optional(text),
    },
  ],
  ["skip", {}],
]);

const processingStep = dict<Record<"filter" | "map" | "yield_map", unknown>>({
  filter: call.optional(),
  map: call.optional(),
  yield_map: call.optional(),
});

const extensions: Shape<ResourceExtensions> = {
  allow_shrink: optional(flag),
  write_mode: optional(oneOf("batch", "ordered")),
  on_parent_value_missing: optional(oneOf("raise", "skip")),
  on_parent_error: optional(oneOf("raise", "skip")),
  version_field: optional(text),
  writes: optional(oneOf("always", "compare", "fingerprints")),
  parallel_pages: optional(fromOne.max(8, { error: "can be 8 at most" })),
};

const resourceDefaults: Shape<ResourceDefaults> = {
  table_name: optional(
    either(
      "a text or a function",
      matching(/^[\w.-]+$/, "can have letters, digits, _ . and - only"),
      call,
    ),
  ),
  write_disposition: optional(writeDisposition),
  primary_key: optional(texts),
  merge_key: optional(texts),
  columns: optional(columns),
  schema_contract: optional(schemaContract),
  selected: optional(flag),
  include_from_parent: optional(list(text)),
  processing_steps: optional(list(processingStep)),
  max_table_nesting: optional(fromZero),
  parallelized: optional(flag),
  file_format: optional(text),
  table_format: optional(text),
  references: anything,
  nested_hints: anything,
  ...extensions,
  endpoint: optional(endpoint),
};

export const sourceName = name;

export const sourceConfig = dict<SourceConfig>({
  client: dict<ClientConfig>({
    base_url: baseUrl,
    headers: optional(headers),
    auth: optional(auth),
    paginator: optional(paginator),
    error_handler: optional(errorHandler),
    timeout: optional(number.positive({ error: "has to be above 0" })),
    allowed_origins: optional(list(url)),
    session: anything,
  }),
  resource_defaults: optional(dict<ResourceDefaults>(resourceDefaults)),
  resources: list(dict<ResourceConfig>({ name, ...resourceDefaults })).min(1, {
    error: "has to name at least one resource",
  }),
});

// ── Options ──────────────────────────────────────────────────────────────────────────────────────

const isTimezone = (value: unknown) => {
  try {
    return typeof value === "string" && new Intl.DateTimeFormat("en", { timeZone: value }) !== null;
  } catch {
    return false;
  }
};

const schedule = either(
  "a text or an object",
  cadence,
  dict<ScheduleOptions>({
    expression: cadence,
    timezone: when(`has to be a time zone like "Europe/Berlin"`, isTimezone).optional(),
    enabled: flag.optional(),
  }),
);

const vpcIds = (prefix: string) =>
  list(
    matching(RegExp(`^${prefix}-[0-9a-f]{8,17}$`), `has to be an id like "${prefix}-0a1b2c3d"`),
  ).min(1, { error: "has to name at least one" });

const functionOptions = dict<FunctionOptions>({
  memory: count
    .min(128, { error: "has to be at least 128" })
    .max(10_240, { error: "can be at most 10240" })
    .optional(),
  reserved_concurrency: count
    .min(1, { error: "has to be at least 1, for with 0 the worker never runs" })
    .optional(),
  vpc: dict<NonNullable<FunctionOptions["vpc"]>>({
    subnets: vpcIds("subnet"),
    security_groups: vpcIds("sg"),
  }).optional(),
});

const indexName = matching(
  /^[a-zA-Z0-9_.-]{3,255}$/,
  "has to have 3 to 255 letters, digits, _ . or -",
);

const indexOptions = dict<IndexOptions>({
  hash: text,
  range: text.optional(),
  projection: either(
    "all, keys-only or a list of fields",
    oneOf("all", "keys-only"),
    list(text).min(1, { error: "has to name at least one field" }),
  ).optional(),
});

const tableOptions = dict<TableOptions>({
  ttl: text.optional(),
  stream: oneOf("keys-only", "new-image", "old-image", "new-and-old-images").optional(),
  indexes: z
    .record(indexName, indexOptions, { error: "has to be an object by index name" })
    .refine((indexes) => Object.keys(indexes).length <= 20, { error: "can have 20 at most" })
    .optional(),
  kms_key: matching(
    /^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/[\w-]+$/,
    'has to be the ARN of a key, like "arn:aws:kms:eu-central-1:111122223333:key/…"',
  ).optional(),
  max_write_units: fromOne.optional(),
});

export const sourceOptions = dict<SourceOptions>({
  schedule: schedule.optional(),
  full_refresh_schedule: schedule.optional(),
  function: functionOptions.optional(),
  table: tableOptions.optional(),
  resources: byName(
    dict<ResourceOptions>({
      columns: byName(dict<ColumnConfig>(hints)).optional(),
      schema_contract: schemaContract.optional(),
      table: tableOptions.optional(),
      ...extensions,
    }),
  ).optional(),
});
