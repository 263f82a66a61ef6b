"""What a team has saved in Apollo: read whole and for nothing, then only what moved; what no search shows is counted."""

from __future__ import annotations

from datetime import timedelta

import duckdb
import pytest

from sources.apollo import apollo
from sources.apollo.client import ApolloClient
from sources.apollo.shapes import saved_id
from sources.apollo.simulator import ApolloSimulator
from sources.archive import Archive
from sources.clock import VirtualClock
from sources.intake import Meter
from sources.load import load
from sources.simulation import InMemoryAdapter
from sources.world.world import World
from tests.sources.accounts import Refreshed, VendorAccount, small_pages


@pytest.fixture(scope="module")
def world():
    return World.replay(120, 7, "bench-v1", [])


@pytest.fixture
def account(world, tmp_path, monkeypatch):
    small_pages(monkeypatch, 10)
    return VendorAccount("apollo", world, tmp_path, saved_share=1.0)


def pages_of(account: VendorAccount, what: str) -> int:
    return sum(item.path.endswith(f"{what}/search") for item in account.simulator.log)


def ids(world) -> set[tuple[str, str]]:
    people, companies = world.contacts("apollo")["id"], world.organisations("apollo")["id"]
    return {("contact", row_id) for row_id in people} | {("organisation", row_id) for row_id in companies}


def test_all_that_is_saved_comes_for_nothing_and_then_only_what_moved(account, world):
    people = world.contacts("apollo").sort_values("updated_at")["id"].tolist()

    first = account.run(is_buying=False)
    whole = pages_of(account, "contacts"), pages_of(account, "accounts")
    account.clock.sleep(3_600)
    account.simulator.world = Refreshed(world, people[:1])
    second = account.run(is_buying=False)

    assert account.tables == ids(world)
    assert (first.problems, second.problems, account.credits) == ([], [], 0)
    assert whole == (6, 2)
    assert (pages_of(account, "contacts"), pages_of(account, "accounts")) == (7, 3)
    assert 1 <= second.fetched["contact"] <= 10


def test_a_periodic_sweep_reads_everything_again(account):
    account.run(is_buying=False)
    account.clock.sleep(timedelta(days=7).total_seconds())

    account.run(is_buying=False)

    assert (pages_of(account, "contacts"), pages_of(account, "accounts")) == (12, 4)


def test_who_is_not_saved_any_more_is_not_taken_for_deleted(account, world):
    account.run(is_buying=False)
    account.simulator.switches.saved_share = 0.3
    account.clock.sleep(timedelta(days=8).total_seconds())

    account.run(is_buying=False)

    assert account.tables == ids(world)


def test_both_ends_of_a_search_are_read_and_what_lies_between_is_counted(world, tmp_path, monkeypatch):
    small_pages(monkeypatch, 10)
    enough = VendorAccount("apollo", world, tmp_path / "enough", saved_share=1.0, saved_rows_max=30)
    short = VendorAccount("apollo", world, tmp_path / "short", saved_share=1.0, saved_rows_max=20)

    whole = enough.run(is_buying=False, saved_rows_max=30)
    capped = short.run(is_buying=False, saved_rows_max=20)

    assert (enough.tables, whole.problems) == (ids(world), [])
    assert sum(entity == "contact" for entity, _ in short.tables) == 40
    assert capped.problems == [
        "apollo: 17 of 57 saved contacts are out of reach of the search (one search shows 20, both its ends are read). "
        "The others are loaded, nothing is taken for deleted; the next run looks again."
    ]


def test_a_contact_typed_in_by_hand_has_a_key_of_its_own(account, world):
    by_hand = world.contacts("apollo")["id"][0]
    account.simulator.switches.handmade_ids = {by_hand}

    account.run(is_buying=False)

    assert ("contact", f"contact:{saved_id('contact', by_hand)}") in account.tables
    assert ("contact", by_hand) not in account.tables


def test_saved_people_and_bought_ones_share_the_tables_of_a_real_warehouse(world, tmp_path):
    """dlt merges three resources into two tables; nothing may come twice."""
    clock, meter = VirtualClock(), Meter("apollo")
    simulator = ApolloSimulator(world, clock, saved_share=0.5)
    client = ApolloClient("http://apollo.test", "apollo-good", clock, adapter=InMemoryAdapter(simulator))

    source = apollo(client, Archive(tmp_path / "archive"), meter, has_saved=True)
    load(source, name="apollo", warehouse=tmp_path / "warehouse.duckdb", state=tmp_path / "dlt")

    with duckdb.connect(str(tmp_path / "warehouse.duckdb"), read_only=True) as connection:
        found = {
            (entity, row_id)
            for entity in ("contact", "organisation")
            for (row_id,) in connection.execute(f"select id from raw_apollo.{entity}").fetchall()
        }
        rows = connection.execute("select count(*) from raw_apollo.contact").fetchone()
        saved = connection.execute(
            "select count(*) from raw_apollo.contact where json_extract_string(payload, '$.contact_id') is not null"
        ).fetchone()
    assert (found, rows) == (ids(world), (57,))
    assert saved == (57 - int(simulator.credits_consumed),)
