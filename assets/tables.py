"""One asset a table: every step of `transforms/pipeline.py`, by layer, with its lineage.

Belongs here: wrapping a step as an asset, and bringing the ledger's knowledge to the pipeline. Does not: how a table is
made (`transforms/`). Surprise: there is one factory for all layers, because the pipeline already says which table feeds
which; a new step becomes an asset without a line here.
"""

from datetime import UTC, datetime
from typing import Any

import dagster as dg
import duckdb

from assets import describe
from assets.common import COUNTS, JOB, OWNERS, POOL, table_metadata
from assets.publishing import heads, models, registry, runs
from assets.publishing.ledger import next_stamp
from assets.raw import TABLES as RAW_TABLES
from assets.runtime import Runtime
from transforms import pipeline
from transforms.context import Context
from transforms.contracts import ENTITIES
from transforms.engines.duckdb import DuckDBEngine
from transforms.model import Model
from transforms.pipeline import PREPARED, STEPS, Step

LEDGER_STATE = dg.AssetKey(["ops", "ledger_state"])
KINDS = {
    "sql": {"sql"},
    "map": {"arrow", "python"},
    "groups": {"arrow", "python"},
    "pairs": {"arrow", "python"},
    "driver": {"python"},
}
# Tables whose row counts make the run's summary: table -> (key of the summary, entity).
COUNTED = {
    **{f"standardised.{entity}": ("standardised", entity) for entity in ENTITIES},
    **{f"resolved.{entity}_pair": ("pairs", entity) for entity in ENTITIES},
    **{f"golden.{entity}": ("golden", entity) for entity in ENTITIES},
    **{f"changes.{entity}_change": ("changes", entity) for entity in ENTITIES},
}
# Steps that want the model. Those before the training must not see an outgrown one.
BEFORE_TRAINING = ("value", "sample", "pattern", "weight")
LEARNING = {
    f"resolved.{entity}_{part}": entity
    for entity in ENTITIES
    for part in (*BEFORE_TRAINING, "unmet", "group", "estimate")
}


def key_of(table: str) -> dg.AssetKey:
    """The asset of a table; what the ledger knows comes from one asset."""
    return LEDGER_STATE if table in PREPARED else dg.AssetKey(table.split("."))


def _dependencies(step: Step) -> list[dg.AssetKey]:
    """Assets a step reads. Raw tables of a source that is not configured are made by the state."""
    keys = {key_of(name) for name in step.inputs}
    if any(name.startswith("raw_") for name in step.inputs):
        keys.add(LEDGER_STATE)
    return sorted(keys)


@dg.asset(
    key=LEDGER_STATE,
    group_name="ledger",  # not ops: read by all that follows, where the mirrors in ops come last
    deps=[dg.AssetKey([f"raw_{source}", table]) for source, tables in RAW_TABLES.items() for table in tables],
    description="Registry of golden ids, live heads and the moment of the run, put beside the tables for this run.",
    kinds={"sqlite", "duckdb"},
    owners=OWNERS,
    pool=POOL,
    required_resource_keys={"runtime"},
)
def ledger_state(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    """What the pipeline needs from the ledger."""
    runtime: Runtime = context.resources.runtime
    with runtime.step("ledger_state"), runtime.connect() as connection:
        engine = DuckDBEngine(connection)
        runs.begin(runtime.ledger, runtime.clock, run_id=context.run.run_id, kind=JOB)
        with runtime.ledger.transaction() as transaction:
            run_at = next_stamp(transaction, runtime.clock)
        brought = Context(
            run_at=run_at,
            registry={entity: registry.as_arrow(runtime.ledger, entity) for entity in ENTITIES},
            ids={entity: registry.ids_as_arrow(runtime.ledger, entity) for entity in ENTITIES},
            heads={entity: heads.as_arrow(runtime.ledger, entity) for entity in ENTITIES},
            models=_models_that_fit(runtime, engine),
            rules=runtime.rules,
            is_incremental=True,
        )
        pipeline.prepare(engine, brought)
    live = {entity: brought.heads[entity].num_rows for entity in ENTITIES}
    metadata = {"run_at": run_at.isoformat(), "is_incremental": brought.is_incremental, **live}
    return dg.MaterializeResult(metadata=metadata)


def _models_that_fit(runtime: Runtime, engine: DuckDBEngine) -> dict[str, Model]:
    """The models of the ledger; none where the data have outgrown them, so that this run trains anew."""
    stored = {entity: models.latest(runtime.ledger, entity) for entity in ENTITIES}
    found = {entity: Model.model_validate(body) for entity, body in stored.items() if body}
    raw = [f"raw_{source}.contact" for source in RAW_TABLES if engine.has(f"raw_{source}.contact")]
    records = sum(engine.count(table) for table in raw)
    return {} if "contact" in found and found["contact"].is_outgrown(records) else found


def table_asset(step: Step) -> dg.AssetsDefinition:
    """The asset of one step."""

    @dg.asset(
        key=step.name.split("."),
        group_name=step.layer,
        deps=_dependencies(step),
        description=describe.description(step.name),
        metadata=describe.metadata(step.name),
        kinds={"duckdb", *KINDS[step.how]},
        owners=OWNERS,
        pool=POOL,
        required_resource_keys={"runtime"},
    )
    def table(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        runtime: Runtime = context.resources.runtime
        with runtime.step(step.name), runtime.connect() as connection:
            _build(runtime, connection, step.name, run_id=context.run.run_id)
            metadata = table_metadata(connection, step.name)
        if step.name in COUNTED:
            key, entity = COUNTED[step.name]
            metadata[COUNTS] = dg.MetadataValue.json({key: {entity: metadata["dagster/row_count"]}})
        return dg.MaterializeResult(metadata=metadata)

    return table


def _build(runtime: Runtime, connection: duckdb.DuckDBPyConnection, name: str, *, run_id: str) -> None:
    """Build one table; a model that is trained on the way is kept in the ledger at once and frozen from then on."""
    engine = DuckDBEngine(connection)
    row = connection.execute("select run_at, is_incremental, is_training from ops.run_moment").fetchone()
    assert row is not None, "ops.ledger_state writes the moment of the run"
    run_at, is_incremental, is_training = row
    brought = Context(run_at=_utc(run_at), rules=runtime.rules, is_incremental=is_incremental)
    entity = LEARNING.get(name)
    is_before = is_training and name.rsplit("_", 1)[-1] in BEFORE_TRAINING
    stored = models.latest(runtime.ledger, entity) if entity and not is_before else None
    if entity and stored:
        brought.models[entity] = Model.model_validate(stored)
    pipeline.build(engine, name, brought)
    if entity and entity in brought.models:
        learned = {entity: brought.models[entity].model_dump(mode="json")}
        with runtime.ledger.transaction() as transaction:
            learned = models.differing(transaction, learned)
            models.store(transaction, learned, run_id=run_id, at=brought.run_at)


def _utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def table_assets() -> list[Any]:
    """All of them, in the order of the pipeline."""
    return [ledger_state, *(table_asset(step) for step in STEPS.values())]
