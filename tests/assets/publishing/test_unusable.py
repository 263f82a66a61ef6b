"""F20: what HaloPSA itself holds is hostile input too. Such a record is named and left alone, and the rest flows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import pytest
import sqlalchemy as sa
from publishing_house import House, contact, organisation

from assets.publishing import tables
from assets.publishing.reconcile import reconcile
from sources.http import JSON_DEPTH_MAX, json_of
from sources.simulation import Fault

ACME = organisation("org_acme", "Acme Ltd", domain="acme.test", phone="+442079460001")
ANN = contact("con_ann", "Ann", "Lee", "org_acme", job_title="Manager")
BEN = contact("con_ben", "Ben", "Fox", "org_acme", job_title="Clerk")

# Value -> the reason it is named with; None: odd, and can be read whole.
CORPUS: list[tuple[Any, str | None]] = [
    ("Head \ud83d of", "holds a lone surrogate"),
    ("\udfff", "holds a lone surrogate"),
    ("a\x00b", "holds a NUL character"),
    ("x" * 1_000_000, "1,000,000 characters long"),
    (["a"], "a list instead of text"),
    ({"a": {"b": []}}, "a dict instead of text"),
    (True, "a bool instead of text"),
    (7, None),
    (1.5, None),
    ("007", None),
    ("‮gnirts", None),
    ("مدير \u200f(الفريق)", None),
    ("\ufeffBOM", None),
    ("😀" * 300, None),
    ("'; DROP TABLE mirror; --", None),
]
NAMED = [(value, why) for value, why in CORPUS if why]
READABLE = [value for value, why in CORPUS if not why]


def state_of(house: House, golden_id: str) -> tuple[str, str]:
    with house.ledger.read() as connection:
        row = connection.execute(sa.select(tables.outbox).where(tables.outbox.c.golden_id == golden_id)).one()
        return row.state, row.reason or ""


def items(house: House) -> list[tuple[str, str | None, int, str | None]]:
    item = tables.work_item
    with house.ledger.read() as connection:
        rows = connection.execute(sa.select(item).where(item.c.state == "open").order_by(item.c.item_id)).all()
        return [(row.kind, row.golden_id, row.halo_id, row.field) for row in rows]


@pytest.mark.parametrize(("value", "why"), NAMED, ids=[why for _, why in NAMED])
def test_f20_a_record_of_halopsa_that_cannot_be_read_whole_is_named_left_alone_and_stops_nobody(house, value, why):
    house.commit(ACME, ANN, BEN)
    house.publish()
    user = house.row("Users", "Ann Lee")
    user["title"] = value

    reconcile(house.ledger, house.clock, house.halo, run_id="nightly")
    house.commit({**ANN, "job_title": "Director"}, {**BEN, "job_title": "Director"}, {**ACME, "phone": "+442079460002"})
    result = house.publish()
    state, reason = state_of(house, "con_ann")

    assert (state, result.problems) == ("held", [])
    assert f"HaloPSA Users {user['id']}, field job_title: {why}" in reason
    assert items(house) == [("unusable", "con_ann", user["id"], "job_title")]
    assert house.rows("Users")[user["id"]]["title"] == value
    assert house.row("Users", "Ben Fox")["title"] == "Director"
    assert house.row("Site", "Main")["phonenumber"] == "+442079460002"
    house.simulator.records.edit("Users", user["id"], "title", "Manager")  # a person has corrected it
    house.publish()
    reconcile(house.ledger, house.clock, house.halo, run_id="nightly")
    assert house.row("Users", "Ann Lee")["title"] == "Director"
    assert items(house) == []


def test_f20_odd_values_that_can_be_read_whole_are_a_persons_edit_like_any_other(house):
    people = [contact(f"con_{number}", "Pat", f"Lee{number}", "org_acme", job_title="Clerk")
              for number in range(len(READABLE))]  # fmt: skip
    house.commit(ACME, *people)
    house.publish()
    for number, value in enumerate(READABLE):
        house.row("Users", f"Pat Lee{number}")["title"] = value

    house.commit(*({**person, "job_title": "Director"} for person in people))
    result = house.publish()
    findings = reconcile(house.ledger, house.clock, house.halo, run_id="nightly")

    assert (result.held, result.rejected, result.problems) == (0, 0, [])
    assert findings.found == {"human_edit": len(READABLE)}
    assert [house.row("Users", f"Pat Lee{number}")["title"] for number in range(len(READABLE))] == READABLE


@pytest.mark.parametrize("place", ["name", "golden id", "address"])
def test_f20_neither_a_name_nor_a_golden_id_nor_an_address_that_cannot_be_read_makes_a_double(house, place):
    house.commit(ACME, ANN)
    house.publish()
    user, site = house.row("Users", "Ann Lee"), house.row("Site", "Main")
    if place == "name":
        user["name"] = "Ann \ud800"
    elif place == "golden id":
        user["_custom"] = dict.fromkeys(user["_custom"], "\x00")
    else:
        site["delivery_address"] = ["1 High Street"]
    before = {name: len(house.rows(name)) for name in ("Client", "Site", "Users")}

    reconcile(house.ledger, house.clock, house.halo, run_id="nightly")
    house.commit({**ANN, "job_title": "Director"}, {**ACME, "street": "2 High Street"})
    house.publish()

    assert {name: len(house.rows(name)) for name in ("Client", "Site", "Users")} == before
    assert "unusable" in [kind for kind, *_ in items(house)]


def nested(depth: int) -> str:
    return '{"a":[' * (depth // 2) + "]}" * (depth // 2)


@pytest.mark.parametrize("odd", [nested(100_000), "9" * 5_000], ids=["nested without end", "a number of 5,000 digits"])
def test_f20_a_row_that_no_json_reader_takes_costs_neither_its_page_nor_the_walk(house, odd):
    house.commit(ACME, ANN, BEN)
    house.publish()
    rows = [{"id": number, "name": f"User {number}"} for number in (501, 502, 503)]
    body = json.dumps({"record_count": 3, "users": rows}).replace('"User 502"', f'"User 502", "notes": {odd}')
    house.simulator.faults = [Fault("status", path="/api/Users", method="GET", status=200, body=body)]

    (page,) = list(house.halo.walk("Users"))

    assert [row["id"] for row in page] == [501, 502, 503]


@pytest.mark.parametrize("depth", [2, JSON_DEPTH_MAX - 2, 1_200, 100_000])
def test_f20_what_is_beside_a_nest_survives_and_strings_with_brackets_are_no_nest(depth):
    class Answer:
        content = (f'{{"before": "[[[{{", "nest": {nested(depth)}, "after": "}}\\"]"}}').encode()
        headers: Mapping[str, str] = MappingProxyType({})

    read = json_of(Answer(), "halopsa")  # type: ignore[arg-type]

    assert (read["before"], read["after"]) == ("[[[{", '}"]')


def test_f20_an_error_text_that_no_database_takes_is_kept_without_what_it_does_not_take(house):
    house.commit(ACME)
    body = r'{"error": "Name \ud800 and \u0000 are \u0041 problem"}'
    house.simulator.faults = [Fault("status", path="/api/Client", method="POST", status=400, body=body)]

    house.publish()

    with house.ledger.read() as connection:
        (message,) = connection.scalars(sa.select(tables.effect.c.message))
    assert message == "Name ? and  are A problem"
