import { rest_api_source } from "@tidetable/core";

/**
 * PokéAPI: a public API without a key, to see tables filled within seconds.
 *
 * - Each answer names the address of the next page in `next`, so the paginator is `json_link`.
 * - The lists have names and addresses only. `berries` reads the list and then each berry's own
 *   address: the placeholder takes the name from the parent's record.
 *
 * Its rules of use are at https://pokeapi.co/docs/v2#fairuse: no limit, and fetch no oftener than needed.
 */
export default rest_api_source(
    {
        client: {
            base_url: "https://pokeapi.co/api/v2/",
            paginator: { type: "json_link", next_url_path: "next" }
        },
        resource_defaults: {
            primary_key: "name",
            write_disposition: "replace",
            endpoint: { data_selector: "results" }
        },
        resources: [
            { name: "pokemon", endpoint: { params: { limit: 500 } } },
            { name: "location", endpoint: { params: { limit: 500 } } },
            { name: "berry", selected: false, endpoint: { params: { limit: 500 } } },
            {
                name: "berries",
                primary_key: "id",
                write_disposition: "merge",
                columns: { id: { data_type: "bigint" } },
                endpoint: {
                    path: "berry/{resources.berry.name}",
                    data_selector: "$",
                    paginator: "single_page"
                }
            }
        ]
    },
    { schedule: "rate(1 day)" }
);
