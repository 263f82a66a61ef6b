"""The main path with its ledger in PostgreSQL: nothing but LEDGER_URL is different."""

from __future__ import annotations

from contextlib import closing

import pytest

from assets.publishing.ledger import Ledger
from orchestration import health
from orchestration.exits import Exit
from sources.clock import VirtualClock
from tests.assets.publishing import ledgers
from tests.orchestration.house import House

PEOPLE = 80


@pytest.fixture
def house(tmp_path):
    """A data folder whose ledger is on a server."""
    made = House(tmp_path / "house", people=PEOPLE)
    with ledgers.tested_on(ledgers.POSTGRESQL):
        url = ledgers.place_of(made.root)
    made.settings = made.settings.model_copy(update={"ledger_url": url})
    return made


@pytest.mark.skipif(
    ledgers.POSTGRESQL not in ledgers.STORES, reason="half a minute: HALOSYNC_STORES=postgresql plays it"
)
def test_a_run_is_done_and_the_next_one_writes_nothing(house):
    first, second = house.run(), house.run()

    assert [first.outcome.exit, second.outcome.exit] == [Exit.DONE, Exit.DONE]
    published = sum(len(held) for held in first.records_by_golden_id.values())
    assert (
        published == len(house.query("select golden_id from ops.crosswalk where resource in ('Client', 'Users')")) > 0
    )
    assert (first.writes > 0, second.writes) == (True, 0)
    assert not (house.root / "ledger.sqlite").exists()


def test_the_doctor_looks_at_the_server(house):
    Ledger.open(house.settings.ledger, house.root).close()

    found = {finding.check: finding for finding in health.examine(house.settings, VirtualClock())}
    assert "fsync" in found["ledger"].remedy  # the tests' own server is not durable

    with closing(Ledger.open(house.settings.ledger, house.root)) as ledger, ledger.lease("publish"):
        held = {finding.check: finding for finding in health.examine(house.settings, VirtualClock())}
    assert "pg_stat_activity" in held["leases"].remedy

    gone = house.settings.model_copy(update={"ledger_url": "postgresql://me:s3cret@127.0.0.1:1/none"})
    lost = {finding.check: finding for finding in health.examine(gone, VirtualClock())}
    assert "LEDGER_URL" in lost["ledger"].remedy
    assert "s3cret" not in str(lost)
