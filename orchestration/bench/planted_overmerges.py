"""Over-merges to plant: two golden records made one, as a wrong edge or a wrong word of a steward would.

Belongs here: choosing the pairs, gluing them in the tables. Does not: ranking (transforms/sql/quality), judging
(quality.py).
Surprise: half of them are glued by a pair that says "same" as loudly as a steward does; a ranking that believes a
single loud pair would find none of those.
"""

from __future__ import annotations

from dataclasses import dataclass

import duckdb
import numpy as np
import pyarrow as pa
from assets.quality import night
from transforms.engines.duckdb import DuckDBEngine

SHAPES = ("quality.contact_cluster_shape", "quality.organisation_cluster_shape", "quality.overmerge_suspect")
TOP_SHARE = 0.05
DECIDED_MILLI = 10**12
# Whose records are mixed up: kind -> which golden contacts belong together.
KINDS = {
    "colleagues": "organisation_golden_id",
    "namesakes": "lower(last_name)",
    "strangers": "substr(golden_id, 5, 2)",
}


@dataclass(frozen=True)
class Found:
    """Of the planted over-merges of a kind, how many stand in the top share of all clusters."""

    planted: int
    in_top: int


def play(connection: duckdb.DuckDBPyConnection, share: float, *, seed: int) -> dict[str, Found]:
    """Glue `share` of the clusters of several records, rank again, and look; `connection` is changed."""
    dice = np.random.Generator(np.random.PCG64(seed))
    ((clusters,),) = connection.execute(
        "select count(*) from (select golden_id from golden.crosswalk where entity = 'contact' "
        "group by 1 having count(*) > 1)"
    ).fetchall()
    each = max(round(clusters * share / len(KINDS)), 1)
    glued: dict[str, str] = {}
    taken: set[str] = set()
    for kind, together in KINDS.items():
        for one, two in _couples(connection, together, taken, each, dice):
            glued[one] = kind
            taken |= {one, two}
            _glue(connection, one, two, is_decided=bool(len(glued) % 2))
    engine = DuckDBEngine(connection)
    for name in SHAPES:
        night.make(engine, name)
    ((clusters,),) = connection.execute("select count(*) from quality.contact_cluster_shape").fetchall()
    places = dict(
        connection.execute("select golden_id, place from quality.overmerge_suspect where entity = 'contact'").fetchall()
    )
    top = clusters * TOP_SHARE
    return {
        kind: Found(
            sum(of == kind for of in glued.values()),
            sum(of == kind and places.get(golden_id, clusters) <= top for golden_id, of in glued.items()),
        )
        for kind in KINDS
    }


def _couples(
    connection: duckdb.DuckDBPyConnection, together: str, taken: set[str], wanted: int, dice: np.random.Generator
) -> list[tuple[str, str]]:
    """Golden contacts that are alike in `together` and yet two people, each used once."""
    rows = connection.execute(
        f"select {together} as alike, golden_id from golden.contact where {together} is not null order by 1, 2"
    ).fetchall()
    groups: dict[str, list[str]] = {}
    for alike, golden_id in rows:
        if golden_id not in taken:
            groups.setdefault(alike, []).append(golden_id)
    couples = [tuple(dice.choice(group, 2, replace=False)) for group in groups.values() if len(group) > 1]
    dice.shuffle(couples)
    return [(str(one), str(two)) for one, two in couples[:wanted]]


def _glue(connection: duckdb.DuckDBPyConnection, one: str, two: str, *, is_decided: bool) -> None:
    """All records of `two` belong to `one` from now on."""
    if is_decided:
        ends = connection.execute(
            "select crosswalk.golden_id, min(contact.rid), min(contact.record_key) from golden.crosswalk as crosswalk "
            "inner join standardised.contact as contact on crosswalk.record_key = contact.record_key "
            "where crosswalk.golden_id in (?, ?) group by 1 order by 1",
            [one, two],
        ).fetchall()
        (_, left, left_key), (_, right, right_key) = ends
        row = pa.table(
            {
                "record_key_l": [left_key],
                "record_key_r": [right_key],
                "l": [left],
                "r": [right],
                "pattern": [0],
                "weight": [DECIDED_MILLI],
                "probability": [1.0],
            }
        )
        connection.register("decided", row)
        connection.execute(
            "delete from resolved.contact_pair where l = ? and r = ?", [min(left, right), max(left, right)]
        )
        connection.execute("insert into resolved.contact_pair by name select * from decided")
    connection.execute("update golden.crosswalk set golden_id = ? where golden_id = ?", [one, two])
    connection.execute("delete from golden.contact where golden_id = ?", [two])
