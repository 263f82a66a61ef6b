"""The feed asset: commits what changed to the ledger, and writes the state as one readable file.

Belongs here: the commit of a run and `feed/latest.json`. Does not: what changed (`changes.*`), the wire's shape
(`publishing/wire.py`), HTTP (the service). Surprise: the commit is one ledger transaction for golden ids, heads, feed
log and outbox; after it the run may die at any moment and nothing is lost or told twice.
"""

import dagster as dg

from assets.common import COUNTS, INBOX_TAG, OWNERS, POOL
from assets.publishing import delivery, enrichment, feed_file, inbox, retention
from assets.publishing.commit import commit
from assets.publishing.rules import demo_rules
from assets.runtime import Runtime
from transforms.contracts import ENTITIES
from transforms.engines.duckdb import DuckDBEngine


@dg.asset(
    key=["integrator_feed"],
    group_name="delivery",
    deps=[
        *(dg.AssetKey(["changes", f"{entity}_change"]) for entity in ENTITIES),
        dg.AssetKey(["golden", "crosswalk"]),
        dg.AssetKey(["golden", "lineage"]),
        dg.AssetKey(["golden", "provenance"]),
    ],
    description="The change log that every poller reads; feed/latest.json holds the whole state in the feed's format.",
    kinds={"sqlite", "json"},
    owners=OWNERS,
    pool=POOL,
    required_resource_keys={"runtime"},
)
def integrator_feed(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    """One commit, then the file."""
    runtime: Runtime = context.resources.runtime
    with runtime.step("integrator_feed"):
        with runtime.connect() as connection:
            engine = DuckDBEngine(connection)
            changes = {entity: engine.fetch(f"changes.{entity}_change") for entity in ENTITIES}
            members = engine.fetch("golden.crosswalk")
            lineage = engine.fetch("golden.lineage")
        result = commit(
            runtime.ledger, runtime.clock, run_id=context.run.run_id, changes=changes, members=members, lineage=lineage,
            with_prospects=runtime.prospects,
        )  # fmt: skip
        carried = delivery.by_feed(runtime.publishing or demo_rules(), has_halo=runtime.halo is not None)
        delivery.settle(runtime.ledger, runtime.clock, carried, run_id=context.run.run_id)
        forgotten = retention.forget(runtime.ledger, runtime.clock)
        hints = inbox.settle(
            runtime.ledger, runtime.clock, run_id=context.run.run_id, up_to=int(context.run.tags.get(INBOX_TAG, 0))
        )
        answered = enrichment.settle(runtime.ledger, runtime.clock, runtime.asking_order)
        records = feed_file.write(runtime.ledger, runtime.data / "feed" / "latest.json")
    metadata = {
        "records": records,
        "commit": result.seq or "nothing changed",
        "members_moved": result.members_moved,
        "webhooks_settled": hints,
        "deletes_forgotten": forgotten.tombstones,
        "questions_answered": answered,
        **{f"{entity}s_{kind}": count for entity, kinds in result.counts.items() for kind, count in kinds.items()},
        COUNTS: dg.MetadataValue.json({"feed": {"records": records}}),
    }
    return dg.MaterializeResult(metadata=metadata)
