import { dlt, register, rest_api_source } from "@tidetable/core";
import { worker } from "@tidetable/core/lambda";

/*
 * The deployed worker with sources of its own: every way to find the next page besides the offset, and
 * a token endpoint. The test that bundles this file knows its sources by it.
 */

const paths = {
  cursors: { paginator: { type: "cursor", cursor_path: "next", cursor_param: "after" } },
  body_links: { paginator: { type: "json_link", next_url_path: "next" } },
  header_links: { paginator: { type: "header_link" } },
  header_cursors: { paginator: { type: "header_cursor", cursor_key: "x-next" } },
  page_numbers: { paginator: { type: "page_number", base_page: 1, total_path: "pages" } },
  graphql: {
    method: "POST",
    json: { query: "query { items { id } }" },
    paginator: { type: "cursor", cursor_path: "next", cursor_body_path: "variables.after" },
  },
} as const;

export const worstSources = register({
  worst_pages: rest_api_source({
    client: {
      base_url: "https://api.example.com",
      auth: { type: "bearer", token: dlt.secrets["api_key"] },
    },
    resource_defaults: { primary_key: "id", write_disposition: "merge" },
    resources: Object.entries(paths).map(([name, endpoint]) => ({
      name,
      endpoint: { path: `/v1/${name}`, data_selector: "data", ...endpoint },
    })),
  }),
  worst_tokens: rest_api_source({
    client: {
      base_url: "https://api.example.com",
      auth: {
        type: "oauth2_refresh_token",
        client_id: dlt.secrets["client_id"],
        client_secret: dlt.secrets["client_secret"],
        refresh_token: dlt.secrets["refresh_token"],
        access_token_url: "https://api.example.com/oauth/token",
      },
    },
    resource_defaults: { primary_key: "id", write_disposition: "merge" },
    resources: [
      {
        name: "items",
        endpoint: { path: "/v1/items", data_selector: "data", paginator: "single_page" },
      },
    ],
  }),
});

export const handler = worker({ sources: worstSources });
