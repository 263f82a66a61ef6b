"""Loading a dlt source into the warehouse: the one place that knows destination, state folder and profile.

Belongs here: where data land and with which guards. Does not: what is loaded (each source says).
Surprise: dlt's local state is dropped before each run and restored from the warehouse, so state and data can never
disagree: a deleted warehouse is a first run, a restored one goes on where it was.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

# Read when dlt is imported. Telemetry off: no socket may leave for anybody but the vendors. One extraction worker:
# dlt's threads share a context that is not thread-safe (seen as ContainerInjectableContextMangled).
os.environ.setdefault("RUNTIME__DLTHUB_TELEMETRY", "false")
os.environ.setdefault("EXTRACT__WORKERS", "1")
os.environ.setdefault("RUNTIME__LOG_LEVEL", "ERROR")

import dlt
from dlt.common.pipeline import LoadInfo
from dlt.extract import DltSource

# New upstream columns cannot appear (the outer shape is frozen), a changed type stops the load.
FROZEN = {"tables": "evolve", "columns": "freeze", "data_type": "freeze"}


def load(source: DltSource, *, name: str, warehouse: Path, state: Path) -> LoadInfo:
    """Run one source into schema `raw_<name>` of the warehouse.

    Args:
        name: apollo, zoominfo, uplead, exports or halopsa.
        warehouse: absolute path of the DuckDB file; nobody else may have it open.
        state: folder of dlt's working state, inside the data folder.
    """
    pipeline = dlt.pipeline(
        pipeline_name=name,
        destination=dlt.destinations.duckdb(str(warehouse.absolute())),
        dataset_name=f"raw_{name}",
        pipelines_dir=str(state.absolute()),
    )
    pipeline.drop()
    return pipeline.run(source)


def raw_hints(columns: dict[str, dict[str, Any]], *, disposition: str = "merge") -> dict[str, Any]:
    """Arguments for `dlt.resource` of a raw table."""
    return {"columns": columns, "write_disposition": disposition, "primary_key": "id", "schema_contract": FROZEN}
