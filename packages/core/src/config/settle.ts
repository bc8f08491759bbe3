import { type Dict, isDict, stringOrEmpty } from "./dict.ts";
import type {
  ApiKeyAuth,
  BearerAuth,
  EndpointConfig,
  ErrorHandlerConfig,
  HttpBasicAuth,
  OAuth2ClientCredentialsAuth,
  OAuth2RefreshTokenAuth,
  PaginatorConfig,
} from "./endpoint-types.ts";
import { isSingleEntity } from "./paginators.ts";
import { expandShorthands } from "./shorthands.ts";
import type { Source } from "./source.ts";
import type {
  ClientConfig,
  ColumnConfig,
  ResourceConfig,
  ResourceExtensions,
  TableOptions,
  WriteDispositionConfig,
} from "./types.ts";

/** A config in which each resource is complete without defaults and options, and nulls are gone. */
export interface SettledSource {
  client: SettledClient;
  resources: SettledResource[];
}

export type SettledClient = WithoutNulls<
  Pick<ClientConfig, "base_url" | "headers" | "timeout" | "max_wait" | "allowed_origins">
>;

export type SettledResource = WithoutNulls<
  Pick<
    ResourceConfig,
    | "name"
    | "table_name"
    | "selected"
    | "include_from_parent"
    | "processing_steps"
    | "schema_contract"
  > &
    ResourceExtensions
> & {
  write_disposition?: WriteDispositionConfig;
  primary_key: string[];
  columns: Record<string, ColumnConfig>;
  table: TableOptions;
  endpoint: SettledEndpoint;
};

export type SettledEndpoint = WithoutNulls<
  Pick<
    EndpointConfig,
    "params" | "json" | "data" | "headers" | "data_selector" | "incremental" | "response_actions"
  >
> & {
  path: string;
  method?: "GET" | "POST";
  auth?: SettledAuth;
  paginator?: PaginatorConfig;
  error_handler?: WithoutNulls<ErrorHandlerConfig>;
};

export type SettledAuth =
  | WithType<BearerAuth, "bearer">
  | ApiKeyAuth
  | HttpBasicAuth
  | WithType<OAuth2ClientCredentialsAuth, "oauth2_client_credentials">
  | OAuth2RefreshTokenAuth;

type WithType<T, Type extends string> = Omit<T, "type"> & { type: Type };

type WithoutNulls<T> = { [K in keyof T]: Exclude<T[K], null> };

/**
 * Merges the client, resource_defaults and the options into each resource, by dlt's rules. A config
 * with problems is settled as far as possible: the checks after this one report the problems, so a
 * settled source has the declared types only after `validate` has found none.
 */
export function settleSource({ config, options }: Source): SettledSource {
  const expanded = dictOrEmpty(expandShorthands(config).config);
  const client = dictOrEmpty(expanded.client);
  const defaults = dictOrEmpty(expanded.resource_defaults);
  const resources = Array.isArray(expanded.resources) ? expanded.resources : [];
  const settled = {
    client: dropNulls(client),
    resources: resources.map(dictOrEmpty).map((written) => {
      const resourceOptions = dictOrEmpty(
        dictOrEmpty(options.resources)[stringOrEmpty(written.name)],
      );
      const table = { ...dictOrEmpty(options.table), ...dictOrEmpty(resourceOptions.table) };
      return settleResource(written, { client, defaults, options: { ...resourceOptions, table } });
    }),
  };
  return settled as unknown as SettledSource;
}

interface Layers {
  client: Dict;
  defaults: Dict;
  options: Dict;
}

function settleResource(written: Dict, { client, defaults, options }: Layers): Dict {
  const merged = dropNulls({ ...defaults, ...written, ...options });
  const columns = [defaults.columns, written.columns, options.columns].reduce(mergeColumns, {});
  const primaryKey = asList(merged.primary_key);
  return {
    ...merged,
    primary_key: [
      ...primaryKey,
      ...keyColumns(columns).filter((name) => !primaryKey.includes(name)),
    ],
    columns,
    endpoint: settleEndpoint(
      client,
      written.endpoint === null ? {} : dictOrEmpty(defaults.endpoint),
      {
        ...dictOrEmpty(written.endpoint),
        // As in dlt, a path in resource_defaults never applies: the name is the default path.
        path: dictOrEmpty(written.endpoint).path ?? written.name,
      },
    ),
  };
}

/** A hint in `columns` is dlt's second way to name a key. */
const keyColumns = (columns: Dict): string[] =>
  Object.entries(columns).flatMap(([name, hints]) =>
    isDict(hints) && hints.primary_key === true ? name : [],
  );

function settleEndpoint(client: Dict, defaults: Dict, written: Dict): Dict {
  const merged: Dict = { ...defaults, ...written };
  for (const key of ["params", "json", "error_handler"]) {
    merged[key] = mergeDicts(defaults[key], written[key]);
  }
  const { auth, paginator, error_handler, params } = merged;
  const isEntity = isSingleEntity(merged.path, params);
  const errorHandler = mergeDicts(client.error_handler, error_handler ?? undefined);
  return dropNulls({
    ...merged,
    params: params && dropNulls(dictOrEmpty(params)),
    // As in dlt, null switches the client's auth off.
    auth: settleOptions(auth === undefined ? client.auth : auth),
    paginator: settleOptions(paginator ?? (isEntity ? { type: "single_page" } : client.paginator)),
    data_selector: merged.data_selector ?? (isEntity ? "$" : undefined),
    error_handler: dropNulls(dictOrEmpty(errorHandler)),
  });
}

// `total_path: null` is the only null with a meaning of its own: do not look for a total.
function settleOptions(value: unknown): unknown {
  if (!isDict(value)) return value;
  const options = dropNulls(value);
  return value.total_path === null ? { ...options, total_path: null } : options;
}

function mergeDicts(lower: unknown, upper: unknown): unknown {
  if (upper === undefined) return lower;
  return isDict(lower) && isDict(upper) ? { ...lower, ...upper } : upper;
}

function mergeColumns(lower: Dict, upper: unknown): Dict {
  if (upper === null) return {};
  const columns = { ...lower };
  for (const [name, hints] of columnEntries(upper)) columns[name] = mergeDicts(lower[name], hints);
  return columns;
}

function columnEntries(columns: unknown): [string, unknown][] {
  if (isDict(columns)) return Object.entries(columns);
  return asList(columns)
    .filter(isDict)
    .map(({ name, ...hints }) => [stringOrEmpty(name), hints]);
}

const dictOrEmpty = (value: unknown): Dict => (isDict(value) ? value : {});

const asList = (value: unknown): unknown[] =>
  Array.isArray(value) ? value : value == null ? [] : [value];

const dropNulls = (dict: Dict): Dict =>
  Object.fromEntries(Object.entries(dict).filter(([, value]) => value != null));
