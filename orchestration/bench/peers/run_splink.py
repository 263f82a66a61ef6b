"""Splink 5 as a peer of `bench resolve`: read a job, train, predict, cluster, write pairs and clusters.

Belongs here: what every Splink run does. Does not: comparisons and rules (splink_plain.py, splink_tuned.py), judging
(the bench; this file never sees a label). Run by the peer's own interpreter with the path of a job file: nothing of
halosync is imported. Surprise: edges above .2 are written, so that the bench can look for the threshold that the labels
like best; the clusters are those at .95.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import duckdb
import splink
import splink_plain
import splink_tuned
from splink import DuckDBAPI, Linker, SettingsCreator, block_on
from splink_model import Model, count, filled_columns

EDGES_ABOVE = 0.2
CLUSTERS_AT = 0.95


def main(job: dict[str, Any]) -> dict[str, Any]:
    started = time.perf_counter()
    connection = duckdb.connect()
    connection.execute("set enable_progress_bar = false")
    path = job["records"].replace("'", "''")
    connection.execute(f"create table record as select * from read_parquet('{path}')")
    model = _model(connection, job["entity"], is_tuned=job["is_tuned"])
    linker = _trained(connection, model)
    trained = time.perf_counter()
    edges = linker.inference.predict(threshold_match_probability=EDGES_ABOVE)
    clusters = linker.clustering.cluster_pairwise_predictions_at_threshold(
        edges, threshold_match_probability=CLUSTERS_AT
    )
    connection.execute(
        f"copy (select record_id, cast(cluster_id as varchar) as cluster_id from {clusters.physical_name}) to ?",
        [job["clusters"]],
    )
    connection.execute(
        f"copy (select record_id_l, record_id_r, match_probability as probability from {edges.physical_name}) to ?",
        [job["pairs"]],
    )
    return {
        "version": splink.__version__,
        "settings": f"{len(model.comparisons)} comparisons, {len(model.prediction_rules)} prediction rules",
        "train_seconds": round(trained - started, 2),
    }


def _model(connection: duckdb.DuckDBPyConnection, entity: str, *, is_tuned: bool) -> Model:
    """Make the table `cleaned` from `record` and give the model that fits it."""
    filled = filled_columns(connection, "record")
    if not is_tuned:
        cleaning = splink_plain.cleaning_sql(filled, entity)
    elif entity == "contact":
        cleaning = splink_tuned.contact_sql(filled)
    else:
        cleaning = splink_tuned.organisation_sql(filled)
    connection.execute(cleaning)
    have, rows = filled_columns(connection, "cleaned"), count(connection, "select count(*) from cleaned")
    if entity == "organisation":
        return splink_tuned.organisation(have, rows) if is_tuned else splink_plain.organisation(have, rows)
    if is_tuned:
        return splink_tuned.contact(have, rows)
    return splink_plain.contact(have, rows, splink_plain.date_format(connection, have))


def _trained(connection: duckdb.DuckDBPyConnection, model: Model) -> Linker:
    settings = SettingsCreator(
        link_type="dedupe_only",
        comparisons=model.comparisons,
        blocking_rules_to_generate_predictions=[block_on(*rule) for rule in model.prediction_rules],
        unique_id_column_name="record_id",
        retain_matching_columns=False,
    )
    api = DuckDBAPI(connection)
    linker = Linker(api.register("cleaned"), settings, log_level=None)
    training = linker.training
    training.estimate_probability_two_random_records_match(
        [block_on(*rule) for rule in model.certain_rules], recall=model.certain_recall
    )
    training.estimate_u_using_random_sampling(max_pairs=model.random_pairs, seed=1)
    for rule in model.training_rules:
        training.estimate_parameters_using_expectation_maximisation(
            block_on(*rule), estimate_without_term_frequencies=True
        )
    return linker


if __name__ == "__main__":
    job_path = Path(sys.argv[1])
    job_spec = json.loads(job_path.read_text())
    Path(job_spec["answer"]).write_text(json.dumps(main(job_spec)))
