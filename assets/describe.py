"""What the Dagster UI says of a table: one sentence, grain, key, where it is made, and its query.

Belongs here: reading that off contracts and SQL headers. Does not: writing it down a second time, but for the few
tables that a kernel makes and no contract describes.
Surprise: the header of an SQL file is data. `tests/test_house.py` holds it to what the query really reads.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import dagster as dg

from transforms.contracts import TABLES
from transforms.engines.duckdb import SQL_ROOT

_PART = re.compile(r"^-- (?P<name>[\w.]+):\s+(?P<text>.*(?:\n--  .*)*)", re.MULTILINE)

# Made by a kernel or in the driver, and described by no contract: name after the entity -> (what it holds, where).
KERNEL_TABLES = {
    "sample": ("Record pairs drawn at random: what chance agreement looks like.", "transforms/driver.py"),
    "pattern": ("Each compared pair as one integer, four bits a feature.", "transforms/kernels/patterns.py"),
    "weight": ("What each comparison pattern is worth, log2 of the likelihood ratio.", "transforms/driver.py"),
    "component": ("Records connected by pairs above the threshold, not yet refined.", "transforms/driver.py"),
    "group": ("Each component cut where one wrong pair would glue two entities.", "transforms/kernels/refine.py"),
    "unmet": ("What it says of two records that blocking never brought together.", "transforms/unmet.py"),
    "check": ("Every number of the report beside the one a second implementation made.", "assets/quality/second.py"),
    "accuracy": ("How right matching and sources are, with 95 % intervals.", "assets/quality"),
    "estimate": ("How right the clusters should be: precision and recall with intervals.", "transforms/calibration.py"),
    "identity": ("The golden id of each source record, kept from run to run.", "transforms/driver.py"),
    "lineage": ("Golden ids that were born, merged or split in this run.", "transforms/driver.py"),
    "provenance": (
        "Which source record each golden value was taken from, and by which rule.",
        "transforms/survivorship",
    ),
}


@cache
def header(name: str) -> dict[str, str]:
    """The header of a table's SQL file: `about`, `grain`, `key`, `inputs`, `why`; empty where it has no file."""
    schema, table = name.split(".")
    path = SQL_ROOT / schema / f"{table}.sql"
    if not path.exists():
        return {}
    head = path.read_text(encoding="utf-8").split("\nselect", 1)[0].split("\nwith ", 1)[0]
    parts = {found["name"]: re.sub(r"\s*\n--\s*", " ", found["text"]).strip() for found in _PART.finditer(head)}
    return {"about": parts.pop(name, ""), **parts}


def description(name: str) -> str:
    """One sentence on a table."""
    if name in TABLES:
        return TABLES[name].comment
    if about := header(name).get("about"):
        return about[0].upper() + about[1:]
    return KERNEL_TABLES[name.rsplit("_", 1)[-1]][0]


def metadata(name: str) -> dict[str, Any]:
    """Grain, key, place and query of a table, for its page."""
    found = header(name)
    if not found:
        return {"made by": _kernel_of(name)}
    schema, table = name.split(".")
    place = f"transforms/sql/{schema}/{table}.sql"
    query = (SQL_ROOT / schema / f"{table}.sql").read_text(encoding="utf-8")
    told = {part: found[part] for part in ("grain", "key", "why") if part in found}
    return told | {"made by": place, "query": dg.MetadataValue.md(f"```sql\n{query}```")}


def _kernel_of(name: str) -> str:
    end = name.rsplit("_", 1)[-1]
    return KERNEL_TABLES[end][1] if end in KERNEL_TABLES else "transforms/kernels/standardise.py"
