"""The HaloPSA assets: what it holds now brought to the ledger, and what changed written to it.

Belongs here: handing mirror and outbox to the publisher, and showing what its guard says as a check. Does not: how a
write is made safe, what the guard demands (`assets/publishing`).
Surprise: publishing needs neither the warehouse nor its lock; it reads the ledger alone, in slices of ten minutes, and
what is left waits in the outbox for the next run.
"""

from collections.abc import Iterator

import dagster as dg
import duckdb

from assets.common import COUNTS, OWNERS, POOL
from assets.publishing import mirror
from assets.publishing.applying import Held, publish_guarded
from assets.publishing.outbox import held_by_reason
from assets.publishing.rules import demo_rules
from assets.raw import raw_keys
from assets.runtime import Runtime
from sources.intake import retry_notes

GUARD = "guard"
RESOURCES = {"Client": "client", "Site": "site", "Users": "user"}


@dg.asset(
    key=["halo_mirror"],
    group_name="delivery",
    deps=raw_keys("halopsa"),
    description="What HaloPSA holds now, in the ledger: the base of every three-way merge.",
    kinds={"sqlite"},
    owners=OWNERS,
    pool=POOL,
    required_resource_keys={"runtime"},
)
def halo_mirror(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    """Replace the ledger's mirror by the last walk."""
    runtime: Runtime = context.resources.runtime
    with runtime.step("halo_mirror"), runtime.connect() as connection:
        walked = {resource: table for resource, table in RESOURCES.items() if _exists(connection, table)}
        payloads = {resource: _payloads(connection, table) for resource, table in walked.items()}
        rows = mirror.replace(runtime.ledger, runtime.clock, payloads)
    return dg.MaterializeResult(metadata=dict(rows))


@dg.asset(
    key=["halopsa_publish"],
    group_name="delivery",
    deps=[dg.AssetKey(["integrator_feed"]), dg.AssetKey(["halo_mirror"])],
    description="Writes what changed to HaloPSA: clients, their sites, users; only changed fields, no human edit lost.",
    kinds={"api"},
    owners=OWNERS,
    check_specs=[
        dg.AssetCheckSpec(
            GUARD,
            asset="halopsa_publish",
            description="A run that would do far more than usual, or the first on an account, is held before its first "
            "write (publishing.toml).",
        )
    ],
    required_resource_keys={"runtime"},
)
def halopsa_publish(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    """Publish what waits in the outbox."""
    runtime: Runtime = context.resources.runtime
    if not runtime.publish or runtime.halo is None:
        off = "publishing is off; changes wait in the outbox"
        return dg.MaterializeResult(metadata={"skipped": off}, check_results=[_guard(off)])
    retried_before = runtime.halo.retried.copy()
    try:
        with runtime.step("halopsa_publish"):
            result = publish_guarded(
                runtime.ledger,
                runtime.clock,
                runtime.halo,
                runtime.publishing or demo_rules(),
                run_id=context.run.run_id,
                progress=lambda _, done, total: runtime.progress.advance(done, total),
                time_s_max=runtime.publish_s_max,
            )
    except Held as held:
        context.log.warning(str(held))
        return dg.MaterializeResult(metadata={"held": str(held)}, check_results=[_guard(str(held), passed=False)])
    for problem in result.problems:
        context.log.warning(problem)
    notes = retry_notes("halopsa", runtime.halo.retried - retried_before, result.problems)
    if result.suppressed:
        notes.append(f"{result.suppressed:,} golden records are not for HaloPSA by the publishing rules.")
    counts = {state: getattr(result, state) for state in ("created", "updated", "unchanged", "held", "rejected")}
    return dg.MaterializeResult(
        check_results=[_guard("nothing to object to")],
        metadata={
            **counts,
            "retired": result.retired,
            "suppressed": result.suppressed,
            "unknown": result.unknown,
            "remaining": result.remaining,
            "conflicts": result.conflicts,
            COUNTS: dg.MetadataValue.json(
                {
                    "halo": counts,
                    "held_by_reason": held_by_reason(runtime.ledger),
                    "problems": result.problems,
                    "waiting": result.waiting,
                    "notes": notes,
                }
            ),
        },
    )


def _guard(found: str, *, passed: bool = True) -> dg.AssetCheckResult:
    """It does not block: nothing is downstream of a write but reports, and these are wanted when a run was held."""
    return dg.AssetCheckResult(check_name=GUARD, passed=passed, metadata={"found": found})


def _exists(connection: duckdb.DuckDBPyConnection, table: str) -> bool:
    """Whether a walk was ever loaded. A table that is not there must not empty the ledger's mirror: publishing would
    take everything HaloPSA holds for absent, and make it a second time."""
    query = "select 1 from duckdb_tables() where schema_name = 'raw_halopsa' and table_name = ?"
    return connection.execute(query, [table]).fetchone() is not None


def _payloads(connection: duckdb.DuckDBPyConnection, table: str) -> Iterator[str]:
    """Payloads of one mirror table."""
    rows = connection.cursor().execute(f"select payload from raw_halopsa.{table} order by id")
    while part := rows.fetchmany(10_000):
        yield from (payload for (payload,) in part)
