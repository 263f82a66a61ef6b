"""Survivorship: the rules that choose, what travels together, and that losers are kept."""

from __future__ import annotations

import json
from datetime import datetime

import pyarrow as pa
import pytest
from pydantic import ValidationError

from transforms.contracts import TABLES
from transforms.kernels.standardise import arrow_schema
from transforms.survivorship import Rules, load_rules, survive_contact

SCHEMA = pa.schema(
    [
        pa.field("golden_id", pa.string()),
        *arrow_schema(TABLES["standardised.contact"]),
        pa.field("organisation_golden_id", pa.string()),
    ]
)
Record = dict[str, object]


def _survive(*records: Record) -> dict[str, dict[str, object]]:
    rows = [{"golden_id": "con_1", "source": str(record["record_key"]).split(":")[0], **record} for record in records]
    batch = pa.Table.from_pylist(rows, schema=SCHEMA).to_batches()[0]
    return {row["field"]: row for row in survive_contact(batch).to_pylist()}


def test_the_value_of_most_sources_wins_and_the_loser_is_kept() -> None:
    cells = _survive(
        {"record_key": "apollo:1", "last_name": "Smith"},
        {"record_key": "uplead:1", "last_name": "Smith"},
        {"record_key": "zoominfo:1", "last_name": "Smyth"},
    )

    assert cells["last_name"]["value"] == "Smith"
    assert cells["last_name"]["rule"] == "vote"
    assert json.loads(str(cells["last_name"]["losers"])) == [["zoominfo:1", "Smyth"]]


def test_one_vendor_that_holds_a_person_twice_has_one_vote() -> None:
    cells = _survive(
        {"record_key": "uplead:1", "last_name": "Smyth"},
        {"record_key": "uplead:2", "last_name": "Smyth"},
        {"record_key": "zoominfo:1", "last_name": "Smith"},
    )

    assert cells["last_name"]["value"] == "Smith"
    assert cells["last_name"]["rule"] == "priority"


def test_do_not_call_is_true_if_any_source_of_that_number_says_so() -> None:
    cells = _survive(
        {"record_key": "apollo:1", "phone": "+15550001", "phone_ext": "12", "phone_do_not_call": False},
        {"record_key": "zoominfo:1", "phone": "+15550001", "phone_do_not_call": True},
        {"record_key": "uplead:1", "phone": "+15559999", "phone_ext": "99"},
    )

    assert cells["phone"]["value"] == "+15550001"
    assert cells["phone_do_not_call"]["value"] == "true"
    assert cells.get("phone_ext", {"value": None})["value"] in (None, "12")


def test_another_numbers_do_not_call_does_not_stick() -> None:
    cells = _survive(
        {"record_key": "apollo:1", "phone": "+15550001", "phone_do_not_call": False},
        {"record_key": "zoominfo:1", "phone": "+15550001"},
        {"record_key": "uplead:1", "phone": "+15559999", "phone_do_not_call": True},
    )

    assert cells["phone_do_not_call"]["value"] == "false"


def test_after_a_job_change_the_current_employers_address_wins() -> None:
    """The old employer's verified mailbox no longer reaches the person."""
    moved = datetime(2026, 5, 1)
    cells = _survive(
        {
            "record_key": "apollo:1",
            "organisation_golden_id": "org_old",
            "email": "ann@old.com",
            "email_status": "verified",
            "job_title": "Clerk",
            "source_updated_at": datetime(2020, 1, 1),
        },
        {
            "record_key": "zoominfo:1",
            "organisation_golden_id": "org_new",
            "email": "ann@new.com",
            "email_status": "guessed",
            "job_title": "Director",
            "source_updated_at": moved,
        },
    )

    assert [cells[name]["value"] for name in ("organisation_golden_id", "email", "email_status", "job_title")] == [
        "org_new",
        "ann@new.com",
        "guessed",
        "Director",
    ]


def test_at_one_employer_a_verified_address_wins() -> None:
    cells = _survive(
        {"record_key": "apollo:1", "email": "a.lee@acme.com", "email_status": "guessed"},
        {"record_key": "uplead:1", "email": "ann.lee@acme.com", "email_status": "verified"},
    )

    assert (cells["email"]["value"], cells["email_status"]["value"]) == ("ann.lee@acme.com", "verified")
    assert cells["email"]["rule"] == "verified"


def test_rules_that_miss_a_golden_column_are_refused() -> None:
    data = load_rules().model_dump()
    data["contact"]["groups"] = data["contact"]["groups"][:-1]

    with pytest.raises(ValidationError, match="notice_date"):
        Rules.model_validate(data)
