"""Promises of the short way: every answer is, to the byte, what the routes would have said, and most pages take it."""

from __future__ import annotations

import sqlite3

import pytest

from assets.publishing import keys
from orchestration.service.fast_lane import FastLane
from tests.assets.publishing.publishing_house import contact, organisation


@pytest.fixture
def lane(desk, monkeypatch):
    """`lane.took` says of each request whether the short way answered; `lane.is_closed` sends all to the routes."""
    short = FastLane._answer

    def watched(self, scope):
        found = None if watched.is_closed else short(self, scope)
        if scope["type"] == "http":
            watched.took.append(found is not None)
        return found

    watched.took, watched.is_closed = [], False
    monkeypatch.setattr(FastLane, "_answer", watched)
    return watched


@pytest.fixture
def full(desk):
    people = [contact(f"con_{number:02}", "Zoë", f"Lee {number}", "org_acme") for number in range(12)]
    desk.house.commit(organisation("org_acme", 'Acme "quoted" \\ Ltd'), *people)
    desk.house.commit({**people[3], "job_title": "Boss"}, gone=("con_05",), merged={"con_06": "con_07"})
    return desk


QUESTIONS = [
    "", "?limit=5", "?limit=500", "?limit=05", "?last_sync=2026-11-02T05:00:00%2B00:00", "?last_sync=2020-01-01T00:00:00Z",
    "?limit=0", "?limit=x", "?limit=5&limit=6", "?cursor=AAAA", "?cursor=", "?last_sync=", "?unknown=1", "?limit=٣",
    "?last_sync=2026-11-02T05:00:00+00:00",
]  # fmt: skip


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_both_ways_give_the_same_bytes_and_headers(full, lane, encoding):
    headers = {"Accept-Encoding": encoding, "X-Request-ID": "one"}
    for path in ("/halo-integrator/sync", "/sync/contacts", "/sync/organizations", "/sync/apollo/contacts", "/sync/x"):
        for question in QUESTIONS:
            full.client.get(f"{path}{question}", headers=headers)  # so that the page has its stamp

            answers = []
            for lane.is_closed in (False, True):
                answer = full.client.get(f"{path}{question}", headers=headers)
                told = answer.json()
                told.pop("timestamp", None)
                answers.append((answer.status_code, dict(answer.headers), told))

            assert answers[0] == answers[1], (path, question)


def test_a_whole_walk_takes_the_short_way_once_its_places_are_known(full, lane):
    def walk(by: str) -> list[str]:
        told, question = [], {}
        while True:
            answer = full.client.get("/halo-integrator/sync", params={"limit": 4, **question}).json()
            told += [one["external_id"] for one in answer["records"]]
            if not answer["metadata"]["has_more"]:
                return told
            question = {by: answer["metadata"]["cursor"] if by == "cursor" else answer["last_sync_timestamp"]}

    first, lane.took = walk("last_sync"), []
    again = walk("last_sync")
    by_cursor = walk("cursor")

    assert first == again == by_cursor
    assert lane.took == [True] * len(lane.took)


def test_a_304_comes_by_either_way_for_the_tag_of_the_other(full, lane):
    lane.is_closed = True
    tag = full.client.get("/sync/contacts").headers["ETag"]

    lane.is_closed = False
    short = full.client.get("/sync/contacts", headers={"If-None-Match": tag})
    lane.is_closed = True
    long = full.client.get("/sync/contacts", headers={"If-None-Match": tag})

    assert (short.status_code, short.content, long.status_code) == (304, b"", 304)
    assert (short.headers["ETag"], dict(short.headers).keys()) == (tag, dict(long.headers).keys())


def test_each_commit_gives_each_page_another_tag(full):
    before = full.client.get("/sync/contacts").headers["ETag"]
    full.house.commit({**contact("con_01", "Zoë", "Lee 1", "org_acme"), "job_title": "Other"})

    assert full.client.get("/sync/contacts").headers["ETag"] != before


def test_a_key_is_good_and_bad_from_the_very_moment(full, lane):
    """The keys in memory are as old as the ledger's last write, never older: another process revokes here."""
    made = keys.add(full.house.ledger, full.house.clock, name="brief", scopes=["feed:read"])
    headers = {"Authorization": f"Bearer {made}"}

    first = full.client.get("/sync/contacts", headers=headers).status_code
    other = sqlite3.connect(full.house.folder / "ledger.sqlite")
    with other:
        other.execute("update api_key set revoked_at = 1 where key_id = ?", (made.split("_")[1],))
    other.close()

    assert (first, full.client.get("/sync/contacts", headers=headers).status_code) == (200, 401)
    assert lane.took == [True, False]


def test_a_key_without_the_scope_goes_the_long_way_to_its_403(full, lane):
    answer = full.client.get("/sync/contacts", headers=full.key("metrics:read"))

    assert (answer.status_code, lane.took) == (403, [False])


def test_a_ledger_that_cannot_be_read_at_once_is_asked_the_long_way(full, lane, monkeypatch):
    from assets.publishing import snapshot

    def busy(self):
        raise sqlite3.OperationalError("database is locked")

    monkeypatch.setattr(snapshot.Kept, "snapshot", busy)

    assert full.client.get("/sync/contacts").status_code == 200
    assert lane.took == [False]
