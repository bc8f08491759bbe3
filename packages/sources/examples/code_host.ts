import { dlt, rest_api_source } from "@tidetable/core";

/**
 * The issues of a repository: a Link-header API that is read incrementally.
 *
 * - The next page's address stands in the `Link` header: the `header_link` paginator.
 * - `{owner}` and `{repo}` in the path are filled from `params`.
 * - The first run reads everything. Each later one asks for what has changed `since` the newest
 *   `updated_at` in the table, that moment included. The API sends the oldest change first, so that
 *   records which change meanwhile move to pages that are still to come.
 * - The API lists pull requests among the issues; a filter drops them.
 * - Issues that are deleted go with the weekly full refresh.
 *
 * Run it from its file: `npx tidetable run packages/sources/examples/code_host.ts`. To deploy it,
 * move it to `packages/sources/src` and name it in `index.ts` there:
 * `import code_host from "./code_host.ts"`.
 */
export default rest_api_source(
    {
        client: {
            base_url: "https://code.example.com",
            headers: { accept: "application/json" },
            auth: { type: "bearer", token: dlt.secrets["token"] },
            paginator: "header_link"
        },
        resources: [
            {
                name: "issues",
                primary_key: "id",
                write_disposition: "merge",
                columns: {
                    id: { data_type: "bigint" },
                    updated_at: { data_type: "timestamp" }
                },
                processing_steps: [{ filter: (issue) => !("pull_request" in issue) }],
                endpoint: {
                    path: "/repos/{owner}/{repo}/issues",
                    params: {
                        owner: "acme",
                        repo: "rocket",
                        state: "all",
                        sort: "updated",
                        direction: "asc",
                        per_page: 50,
                        since: "{incremental.start_value}"
                    },
                    data_selector: "$",
                    incremental: { cursor_path: "updated_at" }
                }
            }
        ]
    },
    {
        schedule: "rate(15 minutes)",
        full_refresh_schedule: "rate(7 days)",
        resources: {
            issues: {
                table: { indexes: { by_status: { hash: "status", range: "updated_at" } } }
            }
        }
    }
);
