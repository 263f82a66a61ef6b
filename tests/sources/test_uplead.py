"""UpLead: everything is read again for nothing, only what moved is kept, and a zero balance is a stop, not an absence."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pytest
import requests

from sources.archive import Archive
from sources.clock import VirtualClock
from sources.http import Forbidden, Unauthorised, Unreachable
from sources.intake import Meter
from sources.load import load
from sources.simulation import Fault, InMemoryAdapter, SimulatorStore, serve
from sources.uplead import settings, shapes, uplead
from sources.uplead.client import UpLeadClient
from sources.uplead.simulator import API_KEY, UpLeadSimulator
from sources.uplead.visit import Visit, contact_stamp
from sources.world.world import World

T0 = datetime(2027, 1, 4, 6, 0, tzinfo=UTC)
HOST = "http://uplead.test"


@cache
def unchanging_world(people: int) -> World:
    """One world for all tests that leave it as it is."""
    return World.generate(people, 5)


class Bench:
    """One world, one simulator, one archive, one warehouse."""

    def __init__(self, root: Path, people: int = 500, *, is_changing: bool = False, **switches: Any) -> None:
        self.root = root
        self.clock = VirtualClock(T0)
        self.world = World.generate(people, 5) if is_changing else unchanging_world(people)
        self.simulator = UpLeadSimulator(self.world, self.clock, **switches)
        self.archive = Archive(root / "archive")

    def client(self, base_url: str = HOST, key: str = API_KEY) -> UpLeadClient:
        client = UpLeadClient(base_url, key, self.clock)
        if base_url == HOST:
            client.session.mount(HOST, InMemoryAdapter(self.simulator))
        return client

    def run(self, client: UpLeadClient | None = None, domains: list[str] | None = None) -> Meter:
        meter = Meter("uplead")
        source = uplead(client or self.client(), self.archive, meter, domains)
        load(source, name="uplead", warehouse=self.root / "warehouse.duckdb", state=self.root / "state")
        return meter

    def visit(self, client: UpLeadClient | None = None, domains: list[str] | None = None) -> Meter:
        """As `run`, without dlt: for promises about the archive and the bill."""
        meter = Meter("uplead")
        Visit(client or self.client(), self.archive, meter, {}).run(domains)
        return meter

    def table(self, name: str) -> dict[str, dict[str, Any]]:
        with duckdb.connect(str(self.root / "warehouse.duckdb"), read_only=True) as connection:
            rows = connection.execute(f"select id, payload from raw_uplead.{name}").fetchall()
        return {row_id: json.loads(payload) for row_id, payload in rows}

    def ids(self) -> set[str]:
        return set(self.world.contacts("uplead")["id"])

    def billed(self) -> set[str]:
        """Contacts whose address costs a credit."""
        frame = self.world.contacts("uplead")
        return set(frame.loc[frame["email"].notna() & frame["email_status"].isin(["verified", "risky"]), "id"])

    def kept(self) -> set[str]:
        return set(self.archive.stamps("uplead", "contact"))


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.fixture
def changing_bench(tmp_path: Path) -> Bench:
    """For tests that change the world."""
    return Bench(tmp_path, is_changing=True)


@pytest.fixture(params=["loopback", "in memory"])
def connected(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Bench, UpLeadClient]]:
    """The same promises over a real socket and without one."""
    bench = Bench(tmp_path)
    if request.param == "in memory":
        yield bench, bench.client()
        return
    with serve(bench.simulator) as base_url:
        yield bench, bench.client(base_url)


def test_everything_arrives_once_and_only_billed_contacts_cost(connected: tuple[Bench, UpLeadClient]) -> None:
    bench, client = connected

    first, second = bench.run(client), bench.run(client)

    contacts = bench.table("contact")
    nested = {row["company"]["id"] for row in contacts.values() if row["company"]}
    assert set(contacts) == bench.ids()
    assert set(bench.table("organisation")) == nested
    assert first.credits == bench.simulator.credits_used == bench.archive.credits("uplead") == len(bench.billed())
    assert (second.credits, sum(second.bought.values())) == (0, 0)
    assert first.problems == second.problems == []


def test_after_a_change_exactly_what_moved_enters_the_archive(changing_bench: Bench) -> None:
    bench = changing_bench
    bench.visit()
    before = {row["id"]: contact_stamp(row) for row in bench.archive.payloads("uplead", "contact")}
    files, billed = bench.archive.last_seq("uplead", "contact"), bench.billed()
    bench.world.change(0.05, bench.clock.now())

    meter = bench.visit()

    directory = bench.simulator.directory
    after = {row["id"]: row for row in bench.archive.payloads("uplead", "contact")}
    moved = {row_id for row_id, row in after.items() if contact_stamp(row) != before.get(row_id)}
    appended = [row for _, table in bench.archive.batches("uplead", "contact", files) for row in table.to_pylist()]
    assert moved
    assert {row["id"] for row in appended} == moved
    assert meter.bought["contact"] == len(appended) == len(moved)
    assert meter.credits == len(bench.billed() - billed)
    told = (directory.contacts.by_id(row_id) for row_id in sorted(moved))
    assert all(row is not None and after[row["id"]]["title"] == row["job_title"] for row in told)
    assert meter.problems == []


def test_a_company_that_moved_does_not_put_its_people_into_the_archive_again() -> None:
    person = {"id": "1", "company": {"id": "c", "phone_number": "1"}}

    assert contact_stamp(person) == contact_stamp(person | {"company": {"id": "c", "phone_number": "2"}})
    assert contact_stamp(person) != contact_stamp(person | {"company": {"id": "d", "phone_number": "1"}})


def test_a_deleted_warehouse_is_filled_from_the_archive_for_no_credits(bench: Bench) -> None:
    bench.run()
    before, used = bench.table("contact"), bench.simulator.credits_used
    (bench.root / "warehouse.duckdb").unlink()

    meter = bench.run()

    assert bench.table("contact") == before
    assert (bench.simulator.credits_used, meter.credits) == (used, 0)


def test_watched_domains_bring_their_people_and_companies_only(bench: Bench) -> None:
    frame = bench.world.contacts("uplead")
    domains = list(frame["organisation_domain"].dropna().unique()[:3])
    expected = set(frame.loc[frame["organisation_domain"].isin(domains), "id"])

    first = bench.run(domains=[*domains, "nobody.example"])
    second = bench.visit(domains=domains)

    organisations = bench.table("organisation")
    assert set(bench.table("contact")) == expected
    assert {row["domain"] for row in organisations.values()} <= set(domains)
    assert first.credits == len(expected & bench.billed()) + len(organisations)
    assert (second.credits, sum(second.bought.values())) == (0, 0)


def test_counting_comes_first_and_is_free(bench: Bench) -> None:
    client = bench.client()

    count = client.count(settings.PRO_SEARCH_PATH, {})

    assert (count, bench.simulator.credits_used, client.credits()) == (len(bench.ids()), 0, 10_000_000)


@pytest.mark.parametrize("at_zero", ["refuse", "empty"])
def test_a_zero_balance_stops_loads_what_came_and_goes_on_later(tmp_path: Path, at_zero: str) -> None:
    """What UpLead answers at zero is not published: both ways end the same."""
    bench = Bench(tmp_path, credits=50, at_zero=at_zero)

    first = bench.run()
    loaded = set(bench.table("contact"))
    assert bench.simulator.credits_used == first.credits == 50
    assert loaded == bench.kept()
    assert len(loaded & bench.billed()) == 50
    assert any("out of credits" in problem for problem in first.problems)
    assert any("credits are left" in problem for problem in first.problems)

    bench.simulator._credits_at_start = 10_000
    bench.visit()

    assert bench.kept() == bench.ids()
    assert bench.simulator.credits_used == len(bench.billed())


def test_a_run_that_starts_at_zero_reads_nothing_and_says_so(tmp_path: Path) -> None:
    bench = Bench(tmp_path, credits=0)

    meter = bench.visit()

    assert meter.fetched["contact"] == 0
    assert any("out of credits" in problem for problem in meter.problems)


FAULTS = {
    "429": Fault("status", path="/prospector", after=2, times=2, status=429, headers=(("Retry-After", "30"),)),
    "429 without Retry-After": Fault("status", path="/prospector", after=2, status=429),
    "500": Fault("status", path="/prospector", after=1, times=3, status=500),
    "dropped connection": Fault("drop", path="/prospector", after=2, times=2),
    "reply lost after the charge": Fault("drop_after", path="/prospector", after=2),
    "truncated": Fault("truncate", path="/prospector", after=2),
    "proxy page": Fault("html", path="/prospector", after=2, status=502),
    "empty data": Fault("empty_data", path="/prospector", after=2, times=2),
    "slow": Fault("delay", path="/prospector", times=3, delay_s=20.0),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_in_mid_walk_loses_nothing_and_charges_nothing_twice(tmp_path: Path, name: str) -> None:
    bench = Bench(tmp_path)
    bench.simulator.faults = [Fault(**{**vars(FAULTS[name]), "seen": 0})]

    meter = bench.visit()

    assert bench.simulator.counters[f"fault {FAULTS[name].effect}"] > 0
    assert bench.kept() == bench.ids()
    assert meter.credits == bench.simulator.credits_used == len(bench.billed())


def test_a_dropped_socket_is_survived_too(bench: Bench) -> None:
    bench.simulator.faults = [Fault("drop", path="/prospector", after=2), Fault("drop_after", path="/prospector")]

    with serve(bench.simulator) as base_url:
        bench.visit(bench.client(base_url))

    assert bench.kept() == bench.ids()


def test_a_vendor_that_stays_down_leaves_a_problem_and_what_the_archive_holds(bench: Bench) -> None:
    bench.run()
    before = bench.table("contact")
    bench.simulator.faults = [Fault("status", path="/prospector", times=-1, status=503)]
    (bench.root / "warehouse.duckdb").unlink()

    meter = bench.run()

    assert bench.table("contact") == before
    assert any("HTTP 503" in problem and "nothing is taken for deleted" in problem for problem in meter.problems)


def test_what_came_before_a_failure_is_kept(bench: Bench) -> None:
    """It was paid for."""
    bench.simulator.faults = [Fault("status", path="/prospector", after=2, times=-1, status=503)]

    meter = bench.run()

    assert len(bench.kept()) == 100
    assert set(bench.table("contact")) == bench.kept()
    assert meter.credits == bench.simulator.credits_used > 0


def test_poison_is_quarantined_and_the_rest_of_its_page_is_loaded(bench: Bench) -> None:
    nul, nameless, huge = sorted(bench.ids())[:3]
    bench.simulator.poison = {nul: "NUL", nameless: "no id", huge: "huge"}

    meter = bench.run()

    assert set(bench.table("contact")) == bench.ids() - {nul, nameless, huge}
    assert meter.quarantined == 3
    assert meter.missed["contact"] == 0
    assert meter.problems == []  # the bill adds up: poison may have cost a credit


def test_poison_that_was_paid_for_is_kept_and_counted_once(bench: Bench) -> None:
    """A deleted warehouse gets it back from the archive; a second visit does not call it new."""
    poison = sorted(bench.billed())[0]
    bench.simulator.poison = {poison: "NUL"}
    first = bench.run()
    (bench.root / "warehouse.duckdb").unlink()

    second = bench.run()

    assert (first.quarantined, second.quarantined, second.problems) == (1, 0, [])
    assert (first.credits, second.credits) == (len(bench.billed()), 0)
    assert bench.archive.credits("uplead") == len(bench.billed())
    assert set(bench.table("quarantine")) == {f"contact:{poison}"}


def test_odd_rows_are_kept_as_sent(tmp_path: Path) -> None:
    bench = Bench(tmp_path, people=2_000)
    bench.visit()

    rows = {row["id"]: row for row in bench.archive.payloads("uplead", "contact")}

    assert any("email_status" not in row for row in rows.values())
    assert any(row["company"] is None for row in rows.values())
    assert any((row["email"] or "").isupper() for row in rows.values())
    assert all("email_status" in row or shapes.is_odd(row_id, "no status") for row_id, row in rows.items())


def test_the_flat_envelope_and_errors_as_text_are_understood(tmp_path: Path) -> None:
    bench = Bench(tmp_path, is_flat=True, is_error_text=True)

    meter = bench.visit()

    assert bench.kept() == bench.ids()
    assert meter.credits == len(bench.billed())
    with pytest.raises(Unauthorised):
        bench.client(key="wrong").credits()


def test_records_charged_again_after_their_time_are_reported(tmp_path: Path) -> None:
    """How long a bought record stays free is not published, so the bill is watched."""
    bench = Bench(tmp_path, memory_s=86_400.0)
    bench.visit()
    bench.clock.sleep(2 * 86_400)

    meter = bench.visit()

    assert meter.credits == len(bench.billed())
    assert any("may have charged records again" in problem for problem in meter.problems)


def test_purchases_outlive_the_simulator_that_made_them(tmp_path: Path) -> None:
    bench = Bench(tmp_path, store=SimulatorStore(tmp_path / "sim.sqlite"))
    bench.visit()
    used = bench.simulator.credits_used
    bench.simulator.store.close()

    bench.simulator = UpLeadSimulator(bench.world, bench.clock, SimulatorStore(tmp_path / "sim.sqlite"))
    bench.visit()

    assert bench.simulator.credits_used == used > 0


@pytest.mark.parametrize("key", ["", "wrong", f"Bearer {API_KEY}"])
def test_only_the_bare_key_opens(bench: Bench, key: str) -> None:
    with pytest.raises(Unauthorised):
        bench.client(key=key).credits()


def test_plans_gate_the_pro_search_and_a_paused_account_everything(bench: Bench) -> None:
    essentials, paused = bench.client(key="uplead-essentials-key"), bench.client(key="uplead-paused-key")

    assert essentials.credits() > 0
    with pytest.raises(Forbidden):
        essentials.contacts(settings.PRO_SEARCH_PATH, {})
    with pytest.raises(Forbidden):
        paused.credits()


def test_a_plan_without_the_search_is_not_mistaken_for_empty_pockets(bench: Bench) -> None:
    with pytest.raises(Forbidden):
        bench.visit(bench.client(key="uplead-essentials-key"))


REFUSALS = [
    ("prospector-search", {}, 400),
    ("person-search", {"first_name": "Orla"}, 400),
    ("company-search", {}, 400),
    ("prospector-pro-search", {"management_level": "BOSS"}, 400),
    ("prospector-pro-search", {"per_page": 101}, 400),
    ("person", {"email": "a@b.example"}, 404),
]


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(("path", "asked", "status"), REFUSALS)
def test_the_simulator_refuses_as_documented(
    bench: Bench, method: str, path: str, asked: dict[str, Any], status: int
) -> None:
    answer = _plain(bench, method, path, asked)

    assert answer.status_code == status
    assert set(answer.json()["error"]) == {"type", "message"}


def test_get_and_post_say_the_same_and_a_miss_is_null_and_free(bench: Bench) -> None:
    frame = bench.world.contacts("uplead")
    domains = list(frame["organisation_domain"].dropna().unique()[:2])

    got = _plain(bench, "GET", "prospector-pro-search", {"domains[]": domains, "per_page": 10}).json()
    posted = _plain(bench, "POST", "prospector-pro-search", {"domains": domains, "per_page": 10}).json()
    miss = _plain(bench, "POST", "company-search", {"domain": "nobody.example"}).json()

    assert got["data"] == posted["data"]
    assert set(got["data"]["meta"]) == {"total", "page", "next_page", "previous_page", "first_page", "last_page"}
    assert miss["data"] is None
    assert miss["userInfo"] == posted["userInfo"]


def test_five_hundred_calls_a_minute_and_the_headers_that_say_so(bench: Bench) -> None:
    bench.simulator.calls_a_minute = 2

    answers = [_plain(bench, "GET", "credits", {}) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].json()["error"]["type"] == "rate_limit"
    assert 0 < int(answers[2].headers["Retry-After"]) <= 61
    assert answers[2].headers["X-RateLimit-Remaining"] == "0"


def test_an_answer_without_results_for_ever_is_an_error_not_an_empty_page(bench: Bench) -> None:
    bench.simulator.faults = [Fault("empty_data", path="/prospector", times=-1)]

    with pytest.raises(Unreachable, match="has no results"):
        bench.client().contacts(settings.PRO_SEARCH_PATH, {})


def _plain(bench: Bench, method: str, path: str, asked: dict[str, Any]) -> requests.Response:
    """Plain requests, to see the simulator without our client."""
    session = requests.Session()
    session.mount(HOST, InMemoryAdapter(bench.simulator))
    where = {"params": asked} if method == "GET" else {"json": asked}
    return session.request(method, f"{HOST}/v2/{path}", headers={"Authorization": API_KEY}, **where)
