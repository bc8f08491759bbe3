import { dlt, rest_api_source } from "@tidetable/core";

export const help_desk = rest_api_source(
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
                "name": "help_desk_tickets",
                "endpoint": {
                    "path": "/v1/tickets",
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
        schedule: "rate(1 hour)",
        resources: {
            help_desk_tickets: {
                columns: {
                    id: { nullable: false },
                    subject: { data_type: "text", nullable: true },
                    status: { data_type: "text", nullable: true },
                    created_at: { data_type: "timestamp", nullable: true }
                }
            }
        }
    }
);
