"""Promises of `delivery`: publisher and feed never bring the same entity by accident, and a switch deletes nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from publishing_house import House, contact, organisation

from assets.publishing import delivery, feed
from assets.publishing.rules import Rules, load_rules, shipped_rules

ACME = organisation("org_acme", "Acme Ltd", domain="acme.test")
ANN = contact("con_ann", "Ann", "Lee", "org_acme")
BEN = contact("con_ben", "Ben", "Fox", "org_acme")
BOTH = frozenset({"organisation", "contact"})


def rules_of(folder: Path, text: str) -> Rules:
    (folder / "mine.toml").write_text(text)
    return load_rules(folder / "mine.toml")


def carry(house: House, *entities: str) -> None:
    house.clock.sleep(1)
    delivery.settle(house.ledger, house.clock, entities, run_id="run")


def polled(
    house: House, last_sync: str | None = None, limit: int = 100
) -> tuple[list[tuple[str, str]], dict[str, Any]]:
    """(action, id) of every record up to the end of the walk, and the last answer."""
    records: list[tuple[str, str]] = []
    while True:
        answer = feed.read(house.ledger, house.clock, last_sync=last_sync, limit=limit)
        records += [(record["action"], record["external_id"]) for record in answer["records"]]
        last_sync = answer["last_sync_timestamp"]
        if not answer["metadata"]["has_more"]:
            return records, answer


def test_what_the_publisher_brings_the_feed_leaves_out_and_the_reverse(tmp_path):
    mine = rules_of(tmp_path, 'plan_first = false\n[audience]\nin_halo_only = false\n[delivery]\ncontact = "feed"\n')
    house = House(tmp_path / "house")
    house.commit(ACME, ANN)
    delivery.settle(house.ledger, house.clock, delivery.by_feed(mine, has_halo=True), run_id="run")

    house.publish(rules=mine)
    records, answer = polled(house)

    assert set(house.simulator.records_by_golden_id("Client")) == {"org_acme"}
    assert set(house.simulator.records_by_golden_id("Users")) == set()
    assert records == [("upsert", "con_ann")]
    assert answer["metadata"]["left_to_publisher"] == ["organization"]


def test_as_shipped_the_publisher_brings_all_and_without_halopsa_the_feed_does():
    assert delivery.by_feed(shipped_rules(), has_halo=True) == frozenset()
    assert delivery.by_feed(shipped_rules(), has_halo=False) == BOTH


def test_to_leave_the_feed_deletes_nothing_and_who_comes_in_is_told_whole_to_whoever_polls_next(house):
    house.commit(ACME, ANN)
    first, answer = polled(house)
    carry(house, "organisation")
    house.commit(BEN)
    without, after = polled(house, answer["last_sync_timestamp"])
    carry(house, *BOTH)
    back, end = polled(house, after["last_sync_timestamp"])

    assert first == [("upsert", "org_acme"), ("upsert", "con_ann")]
    assert without == []
    assert sorted(back) == [("upsert", "con_ann"), ("upsert", "con_ben")]
    assert polled(house, end["last_sync_timestamp"])[0] == []


@pytest.mark.parametrize("limit", [1, 2, 500])
def test_a_walk_under_way_when_a_switch_comes_ends_with_everything(house, limit):
    """Whatever the page size, and whether the switch comes before the first page or after it."""
    carry(house, "organisation")
    house.commit(ACME, ANN, BEN)
    answer = feed.read(house.ledger, house.clock, limit=limit)
    seen = {record["external_id"] for record in answer["records"]}

    carry(house, *BOTH)
    records, end = polled(house, answer["last_sync_timestamp"], limit=limit)
    seen |= {golden_id for _, golden_id in records}
    more, _ = polled(house, end["last_sync_timestamp"], limit=limit)

    assert seen | {golden_id for _, golden_id in more} == {"org_acme", "con_ann", "con_ben"}


def test_the_file_of_the_feed_follows_a_switch(house, tmp_path):
    house.commit(ACME, ANN)
    path = tmp_path / "latest.json"
    before = feed.write_file(house.ledger, path)
    carry(house, "organisation")

    after = feed.write_file(house.ledger, path)

    assert (before, after) == (2, 1)
    written = json.loads(path.read_text())
    assert [record["external_id"] for record in written["records"]] == ["org_acme"]
    assert written["metadata"]["left_to_publisher"] == ["contact"]


def test_settling_what_is_settled_commits_nothing(house):
    assert delivery.settle(house.ledger, house.clock, BOTH, run_id="run") == []
    assert feed.newest(house.ledger).seq == 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[mode]\ncontact = "off"\n', "nobody brings contact records"),
        ('[delivery]\ncontact = "both_for_test"\n', "publisher and feed both bring contact records"),
        ('[delivery]\norganisation = "feed"\n', "they will wait for ever"),
    ],
)
def test_contradicting_settings_are_named(tmp_path, text, said):
    ((found, remedy),) = delivery.contradictions(rules_of(tmp_path, text), has_halo=True)

    assert said in found
    assert "publishing rules" in remedy


def test_the_shipped_rules_do_not_contradict_each_other():
    assert delivery.contradictions(shipped_rules(), has_halo=True) == []
