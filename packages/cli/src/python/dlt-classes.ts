/*
 * The classes of dlt that stand for dicts of its config, with their arguments in order.
 */

const paginatorTypes: Record<string, string> = {
  SinglePagePaginator: "single_page",
  OffsetPaginator: "offset",
  PageNumberPaginator: "page_number",
  JSONResponseCursorPaginator: "cursor",
  HeaderCursorPaginator: "header_cursor",
  JSONLinkPaginator: "json_link",
  JSONResponsePaginator: "json_link",
  HeaderLinkPaginator: "header_link",
};

const authTypes: Record<string, string> = {
  BearerTokenAuth: "bearer",
  APIKeyAuth: "api_key",
  ApiKeyAuth: "api_key",
  HttpBasicAuth: "http_basic",
  HTTPBasicAuth: "http_basic",
  OAuth2ClientCredentials: "oauth2_client_credentials",
};

/** The `type` of the dict that a class stands for. */
export const configTypes: Record<string, string> = { ...paginatorTypes, ...authTypes };

/** The parameters that a class takes by their order. All take keywords. */
export const positionalParameters: Record<string, string[]> = {
  OffsetPaginator: [
    "limit",
    "offset",
    "offset_param",
    "limit_param",
    "total_path",
    "maximum_offset",
    "stop_after_empty_page",
  ],
  PageNumberPaginator: [
    "base_page",
    "page",
    "page_param",
    "total_path",
    "maximum_page",
    "stop_after_empty_page",
  ],
  JSONResponseCursorPaginator: ["cursor_path", "cursor_param", "cursor_body_path"],
  HeaderCursorPaginator: ["cursor_key", "cursor_param"],
  JSONLinkPaginator: ["next_url_path"],
  JSONResponsePaginator: ["next_url_path"],
  HeaderLinkPaginator: ["links_next_key"],
  BearerTokenAuth: ["token"],
  APIKeyAuth: ["name", "api_key", "location"],
  ApiKeyAuth: ["name", "api_key", "location"],
  HttpBasicAuth: ["username", "password"],
  HTTPBasicAuth: ["username", "password"],
  OAuth2ClientCredentials: [
    "access_token",
    "access_token_url",
    "client_id",
    "client_secret",
    "access_token_request_data",
    "default_token_expiration",
  ],
  incremental: [
    "cursor_path",
    "initial_value",
    "last_value_func",
    "primary_key",
    "end_value",
    "row_order",
    "allow_external_schedulers",
    "on_cursor_value_missing",
    "lag",
    "range_start",
    "range_end",
  ],
};

/** Names of dlt's typed dicts: a call of one is a dict of its keyword arguments. */
export const typedDicts =
  /^dlt\.(\w+\.)*(\w+Config|Endpoint|EndpointResource\w*|ResourceBase|ProcessingSteps|ResponseActionDict)$/;
