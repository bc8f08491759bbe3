import { dlt, rest_api_source } from "@tidetable/core";

/**
 * A product catalogue behind a search endpoint: paging in the body of a POST.
 *
 * - The query stands in `json`. The paginator writes `from` and `size` into the same body, as numbers.
 * - The answer wraps each record, `{ "hits": { "hits": [{ "_source": { … } }] } }`: the selector
 *   `hits.hits[*]._source` takes it out.
 * - `total_path` names the count, so the last page is known without asking for an empty one.
 * - The search shows what is on sale and says nothing of what no longer is. `replace` reads all of it
 *   and then deletes the rows that were not shown. The table is never empty in between.
 *
 * Run it from its file: `npx tidetable run packages/sources/examples/catalogue.ts`. To deploy it,
 * move it to `packages/sources/src` and name it in `index.ts` there:
 * `import catalogue from "./catalogue.ts"`.
 */
export default rest_api_source(
    {
        client: {
            base_url: "https://catalogue.example.com",
            auth: {
                type: "http_basic",
                username: dlt.secrets["username"],
                password: dlt.secrets["password"]
            }
        },
        resources: [
            {
                name: "products",
                primary_key: "sku",
                write_disposition: "replace",
                endpoint: {
                    path: "/products/_search",
                    method: "POST",
                    json: { query: { term: { status: "active" } }, sort: [{ sku: "asc" }] },
                    data_selector: "hits.hits[*]._source",
                    paginator: {
                        type: "offset",
                        limit: 50,
                        offset_body_path: "from",
                        limit_body_path: "size",
                        total_path: "hits.total.value"
                    }
                }
            }
        ]
    },
    { schedule: "cron(0 5 * * ? *)" }
);
