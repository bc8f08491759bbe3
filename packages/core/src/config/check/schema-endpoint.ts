import * as z from "zod";
import { Secret } from "../../secrets/reference.ts";
import { converters } from "../converters.ts";
import type {
  ApiKeyAuth,
  BearerAuth,
  CursorPaginator,
  EndpointConfig,
  ErrorHandlerConfig,
  HeaderCursorPaginator,
  HeaderLinkPaginator,
  HttpBasicAuth,
  IncrementalConfig,
  JsonLinkPaginator,
  OAuth2ClientCredentialsAuth,
  OAuth2RefreshTokenAuth,
  OffsetPaginator,
  PageNumberPaginator,
  ResolveParam,
  ResponseAction,
} from "../endpoint-types.ts";
import { isDict, textOf } from "../spell.ts";
import {
  anyText,
  anything,
  byName,
  call,
  count,
  dict,
  dictBy,
  either,
  flag,
  fromOne,
  fromZero,
  isUrl,
  jsonPath,
  list,
  matching,
  number,
  oneOf,
  optional,
  path,
  scalar,
  secret,
  shape,
  text,
  texts,
  when,
} from "./schema-words.ts";

/*
 * The shapes of what speaks of requests, dict by dict as in endpoint-types.ts.
 */

// ── Auth ─────────────────────────────────────────────────────────────────────────────────────────

const isCredential = (value: unknown) => value instanceof Secret || typeof value === "string";

const credential = when(
  `has to be a secret, dlt.secrets["name"], or a text that is not empty`,
  (value) => isCredential(value) && value !== "",
).nullish();

const credentialOrEmpty = when(
  `has to be a secret, dlt.secrets["name"], or a text`,
  isCredential,
).nullish();

const tokenRequest = shape<OAuth2RefreshTokenAuth, RefreshTokenKeys>({
  access_token_url: when(
    "has to be an http or https URL without a user name or password, or a secret",
    (value) => value instanceof Secret || isUrl(value),
  ).nullish(),
  client_id: credential,
  client_secret: credentialOrEmpty,
  client_auth_method: optional(oneOf("client_secret_post", "client_secret_basic")),
  access_token_request_data: optional(
    byName(either("a secret, a text, a number, true or false", credentialOrEmpty, scalar)),
  ),
  default_token_expiration: optional(number.min(0, { error: "can not be below 0" })),
});

/** Those of its own, and those that spell.ts has put into others. */
type RefreshTokenKeys = "type" | "refresh_token" | "token_url" | "scope" | "scopes";

const authByType = dictBy("type", [
  ["bearer", shape<BearerAuth, "type">({ token: credential })],
  [
    "api_key",
    shape<ApiKeyAuth, "type">({
      name: optional(matching(/^[\w!#$%&'*+.^`|~-]+$/, "has to be a name without spaces")),
      api_key: credential,
      location: optional(oneOf("header", "query", "cookie")),
    }),
  ],
  [
    "http_basic",
    shape<HttpBasicAuth, "type">({ username: credential, password: credentialOrEmpty }),
  ],
  [
    "oauth2_client_credentials",
    shape<OAuth2ClientCredentialsAuth, "type" | "token_url" | "scope" | "scopes">({
      ...tokenRequest,
      client_secret: credential,
      access_token: credential,
      session: anything,
    }),
  ],
  [
    "oauth2_refresh_token",
    shape<OAuth2RefreshTokenAuth, "type" | "token_url" | "scope" | "scopes">({
      ...tokenRequest,
      refresh_token: when(
        `has to be a secret, dlt.secrets["name"], for its successor goes to the same place`,
        (value) => value instanceof Secret && value.name !== undefined,
      ).nullish(),
    }),
  ],
]);

/** In dlt these are Python classes. */
export const auth = z
  .unknown()
  .check(({ value, issues }) => {
    const type = isDict(value) ? textOf(value.type) : "";
    if (!/jwt|custom|digest|oauth_?1/i.test(type)) return;
    issues.push({
      code: "custom",
      path: ["type"],
      message: "is a way to sign requests that is code in Python, and none of tidetable's",
      params: { hint: "bearer, api_key, http_basic and the two of OAuth2 are there" },
      input: value,
    });
  })
  .pipe(authByType);

// ── Paginators ───────────────────────────────────────────────────────────────────────────────────

export const paginator = dictBy("type", [
  ["auto", {}],
  ["single_page", {}],
  [
    "offset",
    shape<OffsetPaginator, "type">({
      limit: fromOne,
      offset: optional(fromZero),
      offset_param: optional(text),
      limit_param: optional(text),
      total_path: optional(jsonPath),
      maximum_offset: optional(fromZero),
      stop_after_empty_page: optional(flag),
      has_more_path: optional(jsonPath),
      offset_body_path: optional(text),
      limit_body_path: optional(text),
      overlap: optional(fromZero),
    }),
  ],
  [
    "page_number",
    shape<PageNumberPaginator, "type">({
      base_page: optional(fromZero),
      page: optional(fromZero),
      page_param: optional(text),
      total_path: optional(jsonPath),
      maximum_page: optional(fromZero),
      stop_after_empty_page: optional(flag),
      has_more_path: optional(jsonPath),
      page_body_path: optional(text),
    }),
  ],
  [
    "cursor",
    shape<CursorPaginator, "type">({
      cursor_path: optional(jsonPath),
      cursor_param: optional(text),
      cursor_body_path: optional(text),
      stop_after_empty_page: optional(flag),
      has_more_path: optional(jsonPath),
    }),
  ],
  [
    "header_cursor",
    shape<HeaderCursorPaginator, "type">({
      cursor_key: optional(text),
      cursor_param: optional(text),
    }),
  ],
  ["json_link", shape<JsonLinkPaginator, "type">({ next_url_path: optional(jsonPath) })],
  ["header_link", shape<HeaderLinkPaginator, "type">({ links_next_key: optional(text) })],
]);

// ── Endpoints ────────────────────────────────────────────────────────────────────────────────────

export const errorHandler = dict<ErrorHandlerConfig>({
  retry_on_status_codes: optional(
    list(
      count
        .min(400, { error: "has to be a status from 400 to 599" })
        .max(599, { error: "has to be a status from 400 to 599" }),
    ),
  ),
  max_retries: optional(fromZero),
  backoff_factor: optional(number.min(0, { error: "can not be below 0" })),
});

const cursorValue = either("a text or a number", text, number);

const convert = either(
  `a function or "${Object.keys(converters).join('", "')}"`,
  z.enum(Object.keys(converters)),
  call,
);

const incremental = shape<IncrementalConfig, "start_param" | "end_param">({
  cursor_path: jsonPath,
  initial_value: optional(cursorValue),
  end_value: optional(cursorValue),
  last_value_func: optional(either(`"max", "min" or a function`, z.enum(["max", "min"]), call)),
  primary_key: optional(texts),
  row_order: optional(oneOf("asc", "desc")),
  lag: optional(number.min(0, { error: "can not be below 0" })),
  on_cursor_value_missing: optional(oneOf("raise", "include", "exclude")),
  range_start: optional(oneOf("open", "closed")),
  range_end: optional(oneOf("open", "closed")),
  convert: optional(convert),
  transform: optional(convert),
  step: optional(number.gt(0, { error: "has to be above 0" })),
  per_parent: optional(flag),
  allow_external_schedulers: optional(flag),
});

const param = either(
  "a text, a number, true, false or a list of these",
  z.null(),
  secret,
  scalar,
  z.array(optional(either("a text, a number, true or false", scalar, secret))),
  dictBy("type", [
    ["resolve", shape<ResolveParam, "type">({ resource: text, field: text })],
    ["incremental", incremental],
  ]),
);

const headersBy = (name: RegExp) =>
  z.record(
    matching(name, "has to be the name of a header"),
    either(
      "a text in one line",
      z.null(),
      secret,
      matching(
        /^[\t\x20-\x7e\x80-\xff]*$/,
        "has to be a text in one line, without control characters",
      ),
    ),
    { error: "has to be an object" },
  );

export const headers = headersBy(/^[\w!#$%&'*+.^`|~-]+$/);

/** An endpoint's are filled in, their names, too. */
const filledHeaders = headersBy(/^([\w!#$%&'*+.^`|~-]|\{[^{}\s]+\})+$/);

const responseAction = either(
  "an object or a function",
  call,
  dict<ResponseAction>({
    status_code: optional(count),
    content: optional(text),
    action: either(
      `"ignore", a function or a list of functions`,
      z.literal("ignore"),
      call,
      list(call),
    ),
  }),
);

const formValue = either(
  "a text, a number, true, false or a list of these",
  z.null(),
  secret,
  scalar,
  z.array(scalar),
);

const pair = z.tuple([anyText, either("a text", anyText, secret)], {
  error: "has to be a pair of texts",
});

export const endpoint = dict<EndpointConfig>({
  path: optional(path),
  method: optional(oneOf("GET", "POST")),
  params: optional(byName(param)),
  json: optional(either("an object or a list", byName(anything), z.array(anything))),
  data: optional(
    either("a text, an object or a list of pairs", anyText, byName(formValue), z.array(pair)),
  ),
  headers: optional(filledHeaders),
  paginator: optional(paginator),
  data_selector: optional(jsonPath),
  response_actions: optional(list(responseAction)),
  incremental: optional(
    dict<IncrementalConfig>({
      ...incremental,
      start_param: optional(text),
      end_param: optional(text),
    }),
  ),
  auth: optional(auth),
  error_handler: optional(errorHandler),
});
