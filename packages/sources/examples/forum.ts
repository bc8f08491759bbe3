import { dlt, rest_api_source } from "@tidetable/core";

/**
 * A forum: a cursor API with parents and children.
 *
 * - Each answer names the next page in `meta.next_cursor`, so the paginator is `cursor`.
 * - Posts are read topic by topic, because `{resources.topics.id}` stands in their path. The posts of
 *   each topic start at their own first page.
 * - `include_from_parent` copies two fields of the topic onto each post, as `_topics_slug` and
 *   `_topics_title`.
 * - Post ids are larger than 2^53. `bigint` keeps them as numbers, with all digits.
 *
 * Run the file: `npx --no tidetable run packages/sources/examples/forum.ts`. Before a deploy, move
 * the file to `packages/sources/src` and register the source in `index.ts`:
 * `import forum from "./forum.ts"`.
 */
export default rest_api_source(
    {
        client: {
            base_url: "https://forum.example.com/api",
            auth: { type: "bearer", token: dlt.secrets["token"] },
            paginator: { type: "cursor", cursor_path: "meta.next_cursor", cursor_param: "cursor" }
        },
        resource_defaults: {
            primary_key: "id",
            write_disposition: "merge",
            columns: { id: { data_type: "bigint" } }
        },
        resources: [
            {
                name: "topics",
                endpoint: { path: "/topics", params: { limit: 10 }, data_selector: "topics" }
            },
            {
                name: "posts",
                endpoint: {
                    path: "/topics/{resources.topics.id}/posts",
                    params: { limit: 3 },
                    data_selector: "posts"
                },
                include_from_parent: ["slug", "title"]
            }
        ]
    },
    { schedule: "rate(6 hours)" }
);
