"""F10-F13, F20, F29: rivals, clocks, order, hostile values and a restored tenant. People: test_people.py."""

from __future__ import annotations

import random

import pytest
import sqlalchemy as sa

from assets.publishing import outbox
from assets.publishing.ledger import LedgerBusy, advance, next_stamp
from assets.publishing.tables import change_log, commit_log
from sources.simulation import Fault
from tests.assets.publishing.publishing_house import Died, contact, organisation
from tests.faults.conftest import in_the_middle, state

ACME = organisation("org_acme", "Acme Ltd", domain="acme.test", phone="+442079460001")
ANN = contact("con_ann", "Ann", "Lee", "org_acme", job_title="Clerk")
BEN = contact("con_ben", "Ben", "Fox", "org_acme")
FENCE = "fence:publish"


@pytest.mark.parametrize("failpoint", ["before_sending", "before_bytes_leave"])
def test_f10_a_publisher_that_wakes_after_another_took_over_writes_nothing(house, failpoint):
    house.commit(ACME, ANN)
    mark = house.mark

    def another_takes_over() -> None:
        with house.ledger.transaction() as connection:
            advance(connection, FENCE)

    with pytest.raises(LedgerBusy, match="newer run has taken over"):
        in_the_middle(house, failpoint, another_takes_over)

    assert house.writes_since(mark) == []
    house.publish()
    assert house.simulator.records_by_golden_id("Users") == {"con_ann": 1}


def test_f10_an_array_of_updates_is_fenced_too(house):
    people = [contact(f"con_{number}", "Pat", f"Lee{number}", "org_acme", job_title="Clerk") for number in range(3)]
    house.commit(ACME, *people)
    house.publish()
    house.walk()
    house.commit(*[{**person, "job_title": "Director"} for person in people])
    mark = house.mark

    def another_takes_over() -> None:
        with house.ledger.transaction() as connection:
            advance(connection, FENCE)

    with pytest.raises(LedgerBusy, match="newer run has taken over"):
        in_the_middle(house, "before_bytes_leave", another_takes_over)

    assert house.writes_since(mark) == []
    house.publish()
    assert {house.row("Users", f"Pat Lee{number}")["title"] for number in range(3)} == {"Director"}


def test_f10_an_outcome_that_arrives_after_another_took_over_is_left_to_it(house):
    house.commit(ACME)

    def another_takes_over() -> None:
        with house.ledger.transaction() as connection:
            advance(connection, FENCE)

    with pytest.raises(LedgerBusy):
        in_the_middle(house, "after_reply", another_takes_over)
    house.publish()

    assert house.simulator.records_by_golden_id("Client") == {"org_acme": 1}
    assert state(house, "org_acme")[0] == "published"


def test_f11_the_same_tick_twice_is_one_run_and_the_retry_does_the_rest(house):
    house.commit(ACME, ANN)
    refused = []

    def same_tick() -> None:
        with pytest.raises(LedgerBusy) as caught:
            house.publish()
        refused.append(str(caught.value))

    in_the_middle(house, "before_bytes_leave", same_tick)
    mark = house.mark
    house.publish()

    assert len(refused) == 1
    assert house.writes_since(mark) == []
    assert house.simulator.records_by_golden_id("Users") == {"con_ann": 1}


@pytest.mark.parametrize("jump_s", [-3_600.0, 10 * 365 * 86_400.0, -86_400.0, 1.0, 0.0])
def test_f12_the_moments_of_commits_increase_wherever_the_clock_jumps(house, jump_s):
    house.commit(ACME)
    house.clock._elapsed_s += jump_s
    house.commit(ANN)
    house.clock._elapsed_s -= jump_s
    house.commit({**ANN, "job_title": "Director"})
    house.publish()

    with house.ledger.read() as connection:
        moments = connection.scalars(sa.select(commit_log.c.commit_ts).order_by(commit_log.c.seq)).all()
    assert len(moments) == 3
    assert moments == sorted(set(moments))
    assert house.row("Users", "Ann Lee")["title"] == "Director"


def test_f12_a_thousand_stamps_in_one_moment_are_a_thousand_moments(house):
    with house.ledger.transaction() as connection:
        stamps = [next_stamp(connection, house.clock) for _ in range(1_000)]

    assert stamps == sorted(set(stamps))


def test_f13_ten_thousand_changes_of_one_moment_are_all_told_once(house):
    house.commit(*[organisation(f"org_{number:05}", f"Company {number}") for number in range(10_000)])

    with house.ledger.read() as connection:
        told = connection.scalars(sa.select(change_log.c.golden_id)).all()
        waiting = outbox.waiting(connection, "organisation", "upsert")
    assert len(told) == len(set(told)) == len(waiting) == 10_000


@pytest.mark.parametrize("failpoint", ["after_sending", "before_bytes_leave", "after_reply", "before_verdicts"])
def test_f13_a_newer_version_that_arrives_in_mid_run_is_not_settled_by_the_older_ones_answer(house, failpoint):
    house.commit(ACME, ANN)
    house.publish()
    house.commit({**ANN, "job_title": "Director"})

    in_the_middle(house, failpoint, lambda: house.commit({**ANN, "job_title": "Owner"}))
    house.publish()

    assert house.row("Users", "Ann Lee")["title"] == "Owner"


NASTY = [
    "a\x00b", "‮gnirts", "x" * 1_000_000, "'; DROP TABLE effect; --", "=HYPERLINK(1)", "<script>alert(1)</script>",
    "\u200b", "😀" * 300, "Ａｃｍｅ", "line\nbreak\ttab", "%s %d {0}", "NULL", "None", "\ufeffBOM", "-1e999", "é́́",
]  # fmt: skip


def test_f20_hostile_values_of_ours_reach_the_tenant_as_they_are_or_are_refused_and_the_others_flow(house):
    people = [contact(f"con_{number:02}", "Pat", f"Lee{number}", "org_acme", job_title=value)
              for number, value in enumerate(NASTY)]  # fmt: skip
    house.commit(ACME, ANN, *people)

    result = house.publish()
    house.walk()
    mark = house.mark
    again = house.publish()

    assert house.row("Users", "Ann Lee")["title"] == "Clerk"
    assert result.unknown == 0
    assert result.created + result.held + result.rejected == len(NASTY) + 2
    assert result.created >= len(NASTY)
    assert house.writes_since(mark) == []
    assert again.remaining == 0


@pytest.mark.parametrize("value", ["a\x00b", "x" * 1_000_000, 7, 1.5, True, ["a"], {"a": {"b": []}}, None])
def test_f20_hostile_values_of_the_tenant_stop_nothing_and_stay(house, value):
    house.commit(ACME, ANN)
    house.publish()
    house.row("Users", "Ann Lee")["title"] = value
    house.walk()
    house.commit({**ANN, "job_title": "Director"}, BEN)

    house.publish()

    assert house.row("Users", "Ben Fox")
    assert house.simulator.records_by_golden_id("Users") == {"con_ann": 1, "con_ben": 1}
    if value is not None:
        assert house.row("Users", "Ann Lee")["title"] == value


def test_f29_a_tenant_restored_from_its_backup_is_told_of_and_not_doubled(house):
    house.commit(ACME)
    house.publish()
    house.commit({**ACME, "phone": "+442079460009"}, ANN)
    house.publish()

    # What the backup does not know: the user, and the newer phone.
    house.simulator.records.delete("Users", house.row("Users", "Ann Lee")["id"])
    site_id = house.row("Client", "Acme Ltd")["main_site_id"]
    house.simulator.records.edit("Site", site_id, "phonenumber", ACME["phone"])
    house.walk()
    house.commit({**ANN, "job_title": "Director"})
    result = house.publish()

    assert house.simulator.records_by_golden_id("Client") == {"org_acme": 1}
    assert state(house, "con_ann")[0] == "held"
    assert any("no longer" in line or "gone" in line for line in result.waiting), result.waiting


def test_i8_no_message_of_a_run_holds_a_value_of_a_record_or_a_secret(house):
    """Whatever goes wrong: what is printed names ids, fields and reasons."""
    canary = contact("con_canary", "Zebediah", "Quagmire", "org_acme", job_title="Canaryherd", mobile="+447700900999")
    dice = random.Random(8)
    house.commit(ACME, canary)
    for failpoint in ("before_bytes_leave", "after_reply"):
        with pytest.raises(Died):
            house.publish(die_at=(failpoint, 0))
        house.restart()
    said = []
    for status in (400, 403, 500):
        body = '{"error": "Zebediah Quagmire +447700900999 is refused"}'
        house.simulator.faults.append(Fault("status", status=status, body=body, path="/api/Users", method="POST"))
        house.commit({**canary, "job_title": f"Canaryherd {dice.random()}"})
        result = house.publish()
        said += [*result.problems, *result.waiting]

    assert said
    text = " ".join(said)
    secret = house.simulator.modes.client_secret
    assert not [word for word in ("Zebediah", "Quagmire", "Canaryherd", "900999", secret) if word in text]
