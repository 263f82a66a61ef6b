"""What both Splink models are made of: the shape of a model, and which columns hold anything.

Belongs here: what splink_plain.py and splink_tuned.py share. Does not: any comparison of either.
Surprise: nothing here looks at a label or at the name of a data set; a model is put together from the columns that
hold something, so that a labelled set that nobody has seen gets sensible settings too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import splink.comparison_library as cl

Rule = tuple[str, ...]


@dataclass(frozen=True)
class Model:
    """What `run_splink` needs; rules are lists of column expressions that must be equal."""

    comparisons: list[Any]
    prediction_rules: list[Rule]
    certain_rules: list[Rule]
    certain_recall: float
    training_rules: list[Rule]
    random_pairs: float


def exact(name: str) -> Any:
    return cl.ExactMatch(name).configure(term_frequency_adjustments=True)


def possible(have: set[str], rules: Sequence[Rule]) -> list[Rule]:
    """The rules all of whose columns are there; `left(name, 7)` needs `name`."""
    return [rule for rule in rules if all(part.removeprefix("left(").split(",")[0] in have for part in rule)]


def random_pairs(rows: int) -> float:
    return 1e7 if rows > 200_000 else 2e6


def filled_columns(connection: duckdb.DuckDBPyConnection, table: str) -> set[str]:
    """Columns that hold at least one value in a hundred rows; an almost empty one cannot be trained."""
    names = [row[0] for row in connection.execute(f"describe {table}").fetchall()]
    counts = f"select count(*), {', '.join(f'count({name})' for name in names)} from {table}"
    total, *filled = connection.execute(counts).fetchall()[0]
    return {name for name, count in zip(names, filled, strict=True) if count * 100 >= total}


def count(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    return int(connection.execute(query).fetchall()[0][0])  # DuckDB 2 wants a result read to its end
