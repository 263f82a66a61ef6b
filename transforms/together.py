"""Two groups of records weighed as one pair: what all pairs between them tell, each fact once.

Belongs here: one verdict from the patterns and sources of many pairs. Does not: what a fact is worth and how facts add
up (model.py), which groups are asked about (kernels/refine.py).
Surprise: the mean of the pairs forgives too much. Where one record tells only a name and another only a mailbox, each
pair of two namesakes has little against it; put together, mailbox, phone, page and title all differ.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.model import Model


class Together:
    """The pairs of one batch, ready to be weighed in groups.

    A fact is worth its mean over the pairs in which it is told: a pair that is silent does not speak against. That a
    source names one person twice is worth what that says of each such source, however many pairs show it. A pair with
    a side that is no source's record ("") tells nothing of sources.
    """

    def __init__(self, model: Model, pairs: pa.RecordBatch) -> None:
        """`pairs`: pattern, source_low, source_high."""
        patterns, self._pattern = np.unique(pairs.column("pattern").to_numpy(), return_inverse=True)
        self._model = model
        told = model.told(patterns)
        self._names = list(told)
        self._worth = np.stack([told[name][0] for name in self._names], axis=1)
        self._is_told = np.stack([told[name][1] for name in self._names], axis=1).astype(np.int64)
        low, high = (pc.fill_null(pairs.column(name), "").to_pylist() for name in ("source_low", "source_high"))
        names, self._source = np.unique(
            np.asarray([*zip(low, high, strict=True)]).reshape(-1, 2), axis=0, return_inverse=True
        )
        self._source = self._source.reshape(-1)
        self._source_worth = model.source_milli(names[:, 0].tolist(), names[:, 1].tolist())
        self._is_one_source = names[:, 0] == names[:, 1]
        self._is_of_sources = (names != "").all(axis=1)

    def weigh(self, rows: np.ndarray, group: np.ndarray) -> np.ndarray:
        """`rows`: places of pairs in the batch; `group`: 0, 1, … of each, ascending, none left out.

        Returns a weight a group, thousandths of a bit over the cut.
        """
        starts = np.flatnonzero(np.r_[True, group[1:] != group[:-1]])
        pattern = self._pattern[rows]
        sums = np.add.reduceat(self._worth[pattern], starts, axis=0)
        counts = np.add.reduceat(self._is_told[pattern], starts, axis=0)
        mean = _mean(sums, counts)
        terms = self._model.added(dict(zip(self._names, mean.T, strict=True)), self._sources(rows, group, len(starts)))
        return sum(terms.values(), np.zeros(len(starts), dtype=np.int64))

    def _sources(self, rows: np.ndarray, group: np.ndarray, groups: int) -> np.ndarray:
        of_sources = self._is_of_sources[self._source[rows]]
        source, group = self._source[rows[of_sources]], group[of_sources]
        across = ~self._is_one_source[source]
        sums, counts = np.zeros(groups, dtype=np.int64), np.zeros(groups, dtype=np.int64)
        np.add.at(sums, group[across], self._source_worth[source[across]])
        np.add.at(counts, group[across], 1)
        found = _mean(sums, counts)
        # Each source that names both groups once, whatever the number of its pairs.
        size = len(self._source_worth)
        once = np.unique(group[~across] * size + source[~across])
        np.add.at(found, once // size, self._source_worth[once % size])
        return found


def _mean(sums: np.ndarray, counts: np.ndarray) -> np.ndarray:
    return np.rint(sums / np.maximum(counts, 1)).astype(np.int64)
