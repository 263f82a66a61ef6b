"""The inspection copy: the warehouse as of the last run, never locked, for people and their tools.

Belongs here: answers, comments, copy, rename. Does not: what they say (answers.py, comments.py).
"""

import os
import shutil

import dagster as dg

from assets import answers, comments
from assets.common import OWNERS, POOL
from assets.ops import MIRRORED
from assets.runtime import Runtime
from transforms import standing


@dg.asset(
    key=["ops", "inspection_copy"],
    group_name="ops",
    deps=[dg.AssetKey(standing.MARK.split(".")), *(dg.AssetKey(["ops", name]) for name in MIRRORED)],
    description="inspect.duckdb: the warehouse as of the last run, never locked, swapped in by rename.",
    kinds={"duckdb"},
    owners=OWNERS,
    pool=POOL,
    required_resource_keys={"runtime"},
)
def inspection_copy(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    """Comment the tables, checkpoint, copy the file, rename."""
    runtime: Runtime = context.resources.runtime
    with runtime.step("inspection_copy"):
        with runtime.connect() as connection:
            answers.make(connection)
            comments.put_on(connection)
            connection.execute("CHECKPOINT")
            draft = runtime.inspection_copy.with_suffix(".tmp")
            shutil.copyfile(runtime.warehouse, draft)  # under our lock, so nobody writes meanwhile
        os.chmod(draft, 0o600)
        draft.replace(runtime.inspection_copy)
    size = runtime.inspection_copy.stat().st_size
    return dg.MaterializeResult(metadata={"path": str(runtime.inspection_copy), "bytes": size})
