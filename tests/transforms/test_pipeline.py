"""The pipeline from inputs to changes: nothing moves that did not change, and no order shows."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from sources.world.world import World
from transforms import pipeline
from transforms.context import Context
from transforms.contracts import ENTITIES, TABLES
from transforms.engines.duckdb import DuckDBEngine
from transforms.kernels.standardise import arrow_schema
from transforms.model import Model

FIRST, SECOND = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)
GIVEN = {"standardised.contact_input", "standardised.organisation_recorded"}
Inputs = dict[str, pa.Table]


def _input(table: pa.Table, entity: str) -> pa.Table:
    """A file of the world (record_id is source:id) as the input contract."""
    known = {"record_key": table["record_id"], "source_id": table["record_id"]}
    schema = arrow_schema(TABLES[f"standardised.{entity}_input"])
    columns = {**{name: table[name] for name in table.column_names}, **known}
    arrays = [columns.get(field.name, pa.nulls(len(table), field.type)) for field in schema]
    return pa.table(arrays, schema=schema)


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    root: Path = tmp_path_factory.mktemp("world")
    World.generate(500, 3).write_raw(root)
    return {entity: _input(pq.read_table(root / f"{entity}.parquet"), entity) for entity in ENTITIES}


def _run(inputs: Inputs, context: Context) -> DuckDBEngine:
    engine = DuckDBEngine()
    pipeline.prepare(engine, context)
    engine.put("standardised.contact_input", inputs["contact"])
    engine.put("standardised.organisation_recorded", inputs["organisation"])
    for name, step in pipeline.STEPS.items():
        vendor = step.layer == "standardised" and name.split(".")[1].split("_")[0] in pipeline.SOURCES
        if name not in GIVEN and not vendor:
            pipeline.build(engine, name, context)
    return engine


def _ledger_after(engine: DuckDBEngine, context: Context) -> Context:
    """What a ledger would hand to the next run."""
    after = Context(run_at=SECOND, models=dict(context.models))
    for entity in ENTITIES:
        members = engine.fetch(f"golden.{entity}_identity")
        members = members.append_column("first_seq", pa.array([1] * len(members), pa.int64()))
        after.registry[entity] = members.append_column("is_present", pa.array([True] * len(members)))
        ids = pc.unique(members["golden_id"])
        after.ids[entity] = pa.table({"golden_id": ids, "first_seq": [1] * len(ids), "is_live": [True] * len(ids)})
        after.heads[entity] = engine.fetch(f"golden.{entity}", ("golden_id", "content_hash", "updated_at"))
    return after


def _rows(engine: DuckDBEngine, table: str, key: str) -> list[dict[str, object]]:
    return engine.fetch(table).sort_by(key).to_pylist()


@pytest.fixture(scope="module")
def first(inputs: Inputs) -> tuple[DuckDBEngine, Context]:
    context = Context(run_at=FIRST)
    return _run(inputs, context), context


def test_golden_tables_keep_their_contracts(first: tuple[DuckDBEngine, Context]) -> None:
    engine, _ = first
    for name in ("golden.contact", "golden.organisation", "golden.provenance", "golden.crosswalk", "golden.lineage"):
        table = engine.fetch(name)
        contract = TABLES[name]
        assert set(table.column_names) == set(contract.column_names), name
        assert [(n, table.schema.field(n).type) for n in contract.column_names] == [
            (field.name, field.type) for field in arrow_schema(contract)
        ], name
    assert pc.count_distinct(engine.fetch("golden.contact")["golden_id"]).as_py() == engine.count("golden.contact")


def test_every_golden_cell_is_the_value_its_provenance_names(first: tuple[DuckDBEngine, Context]) -> None:
    engine, _ = first
    golden = {row["golden_id"]: row for row in engine.fetch("golden.contact").to_pylist()}

    cells = [row for row in engine.fetch("golden.provenance").to_pylist() if row["golden_id"] in golden]

    assert len(cells) == sum(
        value is not None
        for row in golden.values()
        for name, value in row.items()
        if name not in ("golden_id", "sources", "record_count", "content_hash", "updated_at")
    )
    for cell in cells:
        value = golden[cell["golden_id"]][cell["field"]]
        assert cell["value"] == (str(value).lower() if isinstance(value, bool) else str(value))
        assert all(loser[1] != cell["value"] for loser in json.loads(cell["losers"]))


def test_a_second_run_of_the_same_data_changes_nothing(inputs: Inputs, first: tuple[DuckDBEngine, Context]) -> None:
    engine, context = first

    again = _run(inputs, _ledger_after(engine, context))

    for entity in ENTITIES:
        assert again.count(f"changes.{entity}_change") == 0
        assert _rows(again, f"golden.{entity}", "golden_id") == _rows(engine, f"golden.{entity}", "golden_id")
    assert again.count("golden.lineage") == 0


def test_one_new_title_is_one_altered_contact(inputs: Inputs, first: tuple[DuckDBEngine, Context]) -> None:
    engine, context = first
    alone = next(
        row
        for row in engine.fetch("golden.contact").sort_by("golden_id").to_pylist()
        if row["record_count"] == 1 and row["job_title"] is not None
    )
    keys = dict(zip(*engine.fetch("golden.contact_identity", ("golden_id", "record_key")).columns, strict=True))
    key = {golden.as_py(): record.as_py() for golden, record in keys.items()}[alone["golden_id"]]
    table = inputs["contact"]
    titles = pc.if_else(pc.equal(table["record_key"], key), "Keeper of the Lighthouse", table["job_title"])
    changed = table.set_column(table.column_names.index("job_title"), "job_title", titles)

    again = _run({**inputs, "contact": changed}, _ledger_after(engine, context))

    change = again.fetch("changes.contact_change").to_pylist()
    assert [(row["golden_id"], row["change_kind"], row["job_title"]) for row in change] == [
        (alone["golden_id"], "altered", "Keeper of the Lighthouse")
    ]
    assert change[0]["updated_at"] == SECOND.replace(tzinfo=None)
    assert again.count("changes.organisation_change") == 0


def test_the_order_of_arrival_does_not_show(inputs: Inputs, first: tuple[DuckDBEngine, Context]) -> None:
    """Training included: the same records in another order give the same model, partition and golden rows."""
    engine, context = first
    dice = np.random.Generator(np.random.PCG64(5))
    shuffled = {entity: table.take(dice.permutation(len(table))) for entity, table in inputs.items()}
    other = Context(run_at=FIRST)

    again = _run(shuffled, other)

    assert other.models == context.models
    for entity in ENTITIES:
        assert _rows(again, f"golden.{entity}", "golden_id") == _rows(engine, f"golden.{entity}", "golden_id")


def test_a_model_survives_storage(first: tuple[DuckDBEngine, Context]) -> None:
    for model in first[1].models.values():
        assert Model.model_validate_json(model.model_dump_json()) == model


def test_every_step_names_inputs_that_exist_before_it() -> None:
    known = {*pipeline.PREPARED, *(f"raw_{source}.{entity}" for source in pipeline.SOURCES for entity in ENTITIES)}
    for name, step in pipeline.STEPS.items():
        assert set(step.inputs) <= known, f"{name}: {set(step.inputs) - known}"
        known.add(name)


def test_blocks_that_are_too_large_are_reported(inputs: Inputs) -> None:
    """Hostile: everybody has one phone and one name. Memory and time stay bounded, and the report says what it cost."""
    table = inputs["contact"]
    for name, value in (("first_name", "Ann"), ("last_name", "Lee"), ("phone", "+442079460000")):
        table = table.set_column(table.column_names.index(name), name, pa.array([value] * len(table), pa.string()))

    engine = _run({**inputs, "contact": table}, Context(run_at=FIRST))

    report = {row["rule"]: row for row in engine.fetch("resolved.contact_block_report").to_pylist()}
    assert report["names"]["split_blocks"] > 0
    assert engine.count("golden.contact") >= 1
