import { python, type RefusedFile } from "./files.ts";

export const refusedFiles: RefusedFile[] = [
  {
    title: "it reads a part only",
    python: python`
      import dlt
      from dlt.sources.rest_api import rest_api_source

      source = rest_api_source({
          "client": {"base_url": "https://api.example.com"},
          "resources": ["orders"],
      })
      source.add_limit(1)
      dlt.pipeline("shop", destination="duckdb").run(source)
    `,
    problems: ["crm.py:8:1: add_limit reads a part only"],
    hint: "--limit-pages",
  },
  {
    title: "a step is a program",
    python: python`
      import dlt, hashlib
      from dlt.sources.rest_api import rest_api_source

      def mask(row):
          for key in ("email", "phone"):
              row[key] = hashlib.sha256(row[key].encode()).hexdigest()
          return row

      source = rest_api_source({
          "client": {"base_url": "https://api.example.com"},
          "resources": ["users", "orders"],
      })
      source.users.add_map(mask)
      dlt.pipeline("shop", destination="duckdb").run(source)
    `,
    problems: ["crm.py:13:22: a function cannot be read: mask"],
    hint: "tidetable import crm.py",
  },
  {
    title: "another resource runs beside the dict",
    python: python`
      import dlt
      from dlt.sources.rest_api import rest_api_source

      @dlt.resource
      def holidays():
          yield from [{"day": "2026-01-01"}]

      source = rest_api_source({
          "client": {"base_url": "https://api.example.com"},
          "resources": ["orders"],
      })
      pipeline = dlt.pipeline("shop", destination="duckdb")
      pipeline.run([source, holidays()])
    `,
    problems: ["crm.py:13:23: another resource beside the dict: holidays()"],
    hint: "only the dict of rest_api_source is mirrored",
  },
  {
    title: "a source function yields another resource, too",
    python: python`
      import dlt
      from dlt.sources.rest_api import rest_api_resources

      @dlt.source
      def shop():
          yield from rest_api_resources({
              "client": {"base_url": "https://api.example.com"},
              "resources": ["orders"],
          })
          yield holidays()
    `,
    problems: ["crm.py:10:5: another resource beside the dict: yield holidays()"],
    hint: "write it as a resource of the dict",
  },
  {
    title: "it is run in two ways",
    python: python`
      import dlt
      from dlt.sources.rest_api import rest_api_source

      def shop():
          return rest_api_source({
              "client": {"base_url": "https://api.example.com"},
              "resources": ["orders", "users"],
          })

      def load_all():
          dlt.pipeline("shop").run(shop())

      def load_orders():
          dlt.pipeline("shop").run(shop().with_resources("orders"))
    `,
    problems: ["crm.py:14:5: the source is run in different ways (crm.py:11:5, crm.py:14:5)"],
    hint: "keep one of them",
  },
  {
    title: "a resource is piped into a transformer",
    python: python`
      import dlt
      from dlt.sources.rest_api import rest_api_source

      source = rest_api_source({
          "client": {"base_url": "https://api.example.com"},
          "resources": ["orders"],
      })
      dlt.pipeline("shop").run(source.orders | enrich)
    `,
    problems: ["crm.py:8:26: a use of the source that is not read: source.orders"],
    hint: "leave it out",
  },
  {
    title: "a change happens only sometimes",
    python: python`
      import sys, dlt
      from dlt.sources.rest_api import rest_api_source

      source = rest_api_source({
          "client": {"base_url": "https://api.example.com"},
          "resources": ["orders"],
      })
      if "--full" in sys.argv:
          source.orders.apply_hints(write_disposition="replace")
      dlt.pipeline("shop").run(source)
    `,
    problems: ["crm.py:9:5: a change of the source under a condition cannot be read"],
    hint: "leave it out",
  },
  {
    title: "it asks for a refresh in every run",
    python: python`
      import dlt
      from dlt.sources.rest_api import rest_api_source

      source = rest_api_source({
          "client": {"base_url": "https://api.example.com"},
          "resources": ["orders"],
      })
      dlt.pipeline("shop").run(source, refresh="drop_sources")
    `,
    problems: ["crm.py:8:42: refresh cannot be read"],
    hint: "--full-refresh",
  },
  {
    title: "it selects a resource that the dict does not have",
    python: python`
      import dlt
      from dlt.sources.rest_api import rest_api_source

      source = rest_api_source({
          "client": {"base_url": "https://api.example.com"},
          "resources": ["orders", "users"],
      })
      dlt.pipeline("shop").run(source.with_resources("order"))
    `,
    problems: [`crm.py:8:26: there is no resource "order"`],
    hint: "did you mean orders?",
  },
  {
    title: "the dict is changed after it was made",
    python: python`
      from dlt.sources.rest_api import rest_api_source

      resources = [{"name": "orders"}]
      config = {"client": {"base_url": "https://api.example.com"}, "resources": resources}
      for year in range(2020, 2026):
          resources.append({"name": f"orders_{year}"})
      source = rest_api_source(config)
    `,
    problems: ["crm.py:6:5: a list that may change here: resources"],
    hint: "write the whole value where it is first set",
  },
  {
    title: "a dict is changed through another name",
    python: python`
      from dlt.sources.rest_api import rest_api_source

      headers = {"accept": "application/json"}
      shared = headers
      shared["x-team"] = input()
      source = rest_api_source({
          "client": {"base_url": "https://api.example.com", "headers": headers},
          "resources": ["orders"],
      })
    `,
    problems: ["crm.py:5:1: a dict that may change here: shared"],
    hint: "write the whole value where it is first set",
  },
  {
    title: "a helper chooses by its argument",
    python: python`
      from dlt.sources.rest_api import rest_api_source

      def resource(name, paged):
          if paged:
              return {"name": name, "endpoint": {"paginator": "header_link"}}
          return {"name": name}

      source = rest_api_source({
          "client": {"base_url": "https://api.example.com"},
          "resources": [resource("orders", True)],
      })
    `,
    problems: ["crm.py:10:19: a call of a function that is a program cannot be read: resource("],
    hint: "one return at its end",
  },
  {
    title: "the source's function is called with different arguments",
    python: python`
      import dlt
      from dlt.sources.rest_api import rest_api_source

      @dlt.source
      def shop(country):
          return rest_api_source({
              "client": {"base_url": f"https://{country}.example.com"},
              "resources": ["orders"],
          })

      for pipeline in (a, b):
          pipeline.run(shop("de"))
          pipeline.run(shop(country="fr"))
    `,
    problems: ["crm.py:5:10: a parameter that gets several values (crm.py:12:18, crm.py:13:18)"],
    hint: "keep one of the calls",
  },
  {
    title: "a condition has no known answer",
    python: python`
      import os
      from dlt.sources.rest_api import rest_api_source

      source = rest_api_source({
          "client": {"base_url": "https://a.example.com" if os.getenv("LIVE") else "https://b.example.com"},
          "resources": ["orders"],
      })
    `,
    problems: [`crm.py:5:28: an if about "live" cannot be read`],
    hint: "write the branch that you want",
  },
  {
    title: "a paginator of the user's own",
    python: python`
      from dlt.sources.helpers.rest_client.paginators import BasePaginator
      from dlt.sources.rest_api import rest_api_source

      class TokenPaginator(BasePaginator):
          def update_request(self, request):
              request.params["t"] = self.token

      source = rest_api_source({
          "client": {"base_url": "https://api.example.com", "paginator": TokenPaginator()},
          "resources": ["orders"],
      })
    `,
    problems: ["crm.py:9:68: a call cannot be read: TokenPaginator()"],
    hint: "write the value itself",
  },
  {
    title: "a user's own function has dlt's name",
    python: python`
      def rest_api_source(config):
          return config

      source = rest_api_source({"a": 1})
    `,
    problems: ["crm.py: there is no call of rest_api_source in this file"],
    hint: "write `source = rest_api_source",
  },
  {
    title: "several sources have no names of their own",
    python: python`
      from dlt.sources.rest_api import rest_api_source

      def main():
          run(rest_api_source({"client": {"base_url": "https://a.example.com"}, "resources": ["x"]}))
          run(rest_api_source({"client": {"base_url": "https://b.example.com"}, "resources": ["y"]}))
    `,
    problems: ["crm.py: 2 sources are in this file: crm.py:4:9, crm.py:5:9"],
    hint: "by its line as crm.py:LINE",
  },
  {
    title: "a pipeline asks for a refresh",
    python: python`
      import dlt
      from dlt.sources.rest_api import rest_api_source

      source = rest_api_source({"client": {"base_url": "https://api.example.com"}, "resources": ["orders"]})
      dlt.pipeline("shop", refresh="drop_data").run(source)
    `,
    problems: ["crm.py:5:30: refresh cannot be read"],
    hint: "--full-refresh",
  },
  {
    title: "an argument of the command line by its position",
    python: python`
      import sys
      import dlt
      from dlt.sources.rest_api import rest_api_source

      source = rest_api_source({"client": {"base_url": "https://api.example.com"}, "resources": [sys.argv[1]]})
    `,
    problems: ["a member of an object cannot be read: sys.argv[1]"],
    hint: "write the value itself",
  },
  {
    title: "resources that an API names",
    python: python`
      import requests
      import dlt
      from dlt.sources.rest_api import rest_api_source

      names = requests.get("https://api.example.com/tables").json()
      source = rest_api_source({"client": {"base_url": "https://api.example.com"}, "resources": [{"name": n} for n in names]})
    `,
    problems: ["a call cannot be read: requests.get("],
    hint: "write the value itself",
  },
  {
    title: "a moving date among the parameters",
    python: python`
      from datetime import date, timedelta
      import dlt
      from dlt.sources.rest_api import rest_api_source

      since = (date.today() - timedelta(days=7)).isoformat()
      source = rest_api_source({"client": {"base_url": "https://api.example.com"}, "resources": [{"name": "orders", "endpoint": {"params": {"since": since}}}]})
    `,
    problems: ["a time that is counted from now has no value here: since"],
    hint: 'only an incremental\'s "initial_value"',
  },
  {
    title: "a constant of a package that is not here",
    python: python`
      from company.settings import BASE_URL
      import dlt
      from dlt.sources.rest_api import rest_api_source

      source = rest_api_source({"client": {"base_url": BASE_URL}, "resources": ["orders"]})
    `,
    problems: ['a name from "company.settings", which is no file of this project: BASE_URL'],
    hint: "write its value here",
  },
  {
    title: "a member of an instance",
    python: python`
      import dlt
      from dlt.sources.rest_api import rest_api_source

      class Shop:
          def __init__(self, url):
              self.url = url

          def source(self):
              return rest_api_source({"client": {"base_url": self.url}, "resources": ["orders"]})
    `,
    problems: ["self"],
    hint: "",
  },
  {
    title: "a source is handed to a helper of a library",
    python: python`
      import helpers
      import dlt
      from dlt.sources.rest_api import rest_api_source

      source = rest_api_source({"client": {"base_url": "https://api.example.com"}, "resources": ["orders"]})
      helpers.load(source)
    `,
    problems: ["the source is handed to a function that is not read: source"],
    hint: "leave it out",
  },
];
