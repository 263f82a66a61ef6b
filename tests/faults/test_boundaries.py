"""F1: a process that dies at any boundary loses nothing, doubles nothing, and needs no hand.

Every ninth boundary and a few pairs are met here; HALOSYNC_FAULT_BOUNDARIES=all meets every single one, and =pairs
every ordered pair (hours).
"""

from __future__ import annotations

import itertools
import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.boundaries import Fate, contents, tell

HOW_MANY = os.environ.get("HALOSYNC_FAULT_BOUNDARIES", "some")
PAIRS_SAMPLED = 4


@pytest.fixture(scope="module")
def clean(tmp_path_factory):
    """(how the tenant ends without any death, the boundaries that were passed)."""
    fate = Fate()
    house = tell(tmp_path_factory.mktemp("clean"), fate)
    yield contents(house), fate.passed
    house.ledger.close()


def test_the_story_passes_boundaries_of_every_kind(clean):
    _, passed = clean

    kinds = {"before transaction", "before commit", "after commit", "before GET", "after GET", "before POST"}
    assert kinds | {"after POST"} == set(passed)
    assert len(passed) > 150


def test_f01_one_death_at_a_boundary_changes_nothing(clean, tmp_path):
    expected, passed = clean
    numbers = range(0, len(passed), 9 if HOW_MANY == "some" else 1)

    assert [told for number in numbers if (told := _differs(expected, tmp_path, number))] == []


def test_f01_two_deaths_one_after_the_other_change_nothing(clean, tmp_path):
    expected, passed = clean

    assert [told for pair in _pairs(len(passed)) if (told := _differs(expected, tmp_path, *pair))] == []


def _pairs(boundaries: int) -> Iterator[tuple[int, int]]:
    if HOW_MANY == "pairs":
        yield from itertools.combinations(range(boundaries), 2)
        return
    dice = random.Random(1)
    for _ in range(PAIRS_SAMPLED):
        first = dice.randrange(boundaries)
        yield first, first + dice.randint(1, 12)  # close together: the second strikes while the first is cleared up


def _differs(expected: object, folder: Path, *deaths: int) -> str:
    """What is wrong after a story with these deaths; '' where nothing is."""
    fate = Fate(*deaths)
    house = tell(folder / "-".join(map(str, deaths)), fate)
    house.ledger.close()
    where = " and ".join(f"{number} ({fate.passed[number]})" for number in deaths if number < len(fate.passed))
    return "" if contents(house) == expected else f"a death at {where} left another tenant"
