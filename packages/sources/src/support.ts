import { dlt, rest_api_source } from "@tidetable/core";

export const support = rest_api_source(
    {
        "client": {
            "base_url": "https://api.example.com",
            "auth": {
                "type": "oauth2",
                "client_id": dlt.secrets["client_id"],
                "client_secret": dlt.secrets["client_secret"],
                "token_url": "https://api.example.com/oauth/token"
            }
        },
        "resource_defaults": {
            "primary_key": "id",
            "write_disposition": "merge"
        },
        "resources": [
            {
                "name": "support_tickets",
                "endpoint": {
                    "path": "/v1/tickets",
                    "data_selector": "tickets",
                    "paginator": {
                        "type": "offset",
                        "limit": 100
                    }
                }
            },
            {
                "name": "ticket_comments",
                "endpoint": {
                    "path": "/v1/ticket_comments",
                    "data_selector": "comments",
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
            support_tickets: { columns: { id: { nullable: false } } },
            ticket_comments: { columns: { id: { nullable: false } } }
        }
    }
);
