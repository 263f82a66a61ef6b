"""Promises of the one window that no lock closes: an edit that our write went over is found, listed and given back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from publishing_house import House, contact, organisation

from assets.publishing import restoring, work
from assets.publishing.reconcile import Findings, reconcile
from sources.halopsa.fields import USER_FIELDS
from sources.simulation import Fault

ACME = organisation("org_acme", "Acme Ltd", domain="acme.test", phone="+442079460001", street="1 High Street")
ANN = contact("con_ann", "Ann", "Lee", "org_acme", job_title="Manager")
FIELDS = ("job_title", "phone", "department")
WORDS = (None, "a", "b", "c", "d")


def reconciled(house: House) -> Findings:
    return reconcile(house.ledger, house.clock, house.halo, run_id="nightly")


def listed(house: House) -> dict[tuple[str, str | None], dict[str, Any]]:
    """(golden id, field) -> detail of every edit that is listed as overwritten."""
    with house.ledger.read() as connection:
        return {(str(item.golden_id), item.field): item.detail for item in work.live(connection, ("overwritten",))}


def typed_in_the_window(house: House, resource: str, halo_id: int, **values: Any) -> None:
    """A person saves the record just before our next write of that resource reaches it."""
    for name, value in values.items():
        body = json.dumps({"resource": resource, "id": halo_id, "field": name, "value": value})
        house.simulator.faults.append(Fault("human_edit", path=f"/api/{resource}", method="POST", body=body))


@pytest.fixture
def published(house: House) -> House:
    house.commit(ACME, ANN)
    house.publish()
    return house


def test_an_edit_that_our_write_went_over_is_found_listed_with_both_values_and_given_back(published):
    user = published.row("Users", "Ann Lee")["id"]
    typed_in_the_window(published, "Users", user, title="Head of Tea")
    published.commit({**ANN, "job_title": "Director"})
    published.publish()
    assert published.rows("Users")[user]["title"] == "Director"

    findings = reconciled(published)
    detail = listed(published)["con_ann", "job_title"]
    restoring.ask(published.ledger, "con_ann", "job_title")
    published.publish()
    published.commit({**ANN, "job_title": "Chair"})
    published.publish()

    assert (findings.found, findings.for_a_person, findings.writes_checked) == ({"overwritten": 1}, 1, 2)
    assert (detail["theirs"], detail["ours"], detail["read"]) == ("Head of Tea", "Director", "Manager")
    assert (detail["by"], detail["is_sure"]) == ("Pat Agent", True)
    assert published.rows("Users")[user]["title"] == "Head of Tea"  # theirs from now on
    assert listed(published) == {}
    assert reconciled(published).found == {"human_edit": 1}


def test_a_blank_that_a_person_made_in_the_window_is_given_back_as_a_blank(published):
    user = published.row("Users", "Ann Lee")["id"]
    typed_in_the_window(published, "Users", user, title="")
    published.commit({**ANN, "job_title": "Director"})
    published.publish()

    reconciled(published)
    restoring.ask(published.ledger, "con_ann", "job_title")
    published.publish()

    assert published.rows("Users")[user]["title"] == ""


def test_a_line_of_an_address_that_only_completed_ours_counts_too(published):
    """An address goes out whole, so that a line that we do not even change can go over a person's."""
    site = published.row("Site", "Main")["id"]
    lines = {"line1": "1 High Street", "line2": "Leeds", "line3": "", "line4": "", "postcode": ""}
    typed_in_the_window(published, "Site", site, delivery_address=lines)
    published.commit({**ACME, "street": "2 High Street"})
    published.publish()
    assert published.rows("Site")[site]["delivery_address"]["line2"] == ""

    reconciled(published)
    assert listed(published)["org_acme", "city"]["theirs"] == "Leeds"
    restoring.ask(published.ledger, "org_acme", "city")
    published.publish()

    address = published.rows("Site")[site]["delivery_address"]
    assert (address["line1"], address["line2"]) == ("2 High Street", "Leeds")


def test_what_a_person_has_typed_again_is_settled_by_itself(published):
    user = published.row("Users", "Ann Lee")["id"]
    typed_in_the_window(published, "Users", user, title="Head of Tea")
    published.commit({**ANN, "job_title": "Director"})
    published.publish()
    reconciled(published)
    restoring.ask(published.ledger, "con_ann", "job_title")

    published.edit("Users", "Ann Lee", title="Queen of Tea")
    mark = published.mark
    published.publish()

    assert published.writes_since(mark) == []
    assert published.rows("Users")[user]["title"] == "Queen of Tea"
    assert listed(published) == {}


def test_what_is_not_listed_cannot_be_restored(published):
    with pytest.raises(restoring.NothingToRestore, match="con_ann: no overwritten value"):
        restoring.ask(published.ledger, "con_ann", "job_title")


def test_of_two_fields_with_one_value_the_right_one_is_named(house):
    """The log may spell fields as nobody foresaw; then what we read before tells them apart."""
    house.simulator.records.audit._spelled = lambda name: "Feld"  # a tenant in another language
    house.commit(ACME, {**ANN, "phone": "+441130000001", "mobile": "+441130000002"})
    house.publish()
    user = house.row("Users", "Ann Lee")["id"]
    typed_in_the_window(house, "Users", user, mobilenumber="+441130000009")
    house.commit({**ANN, "phone": "+441130000003", "mobile": "+441130000003"})
    house.publish()

    reconciled(house)

    assert {key: detail["theirs"] for key, detail in listed(house).items()} == {("con_ann", "mobile"): "+441130000009"}


@pytest.mark.parametrize("audit", ["forbidden", "missing"])
def test_without_a_log_a_reply_that_shows_another_field_changed_is_a_trace(tmp_path, audit):
    """People save whole forms: what they changed beside tells that they were there."""
    house = House(tmp_path, audit=audit)
    house.commit(ACME, ANN)
    house.publish()
    user = house.row("Users", "Ann Lee")["id"]
    typed_in_the_window(house, "Users", user, department="Kitchen")
    house.commit({**ANN, "job_title": "Director"})
    house.publish()

    findings = reconciled(house)

    assert (findings.is_log_readable, findings.problems) == (False, [])
    with house.ledger.read() as connection:
        (item,) = work.live(connection, ("crossed",))
    assert (item.golden_id, item.halo_id, item.detail) == ("con_ann", user, {"changed": ["department"]})


def test_the_log_is_read_only_where_we_wrote_and_only_once_behind_each_write(published):
    published.commit({**ANN, "job_title": "Director"})
    published.publish()

    first, second = reconciled(published), reconciled(published)

    assert (first.writes_checked, first.log_requests) == (2, 3)  # who we are, a page, and the end of the log
    assert (second.writes_checked, second.log_requests) == (0, 0)


def test_a_log_too_long_to_be_read_back_is_said_so(published, monkeypatch):
    monkeypatch.setattr("sources.halopsa.settings.AUDIT_PAGES_MAX", 1)
    published.commit({**ANN, "job_title": "Director"})
    published.publish()
    for number in range(150):
        published.edit("Users", "Ann Lee", department=f"Department {number}")

    findings = reconciled(published)

    assert "change log was read back to 20" in findings.problems[0]


def edits() -> st.SearchStrategy[list[tuple[str, str, Any]]]:
    """Turns of a history: golden moves on, a person edits in peace, a person edits in the window of the next write."""
    turn = st.tuples(
        st.sampled_from(["golden", "person", "window", "publish", "publish"]),
        st.sampled_from(FIELDS),
        st.sampled_from(WORDS),
    )
    return st.lists(turn, min_size=4, max_size=24)


def names(house: House, user: int) -> dict[str, Any]:
    row = house.rows("Users")[user]
    return {field: row.get(USER_FIELDS[field]) or None for field in FIELDS}


def windows(house: House, user: int, pending: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Publish with `pending` typed in the window of its write; gives what a write of ours replaced."""
    began = len(house.simulator.records.audit.rows)
    before = names(house, user)
    for field, value in pending.items():
        typed_in_the_window(house, "Users", user, **{USER_FIELDS[field]: value or ""})
    house.publish()
    house.simulator.faults.clear()
    for row in house.simulator.records.audit.rows[began:]:
        field = next((ours for ours, halo in USER_FIELDS.items() if halo == row["value"]), None)
        if row["id1"] == user and row["agent_id"] == 1 and field in FIELDS:
            replaced = row["from"] or None
            if replaced != before[field]:
                yield field, replaced


@settings(max_examples=15)
@given(history=edits())
def test_every_edit_that_was_gone_over_is_listed_until_a_person_types_again_and_can_be_given_back(
    tmp_path_factory, history
):
    """People and pipeline interleaved, with saves in the window between our read and our write."""
    house = House(tmp_path_factory.mktemp("window"), audit_names="api")
    house.commit(ACME, ANN)
    house.publish()
    user = house.row("Users", "Ann Lee")["id"]
    golden = dict(ANN)
    gone_over: dict[str, Any] = {}  # field -> what the person had put there
    pending: dict[str, Any] = {}
    for turn, field, word in [*history, ("publish", "", None)]:
        if turn == "golden":
            golden[field] = word
            house.commit(golden)
        elif turn == "person" and names(house, user)[field] != word:
            house.simulator.records.edit("Users", user, USER_FIELDS[field], word or "")
            gone_over.pop(field, None)
        elif turn == "window":
            pending[field] = word
        elif turn == "publish":
            gone_over |= dict(windows(house, user, pending))
            pending.clear()
    held = names(house, user)

    reconciled(house)
    found = {field: detail["theirs"] for (_, field), detail in listed(house).items()}
    for field in found:
        restoring.ask(house.ledger, "con_ann", str(field))
    house.publish()

    assert found == gone_over
    assert names(house, user) == {**held, **gone_over}
    for field in FIELDS:
        golden[field] = "z"
    house.commit(golden)
    house.publish()
    after = names(house, user)
    assert {field: after[field] for field in gone_over} == gone_over
