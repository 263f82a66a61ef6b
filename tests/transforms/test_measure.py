"""The measures agree with listing every pair by hand."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.measure import Bin, by_record, calibration, partition

LABELS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=25)


@given(LABELS)
def test_pairwise_measures_equal_listed_pairs(labels):
    clusters, entities = zip(*labels, strict=True)
    pairs = list(combinations(range(len(labels)), 2))
    predicted = {pair for pair in pairs if clusters[pair[0]] == clusters[pair[1]]}
    true = {pair for pair in pairs if entities[pair[0]] == entities[pair[1]]}

    found = partition(clusters, entities)

    assert found.precision == pytest.approx(len(predicted & true) / len(predicted) if predicted else 1.0)
    assert found.recall == pytest.approx(len(predicted & true) / len(true) if true else 1.0)


@given(LABELS)
def test_b_cubed_equals_the_mean_over_records(labels):
    clusters, entities = zip(*labels, strict=True)

    def share(own, other):
        sums = 0.0
        for i in range(len(labels)):
            mates = [j for j in range(len(labels)) if own[j] == own[i]]
            sums += sum(other[j] == other[i] for j in mates) / len(mates)
        return sums / len(labels)

    found = partition(clusters, entities)

    assert found.b3_precision == pytest.approx(share(clusters, entities))
    assert found.b3_recall == pytest.approx(share(entities, clusters))


@given(LABELS)
def test_exact_entities_and_records_equal_sets_of_members(labels):
    clusters, entities = zip(*labels, strict=True)
    rows = range(len(labels))
    members = {
        name: {value: frozenset(row for row in rows if own[row] == value) for value in set(own)}
        for name, own in (("cluster", clusters), ("entity", entities))
    }

    exact = partition(clusters, entities).exact_entities
    each = by_record(clusters, entities)

    whole = [one for one in members["entity"].values() if one in members["cluster"].values()]
    assert exact == pytest.approx(len(whole) / len(members["entity"]))
    assert each["is_over_merged"].tolist() == [
        len({entities[row] for row in members["cluster"][cluster]}) > 1 for cluster in clusters
    ]
    assert each["b3_recall"].tolist() == pytest.approx(
        [
            len(members["cluster"][cluster] & members["entity"][entity]) / len(members["entity"][entity])
            for cluster, entity in labels
        ]
    )


def test_calibration_bins_are_of_equal_count_in_the_order_of_probability():
    found = calibration(np.array([0.9, 0.1, 0.7, 0.1]), np.array([True, False, False, False]), bins=2)

    assert found.bins == [Bin(2, pytest.approx(0.1), 0.0), Bin(2, pytest.approx(0.8), 0.5)]
    assert found.mean_absolute_error == pytest.approx((0.1 + 0.3) / 2)


@given(st.integers(1, 400), st.integers(0, 2**32 - 1))
def test_calibration_of_honest_probabilities_is_what_chance_leaves(count, seed):
    """Each pair is true as often as it says: with 400 copies of each probability the error is small."""
    rng = np.random.default_rng(seed)
    probabilities = np.repeat(rng.random(max(1, count // 20)), 400)
    truths = np.concatenate([np.arange(400) < round(400 * share) for share in probabilities[::400]])

    assert calibration(probabilities, truths, bins=len(probabilities) // 400).mean_absolute_error < 0.5 / 400 + 1e-9


def test_calibration_of_no_pairs_is_no_error():
    found = calibration(np.array([]), np.array([], dtype=bool))

    assert (found.mean_absolute_error, found.bins) == (0.0, [])


@pytest.mark.parametrize(("clusters", "entities"), [([None], [1]), (["a"], [None]), (["a", "b"], [1])])
def test_a_record_without_a_label_is_refused(clusters, entities):
    with pytest.raises(ValueError, match="records have"):
        partition(clusters, entities)


def test_a_perfect_partition_is_perfect():
    found = partition(["a", "a", "b"], [1, 1, 2])

    assert (found.precision, found.recall, found.f1, found.mixed_clusters) == (1.0, 1.0, 1.0, 0.0)
