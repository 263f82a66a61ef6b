"""Training without labels, against pairs made from stated parameters (pairs_made.py)."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from tests.transforms import pairs_made
from transforms import model
from transforms.features import FEATURES, LEVELS
from transforms.kinds import KINDS, MOVES
from transforms.model import Model, train

TRUE_PAIRS = 5000
DIFFERENT_FIRST = 10


def _trained(true_pairs: float, **how: tuple[str, ...]) -> Model:
    counts, _ = pairs_made.counts(true_pairs, **how)
    return train("contact", records=pairs_made.RECORDS, counts=counts, values=pairs_made.values())


def _true_pairs(learned: Model) -> float:
    unmoved = 2**learned.prior_log2 * pairs_made.ALL_PAIRS
    return unmoved * (1 + sum(2 ** (milli / 1000) for milli in learned.moves.values()))


@pytest.mark.parametrize("sources", [("one",), ("one", "two"), ("one", "two", "three")])
def test_training_finds_how_many_pairs_are_true_and_how_they_look(sources: tuple[str, ...]) -> None:
    learned = _trained(TRUE_PAIRS, sources=sources)

    assert _true_pairs(learned) == pytest.approx(TRUE_PAIRS, rel=0.02)
    assert learned.m["first"][DIFFERENT_FIRST] == pytest.approx(1 - pairs_made.TRUE["first"], abs=0.01)
    assert learned.m["title"][5] == pytest.approx(1 - pairs_made.TRUE["title"], abs=0.02)


def test_without_kinds_colleagues_are_taken_for_matches(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was wrong: at 100 k simulated contacts the learned share of true pairs with different first names was .52."""
    monkeypatch.setitem(model.KINDS, "contact", ())

    learned = _trained(TRUE_PAIRS)

    assert _true_pairs(learned) > 1.5 * TRUE_PAIRS or learned.m["first"][DIFFERENT_FIRST] > 0.2


def test_hardly_anything_is_thought_true_where_nothing_is() -> None:
    learned = _trained(0)

    assert _true_pairs(learned) < 0.001 * pairs_made.RECORDS


@pytest.mark.parametrize("sources", [("one",), ("one", "two")])
def test_probabilities_are_the_shares_of_truth(sources: tuple[str, ...]) -> None:
    counts, truth = pairs_made.counts(TRUE_PAIRS, sources=sources)
    met = np.flatnonzero(~np.asarray(counts["is_sample"]))
    pairs = counts["pairs"].to_numpy()[met]

    weighed = _trained(TRUE_PAIRS, sources=sources).weigh(counts.take(met))

    error = np.abs(weighed["probability"].to_numpy() - np.minimum(truth[met] / pairs, 1.0))
    assert (error * pairs).sum() / truth.sum() < 0.01
    assert error[pairs >= 10].max() < 0.08


def test_true_pairs_lie_across_sources_and_that_is_learned() -> None:
    learned = _trained(TRUE_PAIRS, sources=("one", "two"))

    assert learned.sources[model.pair_name("one", "two")] > 900
    assert learned.sources[model.pair_name("one", "one")] < -5000


def test_the_terms_of_a_pair_add_up_to_its_weight() -> None:
    counts, _ = pairs_made.counts(TRUE_PAIRS, sources=("one", "two"))
    learned = _trained(TRUE_PAIRS, sources=("one", "two"))
    low, high = counts["source_low"].to_pylist(), counts["source_high"].to_pylist()

    terms = learned.terms(counts["pattern"].to_numpy(), low, high)
    weight = learned.weigh(counts)["weight"]

    assert weight.type == pa.int64()
    assert sum(terms.values()).tolist() == weight.to_pylist()
    assert set(terms) == {
        "prior",
        *(feature.name for feature in FEATURES["contact"]),
        "sources",
        "moves",
        "alternatives",
        "calibration",
    }
    assert (terms["alternatives"] <= 0).all()
    assert (terms["moves"] >= 0).all()
    assert terms["alternatives"].min() < -5000  # a colleague would show the employer and its address as well


def test_a_stored_model_weighs_as_the_one_that_was_trained() -> None:
    counts, _ = pairs_made.counts(TRUE_PAIRS, sources=("one", "two"))
    learned = _trained(TRUE_PAIRS, sources=("one", "two"))

    again = Model.model_validate_json(learned.model_dump_json())

    assert again.weigh(counts).equals(learned.weigh(counts))


def _only(counts: pa.Table, kept: pa.Array) -> pa.Table:
    return counts.filter(pc.or_(counts["is_sample"], kept))


@pytest.mark.parametrize("case", ["empty", "one pattern", "all true", "all false"])
def test_degenerate_counts_give_a_usable_model(case: str) -> None:
    counts, truth = pairs_made.counts(TRUE_PAIRS)
    share = truth / counts["pairs"].to_numpy()
    chosen = {
        "empty": share > 2,
        "one pattern": np.arange(len(share)) == int(np.argmax(truth)),
        "all true": share > 0.9,
        "all false": share < 0.01,
    }[case]
    counts = _only(counts, pa.array(chosen))

    learned = train("contact", records=pairs_made.RECORDS, counts=counts, values=pairs_made.values())
    weight = learned.weigh(counts.filter(pc.invert(counts["is_sample"])))["weight"].to_numpy()

    expected = {"all true": True, "one pattern": True, "all false": False}.get(case)
    assert ((weight > 0) == expected).all() if len(weight) else case == "empty"
    assert np.isfinite(learned.threshold)


@pytest.mark.parametrize("records", [0, 1, 2])
def test_no_records_to_speak_of_are_no_error(records: int) -> None:
    none = pairs_made.counts(TRUE_PAIRS)[0].slice(0, 0)

    learned = train("contact", records=records, counts=none, values=pairs_made.values().slice(0, 0))

    assert learned.weigh(none).num_rows == 0


@pytest.mark.parametrize("entity", sorted(FEATURES))
def test_levels_have_a_code_of_their_own_and_fit_four_bits(entity: str) -> None:
    for feature in FEATURES[entity]:
        codes = [level.code for level in feature.levels]
        assert len(codes) == len(set(codes)), feature.name
        assert max(codes) < LEVELS
    assert 4 * len(FEATURES[entity]) <= 62


@pytest.mark.parametrize("entity", sorted(FEATURES))
def test_kinds_and_moves_name_features_and_leave_something_to_chance(entity: str) -> None:
    names = {feature.name for feature in FEATURES[entity]}

    for kind in KINDS[entity]:
        assert set(kind.shares) < names, kind.name
        assert kind.needs, kind.name
    for move, lost in MOVES[entity].items():
        assert set(lost) < names, move
