"""What may cost credits is set aside before it leaves, and a budget holds whatever happens to the answer."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
import requests

from assets.publishing import credits
from assets.publishing.ledger import Ledger
from orchestration.resources import apollo_client, uplead_client, zoominfo_client
from orchestration.settings import ApolloSettings, UpLeadSettings, ZoomInfoSettings
from sources.apollo import apollo
from sources.apollo.simulator import ApolloSimulator
from sources.archive import Archive, ArchiveRow
from sources.clock import VirtualClock
from sources.intake import Meter
from sources.load import load
from sources.paid import Till
from sources.simulation import Fault, InMemoryAdapter
from sources.tariffs import TARIFFS
from sources.tollgate import Tollgate
from sources.uplead import settings as uplead_settings
from sources.uplead import uplead
from sources.uplead.simulator import UpLeadSimulator
from sources.world.world import World
from sources.zoominfo import zoominfo
from sources.zoominfo.simulator import CLIENT_ID, CLIENT_SECRET, ZoomInfoSimulator

PEOPLE = 120
SIMULATORS = {"apollo": ApolloSimulator, "zoominfo": ZoomInfoSimulator, "uplead": UpLeadSimulator}


@pytest.fixture(scope="module")
def world():
    return World.generate(PEOPLE, 7, "bench-v1")


class Account:
    """One vendor's account, its archive and ledger; each `run` is a process of its own."""

    def __init__(self, vendor, world, folder):
        self.vendor, self.folder, self.clock = vendor, folder, VirtualClock()
        self.simulator = SIMULATORS[vendor](world, self.clock)
        self.runs = 0

    def run(self, budget=None):
        self.runs += 1
        meter = Meter(self.vendor, run_id=f"run-{self.runs}")
        ledger = Ledger.open(self.folder / "ledger.sqlite")
        meter.purse = credits.LedgerPurse(lambda: ledger, self.clock, self.vendor, run_id=meter.run_id, budget=budget)
        source = self.source(meter)
        load(source, name=self.vendor, warehouse=self.folder / "w.duckdb", state=self.folder / "dlt")
        ledger.close()
        return meter

    def source(self, meter):
        gate = Tollgate(self.vendor, TARIFFS[self.vendor](), meter.purse, InMemoryAdapter(self.simulator))
        archive, url = Archive(self.folder / "archive"), f"http://{self.vendor}.test"
        if self.vendor == "apollo":
            return apollo(
                apollo_client(ApolloSettings(base_url=url, api_key="apollo-good"), self.clock, gate), archive, meter
            )
        if self.vendor == "zoominfo":
            told = ZoomInfoSettings(base_url=url, client_id=CLIENT_ID, client_secret=CLIENT_SECRET)
            return zoominfo(zoominfo_client(told, self.clock, gate), archive, meter)
        return uplead(
            uplead_client(UpLeadSettings(base_url=url, api_key="uplead-demo-key"), self.clock, gate), archive, meter
        )

    @property
    def charged(self):
        return float(getattr(self.simulator, "credits_consumed", None) or getattr(self.simulator, "credits_used", 0))

    def ledger(self):
        ledger = Ledger.open(self.folder / "ledger.sqlite")
        try:
            return credits.spent(ledger).get(self.vendor, 0.0), credits.days(ledger)
        finally:
            ledger.close()


@pytest.fixture(params=SIMULATORS)
def account(request, world, tmp_path):
    return Account(request.param, world, tmp_path)


@pytest.fixture(scope="module")
def whole(world, tmp_path_factory):
    """What a first run without any trouble costs, by vendor."""
    charged = {}
    for vendor in SIMULATORS:
        account = Account(vendor, world, tmp_path_factory.mktemp(vendor))
        account.run()
        charged[vendor] = account.charged
    return charged


def test_the_ledger_says_what_the_vendor_charged(account):
    first, again = account.run(), account.run()

    spent, days = account.ledger()
    assert spent == account.charged == first.credits > 0
    assert (again.credits, first.problems, again.problems) == (0.0, [], [])
    assert sum(day.in_doubt + day.lost for day in days) == 0


def test_a_budget_of_nothing_lets_free_calls_through_alone(account):
    meter = account.run(budget=0)

    assert (account.charged, account.ledger()[0]) == (0.0, 0.0)
    setting = f"SOURCES__{account.vendor.upper()}__CREDITS_A_DAY"
    assert all(setting in problem and "it was not sent" in problem for problem in meter.problems)
    assert meter.problems


def test_a_budget_is_never_passed_and_the_next_day_goes_on(account, whole, monkeypatch):
    monkeypatch.setattr(uplead_settings, "PAGE_ROWS", 30)
    budget = {"apollo": 30, "zoominfo": 60, "uplead": 40}[account.vendor]
    days = 0
    while account.run(budget=budget).problems:
        days += 1
        assert account.charged <= budget * days
        account.clock.sleep(timedelta(days=1).total_seconds())
        assert days < 20

    assert account.charged == whole[account.vendor]
    assert days > 0


LOST = {"apollo": "bulk_match", "zoominfo": "/enrich", "uplead": "prospector"}


def test_a_lost_answer_is_charged_once_and_the_ledger_knows(account, whole):
    """The reply is lost after the vendor has charged: Apollo would charge a second time for the same people."""
    account.simulator.faults = [Fault("drop_after", path=LOST[account.vendor], after=2)]
    account.run()
    account.run()

    assert account.charged == whole[account.vendor]
    assert account.ledger()[0] == account.charged


def test_a_lost_answer_that_was_not_charged_is_asked_again(account):
    account.simulator.faults = [Fault("drop", path=LOST[account.vendor], after=2)]

    meter = account.run()

    assert meter.problems == []
    assert account.ledger()[0] == account.charged == meter.credits


def test_people_whose_answer_was_lost_are_withheld_and_come_after_a_month(world, tmp_path):
    account = Account("apollo", world, tmp_path)
    account.simulator.faults = [Fault("drop_after", path="bulk_match", after=2)]
    [problem] = account.run().problems
    account.run()
    missing = world.contacts("apollo")["id"].nunique() - len(Archive(tmp_path / "archive").stamps("apollo", "contact"))
    lost = sum(day.lost for day in account.ledger()[1])

    account.clock.sleep(timedelta(days=credits.LOST_DAYS + 1).total_seconds())
    account.run()

    assert "was lost after it was charged. They are not paid for twice" in problem
    assert 0 < lost <= missing <= 10
    held = Archive(tmp_path / "archive").stamps("apollo", "contact")
    assert len(held) == world.contacts("apollo")["id"].nunique()


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("moment", ["before the answer", "before the archive"])
def test_a_kill_between_charge_and_archive_is_known_to_the_next_run(world, tmp_path, monkeypatch, moment):
    """kill -9 while ten people are on their way: no budget is passed and nobody is paid for twice."""
    account = Account("apollo", world, tmp_path)
    with monkeypatch.context() as patch:
        name = "_settle" if moment == "before the answer" else "received"
        owner = Tollgate if moment == "before the answer" else credits.LedgerPurse
        calls = Counter()

        def dies(self, *args):
            calls["all"] += 1
            if calls["all"] == 3:
                raise Killed
            return original(self, *args)

        original = getattr(owner, name)
        patch.setattr(owner, name, dies)
        if moment == "before the archive":
            patch.setattr(
                Archive, "append", lambda self, *args, keep=Archive.append: keep(self, *args) if calls["all"] < 2 else 0
            )
        with pytest.raises(BaseException):  # noqa: PT011 B017  (dlt may wrap it)
            account.run()
    account.run()

    spent, days = account.ledger()
    assert spent == account.charged
    assert 0 < sum(day.lost for day in days) <= 20
    saved = sum(account.simulator.account.is_saved(row_id) for row_id in set(world.contacts("apollo")["id"]))
    assert account.charged == world.contacts("apollo")["id"].nunique() - saved


def test_within_its_paid_life_a_person_is_not_bought_again(tmp_path):
    clock = VirtualClock()
    archive = Archive(tmp_path, paid_life={"apollo": timedelta(days=30)}, clock=clock)
    archive.append("apollo", "contact", [ArchiveRow("a", "v1", {"id": "a"}, 1.0, clock.now()),
                                         ArchiveRow("free", "v1", {"id": "free"}, 0.0, clock.now())])  # fmt: skip

    def held(row_id):
        return Till(archive, Meter("apollo"), "contact").holds("contact", row_id, "v2")

    assert (held("a"), held("free"), held("new")) == (True, False, False)
    clock.sleep(timedelta(days=31).total_seconds())
    assert held("a") is False


def prepared(path, body, method="POST"):
    return requests.Request(method, f"http://vendor.test{path}", json=body).prepare()


PRICES = [
    ("apollo", "/api/v1/mixed_people/api_search", {"page": 1}, None),
    ("apollo", "/api/v1/people/bulk_match", {"details": [{"id": "a"}, {"id": "b"}]}, 2),
    ("apollo", "/api/v1/people/bulk_match", {"details": [{"id": "a"}], "reveal_phone_number": True}, 9),
    ("apollo", "/api/v1/people/bulk_match", {"details": []}, None),
    ("apollo", "/api/v1/people/match", {"email": "a@b.test"}, 1),
    ("apollo", "/api/v1/organizations/bulk_enrich?domains[]=a.test&domains[]=b.test", {}, 2),
    ("apollo", "/api/v1/mixed_companies/search", {}, 1),
    ("apollo", "/api/v1/contacts/search", {}, None),
    ("apollo", "/api/v1/usage_stats/credit_usage_stats", {}, None),
    ("zoominfo", "/gtm/data/v1/contacts/search", {"data": {"attributes": {}}}, None),
    ("zoominfo", "/gtm/data/v1/contacts/enrich", {"data": {"attributes": {"matchPersonInput": [{"personId": 1}]}}}, 1),
    ("uplead", "/v2/prospector-pro-search", {"per_page": 100}, 100),
    ("uplead", "/v2/prospector-pro-search", {"count_only": True}, None),
    ("uplead", "/v2/prospector-search", {"domain": "a.test", "email_status": "invalid"}, None),
    ("uplead", "/v2/prospector-search", {"domain": "a.test", "email_status": ["invalid", "valid"]}, 25),
    ("uplead", "/v2/company-search", {"domain": "a.test"}, 1),
    ("uplead", "/v2/credits", {}, None),
]


@pytest.mark.parametrize(("vendor", "path", "body", "price"), PRICES)
def test_every_route_has_its_price(vendor, path, body, price):
    call = TARIFFS[vendor]().price(prepared(path, body))

    assert (call and call.price) == price
