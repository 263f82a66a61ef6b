"""Training and calibration without labels, against data made from stated parameters."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from transforms import calibration
from transforms.features import FEATURES, LEVELS, unpack
from transforms.model import MILLI, Model


def _mixture(slope: float, cut: float, *, contrast: bool) -> tuple[np.ndarray, np.ndarray, list[str], list[str], float]:
    """Pairs whose log2 odds of being true are slope x (score - cut); three sources of equal size."""
    score = np.repeat(np.arange(-20.0, 60.0), 6)
    density = np.repeat(np.concatenate([np.full(40, 3000.0), np.full(40, 1500.0)]), 6)
    share = 1 / (1 + np.exp2(-slope * (score - cut)))
    names = [("a", "a"), ("a", "b"), ("a", "c"), ("b", "b"), ("b", "c"), ("c", "c")] * 80
    false = np.tile([1 / 9, 2 / 9, 2 / 9, 1 / 9, 2 / 9, 1 / 9], 80)
    true = np.tile([0.02, 0.32, 0.31, 0.02, 0.31, 0.02], 80) if contrast else false
    pairs = np.rint(density * (share * true + (1 - share) * false))
    return score, pairs, [a for a, _ in names], [b for _, b in names], float((density * share / 6).sum())


CHANCE = {
    calibration.pair_name(*names): weight
    for names, weight in {
        ("a", "a"): 1.0,
        ("a", "b"): 2.0,
        ("a", "c"): 2.0,
        ("b", "b"): 1.0,
        ("b", "c"): 2.0,
        ("c", "c"): 1.0,
    }.items()
}


@pytest.mark.parametrize("cut", [18.0, 25.0, 32.0])
def test_source_composition_finds_the_cut_without_labels(cut: float) -> None:
    score, pairs, low, high, _ = _mixture(0.6, cut, contrast=True)

    found = calibration.fit(score, pairs, low, high, records=90_000, chance=CHANCE, prior_log2=-12.0)

    assert found.method == "composition"
    assert found.threshold_bits == pytest.approx(cut, abs=2.5)


def test_without_contrast_between_the_compositions_the_model_is_believed() -> None:
    score, pairs, low, high, _ = _mixture(0.6, 25.0, contrast=False)

    found = calibration.fit(score, pairs, low, high, records=90_000, chance=CHANCE, prior_log2=-12.0)

    assert (found.method, found.offset, found.slope) == ("posterior", -12.0, 1.0)


def test_a_single_source_is_neutral() -> None:
    score = np.array([-5.0, 30.0])

    found = calibration.fit(
        score, np.array([1000.0, 1000.0]), ["a", "a"], ["a", "a"], records=1000, chance={}, prior_log2=-9.0
    )

    assert found == calibration.Calibration(method="posterior", offset=-9.0)


def _model(entity: str) -> Model:
    dice = np.random.Generator(np.random.PCG64(1))
    tables = {feature.name: dice.integers(-9000, 20000, LEVELS).tolist() for feature in FEATURES[entity]}
    shares = {feature.name: [1.0] * LEVELS for feature in FEATURES[entity]}
    return Model(
        entity=entity,
        records=10,
        prior_log2=-9,
        weights=tables,
        m=shares,
        u=shares,
        calibration=calibration.Calibration(),
    )


@pytest.mark.parametrize("entity", sorted(FEATURES))
def test_a_score_is_the_sum_of_its_evidence(entity: str) -> None:
    model = _model(entity)
    dice = np.random.Generator(np.random.PCG64(2))
    levels = np.stack(
        [dice.choice([level.code for level in feature.levels], 200) for feature in FEATURES[entity]],
        axis=1,
    )
    patterns = (levels.astype(np.int64) << (4 * np.arange(levels.shape[1], dtype=np.int64))).sum(axis=1)

    assert (unpack(patterns, entity) == levels).all()
    expected = [
        sum(model.weights[feature.name][code] for feature, code in zip(FEATURES[entity], row, strict=True))
        for row in levels
    ]
    assert model.score(patterns).tolist() == expected


@pytest.mark.parametrize("entity", sorted(FEATURES))
def test_levels_have_a_code_of_their_own_and_fit_four_bits(entity: str) -> None:
    for feature in FEATURES[entity]:
        codes = [level.code for level in feature.levels]
        assert len(codes) == len(set(codes)), feature.name
        assert max(codes) < LEVELS
    assert 4 * len(FEATURES[entity]) <= 62


def test_weights_are_whole_numbers() -> None:
    model = _model("contact")
    seen = pa.table({"pattern": [0, 1], "source_low": ["a", "a"], "source_high": ["a", "b"]})

    weighed = model.weigh(seen)

    assert weighed["weight"].type == pa.int64()
    assert weighed["weight"].to_pylist() == [model.score(np.array([code]))[0] for code in (0, 1)]
    assert MILLI == 1000
