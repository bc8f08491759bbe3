import { dlt, rest_api_source } from "@tidetable/core";

export const generic = rest_api_source(
    {
        "client": {
            "base_url": "https://api.example.com",
            "auth": {
                "type": "api_key",
                "name": "api_key",
                "api_key": dlt.secrets["api_key"],
                "location": "query"
            }
        },
        "resource_defaults": {
            "primary_key": "id",
            "write_disposition": "merge"
        },
        "resources": [
            {
                "name": "resource_name",
                "endpoint": {
                    "path": "/v1/resource",
                    "data_selector": "data",
                    "paginator": {
                        "type": "offset",
                        "limit": 100
                    }
                }
            }
        ]
    },
    {
        schedule: "rate(1 day)",
        resources: {
            resource_name: {
                columns: {
                    id: { nullable: false },
                    name: { data_type: "text", nullable: true },
                    value: { nullable: true }
                }
            }
        }
    }
);
