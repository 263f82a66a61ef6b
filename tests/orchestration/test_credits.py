"""`credits` says what was spent, by vendor, day and verified contact; questions go from vendor to vendor."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from assets.publishing import credits, enrichment
from assets.publishing.enrichment import Question
from assets.publishing.ledger import Ledger
from orchestration.cli import main
from sources.clock import VirtualClock
from tests.orchestration.house import House

ORDER = ("apollo", "uplead")


@pytest.fixture
def said(monkeypatch, capsys):
    def called(root, **environment):
        monkeypatch.setenv("HALOSYNC_DATA", str(root))
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        code = main(["credits", "--json"])
        return code, json.loads(capsys.readouterr().out)

    return called


def test_spend_is_told_by_vendor_day_and_verified_contact(demo, tmp_path, said):
    house = House.of_demo(demo, tmp_path)
    with Ledger.open(house.settings.ledger).read() as connection:
        spent = dict(
            connection.exec_driver_sql("select source, sum(credits) from credit group by source order by source").all()
        )

    code, found = said(house.root, SOURCES__APOLLO__CREDITS_A_DAY="7")

    assert code == 0
    assert {vendor: told["spent"] for vendor, told in found["vendors"].items()} == spent
    assert all(told["verified_contacts"] > 0 for told in found["vendors"].values())
    for told in found["vendors"].values():
        assert told["per_verified_contact"] == round(told["spent"] / told["verified_contacts"], 3)
        assert (told["in_doubt"], told["lost"]) == (0, 0)
    assert found["vendors"]["apollo"]["budget_a_day"] == 7
    assert sum(day["spent"] for day in found["days"]) == sum(spent.values())


def test_without_a_ledger_nothing_was_spent_and_none_is_made(tmp_path, said):
    code, found = said(tmp_path / "data")

    assert (code, found["days"]) == (0, [])
    assert not (tmp_path / "data").exists()


@pytest.fixture
def desk(tmp_path):
    ledger, clock = Ledger.open(tmp_path / "ledger.sqlite"), VirtualClock()
    yield ledger, clock
    ledger.close()


def turns(ledger):
    return {source: enrichment.domains_asked(ledger, source, ORDER) for source in ORDER}


def test_a_question_is_put_to_one_vendor_after_another(desk):
    ledger, clock = desk
    enrichment.ask(ledger, clock, Question("organisation", website="acme.test"))

    seen = [turns(ledger)]
    for source in ORDER:
        enrichment.note_tried(ledger, source, enrichment.domains_asked(ledger, source, ORDER))
        seen.append(turns(ledger))

    assert seen == [
        {"apollo": ["acme.test"], "uplead": []},
        {"apollo": [], "uplead": ["acme.test"]},
        {"apollo": [], "uplead": []},
    ]


def test_two_days_are_two_rows_and_an_open_call_is_in_doubt(desk):
    ledger, clock = desk
    purse = credits.LedgerPurse(lambda: ledger, clock, "apollo", run_id="one")
    settled = purse.reserve(10, entity="contact", asked=("a", "b"), balance=None)
    purse.settle(settled, credits=2, records=2)
    clock.sleep(timedelta(days=1).total_seconds())
    purse.reserve(10, entity="contact", asked=("c",), balance=None)

    rows = [(day.calls, day.records, day.spent, day.in_doubt) for day in credits.days(ledger)]

    assert rows == [(1, 0, 0.0, 10.0), (1, 2, 2.0, 0.0)]
    assert credits.spent(ledger) == {"apollo": 12.0}
    assert credits.spent_today(ledger, clock) == {"apollo": 10.0}
    assert credits.spent(ledger, run_id="two") == {}
