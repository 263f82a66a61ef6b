"""How right a partition and its probabilities are, where the truth is known.

Belongs here: pairwise and B-cubed precision, recall and F1 from two columns of labels, calibration of probabilities
against labels. Does not: estimates without labels (`calibration.py`). Surprise: pairs are counted from the contingency
table, never listed, so a million records cost a group-by. Source: Menestrina, Whang and Garcia-Molina, "Evaluating
entity resolution results", VLDB 2010.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

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
    b3_f1: float
    exact_entities: float  # share of entities that are a cluster of their own, whole and unmixed
    mixed_clusters: float  # share of multi-record clusters that hold more than one entity
    over_merged: float  # share of records in a cluster that holds more than one entity
    largest_cluster: int
    largest_entity: int


class Bin(NamedTuple):
    """One bin of a reliability table: how many pairs, what was promised, what was true."""

    pairs: int
    predicted: float
    observed: float


@dataclass(frozen=True)
class Calibration:
    """`mean_absolute_error` is the mean over the bins of |predicted - observed|; 0 without any pair."""

    mean_absolute_error: float
    bins: list[Bin]


def partition(clusters: Iterable[Any], entities: Iterable[Any]) -> Measures:
    """Compare predicted clusters with true entities, one label of each per record, in the same order.

    Raises:
        ValueError: a record has no cluster or no entity.
    """
    table = _contingency(clusters, entities)
    agreed, predicted, true = (_pairs(counts) for counts in (table.cells, table.by_cluster, table.by_entity))
    precision = agreed / predicted if predicted else 1.0
    recall = agreed / true if true else 1.0
    of_cluster, of_entity = table.by_cluster[table.cluster], table.by_entity[table.entity]
    rows = int(table.cells.sum())
    b3_precision = float((table.cells**2 / of_cluster).sum() / rows) if rows else 1.0
    b3_recall = float((table.cells**2 / of_entity).sum() / rows) if rows else 1.0
    mixed = np.bincount(table.cluster) > 1
    multi = table.by_cluster > 1
    return Measures(
        precision=precision,
        recall=recall,
        f1=_f1(precision, recall),
        b3_precision=b3_precision,
        b3_recall=b3_recall,
        b3_f1=_f1(b3_precision, b3_recall),
        exact_entities=float(((table.cells == of_cluster) & (table.cells == of_entity)).sum() / len(table.by_entity))
        if rows
        else 1.0,
        mixed_clusters=float(mixed[multi].mean()) if multi.any() else 0.0,
        over_merged=float(table.by_cluster[mixed].sum() / rows) if rows else 0.0,
        largest_cluster=int(table.by_cluster.max(initial=0)),
        largest_entity=int(table.by_entity.max(initial=0)),
    )


def by_record(clusters: Iterable[Any], entities: Iterable[Any]) -> pd.DataFrame:
    """For each record: `is_over_merged` (its cluster mixes entities), `b3_recall` (share of its entity it is with)."""
    table = _contingency(clusters, entities)
    mixed = np.bincount(table.cluster) > 1
    recall = table.cells / table.by_entity[table.entity]
    return pd.DataFrame(
        {
            "is_over_merged": mixed[table.cluster[table.cell_of_record]],
            "b3_recall": recall[table.cell_of_record],
        }
    )


def calibration(probabilities: np.ndarray, truths: np.ndarray, *, bins: int = 20) -> Calibration:
    """Bins of equal count in the order of probability; ties keep the order given, which must not depend on truths."""
    order = np.argsort(probabilities, kind="stable")
    found = [
        Bin(len(part), float(probabilities[part].mean()), float(truths[part].mean()))
        for part in np.array_split(order, bins)
        if len(part)
    ]
    errors = [abs(part.predicted - part.observed) for part in found]
    return Calibration(mean_absolute_error=float(np.mean(errors)) if errors else 0.0, bins=found)


class _Contingency(NamedTuple):
    """Records counted by cluster and entity; a cell is a combination that occurs."""

    cells: np.ndarray
    cluster: np.ndarray  # of each cell
    entity: np.ndarray  # of each cell
    by_cluster: np.ndarray
    by_entity: np.ndarray
    cell_of_record: np.ndarray


def _contingency(clusters: Iterable[Any], entities: Iterable[Any]) -> _Contingency:
    cluster, entity = (_numbered(labels, name) for labels, name in ((clusters, "cluster"), (entities, "entity")))
    if len(cluster) != len(entity):
        raise ValueError(f"{len(cluster)} records have a cluster and {len(entity)} an entity.")
    width = int(entity.max(initial=0)) + 1
    keys, cell_of_record, cells = np.unique(cluster * width + entity, return_inverse=True, return_counts=True)
    return _Contingency(
        cells=cells,
        cluster=keys // width,
        entity=keys % width,
        by_cluster=np.bincount(cluster),
        by_entity=np.bincount(entity),
        cell_of_record=cell_of_record,
    )


def _numbered(labels: Iterable[Any], name: str) -> np.ndarray:
    numbers = pd.factorize(pd.Series(list(labels)))[0].astype(np.int64)
    if (numbers < 0).any():
        raise ValueError(f"{(numbers < 0).sum()} records have no {name}.")
    return numbers


def _pairs(counts: np.ndarray) -> int:
    sizes = counts.astype(np.int64)
    return int((sizes * (sizes - 1) // 2).sum())


def _f1(precision: float, recall: float) -> float:
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0
