"""The benchmark's records with dlt: rest_api source -> custom destination -> boto3's batch_writer.

Prints one line of JSON: seconds, CPU seconds of this process and its workers, peak memory in MB.
"""

import json
import os
import resource
import sys
import tempfile
import time
from decimal import Decimal

import boto3
import dlt
from dlt.sources.rest_api import rest_api_source

api, endpoint, batch_size = sys.argv[1], sys.argv[2], int(sys.argv[3])

table = boto3.resource(
    "dynamodb",
    endpoint_url=endpoint,
    region_name="us-east-1",
    aws_access_key_id="bench",
    aws_secret_access_key="bench",
).Table("dlt")


def stored(value):
    """boto3 takes no floats."""
    if isinstance(value, float):
        return Decimal(str(value))
    if isinstance(value, dict):
        return {name: stored(member) for name, member in value.items()}
    if isinstance(value, list):
        return [stored(member) for member in value]
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return value


@dlt.destination(
    batch_size=batch_size,
    loader_file_format="typed-jsonl",
    max_table_nesting=0,
    naming_convention="direct",
    skip_dlt_columns_and_tables=True,
)
def dynamodb(items, schema):
    with table.batch_writer() as batch:
        for item in items:
            batch.put_item(Item={**stored(item), "id": str(item["id"])})


def cpu():
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    used = [resource.getrusage(kind) for kind in kinds]
    return sum(one.ru_utime + one.ru_stime for one in used)


source = rest_api_source(
    {
        "client": {"base_url": api},
        "resource_defaults": {"primary_key": "id", "write_disposition": "append"},
        "resources": [
            {
                "name": "records",
                "endpoint": {
                    "path": "records",
                    "data_selector": "data",
                    "paginator": {"type": "offset", "limit": 100, "total_path": "total"},
                },
            }
        ],
    }
)

with tempfile.TemporaryDirectory() as folder:
    began, used = time.monotonic(), cpu()
    pipeline = dlt.pipeline("bench", pipelines_dir=folder, destination=dynamodb)
    pipeline.run(source)
    result = {
        "seconds": time.monotonic() - began,
        "cpuSeconds": cpu() - used,
        "peakMb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
print(json.dumps(result))
