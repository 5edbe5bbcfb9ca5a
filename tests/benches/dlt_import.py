"""What dlt makes of the same rows: its own tables, in a schema of its own. For `import.rs`."""

import json
import os
import sys

import dlt
from dlt.destinations import postgres

with open(sys.argv[1]) as rows:
    customers = json.load(rows)
pipeline = dlt.pipeline("customers", destination=postgres(os.environ["SUPABASE_DB_URL"]), dataset_name="loaded_by_dlt")
pipeline.run(customers, table_name="customers", write_disposition="merge", primary_key="id").raise_on_failed_jobs()
