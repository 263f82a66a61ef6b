"""Order does not show: rows shuffled, batches cut anywhere, records arriving at any time.

HALOSYNC_PERMUTATIONS says how many permutations and how many batchings are tried (default 3 of each);
HALOSYNC_ORDER_PEOPLE how many people the world has (default 300; 10,400 make some 20,000 records). A failing one is named
by its seed.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterable
from pathlib import Path

import pytest

from sources.world.world import World
from tests.transforms.test_incremental import COMPARED, Ledger, Rows, _rows, _run, _sorted
from transforms.contracts import ENTITIES
from transforms.engines import duckdb as engine_module
from transforms.engines.duckdb import DuckDBEngine
from transforms.model import Model

TRIES = int(os.environ.get("HALOSYNC_PERMUTATIONS", "3"))
PEOPLE = int(os.environ.get("HALOSYNC_ORDER_PEOPLE", "300"))
COPIES = 40  # of one record: over every cap of copy.sql
# Ids are minted from who came first, and times tell when; all else of a golden row is its members'.
OF_HISTORY = {"golden_id", "organisation_golden_id", "content_hash", "updated_at"}
Partition = dict[str, frozenset[frozenset[str]]]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Rows:
    root: Path = tmp_path_factory.mktemp("world")
    World.generate(PEOPLE, 5).write_raw(root)
    rows = {entity: list(_rows(root / f"{entity}.parquet", entity)) for entity in ENTITIES}
    for entity in ENTITIES:
        rows[entity] += [rows[entity][0] | {"record_key": f"x:{n}", "source_id": f"x:{n}"} for n in range(COPIES)]
    return rows


@pytest.fixture(scope="module")
def reference(world: Rows) -> tuple[DuckDBEngine, dict[str, Model]]:
    engine = DuckDBEngine(threads=1)
    return engine, _run(engine, world, Ledger().context(0, {}, is_incremental=False)).models


def _shuffled(rows: Rows, dice: random.Random) -> Rows:
    return {entity: dice.sample(of_entity, len(of_entity)) for entity, of_entity in rows.items()}


def _cut_anywhere(monkeypatch: pytest.MonkeyPatch, dice: random.Random) -> None:
    for name in ("BATCH_ROWS", "HEAVY_BATCH_ROWS", "PAIR_BATCH_ROWS"):
        monkeypatch.setattr(engine_module, name, dice.choice([97, 2_048, 5_000, 100_000]))


@pytest.mark.timeout(0)
@pytest.mark.parametrize("seed", range(TRIES))
def test_the_order_of_rows_and_the_edges_of_batches_do_not_show(
    seed: int, world: Rows, reference: tuple[DuckDBEngine, dict[str, Model]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Training included: the same model, table for table the same rows, ids too, on one thread and on two."""
    dice = random.Random(seed)
    _cut_anywhere(monkeypatch, dice)

    with DuckDBEngine(threads=1 + seed % 2) as engine:
        found = _run(engine, _shuffled(world, dice), Ledger().context(0, {}, is_incremental=False)).models

        assert found == reference[1], f"another model: seed {seed}"
        for table in COMPARED:
            assert _sorted(engine, table).equals(_sorted(reference[0], table)), f"{table} differs: seed {seed}"


def _members(engine: DuckDBEngine, entity: str) -> dict[str, frozenset[str]]:
    """Golden id -> its source records."""
    members: dict[str, set[str]] = {}
    for row in engine.fetch(f"golden.{entity}_identity").to_pylist():
        members.setdefault(row["golden_id"], set()).add(row["record_key"])
    return {golden_id: frozenset(keys) for golden_id, keys in members.items()}


def _content(engine: DuckDBEngine, entity: str) -> list[tuple[object, ...]]:
    """Golden rows without what only their history says; an employer is told by its members."""
    members = {name: members for of in ENTITIES for name, members in _members(engine, of).items()}
    rows = []
    for row in engine.fetch(f"golden.{entity}").to_pylist():
        employer = sorted(members.get(row.get("organisation_golden_id"), ()))
        told = [f"{name}={value}" for name, value in row.items() if name not in OF_HISTORY]
        rows.append((sorted(members[row["golden_id"]]), employer, told))
    return sorted(rows)


def _assert_unmoved_ids(before: dict[str, frozenset[str]], after: dict[str, frozenset[str]], told: str) -> None:
    id_before = {keys: golden_id for golden_id, keys in before.items()}
    moved = {keys for golden_id, keys in after.items() if id_before.get(keys, golden_id) != golden_id}
    assert not moved, f"{told}: the same members under another id: {sorted(map(sorted, moved))[:3]}"


def _parts(rows: Rows, dice: random.Random) -> list[Rows]:
    """The records in one to nine batches of any size; contacts and organisations come mixed."""
    count = dice.randint(1, 9)
    parts: list[Rows] = [{entity: [] for entity in ENTITIES} for _ in range(count)]
    weights = [dice.random() ** 3 for _ in parts]
    for entity, of_entity in rows.items():
        for row, part in zip(of_entity, dice.choices(parts, weights, k=len(of_entity)), strict=True):
            part[entity].append(row)
    return parts


def _joined(parts: Iterable[Rows]) -> Rows:
    found: Rows = {entity: [] for entity in ENTITIES}
    for part in parts:
        for entity in ENTITIES:
            found[entity] += part[entity]
    return found


@pytest.mark.timeout(0)
@pytest.mark.parametrize("seed", range(TRIES))
def test_when_records_arrive_does_not_show(
    seed: int, world: Rows, reference: tuple[DuckDBEngine, dict[str, Model]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In batches, one of them taken back and sent again: one partition, one set of golden rows but for ids and times.

    After each batch an entity whose members did not change has the id that it had.
    """
    dice = random.Random(seed)
    _cut_anywhere(monkeypatch, dice)
    whole, models = reference
    parts = _parts(_shuffled(world, dice), dice)
    arrivals = [parts[: number + 1] for number in range(len(parts))]
    taken = dice.randrange(len(parts))
    arrivals += [parts[:taken] + parts[taken + 1 :], parts]
    ledger = Ledger()
    members: dict[str, dict[str, frozenset[str]]] = {entity: {} for entity in ENTITIES}

    with DuckDBEngine(threads=1 + seed % 2) as engine:
        for run, arrived in enumerate(arrivals):
            context = ledger.context(run, models, is_incremental=run > 0)
            _run(engine, _joined(arrived), context)
            ledger.keep(engine, run)
            for entity in ENTITIES:
                before, members[entity] = members[entity], _members(engine, entity)
                _assert_unmoved_ids(before, members[entity], f"seed {seed}, run {run}, {entity}")

        for entity in ENTITIES:
            partition = set(members[entity].values())
            assert partition == set(_members(whole, entity).values()), f"another partition: seed {seed}"
            assert _content(engine, entity) == _content(whole, entity), f"other golden rows: seed {seed}"
