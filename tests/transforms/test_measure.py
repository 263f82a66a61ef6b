"""The measures agree with listing every pair by hand."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.measure import partition

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


def test_a_perfect_partition_is_perfect():
    found = partition(["a", "a", "b"], [1, 1, 2])

    assert (found.precision, found.recall, found.f1, found.mixed_clusters) == (1.0, 1.0, 1.0, 0.0)
