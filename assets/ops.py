"""Ops assets: what the ledger knows, mirrored into the warehouse for analysts.

Belongs here: `ops.*`. Does not: the ledger itself (`assets/publishing`), the copy people open (inspection.py).
Surprise: the mirror is for reading only. Every diff is taken against the ledger's heads, never against `ops`.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import dagster as dg
import duckdb
import pyarrow as pa
import sqlalchemy as sa

from assets.common import OWNERS, POOL, table_metadata
from assets.publishing import models, runs, tables
from assets.runtime import Runtime
from transforms import standing
from transforms.context import Context
from transforms.contracts import ENTITIES
from transforms.engines.duckdb import DuckDBEngine
from transforms.model import Model

BATCH_ROWS = 50_000
# Column of any ledger table -> what it holds, for the mirrors; a test holds that none is missing.
COLUMNS = {
    "run_id": "the run that wrote the row",
    "kind": "what sort of run or work item it is",
    "state": "where the run, write, record or item stands",
    "started_at": "when the run began",
    "ended_at": "when the run ended; empty while it runs",
    "summary": "figures of the run, as JSON",
    "effect_id": "number of the write to HaloPSA",
    "golden_id": "the golden record it is about",
    "entity": "organisation or contact",
    "version": "version of the golden record",
    "resource": "HaloPSA's name for the kind of record: Client, Site or Users",
    "operation": "create, update, deactivate, or restore: a value of a person put back",
    "halo_id": "id of the record in HaloPSA",
    "other_halo_id": "id of the second HaloPSA record, where two are meant",
    "fence": "number of the lease under which it was written; larger is later",
    "status": "HTTP status of HaloPSA's answer",
    "sent_at": "when it became durable, just before it left",
    "settled_at": "when its outcome became known",
    "event_id": "number of the event",
    "at": "when it happened",
    "digest": "digest of what the event is about; holds no value of a record",
    "previous": "hash of the event before",
    "hash": "hash of this event, sealed with the one before",
    "seq": "number of the commit",
    "change_kind": "created, altered or retired",
    "content_hash": "digest of the golden record's values",
    "plan_id": "digest of the plan, or of the run that published without a file",
    "made_at": "when the plan was made",
    "expires_at": "until when it may be applied",
    "applied_at": "when it was applied; empty where it was not",
    "commit_ts": "moment of the commit; strictly increases",
    "counts": "records by entity and kind of change or write, as JSON",
    "origin": "how the HaloPSA record was found: created by us, or by golden id, domain, email, name, merge",
    "is_retired_by_us": "whether we made it inactive",
    "is_stamped": "whether the HaloPSA record carries the golden id",
    "linked_at": "when golden and HaloPSA record were linked",
    "updated_at": "when the row last changed",
    "action": "upsert or retire",
    "reason": "why it is not in HaloPSA, one sentence with what to do",
    "error_class": "class of HaloPSA's refusal",
    "attempts": "runs that failed for this version",
    "remedy": "what would mend the refusal",
    "item_id": "number of the work item",
    "field": "the field the item is about, where it is about one",
    "opened_at": "when a run first found it",
    "closed_at": "when a run found it settled",
    "credit_id": "number of the call",
    "source": "the vendor",
    "records": "records bought",
    "credits": "credits spent",
    "spent_at": "when they were set aside, just before the call left",
    "reserved": "credits set aside before the call left; where no answer came, they count as spent",
    "balance": "what the account had consumed before the call, where it says so",
}
# Table in schema ops -> table of the ledger. What was sent and what HaloPSA said stay there: they hold personal data.
MIRRORED = {
    "run": tables.run,
    "effect": tables.effect,
    "effect_event": tables.effect_event,
    "feed": tables.change_log,
    "commit": tables.commit_log,
    "crosswalk": tables.crosswalk,
    "outbox": tables.outbox,
    "plan": tables.plan,
    "work_item": tables.work_item,
    "credit": tables.credit,
}
# Table of the ledger -> why analysts have no mirror of it; a test holds that no table is in neither list.
UNMIRRORED = {
    "audit": "who administered what, for whoever runs the installation: halosync doctor checks it",
    "freshness": "told with every page of the feed",
    "hook": "addresses and secrets of subscribers",
    "prospect": "follows from head and crosswalk; the feed tells it",
    "head": "golden.organisation and golden.contact are the same, with comments",
    "golden_id": "golden.lineage says when each id began",
    "registry": "golden.crosswalk has its present members",
    "lineage": "golden.lineage is the same",
    "lookup": "an index over golden values",
    "mirror": "raw_halopsa and its standardised tables are the same",
    "model": "resolved.*_estimate and the quality report say what a model came to",
    "mark": "counters without meaning outside",
    "walk": "places of pollers in the feed",
    "call": "calls of the last minutes only; figures are in the metrics of the service",
    "inbox": "deliveries of 30 days, without content",
    "enrichment": "questions with names and e-mail addresses of people",
    "api_key": "secrets, if only by digest",
}
_SECRET = "secret"  # key inside plan.counts: what a plan's digests are made with
_LEFT_OUT = frozenset({"fields", "base", "published", "body", "message", "detail", "asked"})


def ops_asset(name: str, upstream: list[dg.AssetKey]) -> dg.AssetsDefinition:
    """Mirror of one ledger table."""
    source = MIRRORED[name]

    @dg.asset(
        key=["ops", name],
        group_name="ops",
        deps=upstream,
        description=f"Mirror of the ledger: {(source.comment or '').split(': ', 1)[-1]}",
        kinds={"sqlite", "duckdb"},
        owners=OWNERS,
        pool=POOL,
        required_resource_keys={"runtime"},
    )
    def ops(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        runtime: Runtime = context.resources.runtime
        with runtime.step("ops"), runtime.connect() as connection:
            if name == "run":  # all before it is done; how it ended in the end, the command says (full_path.py)
                runs.end(runtime.ledger, runtime.clock, run_id=context.run.run_id, state="done", summary={})
            mirror_table(runtime, connection, name)
            return dg.MaterializeResult(metadata=table_metadata(connection, f"ops.{name}"))

    return ops


@dg.asset(
    key=standing.MARK.split("."),
    group_name="ops",
    deps=[dg.AssetKey(["integrator_feed"])],
    description="What the tables were made from; a run with the same models, rules and code builds on them.",
    kinds={"duckdb"},
    owners=OWNERS,
    pool=POOL,
    required_resource_keys={"runtime"},
)
def made_from(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    """Only after the commit: what the ledger does not know yet may be built on by nobody."""
    runtime: Runtime = context.resources.runtime
    stored = {entity: models.latest(runtime.ledger, entity) for entity in ENTITIES}
    found = {entity: Model.model_validate(body) for entity, body in stored.items() if body}
    with runtime.connect() as connection:
        brought = Context(run_at=datetime.now(UTC), models=found, rules=runtime.rules)
        standing.mark(DuckDBEngine(connection), brought)
    return dg.MaterializeResult(metadata={"fingerprint": standing.fingerprint(brought)})


def mirror_table(runtime: Runtime, connection: duckdb.DuckDBPyConnection, name: str) -> None:
    """Replace `ops.<name>` by what the ledger holds, in batches."""
    source = MIRRORED[name]
    columns = [column for column in source.columns if column.name not in _LEFT_OUT]
    schema = pa.schema([(column.name, _arrow_type(column)) for column in columns])
    query = sa.select(*columns).order_by(*source.primary_key)
    with runtime.ledger.read() as ledger:
        rows = ledger.execution_options(yield_per=BATCH_ROWS).execute(query)
        batches = (_batch(part, schema) for part in rows.mappings().partitions(BATCH_ROWS))
        reader = pa.RecordBatchReader.from_batches(schema, _never_empty(batches, schema))
        connection.execute("create schema if not exists ops")
        connection.register("ledger_rows", reader)
        connection.execute(f"create or replace table ops.{name} as select * from ledger_rows")
        connection.unregister("ledger_rows")
    connection.execute(f"comment on table ops.{name} is '{_quoted(source.comment)}'")
    for column in columns:
        connection.execute(f"comment on column ops.{name}.{column.name} is '{_quoted(COLUMNS[column.name])}'")


def _batch(rows: Any, schema: pa.Schema) -> pa.RecordBatch:
    plain = [
        {name: _told(value) if isinstance(value, dict | list) else value for name, value in row.items()} for row in rows
    ]
    return pa.RecordBatch.from_pylist(plain, schema=schema)


def _told(value: dict[str, Any] | list[Any]) -> str:
    if isinstance(value, dict):
        value = {name: one for name, one in value.items() if name != _SECRET}
    return json.dumps(value)


def _never_empty(batches: Iterator[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    yield pa.RecordBatch.from_pylist([], schema=schema)
    yield from batches


def _arrow_type(column: sa.Column[Any]) -> pa.DataType:
    if isinstance(column.type, tables.Moment):
        return pa.timestamp("us", tz="UTC")
    if isinstance(column.type, sa.BigInteger | sa.Integer):
        return pa.int64()
    if isinstance(column.type, sa.Float):
        return pa.float64()
    return pa.bool_() if isinstance(column.type, sa.Boolean) else pa.string()


def _quoted(text: str | None) -> str:
    return (text or "").replace("'", "''")
