import { python, secret, type TakenFile, value } from "./files.ts";

const orders = {
  client: { base_url: "https://api.example.com" },
  resources: ["orders"],
};

const starterFile = python`
  from typing import Any, Optional

  import dlt
  from dlt.common.pendulum import pendulum
  from dlt.sources.rest_api import (
      RESTAPIConfig,
      check_connection,
      rest_api_resources,
      rest_api_source,
  )


  @dlt.source(name="forge")
  def forge_source(access_token: Optional[str] = dlt.secrets.value) -> Any:
      # the API of the forge
      config: RESTAPIConfig = {
          "client": {
              "base_url": "https://api.forge.example.com/repos/acme/app/",
              # only with a token
              "auth": (
                  {
                      "type": "bearer",
                      "token": access_token,
                  }
                  if access_token
                  else None
              ),
          },
          "resource_defaults": {
              "primary_key": "id",
              "write_disposition": "merge",
              "endpoint": {"params": {"per_page": 100}},
          },
          "resources": [
              # "pulls",
              {
                  "name": "issues",
                  "endpoint": {
                      "path": "issues",
                      "params": {"state": "open", "since": "{incremental.start_value}"},
                      "incremental": {
                          "cursor_path": "updated_at",
                          "initial_value": pendulum.today().subtract(days=30).to_iso8601_string(),
                      },
                  },
              },
              {
                  "name": "issue_comments",
                  "endpoint": {"path": "issues/{resources.issues.number}/comments"},
                  "include_from_parent": ["id"],
              },
          ],
      }

      yield from rest_api_resources(config)


  def load_forge() -> None:
      pipeline = dlt.pipeline(
          pipeline_name="rest_api_forge",
          destination="duckdb",
          dataset_name="rest_api_data",
      )

      load_info = pipeline.run(forge_source())
      print(load_info)  # noqa: T201


  def load_creatures() -> None:
      pipeline = dlt.pipeline(
          pipeline_name="rest_api_creatures",
          destination="duckdb",
          dataset_name="rest_api_data",
      )

      creature_source = rest_api_source(
          {
              "client": {
                  "base_url": "https://creatures.example.com/api/v2/",
                  # "paginator": "json_link",
              },
              "resource_defaults": {"endpoint": {"params": {"limit": 1000}}},
              "resources": ["creature", "berry", "location"],
          }
      )

      def check_network_and_authentication() -> None:
          (can_connect, error_msg) = check_connection(creature_source, "not_existing_endpoint")
          if not can_connect:
              pass

      check_network_and_authentication()

      load_info = pipeline.run(creature_source)
      print(load_info)


  if __name__ == "__main__":
      load_forge()
      load_creatures()
`;

export const takenFiles: TakenFile[] = [
  {
    title: "dlt's starting point, its second source",
    python: starterFile,
    name: "creature_source",
    config: {
      client: { base_url: "https://creatures.example.com/api/v2/" },
      resource_defaults: { endpoint: { params: { limit: 1000 } } },
      resources: ["creature", "berry", "location"],
    },
  },
  {
    title: "what a generator makes of an OpenAPI file",
    python: python`
      from typing import List

      import dlt
      from dlt.extract.source import DltResource
      from rest_api import rest_api_source
      from rest_api.typing import RESTAPIConfig


      @dlt.source(name="petshop_source", max_table_nesting=2)
      def petshop_source(
          api_key: str = dlt.secrets.value,
          base_url: str = dlt.config.value,
      ) -> List[DltResource]:

          # source configuration
          source_config: RESTAPIConfig = {
              "client": {
                  "base_url": base_url,
                  "auth": {
                      "type": "api_key",
                      "api_key": api_key,
                      "name": "api_key",
                      "location": "header"
                  },
              },
              "resources":
                  [
                      # Returns pets by their status.
                      {
                          "name": "pet",
                          "table_name": "pet",
                          "primary_key": "id",
                          "write_disposition": "merge",
                          "endpoint": {
                              "data_selector": "$",
                              "path": "/pet/findByStatus",
                              "params": {
                                  # the parameters below can optionally be configured
                                  # "status": "OPTIONAL_CONFIG",
                              },
                              "paginator": "auto",
                          }
                      },
                      {
                          "name": "order",
                          "table_name": "order",
                          "endpoint": {
                              "data_selector": "$",
                              "path": "/store/order/{orderId}",
                              "params": {
                                  "orderId": "FILL_ME_IN",  # TODO: fill in required path parameter
                              },
                              "paginator": "auto",
                          }
                      },
                  ]
          }

          return rest_api_source(source_config)
    `,
    config: {
      client: {
        base_url: value("base_url"),
        auth: { type: "api_key", api_key: secret("api_key"), name: "api_key", location: "header" },
      },
      resources: [
        {
          name: "pet",
          table_name: "pet",
          primary_key: "id",
          write_disposition: "merge",
          endpoint: {
            data_selector: "$",
            path: "/pet/findByStatus",
            params: {},
            paginator: "auto",
          },
        },
        {
          name: "order",
          table_name: "order",
          endpoint: {
            data_selector: "$",
            path: "/store/order/{orderId}",
            params: { orderId: "FILL_ME_IN" },
            paginator: "auto",
          },
        },
      ],
    },
  },
  {
    title: "constants of the module",
    python: python`
      from dlt.sources.rest_api import rest_api_source

      BASE_URL = "https://api.example.com"
      PAGE_SIZE = 100
      RESOURCES = ("orders", "users")

      source = rest_api_source({
          "client": {"base_url": BASE_URL, "paginator": {"type": "offset", "limit": PAGE_SIZE}},
          "resources": RESOURCES,
      })
    `,
    config: {
      client: {
        base_url: "https://api.example.com",
        paginator: { type: "offset", limit: 100 },
      },
      resources: ["orders", "users"],
    },
  },
  {
    title: "constants of a class, and by subscript",
    python: python`
      from dlt.sources.rest_api import rest_api_source

      class Settings:
          BASE_URL: str = "https://api.example.com"
          HEADERS = {"accept": "application/json"}

      TABLES = {"orders": {"name": "orders", "primary_key": "id"}, "users": {"name": "users"}}
      KEYS = ["id", "uuid"]

      source = rest_api_source({
          "client": {"base_url": Settings.BASE_URL, "headers": Settings.HEADERS},
          "resource_defaults": {"primary_key": KEYS[-1]},
          "resources": [TABLES["orders"], TABLES.get("users")],
      })
    `,
    config: {
      client: { base_url: "https://api.example.com", headers: { accept: "application/json" } },
      resource_defaults: { primary_key: "uuid" },
      resources: [{ name: "orders", primary_key: "id" }, { name: "users" }],
    },
  },
  {
    title: "constants of other files of the project",
    python: python`
      import dlt
      from dlt.sources.rest_api import rest_api_source
      from .settings import BASE_URL, DEFAULTS as defaults
      import endpoints

      source = rest_api_source({
          "client": {"base_url": BASE_URL},
          "resource_defaults": defaults,
          "resources": endpoints.ALL,
      })
    `,
    beside: {
      "settings.py": python`
        HOST = "api.example.com"
        BASE_URL = f"https://{HOST}/v1"
        DEFAULTS = {"primary_key": "id"}
      `,
      "endpoints.py": python`
        ALL = [{"name": "orders"}]
      `,
    },
    config: {
      client: { base_url: "https://api.example.com/v1" },
      resource_defaults: { primary_key: "id" },
      resources: [{ name: "orders" }],
    },
  },
  {
    title: "parameters with literal defaults, and with none",
    python: python`
      import dlt
      from dlt.sources.rest_api import rest_api_source, RESTAPIConfig

      @dlt.source
      def shop(region: str, api_token: str, per_page: int = 50, *, path="orders"):
          config: RESTAPIConfig = {
              "client": {
                  "base_url": f"https://{region}.example.com",
                  "auth": {"type": "bearer", "token": api_token},
              },
              "resources": [{"name": "orders", "endpoint": {"path": path, "params": {"n": per_page}}}],
          }
          return rest_api_source(config)
    `,
    config: {
      client: {
        base_url: "https://{values.region}.example.com",
        auth: { type: "bearer", token: secret("api_token") },
      },
      resources: [{ name: "orders", endpoint: { path: "orders", params: { n: 50 } } }],
    },
    notes: [`taken as the secret "api_token"`, `taken as the value "region"`],
  },
  {
    title: "arguments of the call in the same file",
    python: python`
      import os, dlt
      from dlt.sources.rest_api import rest_api_source

      @dlt.source
      def shop(base_url, token=dlt.secrets.value, size=10):
          return rest_api_source({
              "client": {"base_url": base_url, "auth": {"token": token}},
              "resources": [{"name": "orders", "endpoint": {"params": {"size": size}}}],
          })

      def main():
          pipeline = dlt.pipeline("shop", destination="duckdb", dataset_name="shop")
          info = pipeline.run(shop("https://api.example.com", os.environ["SHOP_TOKEN"], size=200))
          print(info)

      if __name__ == "__main__":
          main()
    `,
    config: {
      client: { base_url: "https://api.example.com", auth: { token: secret("shop_token") } },
      resources: [{ name: "orders", endpoint: { params: { size: 200 } } }],
    },
    notes: [`taken as the secret "shop_token"`],
  },
  {
    title: "the environment and dlt's config",
    python: python`
      import os
      import dlt
      from os import environ, getenv
      from dlt.sources.rest_api import rest_api_source

      source = rest_api_source({
          "client": {
              "base_url": os.getenv("SHOP_URL", "https://api.example.com"),
              "auth": {"type": "http_basic", "username": os.environ["SHOP_USER"], "password": environ.get("SHOP_PASSWORD")},
              "headers": {"x-tenant": getenv("TENANT")},
          },
          "resources": [
              {
                  "name": "orders",
                  "endpoint": {
                      "path": f"v1/{dlt.config['account']}/orders",
                      "params": {"region": dlt.config.get("region"), "key": dlt.secrets.get("key", str)},
                  },
              },
          ],
      })
    `,
    config: {
      client: {
        base_url: value("shop_url", "https://api.example.com"),
        auth: {
          type: "http_basic",
          username: secret("shop_user"),
          password: secret("shop_password"),
        },
        headers: { "x-tenant": secret("tenant") },
      },
      resources: [
        {
          name: "orders",
          endpoint: {
            path: "v1/{values.account}/orders",
            params: { region: value("region"), key: secret("key") },
          },
        },
      ],
    },
    notes: [
      `the secret "shop_user"`,
      `the secret "shop_password"`,
      `the secret "tenant"`,
      `the value "shop_url"`,
    ],
  },
  {
    title: "dlt's classes",
    python: python`
      import dlt
      from dlt.sources.helpers.rest_client.auth import APIKeyAuth, BearerTokenAuth
      from dlt.sources.helpers.rest_client.paginators import (
          HeaderLinkPaginator,
          JSONResponseCursorPaginator,
          OffsetPaginator,
          PageNumberPaginator,
          SinglePagePaginator,
      )
      from dlt.sources.rest_api import rest_api_source
      from dlt.sources.rest_api.typing import Endpoint, EndpointResource, RESTAPIConfig
      from typing import cast

      orders: EndpointResource = EndpointResource(
          name="orders",
          endpoint=Endpoint(path="orders", paginator=PageNumberPaginator(base_page=1, total_path=None)),
      )
      source = rest_api_source(
          cast(RESTAPIConfig, dict(
              client={
                  "base_url": "https://api.example.com",
                  "auth": BearerTokenAuth(token=dlt.secrets["token"]),
                  "paginator": HeaderLinkPaginator(),
              },
              resources=[
                  orders,
                  {"name": "users", "endpoint": {"paginator": OffsetPaginator(100, total_path="meta.total"),
                                                 "auth": APIKeyAuth("X-Key", dlt.secrets["key"])}},
                  {"name": "log", "endpoint": {"paginator": JSONResponseCursorPaginator("next", cursor_param="after")}},
                  {"name": "me", "endpoint": {"paginator": SinglePagePaginator()}},
              ],
          ))
      )
    `,
    config: {
      client: {
        base_url: "https://api.example.com",
        auth: { type: "bearer", token: secret("token") },
        paginator: { type: "header_link" },
      },
      resources: [
        {
          name: "orders",
          endpoint: {
            path: "orders",
            paginator: { type: "page_number", base_page: 1, total_path: null },
          },
        },
        {
          name: "users",
          endpoint: {
            paginator: { type: "offset", limit: 100, total_path: "meta.total" },
            auth: { type: "api_key", name: "X-Key", api_key: secret("key") },
          },
        },
        {
          name: "log",
          endpoint: { paginator: { type: "cursor", cursor_path: "next", cursor_param: "after" } },
        },
        { name: "me", endpoint: { paginator: { type: "single_page" } } },
      ],
    },
  },
  {
    title: "an incremental object among the parameters",
    python: python`
      import dlt
      from dlt.sources.rest_api import rest_api_source

      source = rest_api_source({
          "client": {"base_url": "https://api.example.com"},
          "resources": [{
              "name": "events",
              "endpoint": {"params": {
                  "since": dlt.sources.incremental("updated_at", initial_value="2026-01-01T00:00:00Z", last_value_func=max),
              }},
          }],
      })
    `,
    config: {
      client: { base_url: "https://api.example.com" },
      resources: [
        {
          name: "events",
          endpoint: {
            params: {
              since: {
                type: "incremental",
                cursor_path: "updated_at",
                initial_value: "2026-01-01T00:00:00Z",
                last_value_func: "max",
              },
            },
          },
        },
      ],
    },
  },
  {
    title: "hints on resources, and on the run",
    python: python`
      import dlt
      from dlt.sources.rest_api import rest_api_source

      source = rest_api_source({
          "client": {"base_url": "https://api.example.com"},
          "resources": ["orders", {"name": "users", "endpoint": "people", "columns": {"id": {"data_type": "bigint"}}}],
      })
      source.orders.apply_hints(primary_key="id", write_disposition="merge")
      source.resources["users"].apply_hints(
          columns={"age": {"data_type": "bigint"}},
          incremental=dlt.sources.incremental("updated_at"),
      )

      pipeline = dlt.pipeline(pipeline_name="shop", destination="snowflake")
      pipeline.run(source, schema_contract="freeze", loader_file_format="parquet")
    `,
    config: {
      client: { base_url: "https://api.example.com" },
      resources: [
        {
          name: "orders",
          primary_key: "id",
          write_disposition: "merge",
          schema_contract: "freeze",
        },
        {
          name: "users",
          endpoint: { path: "people", incremental: { cursor_path: "updated_at" } },
          columns: { id: { data_type: "bigint" }, age: { data_type: "bigint" } },
          schema_contract: "freeze",
        },
      ],
    },
    notes: ["loader_file_format means nothing in DynamoDB"],
  },
  {
    title: "a selection of resources",
    python: python`
      import dlt
      from dlt.sources.rest_api import rest_api_source

      @dlt.source
      def shop():
          return rest_api_source({
              "client": {"base_url": "https://api.example.com"},
              "resources": ["orders", "users", "logs"],
          })

      if __name__ == "__main__":
          selected = shop().with_resources("orders", "users")
          dlt.pipeline("shop", destination="duckdb").run(selected)
    `,
    config: {
      client: { base_url: "https://api.example.com" },
      resources: ["orders", "users", { name: "logs", selected: false }].map((resource) =>
        typeof resource === "string" ? { name: resource } : resource,
      ),
    },
  },
  {
    title: "a disposition for the whole run",
    python: python`
      import dlt
      from dlt.sources.rest_api import rest_api_source

      def run(source):
          pipeline = dlt.pipeline("shop", destination="duckdb")
          return pipeline.run(source, write_disposition="replace")

      run(rest_api_source({
          "client": {"base_url": "https://api.example.com"},
          "resources": ["orders"],
      }))
    `,
    config: {
      client: { base_url: "https://api.example.com" },
      resources: [{ name: "orders", write_disposition: "replace" }],
    },
  },
  {
    title: "an Airflow task group",
    python: python`
      import dlt
      from airflow.decorators import dag
      from airflow.models import Variable
      from dlt.helpers.airflow_helper import PipelineTasksGroup
      from dlt.sources.rest_api import rest_api_source

      @dag(schedule="@daily", catchup=False)
      def load_shop():
          tasks = PipelineTasksGroup("shop", use_data_folder=False, wipe_local_data=True)
          pipeline = dlt.pipeline(pipeline_name="shop", destination="bigquery", dataset_name="shop")
          source = rest_api_source({
              "client": {"base_url": "https://api.example.com", "auth": {"token": Variable.get("shop_token")}},
              "resources": ["orders"],
          })
          tasks.add_run(pipeline, source, decompose="serialize", trigger_rule="all_done", retries=0)

      load_shop()
    `,
    config: {
      client: { base_url: "https://api.example.com", auth: { token: secret("shop_token") } },
      resources: ["orders"],
    },
    notes: [`the secret "shop_token"`],
  },
  {
    title: "a Dagster asset",
    python: python`
      from dagster import AssetExecutionContext
      from dagster_dlt import DagsterDltResource, dlt_assets
      import dlt
      from dlt.sources.rest_api import rest_api_resources

      @dlt.source
      def shop(token: dlt.TSecretStrValue = dlt.secrets.value):
          config = {
              "client": {"base_url": "https://api.example.com", "auth": {"type": "bearer", "token": token}},
              "resources": ["orders"],
          }
          resources = rest_api_resources(config)
          yield from resources

      @dlt_assets(
          dlt_source=shop(),
          dlt_pipeline=dlt.pipeline(pipeline_name="shop", dataset_name="shop", destination="duckdb"),
          name="shop",
      )
      def shop_assets(context: AssetExecutionContext, dlt_resource: DagsterDltResource):
          yield from dlt_resource.run(context=context)
    `,
    config: {
      client: {
        base_url: "https://api.example.com",
        auth: { type: "bearer", token: secret("token") },
      },
      resources: ["orders"],
    },
  },
  {
    title: "a command line of its own",
    python: python`
      import argparse
      import dlt
      from dlt.sources.rest_api import rest_api_source

      def main():
          parser = argparse.ArgumentParser()
          parser.add_argument("--account", required=True)
          args = parser.parse_args()
          source = rest_api_source({
              "client": {"base_url": "https://api.example.com"},
              "resources": [{"name": "orders", "endpoint": f"accounts/{args.account}/orders"}],
          })
          load_info = dlt.pipeline("shop", destination="duckdb").run(source)
          print(load_info)

      if __name__ == "__main__":
          main()
    `,
    config: {
      client: { base_url: "https://api.example.com" },
      resources: [{ name: "orders", endpoint: "accounts/{values.account}/orders" }],
    },
    notes: [`the value "account"`],
  },
  {
    title: "every resource of a list gets the same",
    python: python`
      import dlt
      from dlt.sources.rest_api import rest_api_resources

      @dlt.source
      def shop():
          resources = rest_api_resources({
              "client": {"base_url": "https://api.example.com"},
              "resources": ["orders", "users"],
          })
          for resource in resources:
              resource.apply_hints(primary_key="id")
              yield resource
    `,
    config: {
      client: { base_url: "https://api.example.com" },
      resources: [
        { name: "orders", primary_key: "id" },
        { name: "users", primary_key: "id" },
      ],
    },
  },
  {
    title: "one of several sources, by its line",
    python: python`
      from dlt.sources.rest_api import rest_api_source

      def main():
          run(rest_api_source({"client": {"base_url": "https://a.example.com"}, "resources": ["x"]}))
          run(rest_api_source({"client": {"base_url": "https://api.example.com"}, "resources": ["orders"]}))

      def run(source):
          pipeline.run(source)
    `,
    line: 5,
    config: orders,
  },
  {
    title: "a bearer token in a header",
    python: python`
      import os, dlt
      from dlt.sources.rest_api import rest_api_source

      API_TOKEN = os.environ["API_TOKEN"]
      HEADERS = {"Authorization": f"Bearer {API_TOKEN}", "X-Key": "k-" + dlt.secrets["key"]}

      source = rest_api_source({
          "client": {"base_url": "https://api.example.com", "headers": HEADERS},
          "resources": ["orders"],
      })
    `,
    config: {
      client: {
        base_url: "https://api.example.com",
        headers: {
          Authorization: "Bearer {secrets.api_token}",
          "X-Key": "k-{secrets.key}",
        },
      },
      resources: ["orders"],
    },
    notes: [`the secret "api_token"`],
  },
];

/** What is written as an `initial_value`, and what becomes of it. */
const starts: [code: string, start: string | number][] = [
  ["pendulum.now().subtract(days=7).to_iso8601_string()", "now - 7 days"],
  [`pendulum.today("UTC").subtract(months=1).to_date_string()`, "today - 1 month as iso_date"],
  ["(datetime.now() - timedelta(days=30)).isoformat()", "now - 30 days"],
  [`(datetime.utcnow() - timedelta(hours=6)).strftime("%Y-%m-%dT%H:%M:%SZ")`, "now - 6 hours"],
  [`(date.today() - timedelta(days=1)).strftime("%Y-%m-%d")`, "today - 1 day as iso_date"],
  [
    "(datetime.now(timezone.utc) - timedelta(weeks=2)).date().isoformat()",
    "today - 2 weeks as iso_date",
  ],
  ["int((datetime.now() - timedelta(days=1)).timestamp())", "now - 1 day as epoch_s"],
  ["int(pendulum.yesterday().timestamp() * 1000)", "today - 1 day as epoch_ms"],
  [
    `pendulum.now("UTC").start_of("day").subtract(years=1).format("YYYY-MM-DD")`,
    "today - 1 year as iso_date",
  ],
];
const fixedStarts: [code: string, start: string | number][] = [
  [`datetime(2024, 1, 31).isoformat()`, "2024-01-31T00:00:00"],
  [`pendulum.datetime(2024, 1, 31).to_iso8601_string()`, "2024-01-31T00:00:00Z"],
  [
    `datetime(2024, 1, 31, 12, tzinfo=timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")`,
    "2024-01-31T12:00:00Z",
  ],
  [`(date(2024, 1, 31) + timedelta(days=1)).isoformat()`, "2024-02-01"],
];

const startFile = (code: string, start: string | number, notes: string[]): TakenFile => ({
  title: `a start by ${code}`,
  python: `
from datetime import date, datetime, timedelta, timezone
import pendulum
from dlt.sources.rest_api import rest_api_source

START = ${code}
source = rest_api_source({
    "client": {"base_url": "https://api.example.com"},
    "resources": [{
        "name": "events",
        "endpoint": {"incremental": {"cursor_path": "at", "start_param": "since", "initial_value": START}},
    }],
})
`,
  config: {
    client: { base_url: "https://api.example.com" },
    resources: [
      {
        name: "events",
        endpoint: {
          incremental: { cursor_path: "at", start_param: "since", initial_value: start },
        },
      },
    ],
  },
  notes,
});

takenFiles.push(
  ...starts.map(([code, start]) => startFile(code, start, ["counted from the first read, in UTC"])),
  ...fixedStarts.map(([code, start]) => startFile(code, start, [])),
  {
    title: "dlt's starting point, its first source",
    python: starterFile,
    name: "forge_source",
    config: {
      client: {
        base_url: "https://api.forge.example.com/repos/acme/app/",
        auth: { type: "bearer", token: secret("access_token") },
      },
      resource_defaults: {
        primary_key: "id",
        write_disposition: "merge",
        endpoint: { params: { per_page: 100 } },
      },
      resources: [
        {
          name: "issues",
          endpoint: {
            path: "issues",
            params: { state: "open", since: "{incremental.start_value}" },
            incremental: { cursor_path: "updated_at", initial_value: "today - 30 days" },
          },
        },
        {
          name: "issue_comments",
          endpoint: { path: "issues/{resources.issues.number}/comments" },
          include_from_parent: ["id"],
        },
      ],
    },
    notes: [
      `this start is counted from the first read, in UTC: "today - 30 days"`,
      `the branch with "access_token" is taken`,
    ],
  },
);

takenFiles.push(
  {
    title: "names that dlt would normalise",
    python: python`
      from dlt.sources.rest_api import rest_api_source

      source = rest_api_source({
          "client": {"base_url": "https://api.example.com"},
          "resources": [
              "berry-details",
              {"name": "orderLines", "endpoint": {"params": {"n": 1}}},
              {"name": "berries", "endpoint": "berries/{resources.berry-details.name}"},
              {
                  "name": "Order Items",
                  "endpoint": {
                      "path": "orders/{id}/items",
                      "params": {"id": {"type": "resolve", "resource": "orderLines", "field": "id"}},
                  },
              },
          ],
      })
    `,
    config: {
      client: { base_url: "https://api.example.com" },
      resources: [
        { name: "berry_details", endpoint: { path: "berry-details" } },
        { name: "order_lines", endpoint: { params: { n: 1 }, path: "orderLines" } },
        { name: "berries", endpoint: "berries/{resources.berry_details.name}" },
        {
          name: "order_items",
          endpoint: {
            path: "orders/{id}/items",
            params: { id: { type: "resolve", resource: "order_lines", field: "id" } },
          },
        },
      ],
    },
    notes: [
      `the resource "berry-details" is named "berry_details"`,
      `the resource "orderLines" is named "order_lines"`,
      `the resource "Order Items" is named "order_items"`,
    ],
  },
  {
    title: "Python around it that a strict grammar refuses",
    python: python`
      import contextlib
      from dlt.sources.rest_api import rest_api_source

      @contextlib.contextmanager
      def timed():
          yield

      def main(event):
          with (
              open("a.txt") as first,  # the log
              open("b.txt") as second,
          ):
              print(first, second)
          match event:
              case Stop():
                  return
          answer = yield
          source = rest_api_source({
              "client": {"base_url": "https://api.example.com"},
              "resources": ["orders"],
          })
          pipeline.run(source)
          
    `,
    config: orders,
  },
  {
    title: "a dict without a call, in a file of its own",
    python: python`
      from dlt.sources.rest_api.typing import RESTAPIConfig

      PAGE = {"per_page": 100}

      config: RESTAPIConfig = {
          "client": {"base_url": "https://api.example.com"},
          "resource_defaults": {"endpoint": {"params": {**PAGE, "lang": "en"}}},
          "resources": ["orders", *["users", "logs"]],
      }
    `,
    config: {
      client: { base_url: "https://api.example.com" },
      resource_defaults: { endpoint: { params: { per_page: 100, lang: "en" } } },
      resources: ["orders", "users", "logs"],
    },
  },
  {
    title: "a helper that makes resources",
    python: python`
      from dlt.sources.rest_api import rest_api_source

      def listed(name: str, path=None, **kwargs):
          return {"name": name}

      def resource(name, path, cursor="updated_at", size=100):
          """One resource."""
          params = {"limit": size}
          return {
              "name": name,
              "primary_key": "id",
              "endpoint": {
                  "path": f"v2/{path}",
                  "params": {**params, "since": "{incremental.start_value}"},
                  "incremental": {"cursor_path": cursor},
              },
          }

      single = lambda name: {"name": name}

      source = rest_api_source({
          "client": {"base_url": "https://api.example.com"},
          "resources": [
              resource("orders", "orders"),
              resource("users", path="people", size=10),
              single("me"),
              *[{"name": f"log_{level}", "endpoint": "logs/" + level} for level in ("info", "error")],
          ],
      })
    `,
    config: {
      client: { base_url: "https://api.example.com" },
      resources: [
        {
          name: "orders",
          primary_key: "id",
          endpoint: {
            path: "v2/orders",
            params: { limit: 100, since: "{incremental.start_value}" },
            incremental: { cursor_path: "updated_at" },
          },
        },
        {
          name: "users",
          primary_key: "id",
          endpoint: {
            path: "v2/people",
            params: { limit: 10, since: "{incremental.start_value}" },
            incremental: { cursor_path: "updated_at" },
          },
        },
        { name: "me" },
        { name: "log_info", endpoint: "logs/info" },
        { name: "log_error", endpoint: "logs/error" },
      ],
    },
  },
  {
    title: "a default after or, joined strings and a format",
    python: python`
      import os
      from dlt.sources.rest_api import rest_api_source

      HOST = os.getenv("SHOP_HOST") or "api.example.com"
      FIELDS = ["id", "name"]
      DEBUG = False

      source = rest_api_source({
          "client": {
              "base_url": "https://{}/v{version}".format(HOST, version=2),
              "headers": {"accept": "text/plain" if DEBUG else "application/json"},
          },
          "resources": [{
              "name": "orders",
              "endpoint": {"params": {"fields": ",".join(FIELDS), "sort": "-" + "id".upper(), "n": str(5)}},
          }],
      })
    `,
    config: {
      client: {
        base_url: "https://{values.shop_host=api.example.com}/v2",
        headers: { accept: "application/json" },
      },
      resources: [
        { name: "orders", endpoint: { params: { fields: "id,name", sort: "-ID", n: "5" } } },
      ],
    },
    notes: [`the value "shop_host"`],
  },
  {
    title: "single resources of the source are run",
    python: python`
      import dlt
      from dlt.sources.rest_api import rest_api_source

      source = rest_api_source({
          "client": {"base_url": "https://api.example.com"},
          "resources": ["orders", "users", "logs"],
      })
      dlt.pipeline("shop").run([source.orders, source.resources["users"]])
    `,
    config: {
      client: { base_url: "https://api.example.com" },
      resources: [{ name: "orders" }, { name: "users" }, { name: "logs", selected: false }],
    },
  },
);

takenFiles.push(
  {
    title: "resources by a list of names, in a pipeline for development",
    python: python`
      import dlt
      from dlt.sources.rest_api import rest_api_source

      NAMES = ["orders", "users"]
      source = rest_api_source({
          "client": {"base_url": "https://api.example.com"},
          "resources": [*NAMES, "logs"],
      })
      pipeline = dlt.pipeline("shop", destination="duckdb", dev_mode=True)
      pipeline.run(source.with_resources(*NAMES))
    `,
    config: {
      client: { base_url: "https://api.example.com" },
      resources: [{ name: "orders" }, { name: "users" }, { name: "logs", selected: false }],
    },
    notes: ["dev_mode has no effect"],
  },
  {
    title: "two sources that run together, one by its name",
    python: python`
      import dlt
      from dlt.sources.rest_api import rest_api_source

      shop = rest_api_source({"client": {"base_url": "https://api.example.com"}, "resources": ["orders"]})
      crm = rest_api_source({"client": {"base_url": "https://crm.example.com"}, "resources": ["deals"]})
      dlt.pipeline("all").run([shop, crm])
    `,
    name: "shop",
    config: orders,
  },
  {
    title: "an attribute of a resource that is set",
    python: python`
      import dlt
      from dlt.sources.rest_api import rest_api_source

      @dlt.source(max_table_nesting=0, schema_contract="freeze")
      def shop():
          source = rest_api_source({"client": {"base_url": "https://api.example.com"}, "resources": ["orders", "logs"]})
          source.logs.selected = False
          source.max_table_nesting = 0
          return source

      if __name__ == "__main__":
          print(dlt.pipeline("shop", destination="duckdb").run(shop()))
    `,
    config: {
      client: { base_url: "https://api.example.com" },
      resources: [
        { name: "orders", schema_contract: "freeze" },
        { name: "logs", schema_contract: "freeze", selected: false },
      ],
    },
    notes: ["max_table_nesting means nothing in DynamoDB"],
  },
);
