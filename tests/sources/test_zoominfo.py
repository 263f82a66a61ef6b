"""ZoomInfo: free walks under a cap, purchases of exactly what moved, tokens that end in mid-run, and an honest bill."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pytest
import requests

from sources.archive import Archive
from sources.clock import VirtualClock
from sources.http import BadRequest, Unauthorised, Unreachable
from sources.intake import Meter
from sources.limiter import RateLimit
from sources.load import load
from sources.simulation import Fault, InMemoryAdapter, SimulatorStore, serve
from sources.world.world import World
from sources.zoominfo import settings, zoominfo
from sources.zoominfo.buy import buy
from sources.zoominfo.client import ZoomInfoClient
from sources.zoominfo.shapes import has_no_date, is_odd
from sources.zoominfo.simulator import CLIENT_ID, CLIENT_SECRET, ZoomInfoSimulator
from sources.zoominfo.watch import CapOverflow, Seen, Walk, cursor_day, next_cursor, walk_all, walk_since
from sources.zoominfo.windows import SlidingWindows

# The world's records were last updated before this day.
T0 = datetime(2027, 1, 4, 6, 0, tzinfo=UTC)
HOST = "http://zoominfo.test"
UNHURRIED = (RateLimit(100_000, 1.0),)


@cache
def unchanging_world(people: int) -> World:
    """One world for all tests that leave it as it is."""
    return World.generate(people, 5)


class Bench:
    """One world, one simulator, one archive, one warehouse."""

    def __init__(self, root: Path, people: int = 400, *, is_changing: bool = False, **switches: Any) -> None:
        self.root = root
        self.clock = VirtualClock(T0)
        self.world = World.generate(people, 5) if is_changing else unchanging_world(people)
        self.simulator = ZoomInfoSimulator(self.world, self.clock, **switches)
        self.archive = Archive(root / "archive")
        self.meter = Meter("zoominfo")

    def client(self, base_url: str = HOST, **options: Any) -> ZoomInfoClient:
        client = ZoomInfoClient(base_url, CLIENT_ID, CLIENT_SECRET, self.clock, **options)
        if base_url == HOST:
            client.session.mount(HOST, InMemoryAdapter(self.simulator))
        return client

    def run(self, client: ZoomInfoClient | None = None, **options: Any) -> Meter:
        self.meter = Meter("zoominfo")
        source = zoominfo(client or self.client(), self.archive, self.meter, **options)
        load(source, name="zoominfo", warehouse=self.root / "warehouse.duckdb", state=self.root / "state")
        return self.meter

    def table(self, name: str) -> dict[str, dict[str, Any]]:
        with duckdb.connect(str(self.root / "warehouse.duckdb"), read_only=True) as connection:
            rows = connection.execute(f"select id, payload from raw_zoominfo.{name}").fetchall()
        return {row_id: json.loads(payload) for row_id, payload in rows}

    def reasons(self) -> dict[str, str]:
        """Why rows are quarantined, by id."""
        with duckdb.connect(str(self.root / "warehouse.duckdb"), read_only=True) as connection:
            return dict(connection.execute("select id, reason from raw_zoominfo.quarantine").fetchall())

    def ids(self, entity: str) -> set[str]:
        frame = self.world.contacts("zoominfo") if entity == "contact" else self.world.organisations("zoominfo")
        return set(frame["id"])


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.fixture
def changing_bench(tmp_path: Path) -> Bench:
    """For tests that change the world."""
    return Bench(tmp_path, is_changing=True)


@pytest.fixture(params=["loopback", "in memory"])
def connected(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Bench, ZoomInfoClient]]:
    """The same promises over a real socket and without one."""
    bench = Bench(tmp_path)
    if request.param == "in memory":
        yield bench, bench.client()
        return
    with serve(bench.simulator) as base_url:
        yield bench, bench.client(base_url)


def test_everything_arrives_once_and_is_paid_once(connected: tuple[Bench, ZoomInfoClient]) -> None:
    bench, client = connected

    first, second = bench.run(client), bench.run(client)

    assert set(bench.table("contact")) == bench.ids("contact")
    assert set(bench.table("organisation")) == bench.ids("organisation")
    assert first.credits == bench.simulator.credits_used == len(bench.ids("contact")) + len(bench.ids("organisation"))
    assert (second.credits, sum(second.bought.values()), second.problems) == (0, 0, [])
    assert bench.simulator.counters["token calls"] == 1


def test_after_a_change_only_what_moved_is_read_again_and_newcomers_are_paid(changing_bench: Bench) -> None:
    bench = changing_bench
    bench.run()
    known, used = bench.ids("contact"), bench.simulator.credits_used
    before = {entity: bench.table(entity) for entity in ("contact", "organisation")}
    bench.clock.sleep(2 * 86_400)
    bench.world.change(0.05, bench.clock.now())
    frame = bench.world.contacts("zoominfo")
    moved = set(frame.loc[frame["updated_at"] == bench.clock.now(), "id"])

    bench.run(sweep_days=0)

    after = bench.table("contact")
    altered = {row_id for row_id, payload in after.items() if payload != before["contact"].get(row_id)}
    assert moved
    assert altered == moved
    assert bench.simulator.credits_used - used == bench.meter.credits == len(bench.ids("contact") - known)


def test_between_sweeps_the_cursor_asks_for_little(bench: Bench) -> None:
    """A daily load of everybody would be free and slow."""
    bench.run()
    calls = len(bench.simulator.log)
    bench.clock.sleep(3_600)

    bench.run(sweep_days=30)

    searches = [entry for entry in list(bench.simulator.log)[calls:] if entry.path.endswith("contacts/search")]
    assert len(searches) == 1
    assert bench.meter.fetched["contact"] < 5


def test_a_deleted_warehouse_is_filled_from_the_archive_for_no_credits(bench: Bench) -> None:
    bench.run()
    before, used = bench.table("contact"), bench.simulator.credits_used
    (bench.root / "warehouse.duckdb").unlink()

    meter = bench.run()

    assert bench.table("contact") == before
    assert (bench.simulator.credits_used, meter.credits) == (used, 0)


@pytest.mark.parametrize("routes", [settings.CONTACT, settings.COMPANY], ids=["contacts", "companies"])
def test_a_walk_seven_times_larger_than_the_cap_finds_every_row(tmp_path: Path, routes: settings.EntityRoutes) -> None:
    """Also rows without country, state or level: the split is proven against the announced total."""
    people, cap = (900, 10) if routes is settings.CONTACT else (3_000, 40)  # too many for the scores alone
    bench = Bench(tmp_path, people=people, rows_max=cap)
    expected = bench.ids(routes.entity)
    assert len(expected) > 7 * cap

    walk = walk_all(bench.client(rows_max=cap, limits=UNHURRIED), routes, bench.meter)

    assert set(walk.seen) == expected
    assert bench.meter.problems == []


def test_people_whom_no_filter_but_the_score_reaches_are_found(tmp_path: Path) -> None:
    """Without level, state and head count: 3 of 55,210 stayed unseen in a world of 100,000, and every run partial."""
    bench = Bench(tmp_path, people=900, rows_max=12)
    client = bench.client(rows_max=12, limits=UNHURRIED)
    unscored = replace(settings.CONTACT, scores=range(0))
    with pytest.raises(CapOverflow, match=r"zoominfo: 7 of 488 contacts cannot be reached"):
        walk_all(client, unscored, Meter("zoominfo"))

    walk = walk_all(client, settings.CONTACT, bench.meter)

    assert set(walk.seen) == bench.ids("contact")
    assert bench.meter.problems == []


def test_a_leaf_that_no_filter_makes_smaller_fails_loudly_before_anything_is_bought(tmp_path: Path) -> None:
    bench = Bench(tmp_path, people=120, rows_max=1)

    with pytest.raises(CapOverflow, match=r"cannot be reached.*Nothing was bought"):
        walk_all(bench.client(rows_max=1, limits=UNHURRIED), settings.CONTACT, bench.meter)

    assert bench.simulator.credits_used == 0


def test_an_overflow_is_a_problem_of_this_source_and_the_archive_is_loaded(bench: Bench) -> None:
    """It ended the whole run as a defect before."""
    bench.run()
    before = bench.table("contact")
    bench.simulator.rows_max = 1

    meter = bench.run(bench.client(rows_max=1, limits=UNHURRIED), sweep_days=0)

    assert bench.table("contact") == before
    assert [problem for problem in meter.problems if "Narrow what is watched. What the archive holds" in problem]


FAULTS = {
    "429": Fault("status", path="/search", after=1, times=2, status=429, headers=(("Retry-After", "7"),)),
    "500": Fault("status", path="/enrich", after=2, times=3, status=500, body='{"errors": [{"code": "PFAPI0007"}]}'),
    "504": Fault("status", path="/search", after=1, times=1, status=504, body='{"errors": [{"code": "PFAPI0010"}]}'),
    "expired token": Fault("revoke", path="/contacts/search", after=1),
    "expired token while buying": Fault("revoke", path="/enrich", after=3),
    "dropped connection": Fault("drop", path="/enrich", after=1, times=2),
    "reply lost after the charge": Fault("drop_after", path="/enrich", after=1),
    "truncated": Fault("truncate", path="/search", after=1, times=2),
    "proxy page": Fault("html", path="/enrich", after=1, status=200),
    "no data": Fault("no_data", path="/search", after=1),
    "slow": Fault("delay", path="/search", times=3, delay_s=20.0),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_in_mid_run_loses_nothing_and_charges_nothing_twice(tmp_path: Path, name: str) -> None:
    bench = Bench(tmp_path, people=300)
    bench.simulator.faults = [Fault(**{**vars(FAULTS[name]), "seen": 0})]
    client = bench.client()

    walk = walk_all(client, settings.CONTACT, bench.meter)
    unbought = buy(client, bench.archive, bench.meter, walk)

    assert bench.simulator.counters[f"fault {FAULTS[name].effect}"] > 0
    assert set(bench.archive.stamps("zoominfo", "contact")) == bench.ids("contact")
    assert unbought == []
    assert bench.simulator.credits_used == len(bench.ids("contact"))


def test_a_dropped_socket_is_survived_too(tmp_path: Path) -> None:
    bench = Bench(tmp_path, people=200)
    bench.simulator.faults = [Fault("drop", path="/search", times=2), Fault("drop_after", path="/enrich", times=1)]

    with serve(bench.simulator) as base_url:
        walk = walk_all(bench.client(base_url), settings.CONTACT, bench.meter)
        buy(bench.client(base_url), bench.archive, bench.meter, walk)

    assert set(bench.archive.stamps("zoominfo", "contact")) == bench.ids("contact")


def test_a_vendor_that_stays_down_leaves_a_problem_and_what_the_archive_holds(bench: Bench) -> None:
    bench.run()
    before = bench.table("contact")
    bench.simulator.faults = [Fault("status", path="/gtm/data", times=-1, status=503)]
    (bench.root / "warehouse.duckdb").unlink()

    meter = bench.run()

    assert bench.table("contact") == before
    assert any("HTTP 503" in problem and "nothing is taken for deleted" in problem for problem in meter.problems)


def test_a_token_is_shared_and_renewed_shortly_before_its_end(bench: Bench) -> None:
    client = bench.client()
    client.search(settings.COMPANY, {})
    client.search(settings.CONTACT, {"country": "France"})
    assert bench.simulator.counters["token calls"] == 1

    bench.clock.sleep(3_600 - settings.TOKEN_MARGIN_S + 1)
    client.search(settings.COMPANY, {})

    assert bench.simulator.counters["token calls"] == 2
    assert bench.simulator.counters["401"] == 0


def test_a_token_refused_twice_ends_the_call(bench: Bench) -> None:
    bench.simulator.faults = [Fault("revoke", times=-1)]

    with pytest.raises(Unauthorised):
        bench.client().search(settings.COMPANY, {})


def test_out_of_credits_stops_buying_loads_what_came_and_goes_on_later(tmp_path: Path) -> None:
    bench = Bench(tmp_path, people=300, credits=60)

    first = bench.run()
    bought = set(bench.table("contact")) | set(bench.table("organisation"))
    assert bench.simulator.credits_used == len(bought) == 60
    assert any("out of credits" in problem for problem in first.problems)

    bench.simulator.credits = 10_000
    second = bench.run(sweep_days=30)

    assert set(bench.table("contact")) == bench.ids("contact")
    assert set(bench.table("organisation")) == bench.ids("organisation")
    assert second.problems == []


def test_a_record_costs_again_only_after_twelve_months(bench: Bench) -> None:
    client, some_id = bench.client(), sorted(bench.ids("contact"))[0]
    client.enrich(settings.CONTACT, [some_id])
    bench.clock.sleep(364 * 86_400)
    client.enrich(settings.CONTACT, [some_id])
    assert bench.simulator.credits_used == 1

    bench.clock.sleep(2 * 86_400)
    client.enrich(settings.CONTACT, [some_id])

    assert bench.simulator.credits_used == client.credits_used() == 2


def test_purchases_outlive_the_simulator_that_made_them(tmp_path: Path) -> None:
    bench = Bench(tmp_path, people=200, store=SimulatorStore(tmp_path / "sim.sqlite"))
    bench.run()
    used = bench.simulator.credits_used
    bench.simulator.store.close()

    bench.simulator = ZoomInfoSimulator(bench.world, bench.clock, SimulatorStore(tmp_path / "sim.sqlite"))
    bench.run(sweep_days=0)

    assert bench.simulator.credits_used == used


def test_poison_is_quarantined_and_the_rest_of_its_page_is_loaded(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    nul, nameless, huge = sorted(bench.ids("contact"))[:3]
    bench.simulator.poison = {nul: "NUL", nameless: "no id", huge: "huge"}

    meter = bench.run()

    assert set(bench.table("contact")) == bench.ids("contact") - {nul, nameless, huge}
    assert meter.quarantined == 3
    assert {reason.split(" (")[0] for reason in bench.reasons().values()} == {
        "no id",
        "holds a NUL character",
        "300,000 characters long",
    }


@pytest.mark.parametrize("kind", ["NUL", "huge", "nameless"])
def test_poison_that_was_paid_for_is_not_paid_for_again_and_holds_no_cursor_back(tmp_path: Path, kind: str) -> None:
    """It was asked for by every run, and a credit again after its twelve months; and the bill did not add up."""
    bench = Bench(tmp_path, is_changing=True)
    poison = next(row_id for row_id in sorted(bench.ids("contact")) if not has_no_date(row_id))
    bench.simulator.poison = {poison: f"paid {kind}"}
    first = bench.run()
    assert (first.problems, first.quarantined, first.credits) == ([], 1, bench.simulator.credits_used)
    used = bench.simulator.credits_used

    bench.clock.sleep(366 * 86_400)
    since_cursor = bench.run(sweep_days=1_000)
    sweep = bench.run(sweep_days=0)

    assert since_cursor.fetched["contact"] < sweep.fetched["contact"] == len(bench.ids("contact"))  # it moved on
    assert (since_cursor.problems, sweep.problems, bench.simulator.credits_used) == ([], [], used)
    assert bench.reasons().keys() == {f"contact:{poison}"}


def test_a_miss_is_reported_costs_nothing_and_holds_the_cursor_back(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    gone = next(row_id for row_id in sorted(bench.ids("contact")) if not has_no_date(row_id))
    bench.simulator.opted_out = frozenset({gone})
    meter = bench.run()
    assert meter.missed["contact"] == 1
    assert gone not in bench.table("contact")
    assert any("1 contact" in problem for problem in meter.problems)

    bench.simulator.opted_out = frozenset()
    bench.run(sweep_days=30)

    assert gone in bench.table("contact")


def test_odd_rows_are_kept_as_sent_under_the_right_key(tmp_path: Path) -> None:
    """An item whose id is the company's number must not land under that number."""
    bench = Bench(tmp_path)
    bench.run()

    contacts = bench.table("contact")

    swapped = {row_id for row_id, payload in contacts.items() if payload["id"] != row_id}
    assert swapped
    assert all(is_odd(row_id, "company's id") for row_id in swapped)
    assert any("company" not in payload["attributes"] for payload in contacts.values())


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"lastUpdatedDateAfter": "2027-01-10"}, "later days only"),
        ({"companyId": "x"}, "none"),
        ({"employeeRangeMin": 1, "employeeRangeMax": 100_000_000, "underManagement": True}, "none"),
    ],
)
def test_search_filters_are_strict(changing_bench: Bench, query: dict[str, Any], expected: str) -> None:
    bench = changing_bench
    bench.clock.sleep(6 * 86_400)  # 10 January: strictly after the 10th is nothing
    bench.world.change(0.05, bench.clock.now())

    page = bench.client().search(settings.CONTACT, query)

    assert page.rows_total == 0, expected


def test_a_change_is_seen_from_the_day_before_on(changing_bench: Bench) -> None:
    bench = changing_bench
    bench.clock.sleep(6 * 86_400)
    bench.world.change(0.05, bench.clock.now())
    frame = bench.world.contacts("zoominfo")
    changed = set(frame.loc[frame["updated_at"] == bench.clock.now(), "id"])

    walk = walk_since(bench.client(), datetime(2027, 1, 9).date(), bench.meter)

    assert set(walk.seen) == {row_id for row_id in changed if not has_no_date(row_id)}


REFUSALS = [
    ("contacts/search", {"type": "ContactSearch", "attributes": {}}, {}, 400, "PFAPI0004"),
    ("contacts/search", {"type": "ContactSearch", "attributes": {"shoeSize": 44}}, {}, 400, "PFAPI0005"),
    ("contacts/search", {"type": "CompanySearch", "attributes": {}}, {}, 400, "PFAPI0003"),
    ("companies/search", {"type": "CompanySearch", "attributes": {}}, {"page[number]": 101}, 400, "PFAPI0002"),
    ("companies/search", {"type": "CompanySearch", "attributes": {}}, {"page[size]": 101}, 400, "PFAPI0002"),
    ("companies/search", {"type": "CompanySearch", "attributes": {}}, {"page[number]": 99}, 400, "PFAPI0004"),
    ("contacts/enrich", {"type": "ContactEnrich", "attributes": {"matchPersonInput": [{}]}}, {}, 400, "PFAPI0003"),
    (
        "contacts/enrich",
        {"type": "ContactEnrich", "attributes": {"matchPersonInput": [{}] * 26, "outputFields": ["id"]}},
        {},
        400,
        "PFAPI0002",
    ),
    (
        "contacts/enrich",
        {"type": "ContactEnrich", "attributes": {"matchPersonInput": [{}], "outputFields": ["shoeSize"]}},
        {},
        400,
        "PFAPI0001",
    ),
]


@pytest.mark.parametrize(("path", "data", "params", "status", "code"), REFUSALS)
def test_the_simulator_refuses_with_the_vendors_code(
    bench: Bench, path: str, data: dict[str, Any], params: dict[str, Any], status: int, code: str
) -> None:
    session, headers = _plain_session(bench)

    answer = session.post(f"{HOST}{settings.DATA_PATH}/{path}", json={"data": data}, params=params, headers=headers)

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (status, code)


def test_the_simulator_wants_json_api_the_right_verb_and_the_right_secret(bench: Bench) -> None:
    session, headers = _plain_session(bench)
    search = f"{HOST}{settings.DATA_PATH}/companies/search"

    plain = session.post(search, json={}, headers=headers | {"Accept": "application/json"})
    wrong_verb = session.get(search, headers=headers)
    wrong_secret = session.post(HOST + settings.TOKEN_PATH, data={"grant_type": "client_credentials"}, auth=("a", "b"))

    assert (plain.status_code, wrong_verb.status_code, wrong_secret.status_code) == (406, 404, 401)
    assert wrong_verb.json()["error"]["code"] == "ZI9998"


def test_links_carry_the_uri_prefix_and_the_last_page_has_no_next(bench: Bench) -> None:
    session, headers = _plain_session(bench)
    body = {"data": {"type": "ContactSearch", "attributes": {"underManagement": False}}}
    url = f"{HOST}{settings.DATA_PATH}/contacts/search"
    rows = len(bench.ids("contact"))

    first = session.post(url, json=body, headers=headers, params={"page[size]": 100}).json()
    last = session.post(
        url, json=body, headers=headers, params={"page[size]": 100, "page[number]": -(-rows // 100)}
    ).json()

    assert first["links"]["next"].startswith("uri=/gtm/data/v1/contacts/search?page[number]=2")
    assert "next" not in last["links"]
    assert first["meta"] == {"totalResults": rows, "page": {"number": 1, "total": 100}}


def test_three_windows_slide_and_refused_calls_do_not_count() -> None:
    windows = SlidingWindows((2, 3, 100))

    let_in = [windows.count(at_s)[0] for at_s in (0.0, 0.1, 0.2, 1.1, 1.2, 2.5)]
    refused, headers = windows.count(10.0)

    assert let_in == [True, True, False, True, False, False]
    assert not refused
    assert headers["X-RateLimit-Rejected-Bucket"] == "hour"
    assert int(headers["Retry-After"]) == 3_590


def test_the_client_stays_inside_the_smallest_package(bench: Bench) -> None:
    bench.run()

    assert bench.simulator.counters["429"] == 0
    assert bench.clock.elapsed_s > 1


def test_the_cursor_never_passes_what_was_not_delivered_nor_today() -> None:
    walk = Walk(None, settings.CONTACT)  # type: ignore[arg-type]
    walk.seen = {
        "1": Seen("2026-03-01T00:00:00Z", False),
        "2": Seen("2026-03-09T00:00:00Z", False),
        "3": Seen("hash:ab", False),
    }

    assert next_cursor(walk, "2026-02-01", []) == "2026-03-09"
    assert next_cursor(walk, "2026-03-05", ["1"]) == "2026-03-01"
    assert next_cursor(walk, None, ["3"]) == "2026-03-09"
    assert cursor_day("2999-01-01", T0.date()) == T0.date() - timedelta(days=1)
    assert cursor_day(None, T0.date()) is None


def test_a_next_link_that_leads_back_or_elsewhere_is_not_followed(bench: Bench) -> None:
    """An address out of an answer must never decide where the token goes."""
    client = bench.client()
    evil = {"data": [{"id": "1"}], "links": {"next": "https://evil.test/?page[number]=2"}, "meta": {"totalResults": 1}}
    loop = evil | {"links": {"next": "uri=/gtm/data/v1/companies/search?page[number]=1"}}
    bench.simulator.faults = [
        Fault("status", path="companies", status=200, body=json.dumps(evil)),
        Fault("status", path="companies", status=200, body=json.dumps(loop)),
    ]

    following = client.search(settings.COMPANY, {}).next_number
    looping = client.search(settings.COMPANY, {}).next_number

    assert (following, looping) == (2, None)
    assert all(entry.path.startswith("/gtm/") for entry in bench.simulator.log)


def test_a_body_without_data_for_ever_is_an_error_not_an_empty_page(bench: Bench) -> None:
    bench.simulator.faults = [Fault("no_data", path="/search", times=-1)]

    with pytest.raises(Unreachable, match="no list in `data`"):
        bench.client().search(settings.COMPANY, {})


def test_a_bad_request_is_not_mistaken_for_empty_pockets(bench: Bench) -> None:
    client = bench.client()
    walk = walk_all(client, settings.COMPANY, bench.meter)
    bench.simulator.faults = [
        Fault("status", path="/enrich", status=400, times=-1, body='{"errors": [{"code": "PFAPI0001"}]}')
    ]

    with pytest.raises(BadRequest):
        buy(client, bench.archive, bench.meter, walk)


def _plain_session(bench: Bench) -> tuple[requests.Session, dict[str, str]]:
    """Plain requests, to see the simulator without our client."""
    session = requests.Session()
    session.mount(HOST, InMemoryAdapter(bench.simulator))
    form = {"grant_type": "client_credentials"}
    token = session.post(HOST + settings.TOKEN_PATH, data=form, auth=(CLIENT_ID, CLIENT_SECRET)).json()["access_token"]
    return session, {"Authorization": f"Bearer {token}", "Accept": settings.MEDIA_TYPE}
