import * as z from "zod";
import { Secret } from "../../secrets/reference.ts";
import { converters } from "../converters.ts";
import { isDict, stringOrEmpty } from "../dict.ts";
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
import {
  anyFunction,
  anyNumber,
  anyScalar,
  anySecret,
  anyString,
  anyValue,
  atLeastOne,
  atLeastZero,
  checkedBy,
  closedDict,
  closedDictBy,
  dictOf,
  fieldsWithout,
  isHttpUrl,
  listOf,
  nonEmptyString,
  oneOf,
  optional,
  pathString,
  stringMatching,
  stringOrList,
  trueOrFalse,
  unionOf,
  urlOrPath,
  wholeNumber,
} from "./schema-words.ts";

/*
 * The schemas of auth, paginators and endpoints, dict by dict as in endpoint-types.ts.
 */

// ── Auth ─────────────────────────────────────────────────────────────────────────────────────────

const isCredential = (value: unknown) => value instanceof Secret || typeof value === "string";

const credential = checkedBy(
  `has to be a secret, dlt.secrets["name"], or a string that is not empty`,
  (value) => isCredential(value) && value !== "",
).nullish();

const credentialOrEmpty = checkedBy(
  `has to be a secret, dlt.secrets["name"], or a string`,
  isCredential,
).nullish();

const tokenFields = fieldsWithout<OAuth2RefreshTokenAuth, RefreshTokenKeys>({
  access_token_url: checkedBy(
    "has to be an http or https URL without a user name or password, or a secret",
    (value) => value instanceof Secret || isHttpUrl(value),
  ).nullish(),
  client_id: credential,
  client_secret: credentialOrEmpty,
  client_auth_method: optional(oneOf("client_secret_post", "client_secret_basic")),
  access_token_request_data: optional(
    dictOf(unionOf("a secret, a string, a number, true or false", credentialOrEmpty, anyScalar)),
  ),
  default_token_expiration: optional(anyNumber.min(0, { error: "cannot be below 0" })),
});

/** The keys of that type alone, and the aliases that shorthands.ts has replaced. */
type RefreshTokenKeys = "type" | "refresh_token" | "token_url" | "scope" | "scopes";

const authByType = closedDictBy("type", [
  ["bearer", fieldsWithout<BearerAuth, "type">({ token: credential })],
  [
    "api_key",
    fieldsWithout<ApiKeyAuth, "type">({
      name: optional(stringMatching(/^[\w!#$%&'*+.^`|~-]+$/, "has to be a name without spaces")),
      api_key: credential,
      location: optional(oneOf("header", "query", "cookie")),
    }),
  ],
  [
    "http_basic",
    fieldsWithout<HttpBasicAuth, "type">({ username: credential, password: credentialOrEmpty }),
  ],
  [
    "oauth2_client_credentials",
    fieldsWithout<OAuth2ClientCredentialsAuth, "type" | "token_url" | "scope" | "scopes">({
      ...tokenFields,
      client_secret: credential,
      access_token: credential,
      session: anyValue,
    }),
  ],
  [
    "oauth2_refresh_token",
    fieldsWithout<OAuth2RefreshTokenAuth, "type" | "token_url" | "scope" | "scopes">({
      ...tokenFields,
      refresh_token: checkedBy(
        `has to be a secret, dlt.secrets["name"], because a new token is written to the same place`,
        (value) => value instanceof Secret && value.name !== undefined,
      ).nullish(),
    }),
  ],
]);

/** dlt has Python classes for signed requests; their names get a message of their own. */
export const authSchema = z
  .unknown()
  .check(({ value, issues }) => {
    const type = isDict(value) ? stringOrEmpty(value.type) : "";
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

export const paginatorSchema = closedDictBy("type", [
  ["auto", {}],
  ["single_page", {}],
  [
    "offset",
    fieldsWithout<OffsetPaginator, "type">({
      limit: atLeastOne,
      offset: optional(atLeastZero),
      offset_param: optional(nonEmptyString),
      limit_param: optional(nonEmptyString),
      total_path: optional(pathString),
      maximum_offset: optional(atLeastZero),
      stop_after_empty_page: optional(trueOrFalse),
      has_more_path: optional(pathString),
      offset_body_path: optional(nonEmptyString),
      limit_body_path: optional(nonEmptyString),
      overlap: optional(atLeastZero),
    }),
  ],
  [
    "page_number",
    fieldsWithout<PageNumberPaginator, "type">({
      base_page: optional(atLeastZero),
      page: optional(atLeastZero),
      page_param: optional(nonEmptyString),
      total_path: optional(pathString),
      maximum_page: optional(atLeastZero),
      stop_after_empty_page: optional(trueOrFalse),
      has_more_path: optional(pathString),
      page_body_path: optional(nonEmptyString),
    }),
  ],
  [
    "cursor",
    fieldsWithout<CursorPaginator, "type">({
      cursor_path: optional(pathString),
      cursor_param: optional(nonEmptyString),
      cursor_body_path: optional(nonEmptyString),
      stop_after_empty_page: optional(trueOrFalse),
      has_more_path: optional(pathString),
    }),
  ],
  [
    "header_cursor",
    fieldsWithout<HeaderCursorPaginator, "type">({
      cursor_key: optional(nonEmptyString),
      cursor_param: optional(nonEmptyString),
    }),
  ],
  ["json_link", fieldsWithout<JsonLinkPaginator, "type">({ next_url_path: optional(pathString) })],
  [
    "header_link",
    fieldsWithout<HeaderLinkPaginator, "type">({ links_next_key: optional(nonEmptyString) }),
  ],
]);

// ── Endpoints ────────────────────────────────────────────────────────────────────────────────────

export const errorHandlerSchema = closedDict<ErrorHandlerConfig>({
  retry_on_status_codes: optional(
    listOf(
      wholeNumber
        .min(400, { error: "has to be a status from 400 to 599" })
        .max(599, { error: "has to be a status from 400 to 599" }),
    ),
  ),
  max_retries: optional(atLeastZero),
  backoff_factor: optional(anyNumber.min(0, { error: "cannot be below 0" })),
});

const cursorValue = unionOf("a string or a number", nonEmptyString, anyNumber);

const converter = unionOf(
  `a function or "${Object.keys(converters).join('", "')}"`,
  z.enum(Object.keys(converters)),
  anyFunction,
);

const incrementalFields = fieldsWithout<IncrementalConfig, "start_param" | "end_param">({
  cursor_path: pathString,
  initial_value: optional(cursorValue),
  end_value: optional(cursorValue),
  last_value_func: optional(
    unionOf(`"max", "min" or a function`, z.enum(["max", "min"]), anyFunction),
  ),
  primary_key: optional(stringOrList),
  row_order: optional(oneOf("asc", "desc")),
  lag: optional(anyNumber.min(0, { error: "cannot be below 0" })),
  on_cursor_value_missing: optional(oneOf("raise", "include", "exclude")),
  range_start: optional(oneOf("open", "closed")),
  range_end: optional(oneOf("open", "closed")),
  convert: optional(converter),
  transform: optional(converter),
  step: optional(anyNumber.gt(0, { error: "has to be above 0" })),
  per_parent: optional(trueOrFalse),
  allow_external_schedulers: optional(trueOrFalse),
});

const paramSchema = unionOf(
  "a string, a number, true, false or a list of these",
  z.null(),
  anySecret,
  anyScalar,
  z.array(optional(unionOf("a string, a number, true or false", anyScalar, anySecret))),
  closedDictBy("type", [
    [
      "resolve",
      fieldsWithout<ResolveParam, "type">({ resource: nonEmptyString, field: nonEmptyString }),
    ],
    ["incremental", incrementalFields],
  ]),
);

const headersBy = (name: RegExp) =>
  z.record(
    stringMatching(name, "has to be the name of a header"),
    unionOf(
      "a string in one line",
      z.null(),
      anySecret,
      stringMatching(
        /^[\t\x20-\x7e\x80-\xff]*$/,
        "has to be a string in one line, without control characters",
      ),
    ),
    { error: "has to be an object" },
  );

export const clientHeaders = headersBy(/^[\w!#$%&'*+.^`|~-]+$/);

/** The names of an endpoint's headers may have references, like the values. */
const endpointHeaders = headersBy(/^([\w!#$%&'*+.^`|~-]|\{[^{}\s]+\})+$/);

const responseAction = unionOf(
  "an object or a function",
  anyFunction,
  closedDict<ResponseAction>({
    status_code: optional(wholeNumber),
    content: optional(nonEmptyString),
    action: unionOf(
      `"ignore", a function or a list of functions`,
      z.literal("ignore"),
      anyFunction,
      listOf(anyFunction),
    ),
  }),
);

const formValue = unionOf(
  "a string, a number, true, false or a list of these",
  z.null(),
  anySecret,
  anyScalar,
  z.array(anyScalar),
);

const formPair = z.tuple([anyString, unionOf("a string", anyString, anySecret)], {
  error: "has to be a pair of strings",
});

export const endpointSchema = closedDict<EndpointConfig>({
  path: optional(urlOrPath),
  method: optional(oneOf("GET", "POST")),
  params: optional(dictOf(paramSchema)),
  json: optional(unionOf("an object or a list", dictOf(anyValue), z.array(anyValue))),
  data: optional(
    unionOf(
      "a string, an object or a list of pairs",
      anyString,
      dictOf(formValue),
      z.array(formPair),
    ),
  ),
  headers: optional(endpointHeaders),
  paginator: optional(paginatorSchema),
  data_selector: optional(pathString),
  response_actions: optional(listOf(responseAction)),
  incremental: optional(
    closedDict<IncrementalConfig>({
      ...incrementalFields,
      start_param: optional(nonEmptyString),
      end_param: optional(nonEmptyString),
    }),
  ),
  auth: optional(authSchema),
  error_handler: optional(errorHandlerSchema),
});
