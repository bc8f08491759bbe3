import * as z from "zod";
import { LONGEST_WAIT_MS } from "../../base/timing.ts";
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
import {
  authSchema,
  clientHeaders,
  endpointSchema,
  errorHandlerSchema,
  paginatorSchema,
} from "./schema-endpoint.ts";
import {
  anyFunction,
  anyNumber,
  anyString,
  anyValue,
  atLeastOne,
  atLeastZero,
  baseUrl,
  checkedBy,
  closedDict,
  closedDictBy,
  dictOf,
  type Fields,
  httpUrl,
  identifier,
  listOf,
  nonEmptyString,
  oneOf,
  optional,
  scheduleExpression,
  stringMatching,
  stringOrList,
  trueOrFalse,
  unionOf,
  wholeNumber,
} from "./schema-words.ts";

/*
 * The schemas of an expanded config (see shorthands.ts), dict by dict as in types.ts.
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

const columnFields: Fields<ColumnConfig> = {
  data_type: optional(oneOf(...Object.keys(dataTypes))),
  nullable: optional(trueOrFalse),
  description: optional(anyString),
  precision: optional(atLeastZero),
  scale: optional(atLeastZero),
  timezone: optional(trueOrFalse),
  primary_key: optional(trueOrFalse),
  merge_key: optional(trueOrFalse),
  hard_delete: optional(trueOrFalse),
  dedup_sort: optional(oneOf("asc", "desc")),
  unique: optional(trueOrFalse),
  sort: optional(trueOrFalse),
  partition: optional(trueOrFalse),
  cluster: optional(trueOrFalse),
};

const columnsSchema = unionOf(
  "an object by field name, or a list",
  dictOf(closedDict<ColumnConfig>(columnFields)),
  z.array(closedDict<NamedColumnConfig>({ name: nonEmptyString, ...columnFields })),
);

const contractMode = oneOf("evolve", "freeze", "discard_row", "discard_value");

const schemaContract = unionOf(
  "evolve, freeze, discard_row or discard_value, or an object of these",
  contractMode,
  closedDict<SchemaContract>({
    tables: optional(contractMode),
    columns: optional(contractMode),
    data_type: optional(contractMode),
  }),
);

const writeDisposition = closedDictBy("disposition", [
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
      strategy: optional(oneOf("delete-insert", "upsert", "scd2", "insert-only", "cdc")),
      deduplicated: optional(trueOrFalse),
      validity_column_names: optional(listOf(nonEmptyString)),
      active_record_timestamp: optional(nonEmptyString),
      boundary_timestamp: optional(nonEmptyString),
      row_version_column_name: optional(nonEmptyString),
      skip_unchanged_rows: optional(trueOrFalse),
      source_filter: optional(nonEmptyString),
      destination_scope: optional(nonEmptyString),
    },
  ],
  ["skip", {}],
]);

const processingStep = closedDict<Record<"filter" | "map" | "yield_map", unknown>>({
  filter: anyFunction.optional(),
  map: anyFunction.optional(),
  yield_map: anyFunction.optional(),
});

const extensionFields: Fields<ResourceExtensions> = {
  allow_shrink: optional(trueOrFalse),
  write_mode: optional(oneOf("batch", "ordered")),
  on_parent_value_missing: optional(oneOf("raise", "skip")),
  on_parent_error: optional(oneOf("raise", "skip")),
  version_field: optional(nonEmptyString),
  writes: optional(oneOf("always", "compare", "fingerprints")),
  parallel_pages: optional(atLeastOne.max(8, { error: "can be 8 at most" })),
};

const resourceFields: Fields<ResourceDefaults> = {
  table_name: optional(
    unionOf(
      "a string or a function",
      stringMatching(/^[\w.-]+$/, "can have letters, digits, _ . and - only"),
      anyFunction,
    ),
  ),
  write_disposition: optional(writeDisposition),
  primary_key: optional(stringOrList),
  merge_key: optional(stringOrList),
  columns: optional(columnsSchema),
  schema_contract: optional(schemaContract),
  selected: optional(trueOrFalse),
  include_from_parent: optional(listOf(nonEmptyString)),
  processing_steps: optional(listOf(processingStep)),
  max_table_nesting: optional(atLeastZero),
  parallelized: optional(trueOrFalse),
  file_format: optional(nonEmptyString),
  table_format: optional(nonEmptyString),
  references: anyValue,
  nested_hints: anyValue,
  ...extensionFields,
  endpoint: optional(endpointSchema),
};

export const sourceName = identifier;

export const sourceConfig = closedDict<SourceConfig>({
  client: closedDict<ClientConfig>({
    base_url: baseUrl,
    headers: optional(clientHeaders),
    auth: optional(authSchema),
    paginator: optional(paginatorSchema),
    error_handler: optional(errorHandlerSchema),
    timeout: optional(anyNumber.positive({ error: "has to be above 0" })),
    max_wait: optional(
      anyNumber
        .positive({ error: "has to be above 0" })
        .max(LONGEST_WAIT_MS / 1000, { error: "can be at most 604800, a week" }),
    ),
    allowed_origins: optional(listOf(httpUrl)),
    session: anyValue,
  }),
  resource_defaults: optional(closedDict<ResourceDefaults>(resourceFields)),
  resources: listOf(closedDict<ResourceConfig>({ name: identifier, ...resourceFields })).min(1, {
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

const scheduleSchema = unionOf(
  "a string or an object",
  scheduleExpression,
  closedDict<ScheduleOptions>({
    expression: scheduleExpression,
    timezone: checkedBy(`has to be a time zone like "Europe/Berlin"`, isTimezone).optional(),
    enabled: trueOrFalse.optional(),
  }),
);

const vpcIds = (prefix: string) =>
  listOf(
    stringMatching(
      RegExp(`^${prefix}-[0-9a-f]{8,17}$`),
      `has to be an id like "${prefix}-0a1b2c3d"`,
    ),
  ).min(1, { error: "has to name at least one" });

const functionOptions = closedDict<FunctionOptions>({
  memory: wholeNumber
    .min(128, { error: "has to be at least 128" })
    .max(10_240, { error: "can be at most 10240" })
    .optional(),
  reserved_concurrency: wholeNumber
    .min(1, { error: "has to be at least 1, because with 0 the worker never runs" })
    .optional(),
  vpc: closedDict<NonNullable<FunctionOptions["vpc"]>>({
    subnets: vpcIds("subnet"),
    security_groups: vpcIds("sg"),
  }).optional(),
  sdk_writes: trueOrFalse.optional(),
});

const indexName = stringMatching(
  /^[a-zA-Z0-9_.-]{3,255}$/,
  "has to have 3 to 255 letters, digits, _ . or -",
);

const indexOptions = closedDict<IndexOptions>({
  hash: nonEmptyString,
  range: nonEmptyString.optional(),
  projection: unionOf(
    "all, keys-only or a list of fields",
    oneOf("all", "keys-only"),
    listOf(nonEmptyString).min(1, { error: "has to name at least one field" }),
  ).optional(),
});

const tableOptions = closedDict<TableOptions>({
  ttl: nonEmptyString.optional(),
  stream: oneOf("keys-only", "new-image", "old-image", "new-and-old-images").optional(),
  indexes: z
    .record(indexName, indexOptions, { error: "has to be an object by index name" })
    .refine((indexes) => Object.keys(indexes).length <= 20, { error: "can have 20 at most" })
    .optional(),
  kms_key: stringMatching(
    /^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/[\w-]+$/,
    'has to be the ARN of a key, like "arn:aws:kms:eu-central-1:111122223333:key/…"',
  ).optional(),
  max_write_units: atLeastOne.optional(),
});

export const sourceOptions = closedDict<SourceOptions>({
  schedule: scheduleSchema.optional(),
  full_refresh_schedule: scheduleSchema.optional(),
  function: functionOptions.optional(),
  table: tableOptions.optional(),
  resources: dictOf(
    closedDict<ResourceOptions>({
      columns: dictOf(closedDict<ColumnConfig>(columnFields)).optional(),
      schema_contract: schemaContract.optional(),
      table: tableOptions.optional(),
      ...extensionFields,
    }),
  ).optional(),
});
