import type { Secret } from "../secrets/reference.ts";
import type { JsonValue } from "../values/json.ts";

/*
 * The part of the vocabulary that speaks of requests: auth, endpoints, paginators. See types.ts.
 */

/**
 * A place where a secret can stand: `dlt.secrets["api_key"]`, also as a part of a text. A plain text
 * works too, in auth with a warning. Left out there, the member of the source's secret with the
 * key's own name is meant.
 *
 * `undefined` is in here because `noUncheckedIndexedAccess` adds it to `dlt.secrets["…"]`.
 */
export type Credential = Secret | string | undefined;

/** dlt's `None`: as if the key were not there. In a resource it takes a default back. */
export type None = null;

// ── Endpoints ────────────────────────────────────────────────────────────────────────────────────

export interface EndpointConfig {
  /**
   * Joined to base_url, or a whole URL. `{x}` is filled from `params`, `{resources.parent.field}`
   * from the parent's records. Default: the resource's name.
   * @example "/v1/tickets"
   */
  path?: string | None;
  /** Default: "GET". */
  method?: "GET" | "POST" | "get" | "post" | None;
  /**
   * The query. A list repeats its name; null leaves the parameter out. Default: none.
   * `{incremental.start_value}` is where this run starts; without one the parameter is left out.
   * @example { "status": "open", "fields": ["id", "subject"] }
   */
  params?: Record<string, ParamConfig> | None;
  /** A JSON body. Default: none. */
  json?: Record<string, unknown> | unknown[] | None;
  /** A form (a dict or pairs), or a text that is sent as it is. Not together with `json`. */
  data?: string | Record<string, FormValue> | [string, Credential][] | None;
  /** Over the client's headers, name by name. Default: none. */
  headers?: Record<string, Credential | None> | None;
  /**
   * How to get from page to page. Default: the client's, else what the first answer shows.
   * @example { "type": "offset", "limit": 100 }
   */
  paginator?: PaginatorName | PaginatorConfig | None;
  /**
   * Where in the answer the records are, as JSONPath. Default: the list that the first answer holds.
   * @example "data.items"
   */
  data_selector?: string | None;
  /** What to do with answers of a certain status or content, before anything is tried again. */
  response_actions?: (ResponseAction | ResponseHook)[] | None;
  /**
   * Read only what is new since the last run.
   * @example { "cursor_path": "updated_at", "start_param": "since", "initial_value": "2024-01-01" }
   */
  incremental?: IncrementalConfig | None;
  /** Instead of the client's, as a whole. */
  auth?: AuthName | AuthConfig | None;
  /** Over the client's, key by key. */
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
   * The field that grows, as JSONPath in a record.
   * @example "updated_at"
   */
  cursor_path: string;
  /** Where the first run starts, written as the API writes the cursor. Default: everything. */
  initial_value?: CursorValue | None;
  /** Read up to here only, and remember nothing (a backfill). */
  end_value?: CursorValue | None;
  /**
   * Query parameter that gets the start value.
   * @example "since"
   */
  start_param?: string | None;
  /** Query parameter that gets the end value. */
  end_param?: string | None;
  /** Default: "max". */
  last_value_func?: "max" | "min" | ((values: CursorValue[]) => CursorValue);
  /** Tells records at the boundary apart. Default: the resource's primary_key. */
  primary_key?: string | string[] | None;
  /** The order in which the API sends them, if it has one: paging can then stop early. */
  row_order?: "asc" | "desc" | None;
  /** Start this much earlier: seconds for times, days for dates, units for numbers. */
  lag?: number | None;
  /** Default: "raise". */
  on_cursor_value_missing?: "raise" | "include" | "exclude";
  /** Default: "closed". */
  range_start?: "open" | "closed";
  /** Default: "open". */
  range_end?: "open" | "closed";
  /**
   * Applied to the values that are sent: a function, or the name of one for a config that is data.
   * @example "epoch_s"
   */
  convert?: Convert;
  /** dlt's older word for `convert`. */
  transform?: Convert;
  /**
   * Reads a backfill in windows of this length, each with its own start and end: seconds for times,
   * days for dates, else units. tidetable's own key.
   */
  step?: number | None;
  /**
   * Of a child: a cursor for each record of its parent. One for all misses what is old in a parent
   * that came in late. Default: false. tidetable's own key.
   */
  per_parent?: boolean;
  /** Airflow's window in dlt. Means nothing here. */
  allow_external_schedulers?: boolean;
}

export interface ResponseAction {
  status_code?: number;
  /** A text that the body contains. */
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

/** `Authorization: Bearer <token>`. A dict without a type is this one. */
export interface BearerAuth {
  type?: "bearer";
  /** @example dlt.secrets["token"] */
  token?: Credential;
}

export interface ApiKeyAuth {
  type: "api_key";
  /** Name of the header, query parameter or cookie. Default: "Authorization". */
  name?: string;
  /** @example dlt.secrets["api_key"] */
  api_key?: Credential;
  /** Where the key travels; `param` is dlt's other word for `query`. Default: "header". */
  location?: "header" | "query" | "param" | "cookie";
}

export interface HttpBasicAuth {
  type: "http_basic";
  username?: Credential;
  /** May be an empty text. */
  password?: Credential;
}

/** A token fetched with a client id and secret, kept until it expires. */
export interface OAuth2ClientCredentialsAuth extends TokenRequest {
  type: "oauth2_client_credentials" | "oauth2";
  /** A token to begin with: used for `default_token_expiration`, or until the API refuses it. */
  access_token?: Credential;
  /** A Python session in dlt. Means nothing here. */
  session?: unknown;
}

/**
 * A token fetched with a refresh token. When the API answers with a new refresh token, the worker
 * writes that into the source's secret. tidetable's own type.
 */
export interface OAuth2RefreshTokenAuth extends TokenRequest {
  type: "oauth2_refresh_token";
  /**
   * Always a secret: its successor goes to the same place.
   * @example dlt.secrets["refresh_token"]
   */
  refresh_token?: Secret | undefined;
}

interface TokenRequest {
  /** @example "https://api.example.com/oauth/token" */
  access_token_url?: Credential;
  /** Another spelling of `access_token_url`. */
  token_url?: Credential;
  client_id?: Credential;
  /** An empty text for a public client, which has none. */
  client_secret?: Credential;
  /**
   * How the client says who it is: fields of the form, or HTTP basic authentication. Default:
   * "client_secret_post". tidetable's own key.
   */
  client_auth_method?: "client_secret_post" | "client_secret_basic";
  /** More fields of the form; they go over the others. Default: none. */
  access_token_request_data?: Record<string, Credential | number | boolean | None>;
  /** Another spelling of `access_token_request_data.scope`. */
  scope?: string;
  /** Scopes, joined by spaces. */
  scopes?: string | string[];
  /** Seconds that a token lives when the answer names no `expires_in`. Default: 3600. */
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

/** A bare type takes every default. Only `offset` needs to know its limit. */
export type PaginatorName = Exclude<PaginatorConfig["type"], "offset">;

export interface OffsetPaginator {
  type: "offset";
  /** Records per page. */
  limit: number;
  /** Where to start. Default: 0. */
  offset?: number | None;
  /** Default: "offset". */
  offset_param?: string | None;
  /** Default: "limit". */
  limit_param?: string | None;
  /** Where the answer counts all records. Default: "total" if it is there, else until an empty page. */
  total_path?: string | None;
  /** Stop before this offset. */
  maximum_offset?: number | None;
  /** Default: true. */
  stop_after_empty_page?: boolean | None;
  /** Where the answer says whether there is more. */
  has_more_path?: string | None;
  /** Put the offset into the JSON body instead. */
  offset_body_path?: string | None;
  /** Put the limit into the JSON body instead. */
  limit_body_path?: string | None;
  /**
   * So many rows of each page are asked for again with the next, to see whether rows have come or
   * gone in between. Default: a fifth of the limit, at most 5, none below a limit of 10; 0 switches it
   * off. tidetable's own key.
   */
  overlap?: number | None;
}

export interface PageNumberPaginator {
  type: "page_number";
  /** The number of the first page. Default: 0. */
  base_page?: number | None;
  /** Where to start. Default: `base_page`. */
  page?: number | None;
  /** Default: "page". */
  page_param?: string | None;
  /** Where the answer counts all pages. Default: "total". */
  total_path?: string | None;
  /** Stop before this page. */
  maximum_page?: number | None;
  /** Default: true. */
  stop_after_empty_page?: boolean | None;
  /** Where the answer says whether there is more. */
  has_more_path?: string | None;
  /** Put the page into the JSON body instead. */
  page_body_path?: string | None;
}

export interface CursorPaginator {
  type: "cursor";
  /** Where the answer has the next cursor. Default: "cursors.next". */
  cursor_path?: string | None;
  /** Default: "cursor". */
  cursor_param?: string | None;
  /** Put the cursor into the JSON body instead. */
  cursor_body_path?: string | None;
  /** Default: false. */
  stop_after_empty_page?: boolean | None;
  /** Where the answer says whether there is more. */
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
  /** `json_response` is dlt's older word. */
  type: "json_link" | "json_response";
  /** Where the answer has the next page's URL. Default: "next". */
  next_url_path?: string | None;
}

export interface HeaderLinkPaginator {
  type: "header_link";
  /** The `rel` in the Link header. Default: "next". */
  links_next_key?: string | None;
}
