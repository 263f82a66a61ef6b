"""How a class of pairs looks: from counts to the share of each level, and from shares to bits.

Belongs here: smoothing, what true pairs and kinds are not allowed to look like, log2 ratios. Does not: how many pairs a
class has and which (mixture.py), chance agreement (chance.py).
Surprise: how often two values agree and how common the value is are learned apart. What is shared by more than accident
spreads over common values as pairs do; what is true spreads as records do.
"""

from __future__ import annotations

import numpy as np

from transforms.chance import groups
from transforms.features import LEVELS, Feature
from transforms.kinds import IDENTITY, SHARED, disagreeing

START_PAIRS = 5.0  # how many pairs a guess counts as, so that a level never seen is not impossible
TIE_PAIRS = 20.0  # how many pairs the spread of all that is said over rare and common values counts as
WEIGHT_BITS_MAX = 22.0  # no single feature may decide alone against all others
CONFLICT_BITS = -8.0  # Jr against Sr: too rare to learn, never harmless


def ratio(look: np.ndarray, chance: np.ndarray) -> np.ndarray:
    return np.clip(np.log2(np.maximum(look, 1e-12) / np.maximum(chance, 1e-12)), -WEIGHT_BITS_MAX, WEIGHT_BITS_MAX)


def bits(feature: Feature, m: np.ndarray, u: np.ndarray) -> np.ndarray:
    """log2(m/u) of each level, kept sane: bounded, agreement never against, disagreement never for."""
    found = ratio(m, u)
    for level in feature.levels:
        if level.name.startswith(("different", "elsewhere", "same domain, other")):
            found[level.code] = min(found[level.code], 0.0)
        if level.value_field or level.name == "same":
            found[level.code] = max(found[level.code], 0.0)
        if level.name == "conflict":
            found[level.code] = min(found[level.code], CONFLICT_BITS)
    return found


def guessed(feature: Feature, share: np.ndarray) -> np.ndarray:
    """The guess of features.py at how true pairs look."""
    seen = np.zeros(LEVELS)
    for level in feature.levels:
        seen[level.code] = level.m
    return share_out(feature, seen * 100, share, guess_pairs=START_PAIRS)


def share_out(feature: Feature, seen: np.ndarray, share: np.ndarray, *, guess_pairs: float) -> np.ndarray:
    """Counts to shares inside each group, smoothed by the guesses, exact agreement also by how common values are."""
    smooth = np.full(LEVELS, 1.0)
    smooth[[level.code for level in feature.levels]] = [
        seen[level.code] + guess_pairs * level.m for level in feature.levels
    ]
    for field in {level.value_field for level in feature.levels if level.value_field}:
        codes = [level.code for level in feature.levels if level.value_field == field]
        spread = seen[codes] + TIE_PAIRS * share[codes]
        smooth[codes] = smooth[codes].sum() * spread / max(float(spread.sum()), 1e-12)
    m = np.full(LEVELS, 1.0)
    for codes in groups(feature).values():
        m[codes] = smooth[codes] / smooth[codes].sum()
    return m


def exact_shares(feature: Feature, chance: np.ndarray) -> np.ndarray:
    """Two who share a value by more than accident share a common one: pairs grow with the square of its records."""
    share = np.zeros(LEVELS)
    for field in {level.value_field for level in feature.levels if level.value_field}:
        codes = [level.code for level in feature.levels if level.value_field == field]
        share[codes] = (chance[codes] + 1e-9) / (chance[codes] + 1e-9).sum()
    return share


def kind_look(feature: Feature, how: str, counted: np.ndarray, m: np.ndarray, u: np.ndarray) -> np.ndarray:
    """How a kind of false pairs shows a feature that it shares."""
    look = share_out(feature, counted, exact_shares(feature, u), guess_pairs=START_PAIRS)
    for codes in groups(feature).values():
        if how == SHARED:
            # What is shared differs by error only, as often as in true pairs; else the kind would become its opposite.
            held = [code for code in codes if code in disagreeing(feature)]
            amount = min(float(m[held].sum()), 0.5) if held else 0.0
            look[held] *= amount / max(float(look[held].sum()), 1e-12)
        else:
            held = [code for code in codes if code in IDENTITY.get(feature.name, ())]
            look[held] = u[held]
            amount = float(look[held].sum())
        rest = [code for code in codes if code not in held]
        if held and rest:
            look[rest] *= (1 - amount) / max(float(look[rest].sum()), 1e-12)
    return look
