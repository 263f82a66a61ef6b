"""How right a partition is, where the truth is known.

Belongs here: pairwise and B-cubed precision, recall and F1 from two columns of labels. Does not: estimates without
labels (`calibration.py`). Surprise: pairs are counted from the contingency table, never listed, so a million records
cost a group-by. Source: Menestrina, Whang and Garcia-Molina, "Evaluating entity resolution results", VLDB 2010.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Measures:
    """Shares between 0 and 1; a measure without any pair to judge is 1."""

    precision: float
    recall: float
    f1: float
    b3_precision: float
    b3_recall: float
    mixed_clusters: float  # share of multi-record clusters that hold more than one entity
    over_merged: float  # share of records in a cluster that holds more than one entity
    largest_cluster: int
    largest_entity: int


def partition(clusters: Iterable[Any], entities: Iterable[Any]) -> Measures:
    """Compare predicted clusters with true entities, one label of each per record, in the same order."""
    numbered = {
        name: pd.factorize(pd.Series(list(labels)))[0] for name, labels in (("cluster", clusters), ("entity", entities))
    }
    frame = pd.DataFrame(numbered)
    cells = frame.value_counts(sort=False).to_numpy()
    keys = frame.value_counts(sort=False).index
    by_cluster = np.bincount(frame["cluster"])
    by_entity = np.bincount(frame["entity"])
    agreed, predicted, true = (_pairs(counts) for counts in (cells, by_cluster, by_entity))
    precision = agreed / predicted if predicted else 1.0
    recall = agreed / true if true else 1.0
    of_cluster = by_cluster[keys.get_level_values("cluster")]
    of_entity = by_entity[keys.get_level_values("entity")]
    entities_in = np.bincount(keys.get_level_values("cluster"))
    mixed = entities_in > 1
    multi = by_cluster > 1
    return Measures(
        precision=precision,
        recall=recall,
        f1=2 * precision * recall / (precision + recall) if precision + recall else 0.0,
        b3_precision=float((cells**2 / of_cluster).sum() / len(frame)) if len(frame) else 1.0,
        b3_recall=float((cells**2 / of_entity).sum() / len(frame)) if len(frame) else 1.0,
        mixed_clusters=float(mixed[multi].mean()) if multi.any() else 0.0,
        over_merged=float(by_cluster[mixed].sum() / len(frame)) if len(frame) else 0.0,
        largest_cluster=int(by_cluster.max(initial=0)),
        largest_entity=int(by_entity.max(initial=0)),
    )


def _pairs(counts: np.ndarray) -> int:
    sizes = counts.astype(np.int64)
    return int((sizes * (sizes - 1) // 2).sum())
