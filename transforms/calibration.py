"""Calibration without labels: how far the mixture's odds can be believed, and what that says of the whole result.

Belongs here: the curve drawn from held-out evidence, the table behind the reliability diagram, estimates of precision
and recall. Does not: odds (mixture.py, model.py), the witnesses (heldout.py), measures against a known truth
(measure.py).
Surprise: the curve goes half way from the model's odds to the witnesses' verdict. The model is too sure of itself, the
witnesses are too kind to unlikely pairs (those were met because something agreed): errors on opposite sides.
"""

from __future__ import annotations

import numpy as np
from pydantic import BaseModel, ConfigDict

from transforms.features import Feature
from transforms.heldout import Witness, witnesses
from transforms.mixture import Mixture, Seen

MILLI = 1000
KNOTS_BITS = tuple(range(-9, 28, 6))  # odds where the curve bends; beyond them it runs on in parallel to the model
SPREAD_BITS = 3.0  # how far off the model is thought to be before any witness is heard, and from knot to knot
BELIEF = 0.5  # in the witnesses against the model: neither is known to be better
WITNESSES_MIN = 3  # a median of fewer is one opinion
CELL_BITS = 0.5  # odds and favours are counted in cells of this size
SCORINGS = 40
CLOSE_BITS = 0.01
BIN_BITS = 3
BIN_LOW, BIN_HIGH = -15, 30


class Bin(BaseModel):
    """Pairs whose odds lie in [low, high) bits over the cut, and how many of them should be true, with an interval."""

    model_config = ConfigDict(frozen=True)

    low: int
    high: int
    pairs: int
    true: float
    true_low: float
    true_high: float


class Share(BaseModel):
    """An estimated share with its interval."""

    model_config = ConfigDict(frozen=True)

    value: float
    low: float
    high: float


class Calibration(BaseModel):
    """What to add to the model's odds at each knot; `low` and `high` are the doubting and the trusting half of the
    witnesses. `method` is "witnesses", or "mixture" where too few were heard and the model is believed."""

    model_config = ConfigDict(frozen=True)

    method: str = "mixture"
    correction: list[int] = [0] * len(KNOTS_BITS)
    correction_low: list[int] = [0] * len(KNOTS_BITS)
    correction_high: list[int] = [0] * len(KNOTS_BITS)
    heard: dict[str, list[int]] = {}  # witness -> its verdict at each knot
    bins: list[Bin] = []

    def correction_milli(self, odds_milli: np.ndarray, *, of: str = "correction") -> np.ndarray:
        """Thousandths of a bit to add to odds in thousandths of a bit."""
        knots = np.asarray(KNOTS_BITS) * MILLI
        return np.rint(np.interp(odds_milli, knots, getattr(self, of))).astype(np.int64)

    def estimate(
        self, odds_milli: np.ndarray, pairs: np.ndarray, inside: np.ndarray, *, unmet_inside: float, met_share: float
    ) -> dict[str, Share]:
        """Precision and recall of a clustering: of the pairs at each uncorrected odds, how many lie inside clusters.

        `unmet_inside` are pairs inside clusters that blocking never met, `met_share` is the share of true pairs that it
        meets. A pair that was never met is thought as likely true as the met pairs of its clusters are on average.
        """
        total_inside = float(inside.sum()) + unmet_inside
        figures = {}
        for of in ("correction", "correction_low", "correction_high"):
            chance = probability((odds_milli + self.correction_milli(odds_milli, of=of)) / MILLI)
            right, all_true = float((inside * chance).sum()), float((pairs * chance).sum()) / met_share
            share = right / max(float(inside.sum()), 1e-9)
            figures[of] = (share, right + unmet_inside * share, max(all_true, 1e-9))
        precision = _share([found[0] for found in figures.values()], total_inside)
        recall = _share([min(right / true, 1.0) for _, right, true in figures.values()], figures["correction"][2])
        return {"precision": precision, "recall": recall}


def probability(bits: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp2(-np.clip(bits, -60, 60)))


def fit(features: tuple[Feature, ...], found: Mixture, seen: Seen) -> Calibration:
    verdicts = {witness.name: verdict(witness) for witness in witnesses(features, found, seen)}
    if len(verdicts) < WITNESSES_MIN:
        return Calibration()
    table = np.stack(list(verdicts.values()))
    return Calibration(
        method="witnesses",
        correction=_correction(np.median(table, axis=0)),
        correction_low=_correction(np.quantile(table, 0.25, axis=0)),
        correction_high=_correction(np.quantile(table, 0.75, axis=0)),
        heard={name: np.rint(knots * MILLI).astype(int).tolist() for name, knots in verdicts.items()},
    )


def binned(fitted: Calibration, odds_milli: np.ndarray, pairs: np.ndarray) -> list[Bin]:
    """The table of the reliability diagram; bins are of the corrected odds."""
    corrected = odds_milli + fitted.correction_milli(odds_milli)
    place = np.clip(corrected // (BIN_BITS * MILLI), BIN_LOW // BIN_BITS, BIN_HIGH // BIN_BITS - 1)
    bins = []
    for index in np.unique(place):
        inside = place == index
        of_bin, n = odds_milli[inside], pairs[inside]
        true, low, high = (
            float((n * probability((of_bin + fitted.correction_milli(of_bin, of=of)) / MILLI)).sum())
            for of in ("correction", "correction_low", "correction_high")
        )
        bins.append(
            Bin(
                low=int(index) * BIN_BITS,
                high=(int(index) + 1) * BIN_BITS,
                pairs=int(n.sum()),
                true=round(true, 3),
                true_low=round(min(low, true), 3),
                true_high=round(max(high, true), 3),
            )
        )
    return bins


def verdict(witness: Witness) -> np.ndarray:
    """What this witness would add to the model's odds at each knot, in bits: most likely, drawn to nothing where it
    says little. Fisher scoring: a penalised likelihood in seven numbers."""
    knots = np.asarray(KNOTS_BITS, dtype=np.float64)
    pairs, odds, favour = _cells(witness)
    likelier = np.exp2(favour) - 1
    shares = np.stack([np.interp(odds, knots, unit) for unit in np.eye(len(knots))], axis=1)
    steps = np.diff(np.eye(len(knots)), axis=0)
    drawn = (np.eye(len(knots)) + steps.T @ steps) / SPREAD_BITS**2

    def loss(added: np.ndarray) -> float:
        mixed = 1 + probability(odds + shares @ added) * likelier
        return -float((pairs * np.log(mixed)).sum()) + 0.5 * float(added @ drawn @ added)

    added, before = np.zeros(len(knots)), loss(np.zeros(len(knots)))
    for _ in range(SCORINGS):
        chance = probability(odds + shares @ added)
        steepness = np.log(2) * chance * (1 - chance) * likelier / (1 + chance * likelier)
        slope = (pairs * steepness) @ shares - drawn @ added
        information = (shares * (pairs * steepness**2)[:, None]).T @ shares + drawn
        step = np.linalg.solve(information, slope)
        after = loss(added + step)
        while after > before and np.abs(step).max() > CLOSE_BITS:
            step, after = step / 2, loss(added + step / 2)
        if after > before or np.abs(step).max() <= CLOSE_BITS:
            break
        added, before = added + step, after
    return added


def _cells(witness: Witness) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows of like odds and favour together; only those near the knots."""
    near = (witness.odds > KNOTS_BITS[0] - BIN_BITS) & (witness.odds < KNOTS_BITS[-1] + 2 * BIN_BITS)
    pairs, odds, favour = witness.pairs[near], witness.odds[near], witness.favour[near]
    places = np.stack([np.rint(odds / CELL_BITS), np.rint(favour / CELL_BITS)], axis=1)
    _, cell = np.unique(places, axis=0, return_inverse=True)
    together = np.bincount(cell.ravel(), weights=pairs)
    return (
        together,
        np.bincount(cell.ravel(), weights=pairs * odds) / together,
        np.bincount(cell.ravel(), weights=pairs * favour) / together,
    )


def _correction(verdicts: np.ndarray) -> list[int]:
    """Half way to the verdict; more evidence never makes a pair less likely."""
    knots = np.asarray(KNOTS_BITS, dtype=np.float64)
    rising = np.maximum.accumulate(knots + BELIEF * verdicts)
    return np.rint((rising - knots) * MILLI).astype(int).tolist()


def _share(figures: list[float], cases: float) -> Share:
    """The middle, low and high figure, widened by chance in so many cases (two standard errors)."""
    middle = figures[0]
    error = 2 * np.sqrt(max(middle * (1 - middle), 1e-6) / max(cases, 1.0))
    low, high = min(figures) - error, max(figures) + error
    return Share(value=round(middle, 6), low=round(max(low, 0.0), 6), high=round(min(high, 1.0), 6))
