"""Alerts: each incident is told once when it begins and once when it is over, over a real socket."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from assets.common import JOB
from assets.publishing import freshness, runs, tables
from assets.publishing.ledger import Ledger
from orchestration import settings as settings_module
from orchestration.alerting.book import FILE, RAISED, RECOVERED, Book
from orchestration.alerting.watch import Look, look
from orchestration.cli import main
from orchestration.exits import Exit
from orchestration.settings import HaloSettings, Settings
from sources.clock import VirtualClock

SOURCES = ("apollo", "zoominfo", "uplead", "exports")
DAY_S, HOUR_S = 86_400.0, 3_600.0
PERIOD_S = 4 * HOUR_S


class Installation:
    """Two good weeks of an installation, and what may befall it."""

    def __init__(self, folder: Path) -> None:
        self.clock = VirtualClock()
        halo = HaloSettings(base_url="https://x.example", tenant="x", client_id="x", client_secret=SecretStr("x"))
        made = settings_module.load(env_file=None)
        self.settings: Settings = made.model_copy(
            update={"data": folder, "sources": made.sources.model_copy(update={"halopsa": halo})}
        )
        self.settings.prepare()
        self.ledger = Ledger.open(self.settings.ledger)
        self.runs = 0
        self.days(14)

    def look(self) -> Look:
        return look(self.settings, self.ledger, self.clock)

    def tell(self, *urls: str) -> None:
        alerts = self.settings.alerts.model_copy(update={"urls": [SecretStr(url) for url in urls]})
        self.settings = self.settings.model_copy(update={"alerts": alerts})

    def run(self, kind: str = JOB, state: str = "done", **fetched: int) -> None:
        """A run that ends now; each source brings about a hundred records unless told otherwise."""
        self._keep([self._ended(kind, state, fetched)])

    def days(self, days: float, **fetched: int) -> None:
        """So many days of good runs."""
        ended = []
        for _ in range(int(days * DAY_S / PERIOD_S)):
            self.clock.sleep(PERIOD_S)
            ended.append(self._ended(JOB, "done", fetched))
        self._keep(ended)

    def _ended(self, kind: str, state: str, fetched: dict[str, int]) -> dict[str, object]:
        self.runs += 1
        self.clock.sleep(1)
        brought = dict.fromkeys(SOURCES, 90 + self.runs * 7 % 20) | fetched
        began, ended = self.clock.now() - timedelta(minutes=1), self.clock.now()
        summary = {"fetched": brought} if kind == JOB else {}
        row = {"run_id": f"run-{self.runs}", "kind": kind, "state": state, "summary": summary}
        return row | {"started_at": began, "ended_at": ended}

    def _keep(self, ended: list[dict[str, object]]) -> None:
        with self.ledger.transaction() as connection:
            connection.execute(sa.insert(tables.run), ended)
        if ended[-1]["kind"] == JOB and ended[-1]["state"] in runs.GOOD_STATES:
            for source in (*SOURCES, "halopsa"):
                freshness.note(self.ledger, self.clock, source)

    def old(self, source: str) -> None:
        """The source was last read two days ago; the others go on."""
        before = self.clock.now() - timedelta(days=2)
        with self.ledger.transaction() as connection:
            one = tables.freshness.c.source == source
            connection.execute(sa.update(tables.freshness).where(one).values(read_at=before))

    def waits(self, changes: int) -> None:
        with self.ledger.transaction() as connection:
            at = self.clock.now() - timedelta(hours=8)
            connection.execute(sa.insert(tables.commit_log).values(seq=1, commit_ts=at, run_id="run-1", counts={}))
            row = {"entity": "contact", "action": "upsert", "version": 1, "seq": 1, "state": "pending"}
            connection.execute(sa.insert(tables.outbox), [{"golden_id": f"con_{n}", **row} for n in range(changes)])

    def hangs(self, state: str) -> None:
        with self.ledger.transaction() as connection:
            connection.execute(
                sa.insert(tables.effect).values(
                    golden_id="con_1", entity="contact", version=1, resource="Users", operation="create", fields={},
                    state=state, fence=1, run_id="run-1", sent_at=self.clock.now() - timedelta(hours=2),
                )
            )  # fmt: skip

    def settle(self) -> None:
        with self.ledger.transaction() as connection:
            connection.execute(sa.update(tables.outbox).values(state="published"))
            connection.execute(sa.update(tables.effect).values(state="acked"))


Act = Callable[[Installation], object]


def _again(house: Installation) -> None:
    house.run()


def _incidents() -> Iterator[tuple[str, str, Act, Act]]:
    """kind, subject, what befalls, what mends."""
    for days in (0.3, 3, 10):
        yield "did_not_run", JOB, lambda house, days=days: house.clock.sleep(days * DAY_S), _again
    for kind in (JOB, "publish", "reconcile"):
        for state in ("failed", "killed"):
            yield (
                "run_failed", kind, lambda house, kind=kind, state=state: house.run(kind, state),
                lambda house, kind=kind: house.run(kind),
            )  # fmt: skip
    for kind in (JOB, "publish"):
        yield (
            "check_failed",
            kind,
            lambda house, kind=kind: house.run(kind, "held"),
            lambda house, kind=kind: house.run(kind),
        )
    for source in SOURCES:
        yield "source_frozen", source, lambda house, source=source: house.days(8, **{source: 0}), _again
    yield "did_nothing", JOB, lambda house: house.days(8, **dict.fromkeys(SOURCES, 0)), _again
    for source in ("apollo", "zoominfo", "uplead", "halopsa"):
        yield "source_down", source, lambda house, source=source: house.old(source), _again
    for source in ("apollo", "zoominfo", "uplead"):
        for count in (1_000, 10):
            yield "volume", source, lambda house, source=source, count=count: house.run(**{source: count}), _again
    for changes in (1, 1_000):
        yield "backlog", "halopsa", lambda house, changes=changes: house.waits(changes), Installation.settle
    for state in ("sending", "unknown"):
        yield "unknown_effects", "halopsa", lambda house, state=state: house.hangs(state), Installation.settle


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Installation]:
    made = Installation(tmp_path / "data")
    yield made
    made.ledger.close()


@pytest.fixture
def heard() -> Iterator[tuple[str, list[str]]]:
    """A webhook on loopback: its Apprise address, and the messages it was sent."""
    messages: list[str] = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            messages.append(told["title"] + "\n" + told["message"])
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = HTTPServer(("127.0.0.1", 0), Hook)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"json://127.0.0.1:{server.server_port}/", messages
    server.shutdown()
    server.server_close()


def test_thirty_incidents_are_told_thirty_times_and_so_is_each_recovery(tmp_path, heard):
    url, messages = heard
    incidents = list(_incidents())
    raised = recovered = 0
    for number, (kind, subject, befall, mend) in enumerate(incidents):
        house = Installation(tmp_path / f"{number}")
        house.tell(url)
        assert house.look() == Look([], [], []), "a sound installation is quiet"
        befall(house)
        looks = [house.look() for _ in range(3)]
        found = [(line.kind, line.subject) for line in looks[0].open]
        assert found == [(kind, subject)], (kind, subject, looks[0])
        assert [len(one.changes) for one in looks] == [1, 0, 0]
        mend(house)
        looks = [house.look() for _ in range(3)]
        assert (looks[0].open, [line.event for line in looks[0].changes]) == ([], [RECOVERED]), (kind, looks[0])
        assert [one.changes for one in looks[1:]] == [[], []]
        raised += sum(text.startswith("halosync: 1 alert\n") for text in messages)
        recovered += sum(text.startswith("halosync: 1 over\n") for text in messages)
        assert len(messages) == 2
        messages.clear()
        house.ledger.close()

    assert (len(incidents), raised, recovered) == (30, 30, 30)


def test_who_could_not_be_told_is_told_later_in_order(house, heard):
    url, messages = heard
    house.tell("json://127.0.0.1:9/nobody", url)

    house.run("publish", "failed")
    first = house.look()
    house.run("publish")
    house.run("reconcile", "failed")
    house.tell(url, url + "second")  # a channel that comes later hears only what is open
    house.look()

    assert len(first.unsent) == 1
    assert first.unsent[0].startswith("json-")
    assert [text.splitlines()[0] for text in messages] == [
        *("halosync: 1 alert", "halosync: 1 alert, 1 over", "halosync: 1 alert"),
    ]


def test_a_line_that_a_crash_cut_off_is_written_again(house):
    house.run("publish", "failed")
    house.look()
    path = house.settings.data_root / FILE
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])

    seen = house.look()

    assert [line.event for line in seen.changes] == [RAISED]
    assert path.read_bytes() == whole
    assert Book(path).open == seen.open


def test_the_book_is_for_the_owner_alone_and_holds_no_address(house):
    house.tell("json://user:s3cret@127.0.0.1:9/")
    house.run("publish", "failed")
    house.look()

    path = house.settings.data_root / FILE
    assert path.stat().st_mode & 0o077 == 0
    assert "s3cret" not in path.read_text()


def test_a_fresh_installation_has_nothing_to_tell(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("HALOSYNC_DATA", str(tmp_path / "fresh"))

    assert main(["alerts", "--json"]) == Exit.DONE
    assert json.loads(capsys.readouterr().out)["open"] == []


def test_the_verb_says_what_is_wrong_by_its_exit_code(house, monkeypatch, capsys):
    house.run("publish", "failed")
    monkeypatch.setenv("HALOSYNC_DATA", str(house.settings.data_root))

    code = main(["alerts"])

    assert code == Exit.PARTIAL
    assert "run_failed" in capsys.readouterr().out
