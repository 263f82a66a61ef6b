"""Held-out evidence: how right the odds are, judged by a witness that had no part in them.

Belongs here: for each feature, the odds of every row without it and how much likelier a true pair is to show its level.
Does not: the curve drawn from it (calibration.py), the classes themselves (mixture.py).
Surprise: no label is needed. At given odds without a feature, its levels are a mix of how true and how false pairs
look; the mix that fits best is the share of truth there. The sources of a pair are one more such witness.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from transforms.features import Feature
from transforms.looks import bits, ratio
from transforms.mixture import Mixture, Seen, pattern_odds

TOLD_PAIRS_MIN = 100.0  # a witness heard less often says nothing


@dataclass(frozen=True)
class Witness:
    """One row each: log2 odds without the feature, log2 of how much the feature favours truth, pairs."""

    name: str
    odds: np.ndarray
    favour: np.ndarray
    pairs: np.ndarray


def witnesses(features: tuple[Feature, ...], found: Mixture, seen: Seen) -> list[Witness]:
    true, kinds = pattern_odds(features, found, seen)
    n = seen.per_pattern(seen.pairs)
    # The sources are left out of what the other witnesses are judged by, so that all speak of patterns alike.
    heard = []
    for column, feature in enumerate(features):
        told = seen.levels[:, column] > 0
        if n[told].sum() < TOLD_PAIRS_MIN:
            continue
        levels = seen.levels[told, column]
        weight = bits(feature, found.m[feature.name], found.u[feature.name])[levels]
        stays = np.asarray([1.0, *(0.0 if feature.name in lost else 1.0 for lost in found.moves)])
        of_true = stays[:, None] * weight
        of_kind = np.zeros((len(found.kinds), int(told.sum())))
        for index, kind in enumerate(found.kinds):
            how = kind.shares.get(feature.name)
            if how is not None:
                of_kind[index] = ratio(found.looks[feature.name, how], found.u[feature.name])[levels]
        true_without, false_without = true[:, told] - of_true, kinds[:, told] - of_kind
        odds = _sum(true_without) - _sum_with_accident(false_without)
        favour = (_sum(true[:, told]) - _sum(true_without)) - (
            _sum_with_accident(kinds[:, told]) - _sum_with_accident(false_without)
        )
        heard.append(Witness(feature.name, odds, favour, n[told]))
    if len(seen.source_chance) > 1:
        odds = (_sum(true) - _sum_with_accident(kinds))[seen.pattern]
        heard.append(Witness("sources", odds, found.source_bits[seen.sources], seen.pairs))
    return heard


def _sum(odds: np.ndarray) -> np.ndarray:
    top = odds.max(axis=0)
    return top + np.log2(np.exp2(odds - top).sum(axis=0))


def _sum_with_accident(odds: np.ndarray) -> np.ndarray:
    return _sum(np.vstack([np.zeros((1, odds.shape[1])), odds]))
