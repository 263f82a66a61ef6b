"""What blocking never met, from records made by a stated rule."""

from __future__ import annotations

import numpy as np
import pytest

from transforms.unmet import met_share, never_met_milli, wedges


def _entities(count: int, size: int, met: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All pairs inside `count` entities of `size` records, of which a share `met` was met; all match."""
    dice = np.random.Generator(np.random.PCG64(4))
    one, two = np.triu_indices(size, 1)
    base = np.repeat(np.arange(count) * size, len(one))
    left, right = np.tile(one, count) + base, np.tile(two, count) + base
    kept = dice.random(len(left)) < met
    return left[kept], right[kept], np.full(int(kept.sum()), 1000)


@pytest.mark.parametrize("met", [0.6, 0.85, 0.99])
def test_the_share_of_pairs_met_is_found_without_labels(met: float) -> None:
    assert met_share(*wedges(*_entities(2000, 6, met))) == pytest.approx(met, abs=0.02)


def test_a_pair_that_met_but_does_not_match_closes_its_wedge() -> None:
    left, right, weight = np.array([1, 1, 2]), np.array([2, 3, 3]), np.array([500, 500, -900])

    assert wedges(left, right, weight) == (1, 1)
    assert wedges(left[:2], right[:2], weight[:2]) == (0, 1)


def test_the_order_of_pairs_and_of_their_records_does_not_matter() -> None:
    left, right, weight = _entities(50, 5, 0.7)
    order = np.random.Generator(np.random.PCG64(5)).permutation(len(left))

    assert wedges(left, right, weight) == wedges(right[order], left[order], weight[order])


def test_without_a_wedge_nothing_is_held_against_blocking() -> None:
    none = np.zeros(0, dtype=np.int64)

    assert wedges(none, none, none) == (0, 0)
    assert met_share(0, 0) == 1.0
    assert never_met_milli(0, 0) == -4000


def test_never_having_met_says_more_where_true_pairs_always_meet() -> None:
    assert never_met_milli(75, 100) > never_met_milli(95, 100) > never_met_milli(10**6, 10**6) == -12000
