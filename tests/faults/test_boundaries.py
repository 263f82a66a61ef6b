"""F1: a process that dies at any boundary, and again at any other, loses nothing, doubles nothing, and needs no hand.

Played here: a boundary in eighteen, and a seeded sample of the ordered pairs of names. HALOSYNC_FAULT_BOUNDARIES=all
plays every boundary, HALOSYNC_FAULT_FIRST=0:4 every pair whose first death is at one of the names 0 to 3; `halosync bench
faults --only boundaries` plays all of both.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.faults.boundaries import AsBefore, Fate, MortalHouse, tell

HOW_MANY = os.environ.get("HALOSYNC_FAULT_BOUNDARIES", "some")
FIRST = os.environ.get("HALOSYNC_FAULT_FIRST", "")
LANES = 2  # the cores of a bench
FIRSTS_SAMPLED, SECONDS_SAMPLED = 4, 4  # a lane and store; about one pair in a hundred
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
    numbers = range(lane, len(passed), LANES * (18 if HOW_MANY == "some" else 1))

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
    """The second name is met after the first death, mostly while what it left is cleared up. Two first deaths that leave
    the very same state have the same second ones: they are played for one of the two, and counted for both."""
    expected, passed = clean
    names = list(dict.fromkeys(passed))
    after, state = {}, {}
    for first in names if FIRST else random.Random(lane).sample(names, FIRSTS_SAMPLED):
        after[first] = sorted(set(_met_after(house, expected, first) or ()))
        state[first] = house.states[0]
    stands_for = {left: first for first, left in reversed(state.items())}
    start, end = map(int, (FIRST or f"0:{len(names)}").split(":"))
    played = same = 0
    for first in [name for name in names[start:end] if name in after][lane if FIRST else 0 :: LANES if FIRST else 1]:
        if stands_for[state[first]] != first:
            same += len(after[first])
            continue
        seconds = after[first]
        for second in seconds if FIRST else random.Random(first).sample(seconds, min(SECONDS_SAMPLED, len(seconds))):
            assert _met_after(house, expected, first, second) is not None, f"{second} was not met after {first}"
            played += 1
    record_property("pairs_played", played)
    record_property("pairs_same", same if FIRST else 0)
    record_property("names", "\n".join(sorted({*names, *(name for found in after.values() for name in found)})))


def _met_after(house: MortalHouse, expected: Expected, *deaths: int | str) -> list[str] | None:
    """The boundaries after the last of these deaths, None where not all of them were met. Whatever is wrong with the
    story fails, and says which deaths it had."""
    fate = Fate(*deaths)
    try:
        found = tell(house, fate)
    except AsBefore as same:
        return same.passed
    except AssertionError as error:
        raise AssertionError(f"deaths at {' and '.join(map(str, deaths))}: {error}") from error
    assert found == expected, f"deaths at {' and '.join(map(str, deaths))} left another tenant"
    house.ended_well()
    return None if fate.left else fate.passed[fate.died_at[-1] + 1 :]
