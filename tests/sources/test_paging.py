"""Searches that lie, end too early or are larger than their cap; loads of an unlikely size."""

from __future__ import annotations

from functools import partial

import pytest

from sources import volume
from sources.faults import scripted
from sources.uplead import settings as uplead_settings
from sources.world.world import World
from sources.zoominfo import client as zoominfo_client
from tests.sources.accounts import VENDORS, VendorAccount, said, small_pages

LIES = (
    *("page repeated", "page empty", "page short", "page shifted", "next page vanished", "next page leads back"),
    *("total too high", "total too low", "total is zero"),
)
PAGED = ("first page", "next page", "count")


@pytest.fixture(scope="module")
def world():
    return World.replay(120, 7, "bench-v1", [])


@pytest.mark.parametrize("vendor", VENDORS)
def test_f18_a_search_that_lies_is_found_out_its_cursor_stays_and_the_next_run_has_everybody(
    vendor, world, tmp_path, monkeypatch
):
    """F18: pages repeat, skip, shift; the total lies. Nobody is lost, nobody is taken for deleted."""
    small_pages(monkeypatch, 20)
    lies = [fault for fault in scripted(vendor) if fault.trouble.name in LIES and fault.place.name in PAGED]
    assert len(lies) >= 7

    for number, lie in enumerate(lies[::3]):
        account = VendorAccount(vendor, world, tmp_path / str(number))
        account.simulator.faults = [lie.fault()]
        broken = account.run(has_saved=False) if vendor == "apollo" else account.run()
        account.simulator.faults = []
        mended = account.run(has_saved=False) if vendor == "apollo" else account.run()

        assert broken.problems, lie.name
        assert mended.problems == [], lie.name
        assert account.tables == everybody(vendor, world), lie.name


def everybody(vendor, world):
    people, companies = world.contacts(vendor), world.organisations(vendor)["id"]
    return {("contact", row_id) for row_id in people["id"]} | {("organisation", row_id) for row_id in companies}


def test_f18_a_cursor_stays_where_it_was_when_a_page_was_jumped_over(world, tmp_path, monkeypatch):
    """ZoomInfo moved its cursor past people who had not come: they were asked for a day later at the earliest."""
    small_pages(monkeypatch, 20)
    account = VendorAccount("zoominfo", world, tmp_path)
    account.simulator.faults = [
        fault.fault() for fault in scripted("zoominfo") if fault.name == "page empty @ next page"
    ]

    account.run()
    state = account.state["sources"]["zoominfo"]["resources"]["contact"]

    assert "cursor" not in state
    assert "swept_date" not in state


@pytest.mark.parametrize("vendor", ["apollo", "zoominfo"])
def test_f18_a_search_seven_times_larger_than_its_cap_is_fetched_whole(vendor, tmp_path, monkeypatch):
    world = World.replay(500, 7, "bench-v1", [])
    small_pages(monkeypatch, 5)
    people = len(world.contacts(vendor))
    cap = people // 7 // 5 * 5
    account = VendorAccount(vendor, world, tmp_path)
    options = {}
    if vendor == "apollo":
        account.simulator.switches.search_rows_max = cap
        options = {"rows_max": cap, "has_saved": False}
    else:
        account.simulator.rows_max = cap
        bounded = partial(zoominfo_client.ZoomInfoClient, rows_max=cap)
        monkeypatch.setattr("tests.sources.accounts.ZoomInfoClient", bounded)

    meter = account.run(**options)

    assert people >= 7 * cap
    assert meter.problems == []
    assert {row_id for entity, row_id in account.tables if entity == "contact"} == set(world.contacts(vendor)["id"])


def test_f18_an_uplead_walk_without_end_is_bounded_and_what_it_left_out_is_counted(world, tmp_path, monkeypatch):
    """UpLead documents no cap; ours is named like one."""
    small_pages(monkeypatch, 10)
    monkeypatch.setattr(uplead_settings, "PAGES_MAX", 2)

    meter = VendorAccount("uplead", world, tmp_path).run()

    assert meter.problems == [
        "uplead: 21 of 41 contacts of everybody were announced and not delivered. What came is loaded, nothing is taken "
        "for deleted; the next run asks again."
    ]


class Shrunk:
    """A vendor that knows a few of its people only."""

    def __init__(self, world) -> None:
        self._world = world
        self.rounds = [*world.rounds, (0.0, "shrunk")]

    def contacts(self, source):
        return self._world.contacts(source).head(9)

    def organisations(self, source):
        return self._world.organisations(source)


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_load_of_an_unlikely_size_is_held_until_it_has_stayed_so(vendor, world, tmp_path, monkeypatch):
    monkeypatch.setattr(volume, "USUAL_MIN", 10)
    account = VendorAccount(vendor, Shrunk(world), tmp_path)
    run = partial(account.run, has_saved=False) if vendor == "apollo" else account.run
    run()
    account.simulator.world = world
    monkeypatch.setattr(volume, "USUAL_MIN", 1)
    account.clock.sleep(1.1 * 86_400)

    held = run()
    spent, rows = account.credits, len(account.raw)
    account.clock.sleep(2.1 * 86_400)
    taken = run()

    assert "held, because" in said(held)
    assert "9 last time" in said(held)
    assert taken.problems == []
    assert account.credits > spent
    assert account.tables == everybody(vendor, world)
    assert rows < len(account.raw)
