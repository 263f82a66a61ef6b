"""Promises under deaths and lost answers in any combination: one Halo record per golden id, and no hand needed."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from publishing_house import Died, House, contact, organisation

from assets.publishing.effects import FAILPOINTS
from sources.simulation import Fault

ACME = organisation("org_acme", "Acme Ltd", domain="acme.test", phone="+442079460001")
BOLT = organisation("org_bolt", "Bolt Inc", domain="bolt.test")
PEOPLE = [
    contact(f"con_{number}", "Pat", f"Lee{number}", "org_acme" if number % 2 else "org_bolt") for number in range(4)
]
EXPECTED = {"Client": {"org_acme": 1, "org_bolt": 1}, "Users": {person["golden_id"]: 1 for person in PEOPLE}}

LOST = ("timeout_after_apply", "reset_after_apply", "html_after_apply", "drop", "status")
FAULTS = st.builds(
    Fault,
    effect=st.sampled_from(LOST),
    path=st.sampled_from(["/api/Client", "/api/Site", "/api/Users"]),
    method=st.sampled_from(["POST", "GET"]),
    after=st.integers(0, 3),
)
DEATHS = st.lists(st.tuples(st.sampled_from(FAILPOINTS), st.integers(0, 5)), max_size=3)


def holdings(house: House) -> dict[str, dict[str, int]]:
    return {resource: dict(house.simulator.records_by_golden_id(resource)) for resource in EXPECTED}


def die(house: House, failpoint: str, passed: int) -> None:
    try:
        house.publish(die_at=(failpoint, passed))
    except Died:
        house.restart()


@pytest.mark.parametrize(("first", "second"), list(itertools.product(FAILPOINTS, repeat=2)))
def test_two_deaths_in_a_row_make_no_double(first, second, house):
    house.commit(ACME, BOLT, *PEOPLE)
    die(house, first, 1)
    die(house, second, 0)

    house.walk()
    house.publish()

    assert holdings(house) == EXPECTED


@settings(max_examples=25)
@given(st.lists(FAULTS, max_size=4), DEATHS, st.booleans())
def test_any_mix_of_lost_answers_and_deaths_converges_without_a_double(tmp_path_factory, faults, deaths, is_walked):
    house = House(tmp_path_factory.mktemp("deaths"))
    house.commit(ACME, BOLT, *PEOPLE)
    house.simulator.faults.extend(Fault(**{**vars(fault), "seen": 0}) for fault in faults)
    for failpoint, passed in deaths:
        die(house, failpoint, passed)
        assert all(count == 1 for held in holdings(house).values() for count in held.values())
    house.publish()
    house.simulator.faults.clear()

    if is_walked:
        house.walk()
    house.publish()

    assert holdings(house) == EXPECTED
    assert house.rows("Site")[house.row("Client", "Acme Ltd")["main_site_id"]]["phonenumber"] == "+442079460001"
    house.walk()
    mark = house.mark
    assert house.publish().problems == []
    assert house.writes_since(mark) == []


def test_a_double_that_arose_beside_a_lost_create_is_held_and_named(house):
    """The honest limit of the protocol: what Halo applied twice is found, told, and never made three."""
    house.commit(ACME)
    with pytest.raises(Died):
        house.publish(die_at=("after_reply", 0))
    made = house.row("Client", "Acme Ltd")
    stamp = house.halo.golden_id_field("Client")
    copy = {"name": "Acme Ltd", "toplevel_id": 1, "customfields": [{"id": stamp, "value": "org_acme"}]}
    twin = house.simulator.records.post("Client", [copy])[0]

    first = house.restart().publish()
    house.walk()
    second = house.publish()

    assert first.problems[0] == (
        f"org_acme: HaloPSA holds it several times (Client {made['id']} and {twin['id']}); merge them there."
    )
    assert (first.held, second.held, second.created) == (1, 1, 0)
    assert len(house.rows("Client")) == 2
