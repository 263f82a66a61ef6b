"""One run at a time on a data folder, however it was started.

Belongs here: the lease that a run of Dagster's server takes, and closing runs whose process died.
Does not: the lock itself (`assets/publishing/ledger.py`); the command line takes the same lease in `full_path.py`.
Surprise: Dagster only knows what a run last said, so a run that was killed counts as running for ever: the schedule
would skip, and the queue wait, until somebody cleared it by hand. Whoever holds the lease knows that no other run
is alive, and closes those.
"""

from __future__ import annotations

from collections.abc import Iterator

import dagster as dg
from assets.common import JOB
from assets.runtime import Runtime

LEASE = JOB
_BEGUN = [dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]


def leased(runtime: Runtime) -> dg.ResourceDefinition:
    """The runtime for runs of Dagster's server: held for the whole run, steps of two runs never mix.

    Raises (in the run):
        LedgerBusy: a run of the command line holds the lease.
    """

    @dg.resource(description="Paths, clock, sources, HaloPSA and ledger of this data folder; one run at a time.")
    def resource(context: dg.InitResourceContext) -> Iterator[Runtime]:
        with runtime.ledger.lease(LEASE):
            if context.instance is not None:
                close_dead_runs(context.instance, but=context.run.run_id if context.run else None)
            yield runtime

    return resource


def close_dead_runs(instance: dg.DagsterInstance, *, but: str | None = None) -> list[str]:
    """Mark every begun run but one as failed; returns their ids. Only for whoever holds the lease."""
    dead = [run for run in instance.get_runs(filters=dg.RunsFilter(statuses=_BEGUN)) if run.run_id != but]
    for run in dead:
        instance.report_run_failed(
            run, message="The process of this run ended before the run did; the next one goes on."
        )
    return [run.run_id for run in dead]
