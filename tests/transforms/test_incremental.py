"""An incremental run equals a full one, byte for byte, whatever happened before.

HALOSYNC_HISTORIES says how many random histories are played (default 2); the failing one is named by its seed.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sources.world.world import World
from transforms import pipeline, standing
from transforms.context import DECISION_SCHEMA, IDS_SCHEMA, REGISTRY_SCHEMA, Context
from transforms.contracts import ENTITIES, TABLES
from transforms.engines.duckdb import DuckDBEngine
from transforms.kernels.standardise import arrow_schema
from transforms.model import Model
from transforms.survivorship.locks import LOCK_SCHEMA

HISTORIES = int(os.environ.get("HALOSYNC_HISTORIES", "2"))
STEPS_EACH = 3
GIVEN = {"contact": "standardised.contact_input", "organisation": "standardised.organisation_recorded"}
COMPARED = [
    *(f"standardised.{entity}" for entity in ENTITIES),
    *(f"resolved.{entity}_{name}" for entity in ENTITIES for name in ("feature", "key", "pair", "cluster")),
    *(f"golden.{entity}" for entity in ENTITIES),
    "golden.crosswalk",
    "golden.lineage",
    "golden.provenance",
    *(f"changes.{entity}_change" for entity in ENTITIES),
]
Rows = dict[str, list[dict[str, object]]]


@dataclass
class Ledger:
    """What the real one would hand to the next run."""

    members: dict[str, dict[str, dict[str, object]]] = field(default_factory=lambda: {name: {} for name in ENTITIES})
    ages: dict[str, dict[str, int]] = field(default_factory=lambda: {name: {} for name in ENTITIES})
    live: dict[str, set[str]] = field(default_factory=lambda: {name: set() for name in ENTITIES})
    here: dict[str, set[str]] = field(default_factory=lambda: {name: set() for name in ENTITIES})
    heads: dict[str, pa.Table] = field(default_factory=dict)

    def keep(self, engine: DuckDBEngine, run: int) -> None:
        for entity in ENTITIES:
            members = engine.fetch(f"golden.{entity}_identity").to_pylist()
            self.members[entity] |= {row["record_key"]: row for row in members}
            self.here[entity] = {str(row["record_key"]) for row in members}
            self.live[entity] = {row["golden_id"] for row in members}
            for golden_id in sorted(self.live[entity]):
                self.ages[entity].setdefault(golden_id, run)
            self.heads[entity] = engine.fetch(f"golden.{entity}", ("golden_id", "content_hash", "updated_at"))

    def context(self, run: int, models: dict[str, Model], *, is_incremental: bool) -> Context:
        context = Context(
            run_at=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=run),
            models=dict(models),
            heads=dict(self.heads),
            is_incremental=is_incremental,
        )
        for entity in ENTITIES:
            ages = self.ages[entity]
            here = self.here[entity]
            rows = [
                {**row, "first_seq": ages[row["golden_id"]], "is_present": row["record_key"] in here}
                for row in self.members[entity].values()
            ]
            context.registry[entity] = pa.Table.from_pylist(rows, schema=REGISTRY_SCHEMA)
            ids = [
                {"golden_id": name, "first_seq": age, "is_live": name in self.live[entity]}
                for name, age in ages.items()
            ]
            context.ids[entity] = pa.Table.from_pylist(ids, schema=IDS_SCHEMA)
        return context


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Rows:
    root: Path = tmp_path_factory.mktemp("world")
    World.generate(420, 5).write_raw(root)
    return {entity: list(_rows(root / f"{entity}.parquet", entity)) for entity in ENTITIES}


def _rows(path: Path, entity: str) -> Iterator[dict[str, object]]:
    """A file of the world (record_id is source:id) as the input contract."""
    names = arrow_schema(TABLES[f"standardised.{entity}_input"]).names
    for row in pq.read_table(path).to_pylist():
        yield {name: row.get(name) for name in names} | {"record_key": row["record_id"], "source_id": row["record_id"]}


def _run(engine: DuckDBEngine, rows: Rows, context: Context) -> Context:
    pipeline.prepare(engine, context)
    for entity in ENTITIES:
        schema = arrow_schema(TABLES[f"standardised.{entity}_input"])
        engine.put(GIVEN[entity], pa.Table.from_pylist(rows[entity], schema=schema))
    for name, step in pipeline.STEPS.items():
        of_vendor = step.layer == "standardised" and name.split(".")[1].split("_")[0] in pipeline.SOURCES
        if name not in GIVEN.values() and not of_vendor:
            pipeline.build(engine, name, context)
    standing.mark(engine, context)
    return context


def _edit(rows: Rows, pool: Rows, dice: random.Random) -> None:
    """Add, take away, change: values come from other records, so that blocks and clusters really move."""
    for _ in range(dice.choice([1, 4, 20, 60])):
        entity = dice.choice(["contact", "contact", "contact", "organisation"])
        of_entity, kind = rows[entity], dice.random()
        if kind < 0.3 and pool[entity]:
            of_entity.append(pool[entity].pop())
        elif kind < 0.5 and len(of_entity) > 5:
            pool[entity].append(of_entity.pop(dice.randrange(len(of_entity))))
        else:
            place, other = dice.randrange(len(of_entity)), dice.choice(of_entity)
            name = dice.choice([name for name in other if name not in ("record_key", "source", "source_id")])
            of_entity[place] = of_entity[place] | {name: other[name] if dice.random() < 0.8 else None}
    for of_entity in rows.values():
        dice.shuffle(of_entity)


def _decide(rows: Rows, decisions: dict[str, list[dict[str, object]]], dice: random.Random) -> None:
    entity = dice.choice(ENTITIES)
    if decisions[entity] and dice.random() < 0.3:
        decisions[entity].pop()
    elif dice.random() < 0.6:
        left, right = sorted(str(row["record_key"]) for row in dice.sample(rows[entity], 2))
        decisions[entity].append({"record_key_l": left, "record_key_r": right, "is_same": dice.random() < 0.6})


def _lock(rows: Rows, locks: list[dict[str, object]], dice: random.Random) -> None:
    if locks and dice.random() < 0.3:
        locks.pop()
    elif dice.random() < 0.5:
        key = dice.choice(rows["contact"])["record_key"]
        if not any(lock["record_key"] == key for lock in locks):
            lock = {"entity": "contact", "record_key": key, "field": "job_title", "value": "Chair", "seq": len(locks)}
            locks.append(lock)


def _sorted(engine: DuckDBEngine, table: str) -> pa.Table:
    found = engine.fetch(table)
    found = found.select(sorted(found.column_names))
    return found.sort_by([(name, "ascending") for name in found.column_names])


@pytest.mark.parametrize("seed", range(HISTORIES))
def test_incremental_equals_full_through_any_history(seed: int, world: Rows) -> None:
    """Adds, edits, removals, decisions and locks, in several batch sizes, under one model."""
    dice = random.Random(seed)
    rows: Rows = {entity: [] for entity in ENTITIES}
    pool: Rows = {entity: [] for entity in ENTITIES}
    for entity in ENTITIES:
        for row in world[entity]:
            (rows if dice.random() < 0.8 else pool)[entity].append(dict(row))
    decisions: dict[str, list[dict[str, object]]] = {entity: [] for entity in ENTITIES}
    locks: list[dict[str, object]] = []
    ledger = Ledger()
    standing_engine = DuckDBEngine()
    models = _run(standing_engine, rows, ledger.context(0, {}, is_incremental=False)).models
    ledger.keep(standing_engine, 0)

    for run in range(1, STEPS_EACH + 1):
        _edit(rows, pool, dice)
        _decide(rows, decisions, dice)
        _lock(rows, locks, dice)
        found = {}
        for is_incremental, engine in ((True, standing_engine), (False, DuckDBEngine())):
            context = ledger.context(run, models, is_incremental=is_incremental)
            context.decisions = {
                name: pa.Table.from_pylist(listed, schema=DECISION_SCHEMA) for name, listed in decisions.items()
            }
            context.locks = pa.Table.from_pylist(locks, schema=LOCK_SCHEMA)
            _run(engine, rows, context)
            assert context.is_incremental is is_incremental
            found[is_incremental] = {table: _sorted(engine, table) for table in COMPARED}

        for table in COMPARED:
            assert found[True][table].equals(found[False][table]), f"{table} differs: seed {seed}, run {run}"
        ledger.keep(standing_engine, run)


def test_a_run_that_died_is_followed_by_a_full_one(world: Rows) -> None:
    """Tables in between may be built on by nobody."""
    engine, ledger = DuckDBEngine(), Ledger()
    models = _run(engine, world, ledger.context(0, {}, is_incremental=False)).models
    ledger.keep(engine, 0)

    pipeline.prepare(engine, ledger.context(1, models, is_incremental=True))
    again = ledger.context(2, models, is_incremental=True)
    pipeline.prepare(engine, again)

    assert not again.is_incremental


def test_nothing_changed_means_nothing_compared(world: Rows) -> None:
    engine, ledger = DuckDBEngine(), Ledger()
    models = _run(engine, world, ledger.context(0, {}, is_incremental=False)).models
    ledger.keep(engine, 0)

    context = _run(engine, world, ledger.context(1, models, is_incremental=True))

    assert context.is_incremental
    for entity in ENTITIES:
        assert engine.count(f"standardised.{entity}_arriving") == 0
        assert engine.count(f"resolved.{entity}_candidate") == 0
        assert engine.count(f"golden.{entity}_touched") == 0
        assert engine.count(f"changes.{entity}_change") == 0
