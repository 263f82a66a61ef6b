"""Calibration against witnesses made from stated curves, and estimates against a known truth."""

from __future__ import annotations

import numpy as np
import pytest

from transforms import calibration
from transforms.calibration import KNOTS_BITS, MILLI, Calibration, binned, probability, verdict
from transforms.heldout import Witness


def _witness(off_by: float, *, pairs: float = 20_000.0) -> Witness:
    """Ten thousand pairs and more at each of many odds; the truth is `off_by` bits from them. Six levels of a feature,
    true and false pairs show them as stated."""
    true = np.asarray([0.70, 0.15, 0.05, 0.05, 0.03, 0.02])
    false = np.asarray([0.01, 0.04, 0.05, 0.10, 0.20, 0.60])
    odds = np.repeat(np.arange(-12.0, 30.0), len(true))
    share = probability(odds + off_by)
    shown = np.tile(true, 42) * share + np.tile(false, 42) * (1 - share)
    return Witness("made", odds, np.tile(np.log2(true / false), 42), pairs * shown)


@pytest.mark.parametrize("off_by", [-4.0, -1.5, 0.0, 2.0])
def test_a_witness_finds_how_far_the_odds_are_off(off_by: float) -> None:
    """Where pairs are neither surely true nor surely false; further out nothing can be seen and nothing is claimed."""
    found = verdict(_witness(off_by))

    assert found[1:3] == pytest.approx([off_by, off_by], abs=0.3)
    assert abs(found[-1]) <= abs(off_by) + 0.3


def test_a_witness_who_saw_little_says_little() -> None:
    assert np.abs(verdict(_witness(-4.0, pairs=0.01))).max() < 0.5


def test_more_evidence_never_makes_a_pair_less_likely() -> None:
    fitted = Calibration(correction=calibration._correction(np.asarray([8.0, -20.0, 5.0, -20.0, 0.0, 3.0, -9.0])))
    odds = np.arange(-20_000, 40_000, 50)

    corrected = odds + fitted.correction_milli(odds)

    assert (np.diff(corrected) >= 0).all()


def test_beyond_the_knots_the_odds_run_on() -> None:
    fitted = Calibration(correction=[1000 * index for index in range(len(KNOTS_BITS))])

    low, high = (KNOTS_BITS[0] - 5) * MILLI, (KNOTS_BITS[-1] + 5) * MILLI

    assert fitted.correction_milli(np.asarray([low, high])).tolist() == [0, 1000 * (len(KNOTS_BITS) - 1)]


def test_the_reliability_table_counts_every_pair_once() -> None:
    odds = np.arange(-30_000, 45_000, 500)
    pairs = np.full(len(odds), 7.0)

    bins = binned(Calibration(), odds, pairs)

    assert sum(row.pairs for row in bins) == 7 * len(odds)
    assert sum(row.true for row in bins) == pytest.approx(float((pairs * probability(odds / MILLI)).sum()), abs=0.1)
    assert all(row.true_low <= row.true <= row.true_high for row in bins)
    assert [row.low for row in bins] == sorted({row.low for row in bins})


def test_precision_and_recall_are_estimated_from_the_odds() -> None:
    """1000 pairs at 3 : 1 inside clusters, 1000 at 1 : 3 outside; blocking meets four of five true pairs."""
    odds = np.rint(np.log2([3.0, 1 / 3]) * MILLI).astype(np.int64)
    pairs = np.asarray([1000.0, 1000.0])

    found = Calibration().estimate(odds, pairs, np.asarray([1000.0, 0.0]), unmet_inside=0.0, met_share=0.8)

    assert found["precision"].value == pytest.approx(0.75, abs=1e-3)
    assert found["recall"].value == pytest.approx(750 / (1000 / 0.8), abs=1e-3)
    for share in found.values():
        assert 0 <= share.low < share.value < share.high <= 1


def test_nothing_inside_clusters_is_no_error() -> None:
    none = np.zeros(0)

    found = Calibration().estimate(none.astype(np.int64), none, none, unmet_inside=0.0, met_share=1.0)

    assert 0 <= found["recall"].low <= found["recall"].high <= 1
