"""Survivorship: the rules that choose, what travels together, and that losers are kept."""

from __future__ import annotations

import json
import re
import tomllib
from datetime import datetime
from pathlib import Path

import pyarrow as pa

from transforms.contracts import TABLES
from transforms.kernels.standardise import arrow_schema
from transforms.survivorship.kernel import survive
from transforms.survivorship.rules import Rules, shipped_rules

DOCS = Path(__file__).parents[2] / "docs" / "survivorship.md"
LOCKS = pa.list_(pa.struct([("seq", pa.int64()), ("field", pa.string()), ("value", pa.string())]))
SCHEMA = pa.schema(
    [
        pa.field("golden_id", pa.string()),
        *arrow_schema(TABLES["standardised.contact"]),
        pa.field("organisation_golden_id", pa.string()),
        pa.field("locks", LOCKS),
    ]
)
Record = dict[str, object]
Row = dict[str, object]


def _survive(*records: Record, rules: Rules | None = None) -> dict[str, Row]:
    rows = [{"golden_id": "con_1", "source": str(record["record_key"]).split(":")[0], **record} for record in records]
    batch = pa.Table.from_pylist(rows, schema=SCHEMA).to_batches()[0]
    return {row["field"]: row for row in survive(batch, entity="contact", rules=rules or shipped_rules()).to_pylist()}


def _with(fields: list[str], /, **changed: object) -> Rules:
    """The shipped rules, the group that starts with these fields changed."""
    data = shipped_rules().model_dump()
    (group,) = (group for group in data["contact"]["groups"] if list(group["fields"]) == fields)
    group.update(changed)
    return Rules.model_validate(data)


def _cell(row: Row) -> tuple[object, object, object, object]:
    return row["value"], row["record_key"], row["rule"], json.loads(str(row["losers"]))


def _lock(field: str, value: str | None, seq: int = 1) -> Row:
    return {"seq": seq, "field": field, "value": value}


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


def test_a_do_not_call_names_the_record_that_said_so() -> None:
    """Its provenance once named the winner of the phone, whose own word was another."""
    cells = _survive(
        {"record_key": "apollo:1", "phone": "+15550001", "phone_do_not_call": True},
        {"record_key": "zoominfo:1", "phone": "+15550001", "phone_do_not_call": False},
    )

    assert cells["phone"]["record_key"] == "zoominfo:1"
    assert _cell(cells["phone_do_not_call"]) == ("true", "apollo:1", "any", [["zoominfo:1", "false"]])


def test_every_cell_keeps_its_own_losers() -> None:
    cells = _survive(
        {"record_key": "apollo:1", "email": "ann@acme.com", "email_status": "verified"},
        {"record_key": "uplead:1", "email": "a.lee@acme.com", "email_status": "guessed"},
        {"record_key": "zoominfo:1", "email": "lee@acme.com", "email_status": "risky"},
    )

    assert _cell(cells["email"]) == (
        "ann@acme.com",
        "apollo:1",
        "verified",
        [["zoominfo:1", "lee@acme.com"], ["uplead:1", "a.lee@acme.com"]],
    )
    assert _cell(cells["email_status"])[3] == [["zoominfo:1", "risky"], ["uplead:1", "guessed"]]


def test_losers_are_json_whatever_the_value_holds() -> None:
    nasty = 'a "quoted" \\ back\\slash, é, \u2028 and [brackets]'
    cells = _survive(
        {"record_key": 'uplead:"1', "job_title": nasty},
        {"record_key": "zoominfo:1", "job_title": "Clerk", "source_updated_at": datetime(2026, 1, 1)},
    )

    assert _cell(cells["job_title"])[3] == [['uplead:"1', nasty]]


def test_a_person_without_a_street_keeps_the_city() -> None:
    """UpLead never gives a street: whoever it alone knew had no city and no country either."""
    cells = _survive({"record_key": "uplead:1", "city": "Leeds", "country": "GB"})

    assert _cell(cells["city"]) == ("Leeds", "uplead:1", "only", [])
    assert _cell(cells["country"]) == ("GB", "uplead:1", "only", [])
    assert "street" not in cells


def test_an_address_with_a_street_goes_before_one_without() -> None:
    cells = _survive(
        {"record_key": "apollo:1", "street": "1 High St", "city": "Leeds"},
        {"record_key": "uplead:1", "city": "York"},
        {"record_key": "zoominfo:1", "city": "York"},
    )

    assert _cell(cells["street"]) == ("1 High St", "apollo:1", "leading", [])
    assert _cell(cells["city"]) == ("Leeds", "apollo:1", "leading", [["zoominfo:1", "York"]])


def test_a_vendors_export_speaks_with_its_voice() -> None:
    """An Apollo download beside the Apollo API is still Apollo: one vote, and Apollo's place among the sources."""
    cells = _survive(
        {"record_key": "exports:apollo:9", "last_name": "Smyth"},
        {"record_key": "apollo:1", "last_name": "Smyth"},
        {"record_key": "uplead:1", "last_name": "Smith"},
    )

    assert _cell(cells["last_name"]) == ("Smyth", "apollo:1", "priority", [["uplead:1", "Smith"]])


def test_the_fullest_record_wins_by_completeness() -> None:
    address = ["street", "city", "state", "postcode", "country"]
    cells = _survive(
        {"record_key": "zoominfo:1", "street": "1 High St", "city": "Leeds"},
        {"record_key": "uplead:1", "street": "2 Low St", "city": "York", "postcode": "YO1 7HH"},
        rules=_with(address, rules=("completeness", "priority")),
    )

    assert _cell(cells["street"]) == ("2 Low St", "uplead:1", "completeness", [["zoominfo:1", "1 High St"]])
    assert cells["postcode"]["value"] == "YO1 7HH"


def test_too_few_who_agree_leave_the_cell_empty_and_say_why() -> None:
    said = ({"record_key": "apollo:1", "region": "eu"}, {"record_key": "zoominfo:1", "region": "canada"})

    alone = _survive(*said, rules=_with(["region"], agreement=2))
    agreed = _survive(*said, {"record_key": "uplead:1", "region": "eu"}, rules=_with(["region"], agreement=2))

    assert _cell(alone["region"]) == (None, None, "agreement", [["zoominfo:1", "canada"], ["apollo:1", "eu"]])
    assert _cell(agreed["region"]) == ("eu", "apollo:1", "agreement", [["zoominfo:1", "canada"]])


def test_a_group_may_have_its_own_order_of_sources() -> None:
    said = ({"record_key": "uplead:1", "region": "eu"}, {"record_key": "zoominfo:1", "region": "canada"})

    cells = _survive(*said, rules=_with(["region"], sources=("uplead",)))

    assert _cell(cells["region"]) == ("eu", "uplead:1", "priority", [["zoominfo:1", "canada"]])


def test_a_lock_wins_over_everybody() -> None:
    cells = _survive(
        {"record_key": "apollo:1", "last_name": "Smith"},
        {"record_key": "uplead:1", "last_name": "Smith", "locks": [_lock("last_name", "Smythe")]},
        {"record_key": "zoominfo:1", "last_name": "Smith"},
    )

    assert _cell(cells["last_name"]) == ("Smythe", "uplead:1", "lock", [["zoominfo:1", "Smith"]])


def test_a_lock_wins_where_no_record_says_anything() -> None:
    cells = _survive({"record_key": "apollo:1", "locks": [_lock("seniority", "owner")]})

    assert {field: _cell(row) for field, row in cells.items()} == {"seniority": ("owner", "apollo:1", "lock", [])}


def test_a_cell_locked_empty_stays_empty() -> None:
    cells = _survive({"record_key": "apollo:1", "mobile": "+15550001", "locks": [_lock("mobile", None)]})

    assert _cell(cells["mobile"]) == (None, "apollo:1", "lock", [["apollo:1", "+15550001"]])


def test_of_two_locks_that_meet_the_later_decision_wins() -> None:
    """Two records with a lock each, merged by a later run."""
    cells = _survive(
        {"record_key": "apollo:1", "locks": [_lock("seniority", "owner", 7)]},
        {"record_key": "uplead:1", "locks": [_lock("seniority", "vp", 3)]},
    )

    assert cells["seniority"]["value"] == "owner"


def test_what_travels_with_a_locked_value_belongs_to_that_value() -> None:
    """The status of another address would let an unchecked one be written to HaloPSA as verified."""
    said = {"record_key": "apollo:1", "email": "ann@acme.com", "email_status": "verified"}
    other = {"record_key": "uplead:1", "email": "lee@acme.com", "email_status": "risky"}

    to_a_new_one = _survive({**said, "locks": [_lock("email", "new@acme.com")]}, other)
    to_a_known_one = _survive({**said, "locks": [_lock("email", "lee@acme.com")]}, other)

    assert to_a_new_one["email"]["value"] == "new@acme.com"
    assert _cell(to_a_new_one["email_status"])[:3] == (None, None, "lock")
    assert _cell(to_a_known_one["email_status"])[:3] == ("risky", "uplead:1", "lock")


def test_a_locked_street_leaves_the_city_alone() -> None:
    cells = _survive(
        {"record_key": "apollo:1", "street": "1 Hihg St", "city": "Leeds", "locks": [_lock("street", "1 High St")]}
    )

    assert cells["street"]["value"] == "1 High St"
    assert _cell(cells["city"]) == ("Leeds", "apollo:1", "only", [])


def test_a_locked_employer_decides_which_title_is_current() -> None:
    cells = _survive(
        {"record_key": "apollo:1", "organisation_golden_id": "org_a", "job_title": "Clerk"},
        {
            "record_key": "zoominfo:1",
            "organisation_golden_id": "org_b",
            "job_title": "Director",
            "locks": [_lock("organisation_golden_id", "org_a")],
        },
    )

    assert _cell(cells["job_title"]) == ("Clerk", "apollo:1", "employer", [["zoominfo:1", "Director"]])


def test_the_worked_example_of_the_docs_is_what_happens() -> None:
    text = DOCS.read_text("utf-8")
    shipped, changed = (
        tomllib.loads(f"group = {block}")["group"] for block in re.findall(r"```toml\n(.*?)\n```", text)
    )
    shown = re.findall(r"^\| job_title \| (.*?) \| `(.*?)` \| (.*?) \| `(.*?)` \|$", text, re.MULTILINE)
    records = [
        {"record_key": key, "job_title": title, "source_updated_at": datetime.fromisoformat(day)}
        for key, title, day in re.findall(r"^\| `(\w+:\d)` \| (.*?) \| (2\d{3}-\d\d-\d\d) \|$", text, re.MULTILINE)
    ]

    cells = [_survive(*records, rules=_with(["job_title"], **group))["job_title"] for group in (shipped, changed)]

    assert len(records) == 3
    assert _with(["job_title"], **shipped) == shipped_rules()
    assert [tuple(cell[name] for name in ("value", "record_key", "rule", "losers")) for cell in cells] == shown


def test_no_members_make_no_cells() -> None:
    empty = pa.RecordBatch.from_pylist([], schema=SCHEMA)

    assert survive(empty, entity="contact", rules=shipped_rules()).num_rows == 0
