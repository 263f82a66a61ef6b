"""F1: a process that dies at any boundary, and again at any other, loses nothing, doubles nothing, and needs no hand.

Played here: every ninth boundary, and a seeded sample of the ordered pairs of names. HALOSYNC_FAULT_BOUNDARIES=all plays
every boundary, HALOSYNC_FAULT_FIRST=0:4 every pair whose first death is at one of the names 0 to 3; `halosync bench
faults --only boundaries` plays all of both.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.faults.boundaries import Fate, MortalHouse, tell

HOW_MANY = os.environ.get("HALOSYNC_FAULT_BOUNDARIES", "some")
FIRST = os.environ.get("HALOSYNC_FAULT_FIRST", "")
LANES = 2  # the cores of a bench
FIRSTS_SAMPLED, SECONDS_SAMPLED = 9, 6  # about one pair in a hundred
NAMES_MIN = 60

Expected = dict[str, Counter[str]]


@pytest.fixture(scope="module")
def house(tmp_path_factory, store) -> Iterator[MortalHouse]:
    house = MortalHouse(tmp_path_factory.mktemp("mortal"))
    yield house
    house.ledger.close()


@pytest.fixture(scope="module")
def clean(house) -> tuple[Expected, list[str]]:
    """(how the tenant ends without any death, the boundaries that were passed, by name)."""
    fate = Fate()
    return tell(house, fate), fate.passed


def test_the_story_passes_boundaries_of_every_kind(clean):
    _, passed = clean

    sides = (
        "before transaction",
        "before commit",
        "after commit",
        "before GET",
        "after GET",
        "before POST",
        "after POST",
    )
    for verb in ("commit", "publish", "walk", "reconcile"):
        assert any(name.startswith(f"{verb}:") for name in passed)
    assert [side for side in sides if not any(side in name for name in passed)] == []
    assert len(set(passed)) >= NAMES_MIN
    for step in ("effects.begin", "effects.found", "effects.note", "recover.clear_up", "retire.retire_entity"):
        assert any(step in name for name in passed), f"the story no longer passes {step}"


@pytest.mark.parametrize("lane", range(LANES))
def test_f01_one_death_at_a_boundary_changes_nothing(house, clean, lane, record_property):
    expected, passed = clean
    numbers = range(lane, len(passed), LANES * (9 if HOW_MANY == "some" else 1))

    for number in numbers:
        assert _met_after(house, expected, number) is not None, f"boundary {number} was not met"
    record_property("singles", len(numbers))
    record_property("first_names", "\n".join(sorted(set(passed))))


@pytest.mark.parametrize("look", ["effects.note/_write after commit", "effects.found/_write after commit"])
def test_f01_a_death_right_after_a_look_up_leaves_nobody_unknown_for_ever(house, clean, look):
    expected, _ = clean

    assert _met_after(house, expected, f"publish: {look}") is not None


@pytest.mark.parametrize("lane", range(LANES))
def test_f01_two_deaths_one_after_the_other_change_nothing(house, clean, lane, record_property):
    """The second name is met after the first death, mostly while what it left is cleared up."""
    expected, passed = clean
    names = list(dict.fromkeys(passed))
    dice = random.Random(lane)
    played, seen = 0, set(names)
    for first in _firsts(names, lane, dice):
        after = _met_after(house, expected, first)
        assert after is not None, f"{first} was not met"
        seconds = sorted(set(after))
        seen |= set(seconds)
        for second in seconds if FIRST else dice.sample(seconds, min(SECONDS_SAMPLED, len(seconds))):
            assert _met_after(house, expected, first, second) is not None, f"{second} was not met after {first}"
            played += 1
    record_property("pairs", played)
    record_property("names", "\n".join(sorted(seen)))


def _firsts(names: list[str], lane: int, dice: random.Random) -> list[str]:
    if not FIRST:
        return dice.sample(names, FIRSTS_SAMPLED // LANES + 1)
    start, end = map(int, FIRST.split(":"))
    return names[start:end][lane::LANES]


def _met_after(house: MortalHouse, expected: Expected, *deaths: int | str) -> list[str] | None:
    """The boundaries after the last of these deaths, None where not all of them were met. Whatever is wrong with the
    story fails, and says which deaths it had."""
    fate = Fate(*deaths)
    try:
        found = tell(house, fate)
    except AssertionError as error:
        raise AssertionError(f"deaths at {' and '.join(map(str, deaths))}: {error}") from error
    assert found == expected, f"deaths at {' and '.join(map(str, deaths))} left another tenant"
    return None if fate.left else fate.passed[fate.died_at[-1] + 1 :]
