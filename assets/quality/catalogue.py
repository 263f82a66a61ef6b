"""The catalogue of metrics: what each number is called, where it stands, when it is bad and who mends it.

Belongs here: reading metrics.toml, and the names of the sections. Does not: numbers.
Surprise: SQL reads the catalogue as a table, so a limit is changed in one place and judged in SQL (judged.sql).
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pyarrow as pa

SECTIONS = {
    "R0": "Can I trust tonight's data?",
    "R1": "From the sources to HaloPSA",
    "R2": "Completeness",
    "R3": "Validity",
    "R4": "Uniqueness and accuracy of matching",
    "R5": "What each source is worth",
    "R6": "Conflicts between sources",
    "R7": "Golden records that may be two",
    "R8": "Golden records that may be one",
    "R9": "Health of matching",
    "R10": "Freshness",
    "R11": "Health of publishing",
    "R12": "Contracts",
    "R13": "Trends",
    "R14": "Privacy",
    "R15": "Work list",
    "R16": "Self-check",
}


@dataclass(frozen=True)
class Metric:
    """One metric. `controlled` and `work` are true, or a pattern of the fields that are meant; limits are exclusive."""

    metric: str
    section: str
    unit: str
    made_by: str
    about: str
    error_above: int | None = None
    warn_above: int | None = None
    controlled: bool | str = False
    owner: str | None = None
    command: str | None = None
    work: str | None = None

    @property
    def sql_file(self) -> str:
        return f"transforms/sql/quality/{self.made_by}.sql"


@cache
def metrics() -> dict[str, Metric]:
    """Every metric by its name, in the order of the sections."""
    found = tomllib.loads(Path(__file__).with_name("metrics.toml").read_text("utf-8"))
    return {name: Metric(metric=name, **told) for name, told in found.items()}


METRIC_SCHEMA = pa.schema(
    [
        ("metric", pa.string()),
        ("section", pa.string()),
        ("unit", pa.string()),
        ("about", pa.string()),
        ("sql_file", pa.string()),
        ("error_above", pa.int64()),
        ("warn_above", pa.int64()),
        ("is_controlled", pa.bool_()),
        ("controlled_field", pa.string()),
        ("owner", pa.string()),
        ("command", pa.string()),
        ("work_field", pa.string()),
    ]
)


def metric_table() -> pa.Table:
    """The catalogue as `quality.metric`."""
    rows = [
        {
            "metric": one.metric,
            "section": one.section,
            "unit": one.unit,
            "about": one.about,
            "sql_file": one.sql_file,
            "error_above": one.error_above,
            "warn_above": one.warn_above,
            "is_controlled": bool(one.controlled),
            "controlled_field": one.controlled if isinstance(one.controlled, str) else None,
            "owner": one.owner,
            "command": one.command,
            "work_field": one.work,
        }
        for one in metrics().values()
    ]
    return pa.Table.from_pylist(rows, schema=METRIC_SCHEMA)
