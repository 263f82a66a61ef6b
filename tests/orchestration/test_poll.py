"""Promises of the reference poller: it converges whatever happens to it, and keeps its place with its records."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
import requests

from assets.publishing import retention
from orchestration import poll
from orchestration.exits import Exit, Stop
from orchestration.service.app import build_app
from orchestration.service.settings import ServiceSettings
from tests.assets.publishing.publishing_house import House, contact, organisation
from tests.orchestration.service.wire import served

COMPANIES = [organisation(f"org_{number:03}", f"Company {number}") for number in range(25)]


@pytest.fixture
def house(tmp_path):
    house = House(tmp_path / "house")
    yield house
    house.ledger.close()


@pytest.fixture
def feed(house):
    """(address of the feed, a session with a key)."""
    app = build_app(house.ledger, house.clock, ServiceSettings())
    with served(app, house) as (url, session):
        yield f"{url}/halo-integrator/sync", session


def held(path) -> dict[str, int]:
    with closing(sqlite3.connect(path)) as store:
        return dict(store.execute("select external_id, is_retired from record order by 1"))


def follow(feed, path, *, limit: int = 10) -> dict:
    url, session = feed
    with closing(poll.opened(path)) as store:
        return poll.follow(session, url, store, limit=limit)


def test_it_reads_all_pages_then_only_what_changed(house, feed, tmp_path):
    house.commit(*COMPANIES, contact("con_ann", "Ann", "Lee", "org_001"))
    first = follow(feed, tmp_path / "held.sqlite")
    quiet = follow(feed, tmp_path / "held.sqlite")
    house.commit(gone=("con_ann",))
    last = follow(feed, tmp_path / "held.sqlite")

    assert (first["pages"], first["upserts"]) == (3, 26)
    assert (quiet["upserts"], quiet["deletes"]) == (0, 0)
    assert (last["upserts"], last["deletes"]) == (0, 1)
    assert held(tmp_path / "held.sqlite") == {**{f"org_{n:03}": 0 for n in range(25)}, "con_ann": 1}


def test_dying_between_pages_loses_nothing(house, feed, tmp_path, monkeypatch):
    house.commit(*COMPANIES)
    ask, asked = poll._ask, []

    def dying(*given):
        asked.append(given)
        if len(asked) == 3:
            raise KeyboardInterrupt
        return ask(*given)

    monkeypatch.setattr(poll, "_ask", dying)
    with pytest.raises(KeyboardInterrupt):
        follow(feed, tmp_path / "held.sqlite", limit=10)
    rest = follow(feed, tmp_path / "held.sqlite", limit=10)

    assert rest["upserts"] == 5
    assert len(held(tmp_path / "held.sqlite")) == 25


def test_it_waits_as_long_as_it_is_asked_and_goes_on(house, feed, tmp_path, monkeypatch):
    house.commit(*COMPANIES)
    url, session = feed
    get, waits, refusals = session.get, [], [503, 429]

    def refusing(*given, **options):
        answer = get(*given, **options)
        if refusals:
            answer.status_code = refusals.pop(0)
            answer.headers["Retry-After"] = "7"
        return answer

    session.get = refusing
    monkeypatch.setattr(poll.Retrying, "sleep", lambda self, wait_s: waits.append(wait_s), raising=False)
    monkeypatch.setattr("tenacity.nap.time.sleep", waits.append)

    assert follow((url, session), tmp_path / "held.sqlite", limit=100)["upserts"] == 25
    assert waits == [7.0, 7.0]


def test_a_wrong_key_is_one_line_and_exit_2(house, feed, tmp_path):
    url, _ = feed
    stranger = requests.Session()
    stranger.trust_env = False

    with pytest.raises(Stop, match=r"refuses \(401\): A key is needed") as stop:
        follow((url, stranger), tmp_path / "held.sqlite")

    assert stop.value.code == Exit.USAGE


def test_who_was_away_so_long_that_deletes_were_forgotten_retires_what_a_resync_does_not_name(house, feed, tmp_path):
    """F16, in pages, with a death between them."""
    house.commit(*COMPANIES)
    follow(feed, tmp_path / "held.sqlite")
    house.commit(gone=("org_003",))
    house.clock.sleep(91 * 86_400)
    house.commit(gone=("org_004",))
    forgotten = retention.forget(house.ledger, house.clock).tombstones
    url, session = feed
    with closing(poll.opened(tmp_path / "held.sqlite")) as store:
        pages = poll._pages(session, url, store, 10)
        first = next(pages)["metadata"]
    told = follow(feed, tmp_path / "held.sqlite")

    assert (forgotten, first["sync_type"], first["has_more"]) == (1, "full_resync", True)
    assert told["upserts"] == 23
    assert [name for name, is_retired in held(tmp_path / "held.sqlite").items() if is_retired] == ["org_003", "org_004"]
