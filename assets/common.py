"""What all assets share: names, pool, owners and the metadata that the Dagster UI understands.

Belongs here: constants and metadata builders. Does not: any asset.
Surprise: `COUNTS` is how a run's summary is made: each step says its counts in its own metadata, so the summary of the
command line and the numbers of the UI are the same numbers.
"""

from __future__ import annotations

from typing import Any

import dagster as dg
import duckdb

from transforms.contracts import TABLES

POOL = "duckdb"  # one process may write a DuckDB file; dagster.yaml gives this pool one slot
OWNERS = ["team:data"]
COUNTS = "halosync/counts"
JOB = "full_sync"


def table_metadata(connection: duckdb.DuckDBPyConnection, table: str) -> dict[str, Any]:
    """Row count, column schema and name of a table; a table that does not exist yet counts as empty."""
    schema, name = table.split(".")
    columns = connection.execute(
        "select column_name, data_type from duckdb_columns() "
        "where schema_name = ? and table_name = ? order by column_index",
        [schema, name],
    ).fetchall()
    rows = connection.sql(f'select count(*) from "{schema}"."{name}"').fetchone() if columns else (0,)
    comments = {column.name: column.comment for column in TABLES[table].columns} if table in TABLES else {}
    shown = [dg.TableColumn(column, kind, description=comments.get(column)) for column, kind in columns]
    return {
        "dagster/row_count": rows[0] if rows else 0,
        "dagster/table_name": table,
        "dagster/column_schema": dg.TableSchema(columns=shown),
    }


# A run that was started while webhooks waited: the last of them. What comes later waits for the next run.
INBOX_TAG = "halosync/inbox"
# A run that webhooks started: the sources they named, by commas. Without the tag a run reads every source.
SOURCES_TAG = "halosync/sources"
