"""The shape of a section of the report, and how its tables are read.

Belongs here: Section, Table, Picture, and the reading that all sections share. Does not: what stands in a section
(data_sections.py: R1 to R6; health_sections.py: R7 to R16), the whole document (document.py), HTML (page.py).
Surprise: rows are always sorted here, for no engine promises an order, and the same input must give the same bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from transforms.engines.port import Engine

Row = dict[str, Any]


@dataclass(frozen=True)
class Table:
    """`caption` says what a row is; cells are text, whole numbers, shares (float) or None."""

    caption: str
    heads: tuple[str, ...]
    rows: list[tuple[Any, ...]]


@dataclass(frozen=True)
class Picture:
    """`svg` is inline; `alt` says in words what it shows."""

    caption: str
    alt: str
    svg: str


@dataclass(frozen=True)
class Section:
    """One of R1 to R16."""

    number: str
    title: str
    intro: str
    tables: list[Table] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)
    made_by: tuple[str, ...] = ()


Told = tuple[str, list[Table], list[Picture]]  # a section's sentence, its tables, its pictures


class Reading:
    """One night's tables, for sections to read; `judged` are the rows of quality.judged."""

    def __init__(self, engine: Engine, judged: list[Row]) -> None:
        self.engine = engine
        self.judged = judged

    def rows(self, table: str, *sort: str) -> list[Row]:
        found = self.engine.fetch(f"quality.{table}").to_pylist()
        return sorted(found, key=lambda row: tuple((row[name] is None, row[name]) for name in sort))

    def numbers(self, *names: str) -> list[Row]:
        return [row for row in self.judged if row["metric"] in names]

    def table(self, caption: str, heads: Sequence[str], rows: list[tuple[Any, ...]]) -> list[Table]:
        return [Table(caption, tuple(heads), rows)] if rows else []
