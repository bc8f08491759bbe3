import { dlt, rest_api_source } from "@tidetable/core";

export const incidents = rest_api_source(
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
                "name": "incident_data",
                "endpoint": {
                    "path": "/v1/incidents",
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
        schedule: "rate(15 minutes)",
        resources: {
            incident_data: {
                columns: {
                    id: { nullable: false },
                    status: { data_type: "text", nullable: true },
                    created_at: { data_type: "timestamp", nullable: true },
                    updated_at: { data_type: "timestamp", nullable: true }
                }
            }
        }
    }
);
