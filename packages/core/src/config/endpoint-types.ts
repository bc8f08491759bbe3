import type { Secret } from "../secrets/reference.ts";
import type { JsonValue } from "../values/json.ts";

/*
 * The part of dlt's vocabulary that is about requests: auth, endpoints and paginators. See
 * types.ts.
 */

/**
 * A secret such as `dlt.secrets["api_key"]`, alone or as a part of a string. A plain string works
 * too, in auth with a warning. A credential that is left out in auth is the member of the source's
 * secret with the key's name.
 *
 * TypeScript's `noUncheckedIndexedAccess` adds `undefined` to `dlt.secrets["…"]`.
 */
export type Credential = Secret | string | undefined;

/** dlt's `None`: the same as leaving the key out. A null in a resource removes the default. */
export type None = null;

// ── Endpoints ────────────────────────────────────────────────────────────────────────────────────

export interface EndpointConfig {
  /**
   * A path that is joined to base_url, or a whole URL. `{x}` is filled from `params`, and
   * `{resources.parent.field}` from the parent's records. Default: the resource's name.
   * @example "/v1/tickets"
   */
  path?: string | None;
  /** Default: "GET". */
  method?: "GET" | "POST" | "get" | "post" | None;
  /**
   * The query. A list repeats its name, and null leaves the parameter out. Default: none.
   * `{incremental.start_value}` is the start of this run; a first run without one leaves the
   * parameter out.
   * @example { "status": "open", "fields": ["id", "subject"] }
   */
  params?: Record<string, ParamConfig> | None;
  /** A JSON body. Default: none. */
  json?: Record<string, unknown> | unknown[] | None;
  /** A form (a dict or pairs), or a string that is sent as it is. Not together with `json`. */
  data?: string | Record<string, FormValue> | [string, Credential][] | None;
  /** Headers that replace the client's, name by name. Default: none. */
  headers?: Record<string, Credential | None> | None;
  /**
   * The way from page to page. Default: the client's, otherwise the first answer shows it.
   * @example { "type": "offset", "limit": 100 }
   */
  paginator?: PaginatorName | PaginatorConfig | None;
  /**
   * The JSONPath of the records in the answer. Default: the list that the first answer holds.
   * @example "data.items"
   */
  data_selector?: string | None;
  /** Actions on answers of a certain status or content. They run before a retry. */
  response_actions?: (ResponseAction | ResponseHook)[] | None;
  /**
   * Reads only records that are new since the last run.
   * @example { "cursor_path": "updated_at", "start_param": "since", "initial_value": "2024-01-01" }
   */
  incremental?: IncrementalConfig | None;
  /** Replaces the client's auth as a whole. */
  auth?: AuthName | AuthConfig | None;
  /** Replaces the client's, key by key. */
  error_handler?: ErrorHandlerConfig | None;
}

export type Scalar = string | number | boolean;

export type FormValue = Scalar | Scalar[] | None | Credential;

export type ParamConfig =
  | Scalar
  | Credential
  | (Scalar | Credential | None)[]
  | None
  | ResolveParam
  | IncrementalParam;

/** Fills `{name}` in the path with a field of each record of another resource. */
export interface ResolveParam {
  type: "resolve";
  resource: string;
  field: string;
}

/** Sends the incremental cursor as this parameter. */
export interface IncrementalParam extends Omit<IncrementalConfig, "start_param" | "end_param"> {
  type: "incremental";
}

export interface ErrorHandlerConfig {
  /** Replaces the default list: [429, 500, 502, 503, 504]. */
  retry_on_status_codes?: number[] | None;
  /** Retries after the first attempt: 3 allows 4 requests. Default: 3. */
  max_retries?: number | None;
  /** The delay before retry n is `backoff_factor × 2^(n−1)` seconds. Default: 2. */
  backoff_factor?: number | None;
}

export type CursorValue = string | number;

export type Convert =
  | "epoch_s"
  | "epoch_ms"
  | "iso_date"
  | "iso_datetime"
  | ((value: CursorValue) => CursorValue);

export interface IncrementalConfig {
  /**
   * The JSONPath of the field that grows, in a record.
   * @example "updated_at"
   */
  cursor_path: string;
  /** The start of the first run, written as the API writes the cursor. Default: everything. */
  initial_value?: CursorValue | None;
  /** Makes the run a backfill: it reads up to this value and stores no cursor. */
  end_value?: CursorValue | None;
  /**
   * The query parameter that gets the start value.
   * @example "since"
   */
  start_param?: string | None;
  /** The query parameter that gets the end value. */
  end_param?: string | None;
  /** Decides which of two cursors is further. Default: "max". */
  last_value_func?: "max" | "min" | ((values: CursorValue[]) => CursorValue);
  /**
   * Identifies records at the start that are stored already. Default: the resource's primary_key.
   */
  primary_key?: string | string[] | None;
  /** The order in which the API sends records, if any. Paging can stop early in such an order. */
  row_order?: "asc" | "desc" | None;
  /** Starts this much earlier: seconds for times, days for dates, units for numbers. */
  lag?: number | None;
  /** Decides about a record without a cursor. Default: "raise". */
  on_cursor_value_missing?: "raise" | "include" | "exclude";
  /** "closed" keeps records at the start, "open" drops them. Default: "closed". */
  range_start?: "open" | "closed";
  /** "open" drops records at the end, "closed" keeps them. Default: "open". */
  range_end?: "open" | "closed";
  /**
   * Applied to the values that are sent: a function, or a name for a config that is JSON.
   * @example "epoch_s"
   */
  convert?: Convert;
  /** dlt's older name of `convert`. */
  transform?: Convert;
  /**
   * Reads a backfill in windows of this length, each with its own start and end: seconds for times,
   * days for dates, otherwise units. tidetable's own key.
   */
  step?: number | None;
  /**
   * Gives a child a cursor for each record of its parent. A single cursor misses the old records of
   * a parent that was added late. Default: false. tidetable's own key.
   */
  per_parent?: boolean;
  /** In dlt Airflow's window. No effect here. */
  allow_external_schedulers?: boolean;
}

export interface ResponseAction {
  status_code?: number;
  /** A string that the body contains. */
  content?: string;
  action: "ignore" | ResponseHook | ResponseHook[];
}

export type ResponseHook = (response: {
  status: number;
  headers: Record<string, string>;
  body: JsonValue;
}) => unknown;

// ── Auth ─────────────────────────────────────────────────────────────────────────────────────────

export type AuthConfig =
  | BearerAuth
  | ApiKeyAuth
  | HttpBasicAuth
  | OAuth2ClientCredentialsAuth
  | OAuth2RefreshTokenAuth;

/** A bare type takes every field from the source's secret: `"auth": "bearer"`. */
export type AuthName = NonNullable<AuthConfig["type"]>;

/** `Authorization: Bearer <token>`. It is the default type of a dict. */
export interface BearerAuth {
  type?: "bearer";
  /** @example dlt.secrets["token"] */
  token?: Credential;
}

export interface ApiKeyAuth {
  type: "api_key";
  /** The name of the header, query parameter or cookie. Default: "Authorization". */
  name?: string;
  /** @example dlt.secrets["api_key"] */
  api_key?: Credential;
  /** The place of the key in a request. `param` is dlt's alias of `query`. Default: "header". */
  location?: "header" | "query" | "param" | "cookie";
}

export interface HttpBasicAuth {
  type: "http_basic";
  username?: Credential;
  /** May be an empty string. */
  password?: Credential;
}

/** Fetches a token with a client id and secret, and keeps it until it expires. */
export interface OAuth2ClientCredentialsAuth extends TokenRequest {
  type: "oauth2_client_credentials" | "oauth2";
  /** A first token: used for `default_token_expiration`, or until the API refuses it. */
  access_token?: Credential;
  /** In dlt a Python session. No effect here. */
  session?: unknown;
}

/**
 * Fetches a token with a refresh token. When the API answers with a new refresh token, the worker
 * writes it into the source's secret. tidetable's own type.
 */
export interface OAuth2RefreshTokenAuth extends TokenRequest {
  type: "oauth2_refresh_token";
  /**
   * Always a secret, because a new refresh token is written to the same place.
   * @example dlt.secrets["refresh_token"]
   */
  refresh_token?: Secret | undefined;
}

interface TokenRequest {
  /** @example "https://api.example.com/oauth/token" */
  access_token_url?: Credential;
  /** Alias of `access_token_url`. */
  token_url?: Credential;
  client_id?: Credential;
  /** An empty string for a public client, which has no secret. */
  client_secret?: Credential;
  /**
   * Sends the client's id and secret as fields of the form, or by HTTP basic authentication.
   * Default: "client_secret_post". tidetable's own key.
   */
  client_auth_method?: "client_secret_post" | "client_secret_basic";
  /** Additional fields of the form. They replace fields of the same name. Default: none. */
  access_token_request_data?: Record<string, Credential | number | boolean | None>;
  /** Alias of `access_token_request_data.scope`. */
  scope?: string;
  /** Scopes, joined by spaces. */
  scopes?: string | string[];
  /** Seconds until a token expires when the answer has no `expires_in`. Default: 3600. */
  default_token_expiration?: number;
}

// ── Paginators ───────────────────────────────────────────────────────────────────────────────────

export type PaginatorConfig =
  | { type: "auto" }
  | { type: "single_page" }
  | OffsetPaginator
  | PageNumberPaginator
  | CursorPaginator
  | HeaderCursorPaginator
  | JsonLinkPaginator
  | HeaderLinkPaginator;

/** A bare type takes every default. `offset` cannot stand alone, because it needs a limit. */
export type PaginatorName = Exclude<PaginatorConfig["type"], "offset">;

export interface OffsetPaginator {
  type: "offset";
  /** Records per page. */
  limit: number;
  /** The first offset. Default: 0. */
  offset?: number | None;
  /** Default: "offset". */
  offset_param?: string | None;
  /** Default: "limit". */
  limit_param?: string | None;
  /** The path of the total count of records in the answer. Default: "total", if present. */
  total_path?: string | None;
  /** Stops before this offset. */
  maximum_offset?: number | None;
  /** Default: true. */
  stop_after_empty_page?: boolean | None;
  /** The path of the answer's flag for more pages. */
  has_more_path?: string | None;
  /** Puts the offset into the JSON body instead. */
  offset_body_path?: string | None;
  /** Puts the limit into the JSON body instead. */
  limit_body_path?: string | None;
  /**
   * The number of rows of a page that are requested again with the next page, to see whether rows
   * have come or gone in between. Default: a fifth of the limit, at most 5, and none below a limit
   * of 10. 0 disables it. tidetable's own key.
   */
  overlap?: number | None;
}

export interface PageNumberPaginator {
  type: "page_number";
  /** The number of the first page. Default: 0. */
  base_page?: number | None;
  /** The first page to read. Default: `base_page`. */
  page?: number | None;
  /** Default: "page". */
  page_param?: string | None;
  /** The path of the total count of pages in the answer. Default: "total", if present. */
  total_path?: string | None;
  /** Stops before this page. */
  maximum_page?: number | None;
  /** Default: true. */
  stop_after_empty_page?: boolean | None;
  /** The path of the answer's flag for more pages. */
  has_more_path?: string | None;
  /** Puts the page into the JSON body instead. */
  page_body_path?: string | None;
}

export interface CursorPaginator {
  type: "cursor";
  /** The path of the next cursor in the answer. Default: "cursors.next". */
  cursor_path?: string | None;
  /** Default: "cursor". */
  cursor_param?: string | None;
  /** Puts the cursor into the JSON body instead. */
  cursor_body_path?: string | None;
  /** Default: false. */
  stop_after_empty_page?: boolean | None;
  /** The path of the answer's flag for more pages. */
  has_more_path?: string | None;
}

export interface HeaderCursorPaginator {
  type: "header_cursor";
  /** The response header with the next cursor. Default: "next". */
  cursor_key?: string | None;
  /** Default: "cursor". */
  cursor_param?: string | None;
}

export interface JsonLinkPaginator {
  /** `json_response` is dlt's older name. */
  type: "json_link" | "json_response";
  /** The path of the next page's URL in the answer. Default: "next". */
  next_url_path?: string | None;
}

export interface HeaderLinkPaginator {
  type: "header_link";
  /** The `rel` in the Link header. Default: "next". */
  links_next_key?: string | None;
}
