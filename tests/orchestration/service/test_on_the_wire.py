"""Promises that need real sockets and real processes: whole snapshots under load, and nothing accepted is ever lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import pytest
import requests

from assets.publishing import inbox, keys, retention
from assets.publishing.ledger import Ledger
from orchestration.service.app import build_app
from orchestration.service.settings import ServiceSettings
from orchestration.settings import PROJECT_ROOT
from tests.assets.publishing import ledgers
from tests.assets.publishing.publishing_house import House, contact, organisation
from tests.orchestration.service.wire import served
from tests.orchestration.test_ui import free_port

WEBHOOKS = int(os.environ.get("HALOSYNC_WEBHOOKS", "60"))


@pytest.fixture
def house(tmp_path):
    house = House(tmp_path / "house")
    yield house
    house.ledger.close()


def test_each_of_16_pollers_always_sees_one_whole_snapshot(house):
    """F14: during commits, publishing and compaction; every commit gives all records the same title; an answer that mixes two would mix two snapshots."""
    people = [contact(f"con_{number:03}", "Ann", f"Lee {number}", "org_acme") for number in range(120)]
    house.commit(organisation("org_acme", "Acme"), *({**one, "job_title": "0"} for one in people))
    app = build_app(house.ledger, house.clock, ServiceSettings(calls_per_minute=1_000_000))
    mixed: list[set[str]] = []
    seen: set[str] = set()
    is_over = threading.Event()

    def poll(url: str, headers: dict[str, str]) -> None:
        while not is_over.is_set():
            answer = requests.get(f"{url}/sync/contacts", params={"limit": 500}, headers=headers, timeout=30)
            titles = {one["data"]["jobtitle"] for one in answer.json()["records"]}
            seen.update(titles)
            if len(titles) != 1 or len(answer.json()["records"]) != 120:
                mixed.append(titles)

    with served(app, house) as (url, session):
        pollers = [threading.Thread(target=poll, args=(url, dict(session.headers))) for _ in range(16)]
        for poller in pollers:
            poller.start()
        for generation in range(1, 9):
            house.commit(*({**one, "job_title": str(generation)} for one in people))
            house.publish()
            retention.forget(house.ledger, house.clock)
        is_over.set()
        for poller in pollers:
            poller.join(timeout=30)

    assert mixed == []
    assert len(seen) > 1


def test_through_restarts_each_poller_sees_whole_snapshots_and_misses_none(house):
    """F14: a poller that is cut off asks again with what it was given last."""
    people = [contact(f"con_{number:03}", "Ann", f"Lee {number}", "org_acme") for number in range(60)]
    port, lives = free_port(), 3
    mixed: list[set[str]] = []
    newest: dict[int, str] = {}  # title by poller
    is_over = threading.Event()

    def poll(poller: int, headers: dict[str, str]) -> None:
        last_sync = None
        while not is_over.is_set():
            parameters = {"limit": 500} | ({"last_sync": last_sync} if last_sync else {})
            try:
                answer = requests.get(
                    f"http://127.0.0.1:{port}/sync/contacts", params=parameters, headers=headers, timeout=30
                ).json()
            except requests.RequestException:
                time.sleep(0.02)
                continue
            titles = {one["data"]["jobtitle"] for one in answer["records"]}
            if len(titles) > 1 or len(answer["records"]) not in (0, 60):
                mixed.append(titles)
            newest[poller] = next(iter(titles), newest.get(poller, ""))
            last_sync = answer["last_sync_timestamp"]

    key = keys.add(house.ledger, house.clock, name="restarted", scopes=["feed:read"])
    headers = {"Authorization": f"Bearer {key}"}
    pollers = [threading.Thread(target=poll, args=(number, headers)) for number in range(4)]
    for life in range(lives):
        house.commit(organisation("org_acme", "Acme"), *({**one, "job_title": f"{life}"} for one in people))
        app = build_app(house.ledger, house.clock, ServiceSettings(calls_per_minute=1_000_000))
        with served(app, house, port=port) as (_, session):
            keys.revoke(house.ledger, house.clock, session.headers["Authorization"].split("_")[1])  # two may live
            if life == 0:
                for poller in pollers:
                    poller.start()
            deadline_s = time.monotonic() + 30
            while set(newest.values()) != {f"{life}"} or len(newest) < len(pollers):
                assert time.monotonic() < deadline_s, newest
                time.sleep(0.01)
            house.commit(*({**one, "job_title": f"{life} and a half"} for one in people))
    is_over.set()
    for poller in pollers:
        poller.join(timeout=30)

    assert mixed == []


@pytest.mark.parametrize("store", [ledgers.SQLITE, ledgers.POSTGRESQL])
def test_two_services_on_one_ledger_behave_as_one(tmp_path, store):
    """Each with a ledger of its own on one file or one server, as two processes have it."""
    with ledgers.tested_on(store):
        house, mirror = House(tmp_path / "house"), ledgers.opened(tmp_path / "house")
        settings = ServiceSettings(webhooks={"signer": {"auth": "bearer", "secret": "token"}})
        apps = [build_app(ledger, house.clock, settings) for ledger in (house.ledger, mirror)]
        house.commit(*(organisation(f"org_{number:03}", f"Company {number}") for number in range(30)))

        with served(apps[0], house) as (one, session), served(apps[1], house, "admin") as (other, _):
            told, last_sync = [], None
            for turn in range(10):
                parameters = {"limit": 7} | ({"last_sync": last_sync} if last_sync else {})
                answer = session.get(f"{(one, other)[turn % 2]}/sync/organizations", params=parameters).json()
                told += [record["external_id"] for record in answer["records"]]
                last_sync = answer["last_sync_timestamp"]
            page = {session.get(f"{url}/sync/organizations").headers["ETag"] for url in (one, other)}
            hints = [
                requests.post(
                    f"{url}/webhook/signer",
                    json={"person_id": "1"},
                    headers={"Authorization": "Bearer token", "webhook-id": "msg_1"},
                    timeout=30,
                ).status_code
                for url in (one, other)
            ]
            keys.revoke(mirror, house.clock, session.headers["Authorization"].split("_")[1])
            refused = {session.get(f"{url}/sync/organizations").status_code for url in (one, other)}
        waiting = len(inbox.waiting(mirror))
        mirror.close()
        house.ledger.close()

    assert told == [f"org_{number:03}" for number in range(30)]
    assert len(page) == 1
    assert (hints, waiting) == ([202, 202], 1)
    assert refused == {401}


def test_a_good_poller_keeps_its_share_while_another_floods(house):
    """S6: 100 calls for each of the good one's, most of them refused; p99 of the good one under half a second."""
    house.commit(*(organisation(f"org_{number:03}", f"Company {number}") for number in range(100)))
    app = build_app(house.ledger, house.clock, ServiceSettings(calls_per_minute=120))
    good = keys.add(house.ledger, house.clock, name="good", scopes=["feed:read"])
    is_over = threading.Event()
    refused: list[int] = []

    def flood(url: str, headers: dict[str, str]) -> None:
        with requests.Session() as session:
            session.trust_env = False
            while not is_over.is_set():
                refused.append(session.get(f"{url}/sync/organizations", headers=headers, timeout=30).status_code)

    with served(app, house) as (url, bad), requests.Session() as session:
        session.trust_env = False
        session.headers["Authorization"] = f"Bearer {good}"
        flooders = [threading.Thread(target=flood, args=(url, dict(bad.headers))) for _ in range(4)]
        for flooder in flooders:
            flooder.start()
        seconds, codes = [], set()
        for _ in range(50):
            began_s = time.perf_counter()
            codes.add(session.get(f"{url}/sync/organizations", timeout=30).status_code)
            seconds.append(time.perf_counter() - began_s)
            time.sleep(0.01)
        is_over.set()
        for flooder in flooders:
            flooder.join(timeout=30)

    assert codes == {200}
    assert sorted(seconds)[-1] < 0.5
    assert refused.count(429) > len(seconds)


def test_a_key_is_renewed_while_it_polls_and_no_poll_is_refused(house):
    """S2: the new key lives beside the old one until every poller has it."""
    house.commit(organisation("org_acme", "Acme"))
    app = build_app(house.ledger, house.clock, ServiceSettings())
    key = {"now": keys.add(house.ledger, house.clock, name="n8n", scopes=["feed:read"])}
    codes: list[int] = []
    is_over = threading.Event()

    def poll(url: str) -> None:
        with requests.Session() as session:
            session.trust_env = False
            while not is_over.is_set():
                headers = {"Authorization": f"Bearer {key['now']}"}
                codes.append(session.get(f"{url}/sync/contacts", headers=headers, timeout=30).status_code)
                time.sleep(0.002)

    with served(app, house) as (url, _):
        poller = threading.Thread(target=poll, args=(url,))
        poller.start()
        for _ in range(5):
            old, key["now"] = key["now"], keys.add(house.ledger, house.clock, name="n8n", scopes=["feed:read"])
            answered = len(codes)
            while len(codes) < answered + 3:
                time.sleep(0.002)
            keys.revoke(house.ledger, house.clock, old.split("_")[1])
        is_over.set()
        poller.join(timeout=30)

    assert set(codes) == {200}


def test_after_kill_9_every_webhook_that_was_accepted_is_in_the_inbox_once(tmp_path):
    """HALOSYNC_WEBHOOKS=1000 plays the long form."""
    port = free_port()
    environment = os.environ | {
        "HALOSYNC_DATA": str(tmp_path),
        "SERVICE__WEBHOOKS__SIGNER__AUTH": "bearer",
        "SERVICE__WEBHOOKS__SIGNER__SECRET": "token",
    }
    command = [sys.executable, "-m", "orchestration.cli", "serve", "--port", str(port)]
    accepted: set[str] = set()
    waiting = [f"{number}" for number in range(WEBHOOKS)]
    url, headers = f"http://127.0.0.1:{port}", {"Authorization": "Bearer token"}

    def send() -> None:
        with requests.Session() as session:
            session.trust_env = False
            while waiting:
                person = waiting.pop()
                try:
                    answer = session.post(
                        f"{url}/webhook/signer", json={"person_id": person}, headers=headers, timeout=5
                    )
                except requests.RequestException:
                    waiting.append(person)  # a sender that heard nothing sends again
                    time.sleep(0.05)
                    continue
                assert answer.status_code == 202, answer.text
                accepted.add(person)

    for life in range(3):
        server = subprocess.Popen(command, env=environment, cwd=PROJECT_ROOT, stderr=subprocess.DEVNULL)
        senders = [threading.Thread(target=send, daemon=True) for _ in range(4)] if life == 0 else []
        for sender in senders:
            sender.start()
        share = (life + 1) / 3
        deadline_s = time.monotonic() + 120
        while len(accepted) < WEBHOOKS * share and time.monotonic() < deadline_s:
            time.sleep(0.01)
        server.send_signal(signal.SIGKILL)
        server.wait()

    ledger = Ledger.open(tmp_path / "ledger.sqlite")
    kept = inbox.waiting(ledger)
    ledger.close()
    assert len(accepted) == WEBHOOKS
    assert len(kept) == len({one.inbox_id for one in kept}) == WEBHOOKS
