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
import type { Source } from "./source.ts";
import { type Dict, isDict, spell, textOf } from "./spell.ts";
import type {
  ClientConfig,
  ColumnConfig,
  ResourceConfig,
  ResourceExtensions,
  TableOptions,
  WriteDispositionConfig,
} from "./types.ts";

/** A config in which each resource says everything itself, and null is gone. */
export interface Settled {
  client: SettledClient;
  resources: SettledResource[];
}

export type SettledClient = Some<
  Pick<ClientConfig, "base_url" | "headers" | "timeout" | "allowed_origins">
>;

export type SettledResource = Some<
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

export type SettledEndpoint = Some<
  Pick<
    EndpointConfig,
    "params" | "json" | "data" | "headers" | "data_selector" | "incremental" | "response_actions"
  >
> & {
  path: string;
  method?: "GET" | "POST";
  auth?: SettledAuth;
  paginator?: PaginatorConfig;
  error_handler?: Some<ErrorHandlerConfig>;
};

export type SettledAuth =
  | Typed<BearerAuth, "bearer">
  | ApiKeyAuth
  | HttpBasicAuth
  | Typed<OAuth2ClientCredentialsAuth, "oauth2_client_credentials">
  | OAuth2RefreshTokenAuth;

type Typed<T, Type extends string> = Omit<T, "type"> & { type: Type };

type Some<T> = { [K in keyof T]: Exclude<T[K], null> };

/**
 * Merges what is said once for all into each resource, by dlt's rules. Assumes nothing: of a config
 * with problems it settles what can be, so that the checks behind it find the rest of them.
 */
export function settle({ config, options }: Source): Settled {
  const { client, resource_defaults, resources } = dict(spell(config).config);
  const settled = {
    client: withoutNulls(dict(client)),
    resources: (Array.isArray(resources) ? resources : []).map((one) => {
      const own = dict(one);
      const more = dict(dict(options.resources)[textOf(own.name)]);
      const table = { ...dict(options.table), ...dict(more.table) };
      return settleResource(dict(client), dict(resource_defaults), own, { ...more, table });
    }),
  };
  return settled as unknown as Settled;
}

function settleResource(client: Dict, defaults: Dict, own: Dict, options: Dict): Dict {
  const merged = withoutNulls({ ...defaults, ...own, ...options });
  const columns = [defaults.columns, own.columns, options.columns].reduce(mergeColumns, {});
  const named = list(merged.primary_key);
  return {
    ...merged,
    primary_key: [...named, ...keyColumns(columns).filter((name) => !named.includes(name))],
    columns,
    endpoint: settleEndpoint(client, own.endpoint === null ? {} : dict(defaults.endpoint), {
      ...dict(own.endpoint),
      // As in dlt: without a path it is the name, whatever resource_defaults say.
      path: dict(own.endpoint).path ?? own.name,
    }),
  };
}

/** dlt's other way to name a key. */
const keyColumns = (columns: Dict): string[] =>
  Object.entries(columns).flatMap(([name, hints]) =>
    isDict(hints) && hints.primary_key === true ? name : [],
  );

function settleEndpoint(client: Dict, defaults: Dict, own: Dict): Dict {
  const merged: Dict = { ...defaults, ...own };
  for (const key of ["params", "json", "error_handler"]) {
    merged[key] = mergeDict(defaults[key], own[key]);
  }
  const { auth, paginator, error_handler, params } = merged;
  const single = isSingleEntity(merged.path, params);
  return withoutNulls({
    ...merged,
    params: params && withoutNulls(dict(params)),
    // As in dlt, null is no auth, whatever the client says.
    auth: settleOptions(auth === undefined ? client.auth : auth),
    paginator: settleOptions(paginator ?? (single ? { type: "single_page" } : client.paginator)),
    data_selector: merged.data_selector ?? (single ? "$" : undefined),
    error_handler: withoutNulls(dict(mergeDict(client.error_handler, error_handler ?? undefined))),
  });
}

// `total_path: null` is the one null with a meaning of its own: do not look for a total.
function settleOptions(value: unknown): unknown {
  if (!isDict(value)) return value;
  const options = withoutNulls(value);
  return value.total_path === null ? { ...options, total_path: null } : options;
}

function mergeDict(under: unknown, over: unknown): unknown {
  if (over === undefined) return under;
  return isDict(under) && isDict(over) ? { ...under, ...over } : over;
}

function mergeColumns(under: Dict, over: unknown): Dict {
  if (over === null) return {};
  const columns = { ...under };
  for (const [name, hints] of columnEntries(over)) columns[name] = mergeDict(under[name], hints);
  return columns;
}

function columnEntries(columns: unknown): [string, unknown][] {
  if (isDict(columns)) return Object.entries(columns);
  return list(columns)
    .filter(isDict)
    .map(({ name, ...hints }) => [textOf(name), hints]);
}

const dict = (value: unknown): Dict => (isDict(value) ? value : {});

const list = (value: unknown): unknown[] =>
  Array.isArray(value) ? value : value == null ? [] : [value];

const withoutNulls = (value: Dict): Dict =>
  Object.fromEntries(Object.entries(value).filter(([, member]) => member != null));
