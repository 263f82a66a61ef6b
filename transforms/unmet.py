"""Pairs that blocking never met: how many true ones there are, and what never having met says.

Belongs here: the share of true pairs that blocking meets, from the pairs themselves, and the weight of a pair unmet.
Does not: which pairs meet (sql/resolved/*_key.sql), clustering (kernels/refine.py), estimates (calibration.py).
Surprise: two records that both match a third should have met. How often they did is a capture-recapture estimate: the
third record captures, blocking recaptures. It is a little high, for records that match two others are the easy ones.
"""

from __future__ import annotations

import numpy as np

MILLI = 1000
NEIGHBOURS = 5  # of each record that are tried; a hub would otherwise count its wedges by the square
# Without a single wedge one true pair in sixteen is thought unmet: 4 bits against. With many this no longer matters.
WEDGES_SUPPOSED = 16
NEVER_MET_BITS_MIN = -12.0


def wedges(left: np.ndarray, right: np.ndarray, weight: np.ndarray) -> tuple[int, int]:
    """Of pairs whose two records both match a third: how many met, and how many there are.

    `left`, `right`, `weight`: all met pairs inside components, each once; a match is a pair with a positive weight.
    """
    matched = weight > 0
    hub = np.concatenate([left[matched], right[matched]])
    end = np.concatenate([right[matched], left[matched]])
    order = np.lexsort((end, hub))
    hub, end = hub[order], end[order]
    one, two = [], []
    for step in range(1, NEIGHBOURS + 1):
        same = hub[:-step] == hub[step:]
        one.append(end[:-step][same])
        two.append(end[step:][same])
    size = int(max(left.max(initial=0), right.max(initial=0))) + 1
    asked = np.unique(_code(np.concatenate(one), np.concatenate(two), size))
    return int(np.isin(asked, _code(left, right, size)).sum()), len(asked)


def met_share(closed: int, asked: int) -> float:
    """Share of true pairs that blocking met; 1 where nothing speaks against it."""
    return (closed + 1) / (asked + 1)


def never_met_milli(closed: int, asked: int) -> int:
    """What it says of a pair never to have met, in thousandths of a bit: true pairs mostly meet, false ones do not."""
    missed = 1 - (closed + WEDGES_SUPPOSED - 1) / (asked + WEDGES_SUPPOSED)
    return round(max(float(np.log2(missed)), NEVER_MET_BITS_MIN) * MILLI)


def _code(one: np.ndarray, two: np.ndarray, size: int) -> np.ndarray:
    return np.minimum(one, two).astype(np.int64) * size + np.maximum(one, two)
