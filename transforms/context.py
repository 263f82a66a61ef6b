"""What a run brings to the pipeline and takes back, and the shapes of what comes from outside.

Belongs here: the context and the schemas of registry, heads, decisions, raw tables and of what an earlier run left.
Does not: reading them (assets). Surprise: a model that is given is frozen; one that is missing is trained by the run
and left here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

import pyarrow as pa

from transforms.contracts import TABLES
from transforms.kernels.standardise import arrow_schema
from transforms.model import Model
from transforms.survivorship.rules import Rules

MOMENT = pa.timestamp("us")
RAW_SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("archive_seq", pa.int64()),
        ("stamp", pa.string()),
        ("content_hash", pa.string()),
        ("fetched_at", MOMENT),
        ("payload", pa.string()),
    ]
)
REGISTRY_SCHEMA = pa.schema(
    [
        ("record_key", pa.string()),
        ("golden_id", pa.string()),
        ("since", MOMENT),
        ("first_seq", pa.int64()),
        ("is_present", pa.bool_()),
    ]
)
IDS_SCHEMA = pa.schema([("golden_id", pa.string()), ("first_seq", pa.int64()), ("is_live", pa.bool_())])
HEAD_SCHEMA = pa.schema([("golden_id", pa.string()), ("content_hash", pa.string()), ("updated_at", MOMENT)])
IDENTITY_SCHEMA = pa.schema([("record_key", pa.string()), ("golden_id", pa.string()), ("since", MOMENT)])
DECISION_SCHEMA = pa.schema([("record_key_l", pa.string()), ("record_key_r", pa.string()), ("is_same", pa.bool_())])
LINEAGE_SCHEMA = arrow_schema(TABLES["golden.lineage"])
# What an incremental run reads of the tables as the last run left them: name -> (the table, the columns read).
PREVIOUS = {
    "standard": ("standardised.{}", pa.schema([("record_key", pa.string()), ("input_hash", pa.string())])),
    "feature": (
        "resolved.{}_feature",
        pa.schema(
            [
                ("rid", pa.int64()),
                ("record_key", pa.string()),
                ("content_hash", pa.string()),
                ("organisation", pa.string()),
            ]
        ),
    ),
    "key": (
        "resolved.{}_key",
        pa.schema([("rid", pa.int64()), ("rule", pa.string()), ("key", pa.string()), ("refine", pa.string())]),
    ),
    "cluster": (
        "resolved.{}_cluster",
        pa.schema(
            [
                ("rid", pa.int64()),
                ("record_key", pa.string()),
                ("cluster_key", pa.string()),
                ("component", pa.int64()),
            ]
        ),
    ),
    "identity": ("golden.{}_identity", pa.schema([("record_key", pa.string()), ("golden_id", pa.string())])),
}


@dataclass
class Context:
    """What a run brings from the ledger, and what it takes back. An empty one builds from nothing.

    registry: last members (record_key, golden_id, since, first_seq, is_present: there at the last commit; unknown
    counts as there); ids: every id ever given (golden_id, first_seq,
    is_live); heads: live heads (golden_id, content_hash, updated_at); decisions: what a steward said (DECISION_SCHEMA);
    all keyed by entity. A model that is given is frozen; without one the run trains and leaves it in `models`. locks:
    what stewards fixed (survivorship/locks.py); rules: of survivorship, the shipped ones where none are given.
    `is_incremental`: build only on what changed since the tables were made, where `prepare` finds that it can.
    """

    run_at: datetime
    registry: dict[str, pa.Table] = field(default_factory=dict)
    ids: dict[str, pa.Table] = field(default_factory=dict)
    heads: dict[str, pa.Table] = field(default_factory=dict)
    decisions: dict[str, pa.Table] = field(default_factory=dict)
    models: dict[str, Model] = field(default_factory=dict)
    locks: pa.Table | None = None
    rules: Rules | None = None
    is_incremental: bool = False
    seconds: dict[str, float] = field(default_factory=dict)


def naive(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
