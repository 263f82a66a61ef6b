"""Parquet: the world as files in the shape of `halosync resolve`, for benchmarks that need no HTTP.

Belongs here: from a vendor's view to resolve's input columns, and the truth beside them.
Does not: what the views hold (contacts.py, organisations.py).
Surprise: there is a file per source and entity, and one per entity with all sources (`contact.parquet`), as `resolve`
takes one file; `record_id` is `source:id`, the same as the truth's record_key.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from sources.world.profile import SOURCES

if TYPE_CHECKING:
    from sources.world.world import World

# Pinned by the interface of `resolve`; the same names as the input contracts in transforms/contracts.py.
CONTACT_FIELDS = [
    "record_id",
    "source",
    "first_name",
    "middle_name",
    "last_name",
    "name_suffix",
    "full_name",
    "email",
    "phone",
    "mobile",
    "job_title",
    "organisation_name",
    "organisation_domain",
    "linkedin_url",
    "street",
    "city",
    "state",
    "postcode",
    "country",
    "date_of_birth",
    "external_id",
]
ORGANISATION_FIELDS = [
    "record_id",
    "source",
    "name",
    "domain",
    "website",
    "phone",
    "email",
    "street",
    "city",
    "state",
    "postcode",
    "country",
    "linkedin_url",
    "industry",
    "employees",
    "external_id",
]
_FIELDS = {"contact": CONTACT_FIELDS, "organisation": ORGANISATION_FIELDS}


def write_raw(world: World, root: Path) -> dict[str, int]:
    """Write `<entity>_<source>.parquet`, `<entity>.parquet` and `truth.parquet` under root; rows a file."""
    root.mkdir(parents=True, exist_ok=True)
    counts: dict[str, int] = {}
    for entity in ("organisation", "contact"):
        schema = pa.schema([(name, pa.string()) for name in _FIELDS[entity]])
        with pq.ParquetWriter(root / f"{entity}.parquet", schema, compression="zstd") as together:
            for source in SOURCES:
                table = _table(world.view(source, entity, keep=False), source, schema)
                pq.write_table(table, root / f"{entity}_{source}.parquet", compression="zstd")
                together.write_table(table)
                counts[f"{entity}_{source}"] = table.num_rows
    truth = world.truth()
    pq.write_table(pa.Table.from_pandas(truth, preserve_index=False), root / "truth.parquet", compression="zstd")
    return counts | {"truth": len(truth)}


def _table(frame: pd.DataFrame, source: str, schema: pa.Schema) -> pa.Table:
    rows = len(frame)
    columns = []
    for name in schema.names:
        if name == "record_id":
            columns.append(pa.array([f"{source}:{identifier}" for identifier in frame["id"]], pa.string()))
        elif name == "source":
            columns.append(pa.array([source] * rows, pa.string()))
        elif name == "phone" and "phone_ext" in frame:
            pairs = zip(frame["phone"], frame["phone_ext"], strict=True)
            columns.append(
                pa.array([f"{phone} x{extension}" if extension else phone for phone, extension in pairs], pa.string())
            )
        elif name not in frame:
            columns.append(pa.nulls(rows, pa.string()))
        else:
            columns.append(pa.array([None if value is None else str(value) for value in frame[name]], pa.string()))
    return pa.table(columns, schema=schema)
