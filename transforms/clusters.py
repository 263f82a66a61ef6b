"""Components of the graph of likely pairs, small enough to refine.

Belongs here: connected components in the driver, exact copies put aside and attached again. Does not:
refinement inside components (kernels/refine.py), which records are copies (sql/resolved/*_copy.sql).
Surprise: a component over MEMBERS_MAX is re-cut with a higher demand on its edges, a bit and more at a time, so that
memory stays bounded even where one shared value has glued a hundred thousand records. What somebody decided is not cut.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

MEMBERS_MAX = 800
STEP_MILLI = 1000
DECIDED_MILLI = 1_000_000_000  # far over any evidence, far under what sql/resolved/*_pair.sql writes for a decision

COPY_SCHEMA = pa.schema([("rid", pa.int64()), ("first_rid", pa.int64())])


def components(left: np.ndarray, right: np.ndarray, weight: np.ndarray, copies: pa.Table | None = None) -> pa.Table:
    """Edges with a positive weight to (rid, component, judged_as); singletons are left out.

    `component` is its smallest rid. `copies` (COPY_SCHEMA, first_rid < rid): a copy whose edge to its first record is
    positive is judged as that record, whatever its other edges are; every other record is judged as itself.
    """
    edges = weight > 0
    left, right, weight = left[edges], right[edges], weight[edges]
    copy, first = _joined_copies(left, right, copies or COPY_SCHEMA.empty_table())
    stays = ~(np.isin(left, copy) | np.isin(right, copy))
    # A first record is a node even where nobody but its copies is like it.
    nodes = np.unique(np.concatenate([left[stays], right[stays], first]))
    label = _bounded(
        len(nodes), np.searchsorted(nodes, left[stays]), np.searchsorted(nodes, right[stays]), weight[stays]
    )
    label_of_copy = label[np.searchsorted(nodes, first)]
    rid, label = np.concatenate([nodes, copy]), np.concatenate([label, label_of_copy])
    sizes = np.bincount(label)
    smallest = np.full(len(sizes), np.iinfo(np.int64).max)
    np.minimum.at(smallest, label, rid)
    kept = sizes[label] > 1
    columns = (rid[kept], smallest[label[kept]], np.concatenate([nodes, first])[kept])
    return pa.table([column.astype(np.int64) for column in columns], names=["rid", "component", "judged_as"])


def _joined_copies(left: np.ndarray, right: np.ndarray, copies: pa.Table) -> tuple[np.ndarray, np.ndarray]:
    """Copies with an edge to their first record, and that record."""
    table = copies.sort_by("rid")
    rid, first = table["rid"].to_numpy(), table["first_rid"].to_numpy()
    if not len(rid):
        return rid, first
    place = np.minimum(np.searchsorted(rid, right), len(rid) - 1)
    joined = np.unique(place[(rid[place] == right) & (first[place] == left)])
    return rid[joined], first[joined]


def _bounded(size: int, row: np.ndarray, column: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """The component of each node, none over MEMBERS_MAX but where decisions alone hold it together."""
    label = _label(size, row, column)
    floor = 0
    while True:
        large = np.bincount(label, minlength=1) > MEMBERS_MAX
        inside = large[label[row]] & (weight < DECIDED_MILLI)
        if not inside.any():
            return label
        # Inside large components only the stronger edges stay; each turn takes one away at least.
        floor = max(floor + STEP_MILLI, int(weight[inside].min()))
        stays = ~inside | (weight > floor)
        row, column, weight = row[stays], column[stays], weight[stays]
        label = _label(size, row, column)


def _label(size: int, row: np.ndarray, column: np.ndarray) -> np.ndarray:
    """For each node the smallest node it is connected with.

    Not scipy's: to import it takes a third of a second, a tenth of what ten thousand records cost.
    """
    label = np.arange(size)
    while True:
        one, other = label[row], label[column]
        apart = one != other
        if not apart.any():
            return label
        np.minimum.at(label, np.maximum(one, other)[apart], np.minimum(one, other)[apart])
        while not np.array_equal(label, label[label]):
            label = label[label]
