"""Promises of a fair share: so many at once, so many a minute, and a memory that stays small."""

from __future__ import annotations

import pytest

from orchestration.service.shares import CALLERS_MAX, Shares


@pytest.mark.parametrize("per_minute", [1, 7, 60, 1_200, 100_000])
def test_a_share_can_be_taken_at_once_and_comes_back_within_the_minute(per_minute):
    at = [1_000.0]
    shares = Shares(per_minute, lambda: at[0])

    at_once = sum(shares.take("ann") for _ in range(per_minute + 5))
    is_empty = not shares.has("ann")
    at[0] += 60.0

    assert (at_once, is_empty, shares.has("ben")) == (per_minute, True, True)
    assert sum(shares.take("ann") for _ in range(per_minute + 5)) == per_minute


def test_it_fills_evenly():
    at = [0.0]
    shares = Shares(60, lambda: at[0])
    while shares.take("ann"):
        pass

    taken = []
    for at[0] in (0.4, 1.0, 1.1, 2.0, 4.0):
        taken.append(sum(shares.take("ann") for _ in range(5)))

    assert taken == [0, 1, 0, 1, 2]


def test_whoever_owes_nothing_is_forgotten_when_there_are_many():
    at = [0.0]
    shares = Shares(60, lambda: at[0])
    for number in range(CALLERS_MAX):
        shares.take(f"old {number}")
    at[0] = 120.0
    shares.take("new")

    assert list(shares._full_at_s) == ["new"]
