"""Mean linkage inside components, so that one wrong edge cannot glue two entities.

Belongs here: the clustering of small dense groups, many at a time in numpy. Does not: components (clusters.py), what
two groups say as a whole (together.py).
Surprise: the best mean is not enough. Two groups are joined only where all that is told between them, put together,
speaks for it too; else the tight records of two namesakes are glued by pairs that tell little. A pair that was never
compared is not unknown: blocking saw no reason, and how much that says is learned (transforms/unmet.py). All sums are
integers and ties go to the smallest record numbers, so the result depends on no order and no engine.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa

from transforms.clusters import DECIDED_MILLI
from transforms.model import Model
from transforms.together import Together

GROUP_SCHEMA = pa.schema([("rid", pa.int64()), ("cluster_rid", pa.int64())])
CELLS_MAX = 4_000_000  # of one tensor of equal-sized components: bounds memory
PAIR = 2  # records: they are what their one pair says


# Of candidate joins, by component, and the two groups to be joined: which are refused.
Refuses = Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray], np.ndarray]


def refine(batch: pa.RecordBatch, *, never_met: int, model: Model | None = None) -> pa.RecordBatch:
    """component, l, r, weight, pattern, source_low, source_high (whole components) -> rid, cluster_rid (the smallest
    rid of its cluster).

    `never_met` is the weight of a pair that is not there, thousandths of a bit. `model` weighs two groups as a whole;
    without it the mean alone decides, and pattern and sources need not be there.
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
    together = Together(model, batch) if model is not None else None
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
            refuses = None
            if together is not None and size > PAIR:
                pair = np.full(sums.shape, -1, dtype=np.int32)
                pair[rank[place[inside]], row[inside], column[inside]] = np.flatnonzero(inside)
                pair[rank[place[inside]], column[inside], row[inside]] = np.flatnonzero(inside)
                refuses = _refusing(together, weight, pair)
            labels = mean_linkage(sums, refuses)
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


def _refusing(together: Together, weight: np.ndarray, pair: np.ndarray) -> Refuses:
    """`pair` is (components, n, n): the place of each met pair in the batch, -1 where they never met."""

    def refuses(component: np.ndarray, labels: np.ndarray, keep: np.ndarray, gone: np.ndarray) -> np.ndarray:
        refused = np.zeros(len(component), dtype=bool)
        join, one, two = _crossing(labels == keep[:, None], labels == gone[:, None])
        row = pair[component[join], one, two]
        join, row = join[row >= 0], row[row >= 0]
        asked, group = np.unique(join, return_inverse=True)
        refused[asked] = together.weigh(row, group) <= 0
        # What somebody decided has been weighed in the mean, and nothing outweighs it.
        refused[join[np.abs(weight[row]) >= DECIDED_MILLI]] = False
        return refused

    return refuses


def _crossing(ours: np.ndarray, theirs: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Masks of members, a row a join -> (join, one of ours, one of theirs) of all pairs across, by join."""
    join, one = np.nonzero(ours)
    of_theirs, two = np.nonzero(theirs)
    counts = np.bincount(of_theirs, minlength=len(theirs))
    starts = np.cumsum(counts) - counts
    times = counts[join]
    step = np.arange(times.sum()) - np.repeat(np.cumsum(times) - times, times)
    join = np.repeat(join, times)
    return join, np.repeat(one, times), two[starts[join] + step]


def mean_linkage(sums: np.ndarray, refuses: Refuses | None = None) -> np.ndarray:
    """Join, again and again, the two groups with the highest mean weight over all cross pairs, while it is above 0.

    `sums` is (components, n, n), symmetric, and is used up. Returns for each member the smallest member of its group.
    All components advance in step; one join or refusal each a round. A join that is refused is tried again when one of
    its groups has grown; two single members are never refused, for their pair has been weighed.
    """
    count, size, _ = sums.shape
    sizes = np.ones((count, size), dtype=np.int64)
    labels = np.tile(np.arange(size), (count, 1))
    upper = np.triu(np.ones((size, size), dtype=bool), 1)
    mean = np.where(upper[None], sums.astype(np.float64), -np.inf)
    alive = np.arange(count)
    while True:
        flat = mean[alive].reshape(len(alive), -1)
        best = flat.argmax(axis=1)  # the first of equals: the smallest record numbers
        found = flat[np.arange(len(alive)), best] > 0
        alive, best = alive[found], best[found]
        if not len(alive):
            return labels
        keep, gone = best // size, best % size
        joining = alive
        if refuses is not None:
            large = np.flatnonzero(sizes[alive, keep] + sizes[alive, gone] > PAIR)
            if len(large):
                some = alive[large]
                no = large[refuses(some, labels[some], keep[large], gone[large])]
                mean[alive[no], keep[no], gone[no]] = -np.inf
                joining, keep, gone = (np.delete(these, no) for these in (alive, keep, gone))
        labels[joining] = np.where(labels[joining] == gone[:, None], keep[:, None], labels[joining])
        sums[joining, keep, :] += sums[joining, gone, :]
        sums[joining, :, keep] = sums[joining, keep, :]
        sizes[joining, keep] += sizes[joining, gone]
        sizes[joining, gone] = 0
        _renew(mean, sums, sizes, joining, keep, gone)


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
