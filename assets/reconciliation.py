"""The nightly reconciliation asset: all of HaloPSA against the ledger.

Belongs here: running it as an asset, with its counts. Does not: the comparison (assets/publishing/reconcile.py).
Surprise: it is no part of the full sync, which brings a mirror of its own; a walk of a large tenant takes many windows
of the rate limit.
"""

import dagster as dg

from assets.common import OWNERS
from assets.publishing.reconcile import reconcile
from assets.runtime import Runtime

GROUP = "reconcile"


@dg.asset(
    key=["halopsa_reconciliation"],
    group_name=GROUP,
    description="All of HaloPSA compared with the ledger: orphans, doubles, deleted records, lost writes, human edits.",
    kinds={"api"},
    owners=OWNERS,
    required_resource_keys={"runtime"},
)
def halopsa_reconciliation(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    """Walk, compare, repair by rule, renew the work list."""
    runtime: Runtime = context.resources.runtime
    if runtime.halo is None:
        return dg.MaterializeResult(metadata={"skipped": "HaloPSA is not configured"})
    with runtime.step("halopsa_reconciliation"):
        findings = reconcile(
            runtime.ledger, runtime.clock, runtime.halo, run_id=context.run.run_id, rules=runtime.publishing
        )
    for problem in findings.problems:
        context.log.warning(problem)
    return dg.MaterializeResult(
        metadata={
            **findings.records,
            **findings.found,
            "relinked": findings.relinked,
            "replanned": findings.replanned,
            "items_opened": findings.opened,
            "items_closed": findings.closed,
        }
    )
