"""ZoomInfo's legacy surface: another envelope, the same records, the same credits."""

from __future__ import annotations

import pytest

from sources.archive import Archive
from sources.http import BadRequest, Forbidden
from sources.intake import Meter
from sources.simulation import InMemoryAdapter
from sources.world.world import World
from sources.zoominfo import settings, zoominfo
from sources.zoominfo.client import is_out_of_credits
from sources.zoominfo.legacy import LegacyClient
from sources.zoominfo.legacy_simulator import PASSWORD, USERNAME
from sources.zoominfo.simulator import ZoomInfoSimulator
from tests.sources.accounts import VendorAccount, small_pages


class LegacyAccount(VendorAccount):
    """The same account, reached by the legacy API."""

    def client(self, password: str = PASSWORD) -> LegacyClient:
        client = LegacyClient("http://vendor.test", USERNAME, password, self.clock, rows_max=self.simulator.rows_max)
        client.session.mount("http://vendor.test", InMemoryAdapter(self.simulator))
        return client

    def _source(self, url, meter: Meter, by, options):
        return zoominfo(self.client(), self.archive, meter, **options)


@pytest.fixture
def world():
    return World.replay(120, 7, "bench-v1", [])


@pytest.fixture
def account(world, tmp_path, monkeypatch):
    small_pages(monkeypatch, 10)
    return LegacyAccount("zoominfo", world, tmp_path)


def everybody(world):
    people, companies = world.contacts("zoominfo")["id"], world.organisations("zoominfo")["id"]
    return {("contact", row_id) for row_id in people} | {("organisation", row_id) for row_id in companies}


def test_everybody_comes_once_with_one_login_and_a_second_run_costs_nothing(account, world):
    first = account.run()
    second = account.run()

    assert account.tables == everybody(world)
    assert (first.problems, second.problems) == ([], [])
    assert (first.credits, second.credits, account.credits) == (len(everybody(world)), 0, len(everybody(world)))
    assert account.simulator.counters["token calls"] == 2


def test_a_record_reads_as_it_does_by_the_gtm_api(account, world, tmp_path):
    gtm = VendorAccount("zoominfo", world, tmp_path / "gtm")
    gtm.run()
    account.run()

    def attributes(archive: Archive, entity: str) -> dict[str, dict]:
        ignored = {"contact": ("id", "lastUpdatedDate", "validDate"), "organisation": ("id", "lastUpdatedDate")}[entity]
        key = {"contact": "personId", "organisation": "companyId"}[entity]
        return {
            item["meta"]["input"][key]: {k: v for k, v in item["attributes"].items() if k not in ignored}
            for item in archive.payloads("zoominfo", entity)
        }

    for entity in ("contact", "organisation"):
        assert attributes(account.archive, entity) == attributes(gtm.archive, entity)
    assert set(account.archive.stamps("zoominfo", "contact")) == set(gtm.archive.stamps("zoominfo", "contact"))


def test_a_search_over_its_cap_is_split_on_the_legacy_surface_too(world, tmp_path, monkeypatch):
    small_pages(monkeypatch, 5)
    account = LegacyAccount("zoominfo", world, tmp_path, rows_max=20)

    meter = account.run()

    assert (account.tables, meter.problems) == (everybody(world), [])


def test_a_token_that_ends_is_renewed_and_a_wrong_password_is_named(account, world):
    account.simulator.token_s = 1_000
    client = account.client()
    first = client.search(settings.COMPANY, {})
    account.clock.sleep(1_001)
    second = client.search(settings.COMPANY, {})

    assert first == second
    assert client.session.retried == {"HTTP 401": 1}
    with pytest.raises(Exception, match="the key is refused"):
        account.client("wrong").search(settings.COMPANY, {})


def test_out_of_credits_is_a_403_in_words_and_stops_the_buying(world, tmp_path):
    account = LegacyAccount("zoominfo", world, tmp_path, credits=30)

    meter = account.run()

    assert account.credits == 30
    assert any("out of credits" in problem for problem in meter.problems)
    assert is_out_of_credits(Forbidden("x", status=403, body="used up all of your allowed record limit"))
    assert not is_out_of_credits(Forbidden("x", status=403, body="no right"))


@pytest.mark.parametrize("body", [{"rpp": 101}, {"page": 0}, {"underManagement": True}, {}])
def test_the_simulator_refuses_what_the_legacy_api_refuses(account, body):
    client = account.client()

    with pytest.raises(BadRequest):
        client._send_signed("POST", "/search/contact", json=body)


def test_logging_in_twice_a_second_is_refused(world):
    from sources.clock import VirtualClock

    clock = VirtualClock()
    simulator = ZoomInfoSimulator(world, clock)
    clients = [LegacyClient("http://vendor.test", USERNAME, PASSWORD, clock) for _ in range(2)]
    for client in clients:
        client.session.mount("http://vendor.test", InMemoryAdapter(simulator))
        client.lookup("countries")

    assert [dict(client.session.retried) for client in clients] == [{}, {"HTTP 429": 1}]
