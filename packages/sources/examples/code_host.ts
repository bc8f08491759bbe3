import { dlt, rest_api_source } from "@tidetable/core";

/**
 * The issues of a repository: a Link-header API that is read incrementally.
 *
 * - The next page's address is in the `Link` header, so the paginator is `header_link`.
 * - `{owner}` and `{repo}` in the path are filled from `params`.
 * - The first run reads all issues. Each later run requests the issues that have changed `since` the
 *   newest `updated_at` of the run before, that moment included. The API sends the oldest change
 *   first, so an issue that changes during a run moves to a page that has yet to be read.
 * - The API lists pull requests among the issues; a filter drops them.
 * - The weekly full refresh deletes the rows of deleted issues.
 *
 * Run the file: `npx --no tidetable run packages/sources/examples/code_host.ts`. Before a deploy, move
 * the file to `packages/sources/src` and register the source in `index.ts`:
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
