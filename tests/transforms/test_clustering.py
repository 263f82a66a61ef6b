"""Clustering: one wrong edge must not glue two entities, and no order may show."""

from __future__ import annotations

import itertools

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms import clusters
from transforms.kernels.refine import refine

Edges = dict[tuple[int, int], int]

NEVER_MET = -4000  # thousandths of a bit


def _refined(edges: Edges) -> set[frozenset[int]]:
    rows = sorted((min(pair), max(pair), weight) for pair, weight in edges.items())
    batch = pa.RecordBatch.from_arrays(
        [
            pa.array([1] * len(rows), pa.int64()),
            pa.array([row[0] for row in rows], pa.int64()),
            pa.array([row[1] for row in rows], pa.int64()),
            pa.array([row[2] for row in rows], pa.int64()),
        ],
        names=["component", "l", "r", "weight"],
    )
    result = refine(batch, never_met=NEVER_MET)
    groups: dict[int, set[int]] = {}
    for rid, cluster in zip(result.column("rid").to_pylist(), result.column("cluster_rid").to_pylist(), strict=True):
        groups.setdefault(cluster, set()).add(rid)
    return {frozenset(group) for group in groups.values()}


def _plain_mean_linkage(members: list[int], edges: Edges) -> set[frozenset[int]]:
    """The definition, slow and obvious."""
    groups = [(member,) for member in members]

    def mean(one: tuple[int, ...], two: tuple[int, ...]) -> float:
        cells = [edges.get((min(a, b), max(a, b)), NEVER_MET) for a in one for b in two]
        return sum(cells) / len(cells)

    while len(groups) > 1:
        ranked = sorted(
            (-mean(one, two), min(one), min(two), one, two)
            for one, two in itertools.combinations(sorted(groups, key=min), 2)
        )
        best = ranked[0]
        if best[0] >= 0:
            break
        groups = [group for group in groups if group not in (best[3], best[4])] + [best[3] + best[4]]
    return {frozenset(group) for group in groups}


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_the_kernel_agrees_with_the_definition_of_mean_linkage(data: st.DataObject) -> None:
    size = data.draw(st.integers(2, 7))
    weights = st.integers(-9000, 20000)
    edges = {
        pair: data.draw(weights) for pair in itertools.combinations(range(1, size + 1), 2) if data.draw(st.booleans())
    }
    edges[(1, 2)] = data.draw(weights)
    members = sorted({rid for pair in edges for rid in pair})

    assert _refined(edges) == _plain_mean_linkage(members, edges)


def test_one_wrong_edge_does_not_glue_two_people() -> None:
    edges = {(1, 2): 20000, (2, 3): 20000, (1, 3): 20000, (4, 5): 20000, (5, 6): 20000, (4, 6): 20000, (3, 4): 9000}

    assert _refined(edges) == {frozenset({1, 2, 3}), frozenset({4, 5, 6})}


def test_batches_of_many_components_do_not_mix() -> None:
    batch = pa.RecordBatch.from_arrays(
        [pa.array([1, 4, 4, 4]), pa.array([1, 4, 4, 5]), pa.array([2, 5, 6, 6]), pa.array([5000, 5000, -9000, -9000])],
        names=["component", "l", "r", "weight"],
    )

    result = refine(batch, never_met=NEVER_MET)

    found = dict(zip(result.column("rid").to_pylist(), result.column("cluster_rid").to_pylist(), strict=True))
    assert found == {1: 1, 2: 1, 4: 4, 5: 4, 6: 6}


def test_components_ignore_edges_at_or_under_the_cut() -> None:
    table = clusters.components(np.array([1, 2, 5]), np.array([2, 3, 6]), np.array([10, 0, 700]))

    assert sorted(zip(table["rid"].to_pylist(), table["component"].to_pylist(), strict=True)) == [
        (1, 1),
        (2, 1),
        (5, 5),
        (6, 5),
    ]


def test_a_giant_component_is_cut_to_bounded_size() -> None:
    """100,000 records that share one phone must not ask for a matrix of 100,000 squared."""
    left = np.arange(1, 3000)
    weight = np.where(left % 100 == 0, 500, 30000)

    table = clusters.components(left, left + 1, weight)

    sizes = np.unique(table["component"].to_numpy(), return_counts=True)[1]
    assert sizes.max() <= clusters.MEMBERS_MAX
    assert len(sizes) >= 29


def test_no_edges_no_components() -> None:
    empty = np.zeros(0, dtype=np.int64)

    assert clusters.components(empty, empty, empty).num_rows == 0
