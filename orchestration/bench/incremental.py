"""What `resolve --state` costs when one record in a hundred changes, beside a full run of the same file.

Belongs here: making the change, the three runs, their shares. Does not: flags and receipts (resolve.py), which rows a
run compares again (transforms/pipeline.py).
Surprise: the full run begins from the same model and registry, so both must give the same answer byte for byte, golden
ids included; a bench whose two answers differ has measured nothing and fails.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from orchestration.bench.contestants import Failed, run_measured
from orchestration.bench.datasets import SEED, Dataset
from orchestration.bench.processes import Limits

CHANGED_SHARE = 0.01
EDITED = ("job_title", "name")  # the first of them that the set has; else its last column
TABLES = "tables.duckdb"  # of a state; without it the next run is a full one


def run(dataset: Dataset, folder: Path, limits: Limits) -> dict[str, Any]:
    """Costs of the first run, of the incremental one and of a full one, and the shares of the last two.

    Raises:
        Failed: a run ended by itself or at a limit, or the two answers differ.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    changed = folder / "changed.parquet"
    pq.write_table(one_in_a_hundred_changed(pq.read_table(dataset.records)), changed)
    standing, bare = folder / "standing", folder / "bare"
    costs = {"first": _cost(dataset, dataset.records, standing, folder / "first.parquet", limits)}
    shutil.copytree(standing, bare, ignore=shutil.ignore_patterns(f"{TABLES}*"))
    answers = {"incremental": folder / "incremental.parquet", "full": folder / "full.parquet"}
    for name, state in (("incremental", standing), ("full", bare)):
        costs[name] = _cost(dataset, changed, state, answers[name], limits)
    if not pq.read_table(answers["incremental"]).equals(pq.read_table(answers["full"])):
        raise Failed("the incremental run and the full one gave different answers")
    shutil.rmtree(folder)
    return {
        "set": dataset.name,
        "rows": dataset.rows,
        "costs": costs,
        "share": {
            name: round(costs["incremental"][name] / costs["full"][name], 4) for name in ("wall_s", "cpu_s", "peak_mb")
        },
    }


def one_in_a_hundred_changed(records: pa.Table) -> pa.Table:
    """Of the changed records a third says something else, a third is gone, and a third is new: the gone by new ids."""
    dice = np.random.Generator(np.random.PCG64(SEED))
    third = max(1, round(len(records) * CHANGED_SHARE / 3))
    chosen = dice.choice(len(records), 2 * third, replace=False)
    edited, gone = np.sort(chosen[:third]), np.sort(chosen[third:])
    column = next((name for name in EDITED if name in records.column_names), records.column_names[-1])
    said = records[column].take(pa.array(np.roll(edited, 1)))
    where = np.zeros(len(records), dtype=bool)
    where[edited] = True
    now = pc.replace_with_mask(records[column].combine_chunks(), pa.array(where), said.combine_chunks())
    stays = np.ones(len(records), dtype=bool)
    stays[gone] = False
    kept = records.set_column(records.column_names.index(column), column, now).filter(pa.array(stays))
    new = records.take(pa.array(gone))
    identifier = pc.binary_join_element_wise(new["record_id"].cast(pa.string()), "again", "-")
    place = records.column_names.index("record_id")
    new = new.set_column(place, "record_id", identifier.cast(records.schema.field(place).type))
    return pa.concat_tables([kept, new])


def lines(results: Sequence[dict[str, Any]]) -> list[str]:
    """A sentence a set."""
    return [
        f"{one['set']}: {one['rows']:,} records, 1 % changed: {_told(one['costs']['incremental'])} against "
        f"{_told(one['costs']['full'])} of a full run, which is {one['share']['cpu_s']:.1%} of CPU and "
        f"{one['share']['wall_s']:.1%} of wall"
        for one in results
    ]


def _told(cost: dict[str, Any]) -> str:
    return f"{cost['cpu_s']:.1f} CPU s, {cost['wall_s']:.1f} s, {cost['peak_mb']:,.0f} MB"


def _cost(dataset: Dataset, records: Path, state: Path, answer: Path, limits: Limits) -> dict[str, Any]:
    command = [sys.executable, "-m", "orchestration.cli", "resolve", str(records), "--entity", dataset.entity, "--json"]
    cost = run_measured([*command, "--state", str(state), "--out", str(answer)], answer.parent, limits)
    if cost.stopped:
        raise Failed(cost.stopped)
    return asdict(cost)
