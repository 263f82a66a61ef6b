"""One night's tables: every table of the report in its order, once.

Belongs here: the order, which tables Python makes, which keep earlier nights, which are only views. Does not: SQL, what
the SQL is given (given.py), Dagster.
Surprise: a night may be made again at will. What it makes is made anew, and in the history its own rows are replaced.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime

from assets.quality import accuracy, labels, second
from assets.quality.given import prepare
from assets.quality.labels import Label
from transforms.engines.port import Engine, Renewal

# Made in this order; each reads only what stands before it, or what a run made.
TABLES = (
    *("record_fate", "golden_fate", "funnel", "funnel_balance", "finding", "completeness", "duplicate"),
    *("pair_stratum", "labelled_accuracy", "source_overlap", "agreement", "source_accuracy", "conflict", "flapping"),
    *("contact_cluster_shape", "organisation_cluster_shape", "overmerge_suspect", "undermerge_suspect"),
    *("weight_histogram", "freshness", "age_curve", "publish_health", "payload_field", "field_drift", "privacy"),
    *("number", "self_check", "trend", "frozen", "judged", "work_list", "field_history", "history", "subject"),
)
KEEPS_NIGHTS = ("history", "field_history")
VIEWS = ("subject", "pair_stratum")  # large, and read only when somebody asks
# Tables that no SQL file makes: what makes them, and where that lives.
IN_PYTHON: dict[str, str] = {
    "labelled_accuracy": "assets/quality/labels.py",
    "source_accuracy": "assets/quality/accuracy.py",
    "self_check": "assets/quality/second.py",
}
NAMES = tuple(f"quality.{table}" for table in TABLES)


def build(engine: Engine, as_of: datetime, told: Iterable[Label] = ()) -> date:
    """Make all tables of the night of `as_of`; the warehouse must hold a run's tables. Returns the night, in UTC."""
    night = prepare(engine, as_of)
    for name in NAMES:
        make(engine, name, told)
    return night


def make(engine: Engine, name: str, told: Iterable[Label] = ()) -> None:
    """Make one table; those before it must be there. `told` are the labels that people gave."""
    table = name.removeprefix("quality.")
    python: dict[str, Callable[[], None]] = {
        "labelled_accuracy": lambda: labels.put(engine, told),
        "source_accuracy": lambda: accuracy.put(engine),
        "self_check": lambda: second.check(engine),
    }
    if table in python:
        python[table]()
    elif table in VIEWS:
        engine.view(name)
    elif table in KEEPS_NIGHTS:
        engine.sql(name, renewal=Renewal(("night",), "quality.night", "night"))
    else:
        engine.sql(name)
