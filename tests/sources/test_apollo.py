"""Apollo: a free walk, a purchase of exactly what moved, and an archive that pays for everything only once."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import duckdb
import pandas as pd
import pytest
import requests

from sources.apollo import apollo, settings
from sources.apollo.account import Key
from sources.apollo.client import ApolloClient, OutOfCredits
from sources.apollo.purchase import buy_moved
from sources.apollo.settings import Dimension
from sources.apollo.simulator import ApolloSimulator
from sources.apollo.watch import Watch
from sources.archive import Archive
from sources.clock import VirtualClock
from sources.http import BadRequest, Forbidden, Unauthorised, VendorError
from sources.intake import Meter
from sources.load import load
from sources.simulation import Fault, InMemoryAdapter, SimulatorStore, serve

T0 = datetime(2026, 1, 5, tzinfo=UTC)
COUNTRIES = ("United Kingdom", "United States", "Germany")
SENIORITIES = ("entry", "manager", "director")
HEADCOUNTS = (5, 60, 700)


class TinyWorld:
    """A world of few people whose every field the test can foresee; the shape is that of `sources/world`."""

    def __init__(self, count: int) -> None:
        self.rounds: list[tuple[float, str]] = []
        self._companies = pd.DataFrame([_company(number) for number in range(len(HEADCOUNTS) * 2)])
        self._people = pd.DataFrame([_person(number) for number in range(count)])

    def contacts(self, source: str) -> pd.DataFrame:
        assert source == "apollo"
        return self._people

    def organisations(self, source: str) -> pd.DataFrame:
        assert source == "apollo"
        return self._companies

    def refresh(self, numbers: list[int], title: str) -> None:
        """One round of change: these people have a new title from now on."""
        at = T0 + timedelta(days=len(self.rounds) + 1)
        rows = self._people.index.isin(numbers)
        self._people.loc[rows, "job_title"] = title
        self._people.loc[rows, "updated_at"] = at
        self.rounds.append((0.01, at.isoformat()))


def person_id(number: int) -> str:
    return f"65f0a1b2c3d4e5f6{number:08x}"


def _company(number: int) -> dict:
    return {
        "id": f"54a1216169702d7f{number:08x}",
        "name": f"Brackwell {number} Ltd",
        "domain": f"brackwell{number}.co.uk",
        "website": None,
        "phone": "020 7946 0011",
        "email": None,
        "street": "1 High Street",
        "city": "London",
        "state": None,
        "postcode": "EC1A 1BB",
        "country": "United Kingdom",
        "linkedin_url": f"linkedin.com/company/brackwell{number}",
        "industry": "Construction",
        "employees": HEADCOUNTS[number % len(HEADCOUNTS)],
        "revenue_usd": None,
        "founded_year": 1999,
        "description": "Builders.\nSince 1999.",
        "parent_id": None,
        "updated_at": T0,
    }


def _person(number: int) -> dict:
    company = _company(number // 9 % (len(HEADCOUNTS) * 2))
    return {
        "id": person_id(number),
        "organisation_id": company["id"],
        "first_name": "Orla",
        "middle_name": None,
        "last_name": f"Kennedy{number}",
        "name_suffix": None,
        "email": f"orla{number}@{company['domain']}",
        "email_status": "verified",
        "phone": "020 7946 0011",
        "phone_ext": None,
        "mobile": "07700 900123",
        "phone_do_not_call": False,
        "mobile_do_not_call": True,
        "job_title": "IT Manager",
        "seniority": SENIORITIES[number // 3 % 3],
        "department": "information_technology",
        "linkedin_url": f"https://uk.linkedin.com/in/orla-kennedy-{number}",
        "street": None,
        "city": "London",
        "state": None,
        "postcode": None,
        "country": COUNTRIES[number % 3],
        "organisation_name": company["name"],
        "organisation_domain": company["domain"],
        "organisation_phone": None,
        "updated_at": T0,
    }


class Bench:
    """One simulated account, one client, one archive, one warehouse."""

    def __init__(self, folder, count: int = 54, base_url: str | None = None, **switches) -> None:
        self.folder = folder
        self.clock = VirtualClock(T0)
        self.world = TinyWorld(count)
        self.simulator = ApolloSimulator(self.world, self.clock, **({"saved_share": 0.0} | switches))
        self.archive = Archive(folder / "archive")
        self.warehouse = folder / "warehouse.duckdb"
        self.base_url = base_url

    def client(self, key: str = "apollo-good") -> ApolloClient:
        adapter = None if self.base_url else InMemoryAdapter(self.simulator)
        return ApolloClient(self.base_url or "http://apollo.test", key, self.clock, adapter=adapter)

    def walk(self, **options) -> tuple[dict[str, str], Meter]:
        meter = Meter("apollo")
        return Watch(self.client(), meter, **options).walk({}), meter

    def fill(self, **options) -> Meter:
        """Watch and buy, without a warehouse."""
        client, meter = self.client(), Meter("apollo")
        buy_moved(client, self.archive, meter, Watch(client, meter).walk({}), **options)
        return meter

    def run(self, key: str = "apollo-good", **options) -> Meter:
        meter = Meter("apollo")
        load(
            apollo(self.client(key), self.archive, meter, **options),
            name="apollo",
            warehouse=self.warehouse,
            state=self.folder / "dlt",
        )
        return meter

    def texts(self, table: str) -> dict[str, str]:
        """Payloads of a raw table by id, as text."""
        with duckdb.connect(str(self.warehouse), read_only=True) as connection:
            found = connection.execute(f"select id, payload from raw_apollo.{table}").fetchall()
        assert len({row_id for row_id, _ in found}) == len(found)
        return dict(found)

    def rows(self, table: str) -> dict[str, dict]:
        return {row_id: json.loads(payload) for row_id, payload in self.texts(table).items()}


@pytest.fixture
def bench(tmp_path):
    return Bench(tmp_path)


FEW = (
    Dimension("person_locations", COUNTRIES),
    Dimension("person_seniorities", SENIORITIES),
    Dimension("organization_num_employees_ranges", ("1,10", "51,100", "501,1000")),
)
EVERYBODY = {person_id(number) for number in range(54)}


# -- the walk -------------------------------------------------------------------------------------------------------


def test_a_walk_sees_everybody_page_by_page_for_nothing(tmp_path):
    bench = Bench(tmp_path, 254)

    stamps, meter = bench.walk()

    assert stamps == {person_id(number): "2026-01-05T00:00:00.000+00:00" for number in range(254)}
    assert [request.path for request in bench.simulator.log] == ["/api/v1/mixed_people/api_search"] * 3
    assert (bench.simulator.credits_consumed, meter.problems) == (0, [])


@pytest.mark.parametrize("rows_max", [54, 30, 20, 7, 4])
def test_a_search_over_its_cap_is_split_and_nobody_is_missed(tmp_path, monkeypatch, rows_max):
    """The cap falls from the whole to a single cell of country x seniority x head count."""
    monkeypatch.setattr(settings, "PAGE_ROWS", 2)
    bench = Bench(tmp_path, search_rows_max=rows_max)

    stamps, meter = bench.walk(rows_max=rows_max)

    assert stamps.keys() == EVERYBODY
    assert meter.problems == []
    assert {request.status for request in bench.simulator.log} == {200}


def test_people_without_a_country_are_found_along_the_next_dimension(tmp_path):
    bench = Bench(tmp_path, search_rows_max=300)
    bench.world._people.loc[::5, "country"] = None

    stamps, meter = bench.walk(rows_max=30)

    assert (stamps.keys(), meter.problems) == (EVERYBODY, [])


def test_a_cell_that_still_overflows_is_named_with_the_size_of_the_gap(tmp_path, monkeypatch):
    monkeypatch.setattr(settings, "PAGE_ROWS", 1)
    bench = Bench(tmp_path, search_rows_max=1)

    stamps, meter = bench.walk(rows_max=1, split_by=FEW)

    (problem,) = meter.problems
    assert len(stamps) == 27
    assert problem.startswith(
        "apollo: 27 of 54 people are out of reach of the search: organization_num_employees_ranges="
    )
    assert "names 2 people (cap 1), 1 of them in no part of it" in problem


def test_a_query_of_ones_own_is_never_widened_by_a_split(tmp_path):
    bench = Bench(tmp_path, search_rows_max=200)
    query = {"person_locations": ["Germany", "United States"]}

    stamps = Watch(bench.client(), Meter("apollo"), rows_max=20).walk(query)

    assert stamps.keys() == {person_id(number) for number in range(54) if number % 3 != 0}


def test_a_person_seen_on_two_pages_counts_once(tmp_path):
    bench = Bench(tmp_path, 254, has_drift=True, has_pagination=True)

    stamps, meter = bench.walk()

    assert (len(stamps), meter.fetched["contact"], meter.problems) == (254, 254, [])


def test_a_query_without_filters_on_a_whole_vendor_is_refused(bench, monkeypatch):
    monkeypatch.setattr(settings, "WATCH_ROWS_MAX", 50)

    meter = bench.run()

    (problem,) = meter.problems
    assert "54 people (at most 50)" in problem
    assert "SOURCES__APOLLO__QUERY" in problem
    assert bench.simulator.credits_consumed == 0


# -- money ----------------------------------------------------------------------------------------------------------


def test_a_second_run_spends_nothing_and_a_change_costs_exactly_what_moved(bench):
    first = bench.run()
    second = bench.run()
    bench.world.refresh([3, 17, 40], "Head of IT")
    third = bench.run()

    assert (first.credits, second.credits, third.credits) == (54.0, 0.0, 3.0)
    assert bench.simulator.credits_consumed == bench.archive.credits("apollo") == 57.0
    titles = {row_id: row["title"] for row_id, row in bench.rows("contact").items()}
    assert titles == {
        person_id(number): "Head of IT" if number in (3, 17, 40) else "IT Manager" for number in range(54)
    }
    assert first.problems == second.problems == third.problems == []


def test_a_deleted_warehouse_is_replayed_from_the_archive_for_no_credits(bench):
    bench.run()
    bench.world.refresh([1], "CIO")
    bench.run()
    before = bench.rows("contact"), bench.rows("organisation"), bench.rows("quarantine")

    bench.warehouse.unlink()
    meter = bench.run()

    assert (meter.credits, bench.simulator.credits_consumed) == (0.0, 55.0)
    assert (bench.rows("contact"), bench.rows("organisation"), bench.rows("quarantine")) == before


def test_an_employer_comes_with_its_people_and_the_latest_copy_wins(bench):
    bench.run()
    bench.world._companies.loc[0, "name"] = "Brackwell Renamed Ltd"
    bench.world.refresh([0], "IT Manager")
    meter = bench.run()

    names = {row["name"] for row in bench.rows("organisation").values()}
    assert names == {"Brackwell Renamed Ltd", *(f"Brackwell {number} Ltd" for number in range(1, 6))}
    assert meter.credits == 1.0


def test_people_saved_in_the_workspace_cost_nothing_and_bring_their_phones(tmp_path):
    bench = Bench(tmp_path, saved_share=1.0)

    meter = bench.fill()

    assert (meter.credits, meter.bought["contact"], bench.archive.credits("apollo")) == (0.0, 54, 0.0)
    person = next(bench.archive.payloads("apollo", "contact"))
    assert [phone["type"] for phone in person["contact"]["phone_numbers"]] == [None, "mobile"]
    assert person["contact"]["phone_numbers"][1]["dnc_status"] == "do_not_call"


def test_out_of_credits_stops_the_buying_keeps_the_goods_and_says_so(tmp_path):
    bench = Bench(tmp_path, credit_limit=25)

    meter = bench.run()

    assert (meter.credits, len(bench.rows("contact"))) == (20.0, 20)
    assert meter.problems == [
        "apollo: out of credits; 34 people could not be bought, what is archived is loaded. They follow by themselves "
        "when the credit cycle renews or credits are added."
    ]
    bench.simulator.switches.credit_limit = 54
    assert (bench.run().credits, len(bench.rows("contact"))) == (34.0, 54)


def test_a_run_spends_no_more_than_it_may(bench):
    meter = bench.fill(credits_max=30)

    assert (meter.credits, bench.simulator.credits_consumed) == (30.0, 30.0)
    assert "24 people wait for the next run" in meter.problems[0]


NOBODY = {"person_titles": ["Lighthouse Keeper"]}


def test_companies_that_somebody_asks_about_are_bought_first_and_within_the_same_budget(bench):
    """A question of a helpdesk: its domain is looked for besides the query, for as many credits as the run may spend."""
    people = bench.world.contacts("apollo")
    asked = str(people["organisation_domain"].iloc[0])
    theirs = set(people.loc[people["organisation_domain"] == asked, "id"])

    without = bench.run(query=NOBODY)
    budget = bench.run(query=NOBODY, domains=[asked], credits_max=len(theirs) - 1)
    whole = bench.run(query=NOBODY, domains=[asked])

    assert without.credits == 0
    assert budget.credits <= len(theirs) - 1
    assert budget.credits + whole.credits == len(theirs)
    assert bench.rows("contact").keys() == theirs


def test_the_freshest_news_is_bought_first(bench):
    bench.world.refresh([7, 23], "CIO")

    bench.fill(credits_max=10)

    assert {person_id(7), person_id(23)} <= bench.archive.stamps("apollo", "contact").keys()


def test_a_miss_costs_nothing_is_counted_and_asked_for_again(tmp_path):
    bench = Bench(tmp_path, obsolete_ids={person_id(number) for number in (1, 2, 3)})

    first = bench.fill()
    bench.simulator.switches.obsolete_ids = ()
    second = bench.fill()

    assert (first.credits, first.bought["contact"], first.missed["contact"]) == (51.0, 51, 3)
    assert (second.credits, second.bought["contact"], second.missed["contact"]) == (3.0, 3, 0)


# -- trouble --------------------------------------------------------------------------------------------------------

KINDS = ("huge", "nul", "surrogate", "deep", "nan", "no_id", "not_object")


def test_poison_rows_are_set_aside_with_reason_and_the_rest_of_their_page_is_loaded(tmp_path):
    """A poison row was paid for: it is not bought again until Apollo refreshes the person."""
    named = {person_id(number): kind for number, kind in enumerate(KINDS[:5])}
    bench = Bench(tmp_path, poison=named | {person_id(50): "stub_nul", person_id(51): "stub_not_object"})

    first = bench.run()
    second = bench.run()
    quarantined = bench.texts("quarantine")
    bench.simulator.switches.poison = {}
    bench.world.refresh(list(range(5)), "Head of IT")
    third = bench.run()

    assert {row_id for row_id in quarantined if "unnamed" not in row_id} == {
        f"contact:{row_id}" for row_id in named
    } | {f"contact:{person_id(50)}"}
    assert len(quarantined) == 7
    assert (first.credits, first.quarantined, first.problems) == (52.0, 7, [])
    assert second.credits == 0.0
    assert (third.credits, bench.rows("contact").keys()) == (7.0, EVERYBODY)


@pytest.mark.parametrize("kind", KINDS)
def test_no_kind_of_poison_stops_the_purchase(tmp_path, kind):
    bench = Bench(tmp_path, poison={person_id(5): kind})

    meter = bench.fill()

    assert (meter.credits, meter.bought["contact"], meter.quarantined) == (54.0, 53, 1)
    assert bench.archive.stamps("apollo", "contact").keys() == EVERYBODY - {person_id(5)}


@pytest.mark.parametrize("kind", KINDS)
def test_poison_that_was_paid_for_is_not_paid_for_again(tmp_path, kind):
    """Also an answer that does not say whom it is about; it was bought again by every run, a credit each time."""
    bench = Bench(tmp_path, poison={person_id(5): kind}, obsolete_ids={person_id(6)})
    first = bench.run()

    second = bench.run()

    assert (first.credits, second.credits, bench.simulator.credits_consumed) == (53.0, 0.0, 53.0)
    assert f"contact:{person_id(5)}" in bench.texts("quarantine")
    bench.simulator.switches.poison = {}
    bench.world.refresh([5], "Head of IT")
    third = bench.run()
    assert (third.credits, bench.rows("contact").keys()) == (1.0, EVERYBODY - {person_id(6)})


def test_odd_but_honest_rows_are_loaded_as_they_are(tmp_path):
    bench = Bench(tmp_path, oddity_share=1.0)

    meter = bench.fill()

    people = list(bench.archive.payloads("apollo", "contact"))
    headcounts = {type((person["organization"] or {}).get("estimated_num_employees")) for person in people}
    assert (len(people), meter.quarantined, meter.problems) == (54, 0, [])
    assert headcounts == {int, str, type(None)}


FAULTS = {
    "429": Fault("status", path="bulk_match", after=2, status=429, headers=(("retry-after", "7"),)),
    "500": Fault("status", path="bulk_match", after=2, status=500, body="boom"),
    "502 page": Fault("html", path="api_search", status=502),
    "html with 200": Fault("html", path="api_search", status=200),
    "truncated": Fault("truncate", path="api_search"),
    "byte order mark": Fault("bom", path="bulk_match", after=1),
    "dropped": Fault("drop", path="bulk_match", after=3),
}


@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.parametrize("is_served", [False, True], ids=["in memory", "over a socket"])
def test_a_passing_fault_loses_nothing_and_doubles_nothing(tmp_path, name, is_served):
    bench = Bench(tmp_path)
    fault = FAULTS[name]
    bench.simulator.faults = [Fault(**{**vars(fault), "seen": 0})]

    if is_served:
        with serve(bench.simulator) as bench.base_url:
            meter = bench.fill()
    else:
        meter = bench.fill()

    assert bench.archive.stamps("apollo", "contact").keys() == EVERYBODY
    assert (meter.credits, bench.simulator.credits_consumed) == (54.0, 54.0)
    assert bench.simulator.counters[f"fault {fault.effect}"] == 1


def test_a_key_revoked_in_mid_run_leaves_what_was_bought_and_one_clear_problem(bench):
    bench.simulator.faults = [Fault("revoke", path="bulk_match", after=2)]

    meter = bench.run()

    assert len(bench.rows("contact")) == 20
    assert meter.problems == [
        "apollo: HTTP 401 on /api/v1/people/bulk_match: the key is refused; see SOURCES__APOLLO__… in .env. What the "
        "archive holds is loaded, nothing is taken for deleted; the next run goes on."
    ]


def test_an_apollo_that_is_down_takes_nothing_away(bench):
    bench.run()
    bench.simulator.faults = [Fault("status", status=503, times=-1)]

    meter = bench.run()

    assert bench.rows("contact").keys() == EVERYBODY
    assert [problem.split(".")[0] for problem in meter.problems] == [
        "apollo: HTTP 503 on /api/v1/mixed_people/api_search"
    ]


def test_the_clients_own_windows_keep_every_answer_below_429(tmp_path, monkeypatch):
    """254 pages of one row a walk: more than a minute's 200, all in virtual time."""
    monkeypatch.setattr(settings, "PAGE_ROWS", 1)
    bench = Bench(tmp_path, 254)

    bench.walk()

    assert bench.simulator.counters == {"200": 254}
    assert 60 < bench.clock.elapsed_s < 120


def test_without_windows_of_its_own_a_client_waits_as_the_429_says(tmp_path, monkeypatch):
    monkeypatch.setattr(settings, "PAGE_ROWS", 1)
    monkeypatch.setattr(settings, "SEARCH_LIMITS", ())
    bench = Bench(tmp_path, 254)

    stamps, _ = bench.walk()

    assert len(stamps) == 254
    assert bench.simulator.counters == {"200": 254, "429": 1}


@pytest.mark.parametrize("body", [[], {"people": []}, {"total_entries": "many", "people": []}, {"total_entries": 3}])
def test_an_answer_of_another_shape_is_an_error_not_an_empty_page(bench, body):
    bench.simulator.faults = [Fault("status", status=200, body=json.dumps(body), times=-1)]

    with pytest.raises(VendorError, match="apollo"):
        bench.walk()


# -- the simulator's own promises --------------------------------------------------------------------------------------


def call(bench: Bench, method: str, path: str, body=None, *, key: str | None = "apollo-good", query: str = ""):
    session = requests.Session()
    session.mount("http://apollo.test", InMemoryAdapter(bench.simulator))
    headers = {} if key is None else {"x-api-key": key}
    return session.request(method, f"http://apollo.test{path}{query}", json=body, headers=headers)


def test_keys_scopes_and_plans_are_told_apart(bench):
    search, match = "/api/v1/mixed_people/api_search", "/api/v1/people/bulk_match"
    answers = {
        "none": call(bench, "POST", search, {}, key=None),
        "wrong": call(bench, "POST", search, {}, key="wrong"),
        "revoked": call(bench, "POST", search, {}, key="apollo-revoked"),
        "out of scope": call(bench, "POST", match, {"details": []}, key="apollo-search-only"),
        "free plan": call(bench, "POST", search, {}, key="apollo-free-plan"),
    }

    assert {name: answer.status_code for name, answer in answers.items()} == {
        "none": 401,
        "wrong": 401,
        "revoked": 401,
        "out of scope": 403,
        "free plan": 403,
    }
    assert all(not any("rate" in header for header in answer.headers) for answer in answers.values())
    assert answers["wrong"].headers["content-type"].startswith("text/plain")
    assert answers["out of scope"].json()["error_code"] == "API_INACCESSIBLE"
    assert set(answers["free plan"].json()) == {"message"}


@pytest.mark.parametrize("key", ["wrong", "apollo-free-plan"])
def test_a_key_that_cannot_search_is_one_problem_and_no_rows(bench, key):
    expected = {"wrong": Unauthorised, "apollo-free-plan": Forbidden}[key]

    with pytest.raises(expected):
        Watch(bench.client(key), Meter("apollo")).walk({})


@pytest.mark.parametrize("path", ["/v1/mixed_people/search", "/api/v1/mixed_people/search", "/v1/people/match"])
def test_the_old_routes_name_their_replacement(bench, path):
    answer = call(bench, "POST", path, {})

    assert answer.status_code == 422
    assert "mixed_people/api_search" in answer.json()["error"]


def test_a_stub_tells_nothing_that_costs_credits(bench):
    answer = call(bench, "POST", "/api/v1/mixed_people/api_search", {"page": 1, "per_page": 1}).json()

    (stub,) = answer["people"]
    assert stub["last_name_obfuscated"] == "Ke***0"
    assert stub["has_direct_phone"] == "Yes"
    assert not {"email", "last_name", "linkedin_url", "organization_id", "phone_numbers"} & stub.keys()
    assert "domain" not in json.dumps(stub)


def test_parameters_come_from_the_query_or_the_body_and_unknown_ones_do_nothing(bench):
    path = "/api/v1/mixed_people/api_search"
    by_query = call(bench, "POST", path, query="?person_locations[]=Germany&per_page=500&updated_since=2030-01-01")
    by_body = call(bench, "POST", path, {"person_locations": ["germany"], "per_page": 500})

    assert by_query.json() == by_body.json()
    assert by_query.json()["total_entries"] == 18


def test_errors_of_a_caller_are_422_with_apollos_words(tmp_path):
    bench = Bench(tmp_path, search_rows_max=100)
    path = "/api/v1/mixed_people/api_search"

    over = call(bench, "POST", path, {"page": 2, "per_page": 100})
    past_the_end = call(bench, "POST", path, {"page": 10, "per_page": 10})
    text_range = call(bench, "POST", path, {"revenue_range": "1,2"})
    too_many = call(bench, "POST", "/api/v1/people/bulk_match", {"details": [{"id": "x"}] * 11})

    assert (over.status_code, over.json()) == (422, {"error": "Page * per page number is over threshold."})
    assert (past_the_end.status_code, past_the_end.json()["people"]) == (200, [])
    assert text_range.json() == {"error": "no implicit conversion of String into Integer"}
    assert (too_many.status_code, too_many.json()["error_code"]) == (400, "RECORD_LIMIT_EXCEEDED")


def test_headers_tell_three_windows_and_leave_unlimited_ones_empty(bench):
    search = call(bench, "POST", "/api/v1/mixed_people/api_search", {}).headers
    match = call(bench, "POST", "/api/v1/people/bulk_match", {"details": []}).headers

    assert (search["x-rate-limit-minute"], search["x-minute-usage"], search["x-minute-requests-left"]) == (
        "200",
        "1",
        "199",
    )
    assert (search["x-rate-limit-hourly"], search["x-rate-limit-24-hour"]) == ("6000", "50000")
    assert (match["x-rate-limit-hourly"], "x-hourly-usage" in match) == ("", False)


def test_a_repeated_purchase_is_charged_again_and_the_store_remembers_it(tmp_path):
    store = SimulatorStore(tmp_path / "apollo.sqlite")
    simulator = ApolloSimulator(TinyWorld(9), VirtualClock(T0), store, saved_share=0.0)
    client = ApolloClient("http://apollo.test", "apollo-good", VirtualClock(T0), adapter=InMemoryAdapter(simulator))

    answers = [client.match([person_id(0), person_id(1), "65f0a1b2c3d4e5f6deadbeef"]) for _ in range(2)]
    store.close()

    reopened = ApolloSimulator(TinyWorld(9), VirtualClock(T0), SimulatorStore(tmp_path / "apollo.sqlite"))
    assert [answer.credits for answer in answers] == [2.0, 2.0]
    assert reopened.credits_consumed == 4.0


def test_the_balance_is_free_to_ask_and_running_dry_is_known_by_its_text(tmp_path):
    bench = Bench(tmp_path, credit_limit=2)
    client = bench.client()

    client.match([person_id(0)])
    with pytest.raises(OutOfCredits):
        client.match([person_id(1), person_id(2)])

    assert client.credits_left() == 1.0
    with pytest.raises(BadRequest):
        client.match([person_id(number) for number in range(11)])


def test_reading_one_person_costs_a_credit_and_shows_the_placeholder(bench):
    person = call(bench, "GET", f"/api/v1/people/{person_id(4)}").json()["person"]

    assert (person["email"], person["email_status"]) == (settings.PLACEHOLDER_EMAIL, "verified")
    assert bench.simulator.credits_consumed == 1.0


def test_saved_contacts_come_newest_first_and_accounts_never_tell_when(tmp_path):
    bench = Bench(tmp_path, saved_share=1.0)
    bench.world.refresh([30], "CIO")

    contacts = call(bench, "POST", "/api/v1/contacts/search", {"sort_by_field": "contact_updated_at", "per_page": 100})
    accounts = call(bench, "POST", "/api/v1/accounts/search", {"sort_by_field": "account_updated_at"})
    wrong = call(bench, "POST", "/api/v1/accounts/search", {"sort_by_field": "shoe_size"})

    assert contacts.json()["contacts"][0]["person_id"] == person_id(30)
    assert contacts.json()["pagination"]["total_entries"] == 54
    assert all("updated_at" not in account for account in accounts.json()["accounts"])
    assert wrong.json() == {"error": "Invalid sort criteria", "skip_alert_dialog": True}
    assert bench.simulator.credits_consumed == 0


def test_companies_cost_a_credit_a_page_and_saved_ones_stand_apart(tmp_path):
    bench = Bench(tmp_path, saved_share=0.5)

    answer = call(bench, "POST", "/api/v1/mixed_companies/search", {"per_page": 100}).json()

    told = [row["id"] for row in answer["organizations"]] + [row["organization_id"] for row in answer["accounts"]]
    assert sorted(told) == sorted(bench.world._companies["id"])
    assert bench.simulator.credits_consumed == 1.0


def test_a_key_of_two_routes_is_enough(bench):
    bench.simulator.keys["narrow"] = Key(scopes=frozenset({"mixed_people/api_search", "people/bulk_match"}))

    client = bench.client("narrow")
    delivery = client.match(list(Watch(client, Meter("apollo")).walk({}))[:3])

    assert (len(delivery.rows), delivery.credits) == (3, 3.0)
