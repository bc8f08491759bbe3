import { dlt, rest_api_source } from "@tidetable/core";

/**
 * A product catalogue behind a search endpoint: paging in the body of a POST.
 *
 * - The query stands in `json`. The paginator writes `from` and `size` into the same body, as numbers.
 * - The answer wraps each record, `{ "hits": { "hits": [{ "_source": { … } }] } }`, and the selector
 *   `hits.hits[*]._source` unwraps it.
 * - `total_path` names the count, so the last page is known without a request for an empty page.
 * - The search lists only products on sale. `replace` reads the whole list and then deletes the rows
 *   that were not in it. The table is never empty in between.
 *
 * Run the file: `npx --no tidetable run packages/sources/examples/catalogue.ts`. Before a deploy, move
 * the file to `packages/sources/src` and register the source in `index.ts`:
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
