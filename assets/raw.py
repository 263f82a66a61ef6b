"""Raw assets: one multi-asset a source, loaded by dlt, as the source sent it.

Belongs here: running a source, its metadata, what happens when it is down.
Does not: how a source is read (`sources/`), what its fields mean (`transforms/sql/standardised`).
Surprise: a source that is down does not fail the run. The others load, its tables keep what they had, nothing is
inferred deleted, and the run ends as *partial*.
Why no `@dlt_assets` of dagster-dlt: it wants the dlt source when definitions are loaded, and ours exists only with a
client, a clock and an archive (docs/decisions/0004).
"""

from collections.abc import Iterator

import dagster as dg

from assets.common import COUNTS, OWNERS, POOL, SOURCES_TAG, table_metadata
from assets.publishing import enrichment, freshness
from assets.runtime import Runtime
from sources.http import VendorError
from sources.intake import Meter
from sources.load import load

VENDOR_TABLES = {
    "contact": "People as the source sent them, one row a person, payload as JSON.",
    "organisation": "Companies as the source sent them, one row a company, payload as JSON.",
    "quarantine": "Rows that were not let in, each with field, reason and remedy.",
}
MIRROR_TABLES = {
    "client": "HaloPSA's clients as they are now.",
    "site": "HaloPSA's sites as they are now.",
    "user": "HaloPSA's users as they are now, General Users included.",
    "quarantine": VENDOR_TABLES["quarantine"],
}
TABLES = {
    "apollo": VENDOR_TABLES,
    "zoominfo": VENDOR_TABLES,
    "uplead": VENDOR_TABLES,
    "exports": {name: VENDOR_TABLES[name] for name in ("contact", "quarantine")},
    "halopsa": MIRROR_TABLES,
}


def raw_keys(source: str) -> list[dg.AssetKey]:
    """The asset keys of a source's raw tables."""
    return [dg.AssetKey([f"raw_{source}", table]) for table in TABLES[source]]


def raw_asset(source: str) -> dg.AssetsDefinition:
    """The multi-asset of one source."""
    specs = [
        dg.AssetSpec(
            key=[f"raw_{source}", table],
            group_name="raw",
            description=description,
            kinds={"dlt", "duckdb"},
            owners=OWNERS,
            skippable=True,
        )
        for table, description in TABLES[source].items()
    ]

    @dg.multi_asset(name=f"raw_{source}", specs=specs, pool=POOL, required_resource_keys={"runtime"})
    def raw(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult]:
        runtime: Runtime = context.resources.runtime
        meter = Meter(source, run_id=context.run.run_id)
        with runtime.step(f"raw_{source}"):
            hinted = context.run.tags.get(SOURCES_TAG)
            if hinted is not None and source not in hinted.split(","):
                context.log.info(f"no webhook named {source}; its raw tables stay as they are")
            elif source in runtime.sources:
                _load(runtime, source, meter)
                enrichment.note_tried(runtime.ledger, source, meter.asked)
            else:
                context.log.info(f"{source} is not configured; its raw tables stay as they are")
        for line in (*meter.problems, *meter.refusals(), *meter.retries()):
            context.log.warning(line)
        with runtime.connect() as connection:
            for index, table in enumerate(TABLES[source]):
                metadata = table_metadata(connection, f"raw_{source}.{table}")
                if index == 0:
                    metadata[COUNTS] = dg.MetadataValue.json(_counts(meter))
                yield dg.MaterializeResult(asset_key=[f"raw_{source}", table], metadata=metadata)

    return raw


def _load(runtime: Runtime, source: str, meter: Meter) -> None:
    with runtime.connect():
        pass  # dlt fails at once on a locked file; we wait for the lock first
    try:
        dlt_source = runtime.sources[source](meter)
        load(dlt_source, name=source, warehouse=runtime.warehouse, state=runtime.data / "dlt")
        if not meter.problems:
            freshness.note(runtime.ledger, runtime.clock, source)
    except Exception as error:
        vendor = _vendor_error_in(error)
        if vendor is None:
            raise
        meter.problem(f"{source} is down ({vendor}); its tables keep what they had, the other sources were loaded.")


def _vendor_error_in(error: BaseException | None) -> VendorError | None:
    """dlt wraps what a resource raises, sometimes twice."""
    while error is not None:
        if isinstance(error, VendorError):
            return error
        error = getattr(error, "exception", None) or error.__cause__ or error.__context__
    return None


def _counts(meter: Meter) -> dict[str, object]:
    return {
        "source": meter.source,
        "fetched": dict(meter.fetched),
        "bought": dict(meter.bought),
        "missed": dict(meter.missed),
        "credits": meter.credits,
        "quarantined": meter.quarantined,
        "problems": meter.problems,
        "waiting": meter.refusals(),
        "notes": meter.retries(),
    }
