"""R16: every number of the report made a second time, by pandas over Arrow, from the same base tables.

Belongs here: gathering the parts, the balance of the funnel, comparing with the SQL to the unit. Does not: the parts
(second_records.py, second_golden.py, second_matching.py, second_publishing.py).
Surprise: it reads no table of the report but the night. Where the two disagree, one of them is wrong, and the report
says so in its verdict instead of choosing.
"""

from __future__ import annotations

from collections import Counter

import pyarrow as pa

from assets.quality.second_golden import golden_numbers
from assets.quality.second_records import Numbers, record_numbers
from transforms.engines.port import Engine

SELF_CHECK_SCHEMA = pa.schema(
    [("number_id", pa.string()), ("value", pa.int64()), ("second_value", pa.int64()), ("differs", pa.bool_())]
)
# Made from this report's own history and drift tables, not from a base table: each has a test of its own.
NOT_RECOMPUTED = ("field_drift",)
GOLDEN = 4  # the place at which the sources become one


def check(engine: Engine) -> None:
    """Put `quality.self_check`: one row per number, the value of the SQL and that of the second implementation."""
    second = {number_id(*key): told for key, told in numbers(engine).items()}
    first = {
        row["number_id"]: (row["value"], row["total"])
        for row in engine.fetch("quality.number", ("metric", "number_id", "value", "total")).to_pylist()
        if row["metric"] not in NOT_RECOMPUTED
    }
    rows = [
        {
            "number_id": name,
            "value": first.get(name, (None, None))[0],
            "second_value": second.get(name, (None, None))[0],
            "differs": first.get(name) != second.get(name),
        }
        for name in sorted(first.keys() | second.keys())
    ]
    engine.put("quality.self_check", pa.Table.from_pylist(rows, schema=SELF_CHECK_SCHEMA))


def numbers(engine: Engine) -> Numbers:
    """(metric, entity, source, field) -> (value, total)."""
    found = record_numbers(engine) | golden_numbers(engine)
    return found | balance(found)


STEPS = ("fetched", "valid", "matched", "golden", "planned", "written", "acknowledged", "confirmed")


def balance(found: Numbers) -> Numbers:
    """What each step of the funnel leaves unexplained: what stood before, with gains, less losses and what stands."""
    rest: Counter[tuple[str, str, int]] = Counter()
    for (metric, entity, source, field), (value, _) in found.items():
        if metric in STEPS:
            place = STEPS.index(metric) + 1
            rest[entity, "" if place == GOLDEN - 1 else source, place + 1] += value
            rest[entity, source, place] -= value
        elif metric == "lost":
            rest[entity, source, STEPS.index(field.split(": ")[0]) + 1] -= value
        elif metric == "gained":
            rest[entity, source, 2] += value
    return {
        ("unexplained", entity, source, str(place)): (abs(value), None)
        for (entity, source, place), value in rest.items()
        if 1 < place <= len(STEPS)
    }


def number_id(metric: str, entity: str, source: str, field: str) -> str:
    return "/".join((metric, entity, source, field)).rstrip("/")
