"""Splink as its tutorials set it up, for whatever columns there are.

Belongs here: light cleaning, comparisons and rules in the way of the tutorials. Does not: the tuned model
(splink_tuned.py). Surprise: up to ten thousand records single columns are blocked on, as the tutorial for FEBRL does.
"""

from __future__ import annotations

from typing import Any

import duckdb
import splink.comparison_library as cl
from splink_model import Model, count, exact, possible, random_pairs

SMALL_RECORDS = 10_000  # up to here Splink's tutorials block on single columns


def cleaning_sql(filled: set[str], entity: str) -> str:
    columns = [f"nullif(lower(trim({name})), '') as {name}" for name in sorted(filled - {"record_id", "source"})]
    if entity == "contact" and {"first_name", "last_name"} <= filled:
        columns.append("nullif(lower(trim(first_name)) || ' ' || lower(trim(last_name)), '') as first_and_last")
    return f"create table cleaned as select record_id, {', '.join(columns)} from record"


def contact(have: set[str], rows: int, dates: str) -> Model:
    """Tutorials "deduplicate 50k synthetic" and "FEBRL 3", for the columns that are there."""
    makers = {
        "date_of_birth": lambda name: cl.DateOfBirthComparison(
            name, input_is_string=True, datetime_format=dates, invalid_dates_as_null=True
        ),
        "email": cl.EmailComparison,
        "external_id": lambda name: cl.DamerauLevenshteinAtThresholds(name, [1, 2]),
        "phone": exact,
        "linkedin_url": lambda name: cl.ExactMatch(name),
        "postcode": lambda name: cl.DamerauLevenshteinAtThresholds(name, [1, 2]).configure(
            term_frequency_adjustments=True
        ),
        "street": lambda name: cl.JaroWinklerAtThresholds(name, [0.9, 0.7]),
        "city": exact,
        "job_title": exact,
        "organisation_name": lambda name: cl.JaroWinklerAtThresholds(name, [0.9, 0.8]).configure(
            term_frequency_adjustments=True
        ),
    }
    names: list[Any] = [cl.NameComparison(name) for name in ("first_name", "last_name", "full_name") if name in have]
    if "first_and_last" in have:
        names = [
            cl.ForenameSurnameComparison("first_name", "last_name", forename_surname_concat_col_name="first_and_last")
        ]
    single = [("first_name",), ("last_name",), ("date_of_birth",), ("postcode",)] if rows <= SMALL_RECORDS else []
    return Model(
        comparisons=[*names, *(make(name) for name, make in makers.items() if name in have)],
        prediction_rules=possible(
            have,
            [
                *single,
                ("email",),
                ("phone",),
                ("linkedin_url",),
                ("external_id",),
                ("first_name", "last_name"),
                ("last_name", "date_of_birth"),
                ("first_name", "date_of_birth"),
                ("first_name", "postcode"),
                ("last_name", "postcode"),
                ("date_of_birth", "postcode"),
                ("left(first_name, 3)", "left(last_name, 4)"),
                ("left(postcode, 3)", "date_of_birth"),
                ("left(postcode, 3)", "first_name"),
                ("left(postcode, 3)", "last_name"),
                ("job_title", "date_of_birth"),
                ("job_title", "postcode"),
                ("last_name", "organisation_name"),
                ("first_name", "organisation_name"),
                ("date_of_birth", "city"),
                ("last_name", "street"),
            ],
        ),
        certain_rules=possible(
            have,
            [
                ("email",),
                ("external_id",),
                ("first_name", "last_name", "date_of_birth"),
                ("first_name", "last_name", "organisation_name"),
            ],
        ),
        certain_recall=0.7,
        training_rules=possible(have, [("first_name", "last_name")])
        + possible(have, [("date_of_birth",), ("email",), ("phone",), ("postcode",)])[:1],
        random_pairs=random_pairs(rows),
    )


def date_format(connection: duckdb.DuckDBPyConnection, have: set[str]) -> str:
    if "date_of_birth" not in have:
        return ""
    dashed = count(connection, "select count(*) from cleaned where date_of_birth like '____-__-__'")
    joined = count(connection, "select count(*) from cleaned where date_of_birth similar to '[0-9]{8}'")
    return "%Y-%m-%d" if dashed >= joined else "%Y%m%d"


def organisation(have: set[str], rows: int) -> Model:
    """The same way for organisations."""
    makers = {
        "name": lambda name: cl.JaroWinklerAtThresholds(name, [0.92, 0.88, 0.7]).configure(
            term_frequency_adjustments=True
        ),
        "domain": exact,
        "website": exact,
        "email": cl.EmailComparison,
        "phone": exact,
        "linkedin_url": cl.ExactMatch,
        "street": lambda name: cl.JaroWinklerAtThresholds(name, [0.9, 0.7]),
        "city": exact,
        "postcode": exact,
    }
    single = ("domain", "phone", "linkedin_url", "left(name, 7)", "postcode", "name", "website", "email", "street")
    return Model(
        comparisons=[make(name) for name, make in makers.items() if name in have],
        prediction_rules=possible(have, [(name,) for name in single]),
        certain_rules=possible(have, [("domain",), ("name", "phone"), ("name", "street"), ("linkedin_url",)]),
        certain_recall=0.8,
        training_rules=[("name",), *possible(have, [("domain",), ("phone",), ("street",)])[:1]],
        random_pairs=random_pairs(rows),
    )
