"""Dice: every random draw of the world, reproducible to the byte.

Belongs here: named random streams, weighted picks, collision-free scrambled numbers.
Does not: what is drawn (the sibling modules), how often (profile.py).
Surprise: a stream is named by (seed, purpose), so a new phenomenon with a purpose of its own moves no other draw.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Objects = NDArray[np.object_]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]

_MASK = np.uint64(0xFFFFFFFFFFFFFFFF)


def stream(seed: int, purpose: str) -> np.random.Generator:
    """A generator for one purpose; equal seed and purpose give equal draws on every machine."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, zlib.crc32(purpose.encode())])))


def objects(values: Sequence[object]) -> Objects:
    """A one-dimensional object array (None stays None, tuples stay tuples)."""
    array = np.empty(len(values), dtype=object)
    array[:] = list(values)
    return array


def given(values: Objects) -> Bools:
    """Which cells are not None."""
    return np.not_equal(values, np.array(None, dtype=object)).astype(bool)


def cumulative(weights: Sequence[float]) -> Floats:
    """Cumulative shares, the last exactly 1."""
    total = np.cumsum(np.asarray(weights, dtype=np.float64))
    shares = total / total[-1]
    shares[-1] = 1.0
    return shares


def pick(rng: np.random.Generator, values: Objects, shares: Floats | None, count: int) -> Objects:
    """`count` draws of `values`, by cumulative `shares` or evenly."""
    if shares is None:
        return values[rng.integers(0, len(values), count)]
    return values[np.searchsorted(shares, rng.random(count), side="right")]


def scrambled(numbers: Ints, salt: int) -> NDArray[np.uint64]:
    """The splitmix64 finaliser: a bijection of 64 bits, so different numbers never collide."""
    with np.errstate(over="ignore"):
        z = numbers.astype(np.uint64) + np.uint64((salt * 0x9E3779B97F4A7C15) & int(_MASK))
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))


@lru_cache(maxsize=64)
def salt_of(seed: int, purpose: str) -> int:
    """A fixed number for a seed and a purpose."""
    return zlib.crc32(f"{seed}:{purpose}".encode()) + 1
