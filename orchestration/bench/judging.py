"""The judge of `bench resolve`: clusters and pairs of one run against the labels.

Belongs here: which figures there are. Does not: their arithmetic (transforms/measure.py), running anybody.
Surprise: the judge alone reads labels. Records without a label are left out, and their number is told.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from transforms.measure import by_record, calibration, partition

from orchestration.bench.datasets import Dataset

VERSION = 1  # raise it when a figure changes its meaning; receipts of another version are not used
THRESHOLDS = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999, 0.9995, 0.9999, 0.99995, 0.99999)
RARE_RECORDS = 50  # a value that more records share says little about who they are
TRUE_PAIRS_LISTED_MAX = 20_000_000


class Incomplete(Exception):
    """A contestant left records out of its clusters."""


def judge(dataset: Dataset, clusters: Path, pairs: Path | None, *, links_by_components: bool) -> dict[str, Any]:
    """All figures of one run.

    Raises:
        Incomplete: a record is in no cluster.
    """
    told = _together(dataset, clusters)
    found = told[told["entity_id"].notna()].reset_index(drop=True)
    figures: dict[str, Any] = {"records": len(found), "unlabelled": len(told) - len(found)}
    figures |= {"entities": int(found["entity_id"].nunique())}
    figures |= asdict(partition(found["cluster_id"], found["entity_id"]))
    if dataset.phenomena is not None:
        figures["phenomena"] = _phenomena(found, dataset.phenomena)
    if pairs is not None and links_by_components:
        figures["best"] = _best_threshold(found, pairs)
    elif pairs is not None:
        figures |= _evidence(dataset, found, pairs)
    return figures


def _together(dataset: Dataset, clusters: Path) -> pd.DataFrame:
    """record_id, cluster_id, entity_id of every record, in the order of the input."""
    records = pd.read_parquet(dataset.records, columns=["record_id"])
    cluster_of = pd.read_parquet(clusters, columns=["record_id", "cluster_id"]).set_index("record_id")["cluster_id"]
    entity_of = pd.read_parquet(dataset.labels).set_index("record_id")["entity_id"]
    told = records.assign(
        cluster_id=cluster_of.reindex(records["record_id"]).to_numpy(),
        entity_id=entity_of.reindex(records["record_id"]).to_numpy(),
    )
    if missing := int(told["cluster_id"].isna().sum()):
        raise Incomplete(f"{missing} of {len(told)} records are in no cluster")
    return told


def _phenomena(found: pd.DataFrame, path: Path) -> dict[str, dict[str, Any]]:
    """For each way to be hard: its records, the share in an over-merged cluster, how much of an entity is found."""
    each = by_record(found["cluster_id"], found["entity_id"]).assign(entity_id=found["entity_id"])
    joined = each.merge(pd.read_parquet(path), on="entity_id")
    grouped = joined.groupby("phenomenon").agg(
        records=("is_over_merged", "size"), over_merged=("is_over_merged", "mean"), b3_recall=("b3_recall", "mean")
    )
    return json.loads(grouped.astype(float).to_json(orient="index"))


def _best_threshold(found: pd.DataFrame, pairs: Path) -> dict[str, float]:
    """The threshold that the labels like best, with connected components, as Splink clusters."""
    table = pd.read_parquet(pairs)
    row_of = pd.Series(np.arange(len(found)), index=found["record_id"])
    left, right = (row_of.reindex(table[name]).to_numpy() for name in ("record_id_l", "record_id_r"))
    is_known = ~(np.isnan(left) | np.isnan(right))
    best: dict[str, float] = {"f1": -1.0}
    for threshold in THRESHOLDS:
        kept = is_known & (table["probability"].to_numpy() >= threshold)
        edges = (np.ones(int(kept.sum()), dtype=bool), (left[kept].astype(int), right[kept].astype(int)))
        _, component = connected_components(coo_matrix(edges, shape=(len(found), len(found))), directed=False)
        measures = partition(component, found["entity_id"])
        if measures.f1 > best["f1"]:
            best = {"threshold": threshold, **asdict(measures)}
    return best


def _evidence(dataset: Dataset, found: pd.DataFrame, pairs: Path) -> dict[str, Any]:
    """What the compared pairs tell: blocking recall, calibration, and what the probabilities promise themselves."""
    with duckdb.connect() as connection:
        connection.register("found", found)
        connection.execute(
            """
            create table judged as
            select
                pair.record_id_l, pair.record_id_r, pair.probability,
                coalesce(a.entity_id = b.entity_id, false) as is_true,
                a.cluster_id = b.cluster_id as is_joined
            from read_parquet(?) as pair
            inner join found as a on a.record_id = pair.record_id_l
            inner join found as b on b.record_id = pair.record_id_r
            """,
            [str(pairs)],
        )
        judged = connection.execute("select probability, is_true, is_joined from judged").df()
        blocking = _blocking(connection, dataset)
    probability, is_true, is_joined = (judged[name].to_numpy() for name in judged.columns)
    sizes = found["cluster_id"].value_counts().to_numpy(dtype=np.int64)
    joined_pairs = int((sizes * (sizes - 1) // 2).sum())
    is_unsure = (probability > 0.01) & (probability < 0.99)
    promised = float(probability[is_joined].sum())
    return {
        "blocking": blocking | {"candidates": len(judged)},
        "calibration": asdict(calibration(probability, is_true)),
        "calibration_unsure": asdict(calibration(probability[is_unsure], is_true[is_unsure])),
        "promised": {
            "precision": promised / joined_pairs if joined_pairs else 1.0,
            "recall": promised / float(probability.sum()) if probability.sum() else 1.0,
        },
    }


def _blocking(connection: duckdb.DuckDBPyConnection, dataset: Dataset) -> dict[str, Any]:
    """Share of true pairs among the candidates; of all, and of those that share a value which few records hold.

    Values are compared in lower case without punctuation; the names of a person count as one value.
    """
    true_pairs = _count(
        connection, "select sum(n * (n - 1) // 2) from (select count(*) as n from found group by entity_id)"
    )
    if not true_pairs or true_pairs > TRUE_PAIRS_LISTED_MAX:
        return {"true_pairs": true_pairs}
    connection.execute(
        """
        create table true_pair as
        select a.record_id as l, b.record_id as r
        from found as a inner join found as b on a.entity_id = b.entity_id and a.record_id < b.record_id
        """
    )
    connection.execute(
        "create table met as select least(record_id_l, record_id_r) as l, greatest(record_id_l, record_id_r) as r"
        " from judged where is_true"
    )
    met = _count(connection, "select count(*) from true_pair semi join met using (l, r)")
    connection.execute(_values_sql(dataset), [str(dataset.records)])
    connection.execute(
        f"""
        create table rare as
        select attribute, value, record_id from value
        qualify count(*) over (partition by attribute, value) <= {RARE_RECORDS}
        """
    )
    connection.execute(
        """
        create table sharing as
        select distinct true_pair.l, true_pair.r
        from true_pair
        inner join rare as a on a.record_id = true_pair.l
        inner join rare as b on b.record_id = true_pair.r and a.attribute = b.attribute and a.value = b.value
        """
    )
    sharing = _count(connection, "select count(*) from sharing")
    met_sharing = _count(connection, "select count(*) from sharing semi join met using (l, r)")
    return {
        "true_pairs": true_pairs,
        "recall": met / true_pairs,
        "sharing_pairs": sharing,
        "recall_sharing": met_sharing / sharing if sharing else 1.0,
    }


def _values_sql(dataset: Dataset) -> str:
    """One row per record and filled attribute, folded."""
    names = {"first_name", "last_name", "middle_name", "name_suffix"}
    attributes = {name: name for name in dataset.columns if name not in names | {"record_id", "source"}}
    if {"first_name", "last_name"} <= set(dataset.columns):
        attributes["first_and_last"] = "first_name || ' ' || last_name"
    each = [
        f"select record_id, '{name}' as attribute, "
        f"lower(regexp_replace({sql}, '[^\\pL\\pN]', '', 'g')) as value from record"
        for name, sql in attributes.items()
    ]
    return (
        "create table value as with record as (select * from read_parquet(?)), folded as ("
        + " union all ".join(each)
        + ") select * from folded where value is not null and value <> ''"
    )


def _count(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    row = connection.execute(query).fetchone()
    return int(row[0] or 0) if row else 0
