"""What was paid for is known by the id it was asked by; what a run met is told in words; keys and numbers are screened."""

from __future__ import annotations

import json
import math

import pytest

from sources.intake import Meter, Poison, screen
from sources.paid import attributed


def poison(row_id: str) -> Poison:
    return Poison(row_id, "contact", "", "a str instead of an object", "")


@pytest.mark.parametrize(
    ("found", "came", "expected"),
    [
        ([], {"a"}, []),
        (["b"], {"a"}, ["b"]),  # it names itself; c is a plain miss
        (["unnamed"], {"a", "b"}, ["c"]),
        (["unnamed"], {"a"}, ["b", "c"]),  # which of the two cannot be told: neither is bought again
        (["b", "unnamed"], {"a"}, ["b", "c"]),
        (["unnamed"], {"a", "b", "c"}, ["unnamed"]),  # all came: somebody else's
    ],
)
def test_an_answer_without_a_name_counts_for_the_ids_that_did_not_come(found, came, expected):
    rows = attributed([poison(row_id) for row_id in found], asked=["a", "b", "c"], came=came)

    assert [row.id for row in rows] == expected


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"id": "1", "n": math.inf}, "inf instead of a number"),
        ({"id": "1", "n": math.nan}, "nan instead of a number"),
        ({"id": "1", "a\x00b": 1}, "a key holds a NUL character"),
        (json.loads('{"id": "1", "deep": {"\\ud800": 1}}'), "a key holds a lone surrogate"),
    ],
)
def test_what_no_payload_could_be_written_with_is_poison(row, reason):
    """An infinity and a broken key went through the screen and then ended the whole run."""
    good, found = screen([row], entity="contact", id_of=lambda row: row["id"])

    assert (good, [row.reason for row in found]) == ([], [reason])


def test_a_meter_tells_in_words_what_was_quarantined_and_why_the_vendor_was_asked_again():
    meter = Meter("uplead")
    assert (meter.refusals(), meter.retries()) == ([], [])

    meter.quarantine([poison("a"), poison("b")])
    meter.retried.update({"HTTP 429": 2, "HTTP 401": 1})

    assert meter.refusals() == [
        "uplead: 2 contact rows are quarantined: a str instead of an object. All others are loaded. See "
        "raw_uplead.quarantine; once it is mended at its source, the next run takes it in."
    ]
    assert meter.retries() == [
        "uplead: asked again after HTTP 401 (1 x), HTTP 429 (2 x); all was answered then, nothing is missing."
    ]
