"""Promises of the feed: the seed's shape, every change once, whole pages, and a file that changes only with the state."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from publishing_house import House, contact, organisation

from assets.publishing import feed, feed_file, freshness, retention
from assets.publishing.place import FeedError
from sources.clock import VirtualClock

ACME = organisation("org_acme", "Acme Ltd", domain="acme.test", employees_min=51, employees_max=200)
BOLT = organisation("org_bolt", "Bolt Inc")
ANN = contact("con_ann", "Ann", "Lee", "org_acme", job_title="Manager", phone="+442079460002")
BEN = contact("con_ben", "Ben", "Fox", "org_bolt", email_status="guessed")


def walk(house: House, *, limit: int, last_sync: str | None = None, by: str = "last_sync") -> tuple[list[dict], str]:
    """All pages, echoing either nothing but `last_sync` or the cursor; the records and the last stamp."""
    records: list[dict] = []
    cursor = None
    for _ in range(1000):
        page = feed.read(house.ledger, house.clock, last_sync=last_sync, cursor=cursor, limit=limit)
        records += page["records"]
        last_sync = page["last_sync_timestamp"]
        if not page["metadata"]["has_more"]:
            return records, last_sync
        cursor = page["metadata"]["cursor"] if by == "cursor" else None
    raise AssertionError("the walk does not end")


def ids(records: list[dict]) -> list[tuple[str, str]]:
    return [(record["action"], record["external_id"]) for record in records]


def test_a_full_answer_has_the_seeds_shape_with_organisations_before_contacts(house):
    house.commit(ANN, BEN, ACME, BOLT)

    answer = feed.read(house.ledger, house.clock)

    assert list(answer) == ["status", "records", "total_count", "last_sync_timestamp", "metadata"]
    assert ids(answer["records"]) == [
        ("upsert", "org_acme"), ("upsert", "org_bolt"), ("upsert", "con_ann"), ("upsert", "con_ben"),
    ]  # fmt: skip
    assert answer["records"][0] == {
        "action": "upsert", "entity_type": "organization", "external_id": "org_acme",
        "data": {
            "name": "Acme Ltd", "website": None, "domain": "acme.test", "phonenumber": None, "street": None,
            "city": None, "state": None, "postcode": None, "country": None, "industry": None, "employees": "51-200",
            "notes": "Sources: apollo", "customfields": [{"name": "CFGoldenId", "value": "org_acme"}],
        },
    }  # fmt: skip
    assert answer["records"][2] == {
        "action": "upsert", "entity_type": "contact", "external_id": "con_ann",
        "data": {
            "firstname": "Ann", "surname": "Lee", "emailaddress": "ann.lee@org_acme.test", "jobtitle": "Manager",
            "phonenumber": "+442079460002", "organisation_name": "Acme Ltd", "organization_external_id": "org_acme",
            "notes": "Sources: uplead", "customfields": [{"name": "CFGoldenId", "value": "con_ann"}],
        },
    }  # fmt: skip
    assert answer["records"][3]["data"]["emailaddress"] is None
    assert answer["metadata"] == {"source": "golden", "sync_type": "full", "has_more": False, "snapshot": "1"}


def test_a_poller_that_echoes_the_stamp_gets_each_change_once(house):
    house.commit(ACME, ANN)
    _, stamp = walk(house, limit=10)

    assert feed.read(house.ledger, house.clock, last_sync=stamp)["records"] == []
    house.commit({**ANN, "job_title": "Boss"})
    changed, stamp = walk(house, limit=10, last_sync=stamp)
    again, _ = walk(house, limit=10, last_sync=stamp)

    assert (ids(changed), again) == ([("upsert", "con_ann")], [])


def test_deletes_come_last_contacts_before_organisations_and_say_why(house):
    house.commit(ACME, BOLT, ANN, BEN)
    _, stamp = walk(house, limit=10)

    house.commit({**ACME, "domain": "acme.example"}, gone=("con_ben",), merged={"org_bolt": "org_acme"})
    records, _ = walk(house, limit=10, last_sync=stamp)

    assert ids(records) == [("upsert", "org_acme"), ("delete", "con_ben"), ("delete", "org_bolt")]
    assert [record["data"] for record in records[1:]] == [
        {"reason": "retired"}, {"reason": "merged", "merged_into": "org_acme"},
    ]  # fmt: skip


@pytest.mark.parametrize("by", ["last_sync", "cursor"])
@pytest.mark.parametrize("limit", [1, 3, 500])
def test_one_commit_is_walked_page_by_page_by_a_poller_that_knows_only(house, by, limit):
    people = [contact(f"con_{number:02d}", "P", f"N{number}", "org_acme") for number in range(20)]
    house.commit(ACME, *people)

    records, stamp = walk(house, limit=limit, by=by)

    assert ids(records) == [("upsert", "org_acme"), *(("upsert", f"con_{number:02d}") for number in range(20))]
    assert walk(house, limit=limit, last_sync=stamp)[0] == []


def test_a_change_during_a_walk_is_in_the_next_window(house):
    people = [contact(f"con_{number}", "P", f"N{number}", "org_acme") for number in range(6)]
    house.commit(ACME, *people)
    page = feed.read(house.ledger, house.clock, limit=3)

    house.commit({**people[5], "job_title": "Boss"}, {**people[0], "job_title": "Clerk"})
    rest, stamp = walk(house, limit=3, last_sync=page["last_sync_timestamp"])
    later, _ = walk(house, limit=3, last_sync=stamp)

    seen = {record["external_id"]: record["data"].get("jobtitle") for record in page["records"] + rest + later}
    assert seen == {
        "org_acme": None,
        **{f"con_{number}": None for number in range(1, 5)},
        "con_0": "Clerk",
        "con_5": "Boss",
    }


def test_a_stamp_that_is_not_ours_repeats_rather_than_misses(house):
    house.commit(ACME)
    house.clock.sleep(600)
    house.commit(ANN)
    house.clock.sleep(60)
    foreign = house.clock.now().isoformat()

    assert ids(feed.read(house.ledger, house.clock, last_sync=foreign)["records"]) == [("upsert", "con_ann")]


@pytest.mark.parametrize(
    "asked",
    [
        {"last_sync": "yesterday"}, {"last_sync": "2026-01-19T15:30:00"}, {"last_sync": "2031-01-19T15:30:00Z"},
        {"limit": 0}, {"limit": 501}, {"cursor": "bm9uc2Vuc2U"}, {"cursor": "%%%"}, {"cursor": "eyJzdGFydCI6MX0"},
        {"entity": "prospect"},
    ],
)  # fmt: skip
def test_what_cannot_be_understood_is_refused_not_guessed(house, asked):
    house.commit(ACME)

    with pytest.raises(FeedError):
        feed.read(house.ledger, house.clock, **asked)


def test_routes_by_entity_and_by_source_show_their_part(house):
    house.commit(ACME, ANN)
    house.commit({**ANN, "sources": "apollo"})

    assert ids(feed.read(house.ledger, house.clock, entity="contact")["records"]) == [("upsert", "con_ann")]
    assert ids(feed.read(house.ledger, house.clock, entity="organisation")["records"]) == [("upsert", "org_acme")]
    assert ids(feed.read(house.ledger, house.clock, source="uplead")["records"]) == [("upsert", "con_ann")]
    assert feed.read(house.ledger, house.clock, source="%")["records"] == []


def test_the_file_is_the_live_state_and_changes_only_with_it(house, tmp_path):
    path = tmp_path / "feed" / "latest.json"
    house.commit(ACME, ANN, BEN)
    house.commit(gone=("con_ben",))

    first = feed_file.write(house.ledger, path)
    written = path.read_bytes()
    house.clock.sleep(3600)
    second = feed_file.write(house.ledger, path)

    assert (first, second, path.read_bytes()) == (2, 2, written)
    answer = json.loads(written)
    assert ids(answer["records"]) == [("upsert", "org_acme"), ("upsert", "con_ann")]
    assert answer["total_count"] == 2
    assert {name: answer["metadata"][name] for name in ("source", "sync_type", "snapshot")} == {
        "source": "golden", "sync_type": "full", "snapshot": "2",
    }  # fmt: skip
    assert [entry.name for entry in path.parent.iterdir()] == ["latest.json"]
    assert feed.read(house.ledger, house.clock, last_sync=answer["last_sync_timestamp"])["records"] == []


def test_an_empty_ledger_makes_a_valid_empty_file(house, tmp_path):
    assert feed_file.write(house.ledger, tmp_path / "latest.json") == 0
    assert json.loads((tmp_path / "latest.json").read_text())["records"] == []


@settings(max_examples=15)
@given(
    st.lists(st.lists(st.tuples(st.integers(0, 4), st.sampled_from(["one", "two", None])), max_size=4), max_size=5),
    st.integers(1, 3),
)
def test_any_history_of_commits_is_followed_exactly(tmp_path_factory, history, limit):
    """I5: a poller that applies what it gets holds the server's live state after every commit."""
    house = House(tmp_path_factory.mktemp("feed"))
    mine: dict[str, str] = {}
    stamp = None

    for step in history:
        last_words = dict(step)
        upserts = [contact(f"con_{key}", "P", value, None) for key, value in last_words.items() if value]
        gone = tuple(
            f"con_{key}"
            for key, value in last_words.items()
            if value is None and f"con_{key}" in house.golden["contact"]
        )
        house.commit(*upserts, gone=gone)
        records, stamp = walk(house, limit=limit, last_sync=stamp)
        for record in records:
            if record["action"] == "delete":
                mine.pop(record["external_id"], None)
            else:
                mine[record["external_id"]] = record["data"]["surname"]

    assert mine == {golden_id: golden["last_name"] for golden_id, golden in house.golden["contact"].items()}


def test_contacts_are_told_anew_when_their_organisation_has_another_name(house):
    """Their record carries its name, so a poller would hold the old one for ever."""
    house.commit(ACME, ANN)
    _, stamp = walk(house, limit=10)
    house.commit({**ACME, "name": "Acme Group"})

    told, _ = walk(house, limit=10, last_sync=stamp)

    assert ids(told) == [("upsert", "org_acme"), ("upsert", "con_ann")]
    assert told[1]["data"]["organisation_name"] == "Acme Group"


def test_a_stamp_that_is_about_to_be_forgotten_is_given_to_nobody(house):
    """Two pollers 60 days apart: the second would be sent back to the start at the place of the first, for ever."""
    house.commit(*(organisation(f"org_{number}", f"Company {number}") for number in range(4)))
    walk(house, limit=1)
    house.clock.sleep(60 * 86_400)
    stamp = feed.read(house.ledger, house.clock, limit=1)["last_sync_timestamp"]
    house.clock.sleep(40 * 86_400)

    assert len(walk(house, limit=1, last_sync=stamp)[0]) == 3


def test_old_places_of_walks_are_forgotten(house):
    house.commit(*(organisation(f"org_{number}", f"Company {number}") for number in range(4)))
    walk(house, limit=1)
    house.clock.sleep(91 * 86_400)

    assert (feed.forget_walks(house.ledger, house.clock), feed.forget_walks(house.ledger, house.clock)) == (3, 0)


def test_stamps_given_before_the_clock_was_set_back_are_still_ours(house):
    """F12: a clock ten years ahead, mended; its stamps lie more than 24 hours ahead and lead where they led."""
    house.clock.sleep(10 * 365 * 86_400)
    house.commit(*(organisation(f"org_{number}", f"Company {number}") for number in range(4)))
    stamp = feed.read(house.ledger, house.clock, limit=1)["last_sync_timestamp"]
    house.clock = VirtualClock()
    house.commit(ACME)

    rest, last = walk(house, limit=1, last_sync=stamp)

    assert [one for _, one in ids(rest)] == ["org_1", "org_2", "org_3"]
    assert ids(walk(house, limit=10, last_sync=last)[0]) == [("upsert", "org_acme")]


def test_each_page_tells_how_fresh_each_source_is_and_keeps_the_old_moment_of_one_that_is_down(house):
    house.commit(ACME)
    read_at = house.clock.now().strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    for source in ("uplead", "apollo", "halopsa"):
        freshness.note(house.ledger, house.clock, source)
    house.clock.sleep(3600)
    freshness.note(house.ledger, house.clock, "apollo")
    later = house.clock.now().strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    told = feed.read(house.ledger, house.clock)["metadata"]["freshness"]

    assert told == {"apollo": later, "uplead": read_at}


def prospects_of(records: list[dict]) -> list[tuple[str, str]]:
    return [(record["entity_type"], record["external_id"]) for record in records]


def test_who_halopsa_lacks_is_a_prospect_and_on_adoption_an_organisation_once_without_a_delete(house):
    house.commit(ACME, BOLT, ANN, with_prospects=True)
    first, stamp = walk(house, limit=10)
    house.publish()
    house.commit(with_prospects=True)
    adopted, stamp = walk(house, limit=10, last_sync=stamp)
    house.commit(with_prospects=True)
    again, _ = walk(house, limit=10, last_sync=stamp)

    assert prospects_of(first) == [("prospect", "org_acme"), ("prospect", "org_bolt"), ("contact", "con_ann")]
    assert prospects_of(adopted) == [("organization", "org_acme"), ("organization", "org_bolt")]
    assert [one["data"] for one in adopted] == [one["data"] for one in first[:2]]
    assert {one["action"] for one in adopted} == {"upsert"}
    assert again == []


def test_a_prospect_that_changes_stays_one_and_the_setting_turns_all_back(house):
    house.commit(ACME, BOLT, with_prospects=True)
    _, stamp = walk(house, limit=10)
    house.commit({**ACME, "name": "Acme Group"}, with_prospects=True)
    changed, stamp = walk(house, limit=10, last_sync=stamp)
    house.commit(gone=("org_bolt",), with_prospects=False)
    off, _ = walk(house, limit=10, last_sync=stamp)

    assert prospects_of(changed) == [("prospect", "org_acme")]
    assert [(one["action"], *pair) for one, pair in zip(off, prospects_of(off), strict=True)] == [
        ("upsert", "organization", "org_acme"), ("delete", "organization", "org_bolt"),
    ]  # fmt: skip


def test_compaction_forgets_old_deletes_and_tells_everything_anew_to_whoever_could_miss_one(house):
    """F14, F16: by stamp and by cursor alike, however recent the stamp of a walk that began long ago."""
    house.commit(ACME, ANN, BEN)
    _, before = walk(house, limit=10)
    house.commit(gone=("con_ann",))
    page = feed.read(house.ledger, house.clock, limit=1, last_sync=before)
    house.clock.sleep(80 * 86_400)
    house.commit(gone=("con_ben",))
    _, after = walk(house, limit=10)
    house.clock.sleep(11 * 86_400)

    kept = feed.read(house.ledger, house.clock, last_sync=before)
    forgotten = [retention.forget(house.ledger, house.clock).tombstones for _ in range(2)]
    anew = [
        feed.read(house.ledger, house.clock, last_sync=before),
        feed.read(house.ledger, house.clock, last_sync=page["last_sync_timestamp"]),
        feed.read(house.ledger, house.clock, last_sync=after),
    ]

    assert kept["metadata"]["sync_type"] == "full_resync"  # 91 days
    assert forgotten == [1, 0]
    assert [one["metadata"]["sync_type"] for one in anew] == ["full_resync", "full_resync", "incremental"]
    assert ids(anew[0]["records"]) == [("upsert", "org_acme"), ("delete", "con_ben")]
    house.commit({**ANN, "job_title": "Back"})
    with house.ledger.read() as connection:
        row = connection.exec_driver_sql("select version, is_live from head where golden_id = 'con_ann'").one()
    assert tuple(row) == (3, 1)  # its version went on counting
