"""Components of the graph of likely pairs, small enough to refine.

Belongs here: connected components in the driver (scipy). Does not: refinement inside them (kernels/refine.py).
Surprise: a component over MEMBERS_MAX is re-cut with a higher demand on its edges, half a bit and more at a time,
so that memory stays bounded even where one shared value has glued a hundred thousand records.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

MEMBERS_MAX = 800
STEP_MILLI = 1000


def components(left: np.ndarray, right: np.ndarray, weight: np.ndarray) -> pa.Table:
    """Edges with a positive weight to (rid, component); component is its smallest rid; singletons are left out."""
    edges = weight > 0
    left, right, weight = left[edges], right[edges], weight[edges]
    nodes = np.unique(np.concatenate([left, right]))
    row, column = np.searchsorted(nodes, left), np.searchsorted(nodes, right)
    label = _label(len(nodes), row, column)
    floor = 0
    while True:
        sizes = np.bincount(label, minlength=1)
        large = sizes > MEMBERS_MAX
        if not large.any():
            break
        floor += STEP_MILLI
        # Inside large components only the stronger edges stay; elsewhere all do.
        stays = ~large[label[row]] | (weight > floor)
        row, column, weight = row[stays], column[stays], weight[stays]
        label = _label(len(nodes), row, column)
    smallest = np.full(int(label.max()) + 1 if len(label) else 0, np.iinfo(np.int64).max)
    np.minimum.at(smallest, label, nodes)
    kept = np.bincount(label, minlength=len(smallest))[label] > 1 if len(label) else np.zeros(0, bool)
    return pa.table({"rid": nodes[kept].astype(np.int64), "component": smallest[label][kept].astype(np.int64)})


def _label(size: int, row: np.ndarray, column: np.ndarray) -> np.ndarray:
    graph = coo_matrix((np.ones(len(row), dtype=np.int8), (row, column)), shape=(size, size))
    return connected_components(graph, directed=False)[1].astype(np.int64)
