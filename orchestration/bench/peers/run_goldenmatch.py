"""goldenmatch 3 as a peer of `bench resolve`: its Python API with no configuration at all.

Belongs here: one call and writing its clusters down. Does not: any tuning, judging. Run by the peer's own interpreter
with the path of a job file. Surprise: its clusters name rows by position.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import goldenmatch
import pyarrow as pa
import pyarrow.parquet as pq


def main(job: dict[str, Any]) -> dict[str, Any]:
    identifiers = pq.read_table(job["records"], columns=["record_id"])["record_id"].to_pylist()
    result = goldenmatch.dedupe(job["records"])
    cluster_of = {
        identifiers[row]: str(name) for name, cluster in result.clusters.items() for row in cluster["members"]
    }
    clusters = [cluster_of.get(identifier, f"alone {identifier}") for identifier in identifiers]
    pq.write_table(pa.table({"record_id": identifiers, "cluster_id": clusters}), job["clusters"])
    return {"version": goldenmatch.__version__, "settings": "zero configuration"}


if __name__ == "__main__":
    job_path = Path(sys.argv[1])
    job_spec = json.loads(job_path.read_text())
    Path(job_spec["answer"]).write_text(json.dumps(main(job_spec)))
