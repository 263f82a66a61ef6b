"""Calibration without labels: how likely a score is to be right, and so where to cut.

Belongs here: the mixture of source compositions, its trust test, the fall-back. Does not: scores (model.py).
Surprise: which two sources a pair comes from is no part of the score. Each vendor holds a person mostly once, so true
pairs lie across vendors while false ones are spread by vendor size: the mix of the pairs at a score betrays their share
of truth.
"""

from __future__ import annotations

import numpy as np
from pydantic import BaseModel, ConfigDict
from scipy.optimize import minimize

MILLI = 1000
STRATUM_PAIRS_MIN = 200  # thinner source pairs are merged into "same source" or "different sources"
CONTRAST_MIN = 0.12  # total variation between the compositions of true and false pairs below which nothing is learned
TOP_PAIRS_MIN = 100
STRATA_MAX = 10
CUT_SHIFT_MIN, CUT_SHIFT_MAX = -6.0, 40.0  # bits from the model's own cut; further away something is wrong
_BETWEEN = "\x1f"
ROUNDS = 6
SURE = 0.95
NEAR_BITS = 12.0  # how far under the cut false pairs are taken to be of the kind that matters
OPEN_BITS = -3.0  # pairs that the model itself thinks less likely than this are no open question
# Where the composition of true pairs is first read: this share of those thought true, but no more than this a record,
# for at a million records the model thinks several times too many true.
BEST_SHARE = 0.3
BEST_PER_RECORD = 0.15
SLOPE_USUAL = 0.6  # correlated evidence makes raw scores too sure of themselves
SLOPE_MIN, SLOPE_MAX = 0.1, 1.25
SLOPE_SPREAD = 0.35  # of the log slope, as a prior worth PRIOR_PAIRS informative pairs
# Where compositions say little (few pairs between the surely false and the surely true), the cut is drawn to this many
# times the model's own: about 2 was right on restaurants_fz and on the world at 1.6 k, 5 k, 16 k and 100 k contacts.
CUT_USUAL = 2.0
CUT_SPREAD_BITS = 5.0
PRIOR_PAIRS = 20.0
SOURCE_BITS_MAX = 4.0


class Calibration(BaseModel):
    """log2 odds of being one entity = offset + slope x score; `method` says how that was found."""

    model_config = ConfigDict(frozen=True)

    method: str = "none"
    offset: float = 0.0
    slope: float = 1.0
    contrast: float = 0.0
    same_source_share: float | None = None  # of true pairs; None where there is one source
    source_bits: dict[str, float] = {}  # what it says for or against that a pair comes from these two sources

    def weight_milli(self, score_milli: np.ndarray, low: list[str], high: list[str]) -> np.ndarray:
        """Calibrated log2 odds in thousandths; the cut is at 0."""
        bits = np.asarray([self.source_bits.get(pair_name(*names), 0.0) for names in zip(low, high, strict=True)])
        return np.rint(self.offset * MILLI + self.slope * score_milli + bits * MILLI).astype(np.int64)

    @property
    def threshold_bits(self) -> float:
        return -self.offset / self.slope


def fit(
    score: np.ndarray,
    pairs: np.ndarray,
    low: list[str],
    high: list[str],
    *,
    records: int,
    chance: dict[str, float],
    prior_log2: float,
) -> Calibration:
    """Scores in bits with their number of pairs and source pair, one row per pattern and source pair.

    `chance` is how random pairs of records spread over source pairs: the composition of false pairs.
    """
    posterior = Calibration(method="posterior", offset=prior_log2)
    if len({*low, *high}) < 2 or not len(score):
        return posterior
    strata, false_mix = _strata(low, high, pairs, chance)
    believed = _sigma(score + prior_log2)
    order = np.argsort(-score, kind="stable")
    wanted = min(BEST_SHARE * float((pairs * believed).sum()), BEST_PER_RECORD * records)
    best = order[np.cumsum(pairs[order]) <= max(wanted, TOP_PAIRS_MIN)]
    open_question = score + prior_log2 > OPEN_BITS
    if pairs[best].sum() < TOP_PAIRS_MIN / 2 or pairs[open_question].sum() < TOP_PAIRS_MIN:
        return posterior
    true_mix = _mix(strata[best], pairs[best], len(false_mix))
    offset, slope = SLOPE_USUAL * CUT_USUAL * prior_log2, SLOPE_USUAL
    some = score[open_question], pairs[open_question], strata[open_question]
    for turn in range(ROUNDS):
        # Only pairs that are hardly in doubt may teach what true pairs look like: with all of them the two
        # compositions drift into each other (100 k contacts: precision .48).
        sure = _sigma(offset + slope * some[0])
        if turn:
            true_mix = _mix(some[2], np.where(sure >= SURE, some[1], 0.0), len(false_mix))
        # False pairs just under the cut lie more inside one source than random pairs do: a source spells alike.
        near = (sure <= 1 - SURE) & (some[0] > -offset / slope - NEAR_BITS)
        if some[1][near].sum() >= TOP_PAIRS_MIN:
            false_mix = _mix(some[2][near], some[1][near], len(false_mix))
        offset, slope = _fit_line(*some, true_mix, false_mix, offset, slope, -CUT_USUAL * prior_log2)
    truth = pairs * _sigma(offset + slope * score)
    contrast = float(np.abs(true_mix - false_mix).sum() / 2)
    cut_shift = -offset / slope + prior_log2
    if contrast < CONTRAST_MIN or not CUT_SHIFT_MIN <= cut_shift <= CUT_SHIFT_MAX:
        return posterior.model_copy(update={"contrast": contrast})
    same = np.asarray([a == b for a, b in zip(low, high, strict=True)])
    share = float((truth * same).sum() / truth.sum())
    bits = np.clip(np.log2(true_mix / false_mix), -SOURCE_BITS_MAX, SOURCE_BITS_MAX)
    return Calibration(
        method="composition",
        offset=offset,
        slope=slope,
        contrast=contrast,
        same_source_share=share,
        source_bits={
            pair_name(a, b): round(float(bits[code]), 6) for a, b, code in sorted(zip(low, high, strata, strict=True))
        },
    )


def pair_name(low: str, high: str) -> str:
    return f"{low}{_BETWEEN}{high}"


def _strata(
    low: list[str], high: list[str], pairs: np.ndarray, chance: dict[str, float]
) -> tuple[np.ndarray, np.ndarray]:
    """A number per source pair, and the share of random pairs in each; thin ones are merged into same / different."""
    names = [pair_name(a, b) for a, b in zip(low, high, strict=True)]
    totals: dict[str, float] = {}
    for name, count in zip(names, pairs, strict=True):
        totals[name] = totals.get(name, 0.0) + float(count)
    is_thin = len(totals) > STRATA_MAX or min(totals.values()) < STRATUM_PAIRS_MIN

    def label(name: str) -> str:
        one, two = name.split(_BETWEEN)
        return ("same" if one == two else "different") if is_thin else name

    labels = sorted({label(name) for name in [*names, *chance]})
    code = {name: index for index, name in enumerate(labels)}
    random = np.full(len(labels), 0.5)
    for name, count in chance.items():
        random[code[label(name)]] += count
    return np.asarray([code[label(name)] for name in names]), random / random.sum()


def _mix(strata: np.ndarray, pairs: np.ndarray, size: int) -> np.ndarray:
    counted = np.bincount(strata, weights=pairs, minlength=size) + 0.5
    return counted / counted.sum()


def _sigma(bits: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp2(-np.clip(bits, -60, 60)))


def _fit_line(
    score: np.ndarray,
    pairs: np.ndarray,
    strata: np.ndarray,
    true_mix: np.ndarray,
    false_mix: np.ndarray,
    offset: float,
    slope: float,
    cut_usual: float,
) -> tuple[float, float]:
    """Maximum likelihood of the compositions seen over the two numbers of the line, with a pull to the usual line."""
    of_true, of_false = true_mix[strata], false_mix[strata]
    pull = PRIOR_PAIRS / float(pairs.sum())

    def loss(line: np.ndarray) -> float:
        share = _sigma(line[0] + np.exp(line[1]) * score)
        mixed = share * of_true + (1 - share) * of_false
        return (
            -float((pairs * np.log(mixed)).sum()) / float(pairs.sum())
            + pull * ((line[1] - np.log(SLOPE_USUAL)) / SLOPE_SPREAD) ** 2
            + pull * ((line[0] + np.exp(line[1]) * cut_usual) / (np.exp(line[1]) * CUT_SPREAD_BITS)) ** 2
        )

    found = minimize(
        loss,
        np.asarray([offset, np.log(slope)]),
        method="Nelder-Mead",
        bounds=[(-80.0, 20.0), (np.log(SLOPE_MIN), np.log(SLOPE_MAX))],
        options={"maxiter": 150},
    )
    return float(found.x[0]), float(np.exp(found.x[1]))
