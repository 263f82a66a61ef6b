"""Mean linkage inside components, so that one wrong edge cannot glue two entities.

Belongs here: the clustering of small dense groups, many at a time in numpy. Does not: components (clusters.py).
Surprise: a pair that was never compared is not unknown: blocking saw no reason, and how much that says is learned
(transforms/unmet.py). All sums are integers and ties go to the smallest record numbers, so the result depends on no
order and no engine.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

GROUP_SCHEMA = pa.schema([("rid", pa.int64()), ("cluster_rid", pa.int64())])
CELLS_MAX = 4_000_000  # of one tensor of equal-sized components: bounds memory


def refine(batch: pa.RecordBatch, *, never_met: int) -> pa.RecordBatch:
    """component, l, r, weight (whole components) -> rid, cluster_rid (the smallest rid of its cluster).

    `never_met` is the weight of a pair that is not there, thousandths of a bit.
    """
    component = batch.column("component").to_numpy()
    left, right = batch.column("l").to_numpy(), batch.column("r").to_numpy()
    weight = batch.column("weight").to_numpy()
    members, owners = _members(component, left, right)
    starts = np.flatnonzero(np.r_[True, owners[1:] != owners[:-1]]) if len(owners) else np.zeros(0, np.int64)
    sizes = np.diff(np.r_[starts, len(owners)])
    place = np.searchsorted(owners[starts], component)
    base = starts[place]
    row = _position(members, owners, component, left) - base
    column = _position(members, owners, component, right) - base
    cluster = members.copy()
    for size in np.unique(sizes):
        chosen = np.flatnonzero(sizes == size)
        step = max(1, CELLS_MAX // int(size) ** 2)
        rank = np.full(len(sizes), -1)
        for begin in range(0, len(chosen), step):
            some = chosen[begin : begin + step]
            rank[:] = -1
            rank[some] = np.arange(len(some))
            inside = rank[place] >= 0
            sums = np.full((len(some), size, size), never_met, dtype=np.int64)
            sums[rank[place[inside]], row[inside], column[inside]] = weight[inside]
            sums[rank[place[inside]], column[inside], row[inside]] = weight[inside]
            labels = mean_linkage(sums)
            where = starts[some][:, None] + np.arange(size)[None, :]
            cluster[where] = members[starts[some][:, None] + labels]
    return pa.RecordBatch.from_arrays([pa.array(members), pa.array(cluster)], schema=GROUP_SCHEMA)


def _members(component: np.ndarray, left: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distinct (component, rid), sorted by component, then rid."""
    owners = np.concatenate([component, component])
    members = np.concatenate([left, right])
    order = np.lexsort((members, owners))
    owners, members = owners[order], members[order]
    is_new = (
        np.r_[True, (owners[1:] != owners[:-1]) | (members[1:] != members[:-1])] if len(order) else np.zeros(0, bool)
    )
    return members[is_new], owners[is_new]


def _position(members: np.ndarray, owners: np.ndarray, component: np.ndarray, rid: np.ndarray) -> np.ndarray:
    """Index of (component, rid) in the sorted members: a rid has one component, so sorting by rid alone will do."""
    by_rid = np.argsort(members, kind="stable")
    return by_rid[np.searchsorted(members, rid, sorter=by_rid)]


def mean_linkage(sums: np.ndarray) -> np.ndarray:
    """Join, again and again, the two groups with the highest mean weight over all cross pairs, while it is above 0.

    `sums` is (components, n, n), symmetric, and is used up. Returns for each member the smallest member of its group.
    All components advance in step; one join each a round.
    """
    count, size, _ = sums.shape
    sizes = np.ones((count, size), dtype=np.int64)
    labels = np.tile(np.arange(size), (count, 1))
    upper = np.triu(np.ones((size, size), dtype=bool), 1)
    mean = np.where(upper[None], sums.astype(np.float64), -np.inf)
    alive = np.arange(count)
    for _ in range(size - 1):
        flat = mean[alive].reshape(len(alive), -1)
        best = flat.argmax(axis=1)  # the first of equals: the smallest record numbers
        joins = flat[np.arange(len(alive)), best] > 0
        alive, best = alive[joins], best[joins]
        if not len(alive):
            break
        keep, gone = best // size, best % size
        labels[alive] = np.where(labels[alive] == gone[:, None], keep[:, None], labels[alive])
        sums[alive, keep, :] += sums[alive, gone, :]
        sums[alive, :, keep] = sums[alive, keep, :]
        sizes[alive, keep] += sizes[alive, gone]
        sizes[alive, gone] = 0
        _renew(mean, sums, sizes, alive, keep, gone)
    return labels


def _renew(
    mean: np.ndarray, sums: np.ndarray, sizes: np.ndarray, alive: np.ndarray, keep: np.ndarray, gone: np.ndarray
) -> None:
    """Means of the joined group to all others; the group that is gone has none."""
    size = mean.shape[1]
    others = np.arange(size)
    cells = sizes[alive] * sizes[alive, keep][:, None]
    fresh = np.where(cells > 0, sums[alive, keep, :] / np.maximum(cells, 1), -np.inf)
    after = others[None, :] > keep[:, None]
    before = others[None, :] < keep[:, None]
    mean[alive, keep, :] = np.where(after, fresh, -np.inf)
    mean[alive, :, keep] = np.where(before, fresh, -np.inf)
    mean[alive, gone, :] = -np.inf
    mean[alive, :, gone] = -np.inf
