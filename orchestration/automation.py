"""When things run by themselves: jobs, schedules, sensors.

Belongs here: what is started and when. Does not: what a job does (assets).
Surprise: schedules start stopped unless HALOSYNC_SCHEDULES=running, because opening the UI to look around must not
begin to write to somebody's HaloPSA. `halosync up` sets it.
"""

import os

import dagster as dg
from assets import reconciliation
from assets.common import INBOX_TAG, JOB, SOURCES_TAG
from assets.publishing import inbox
from assets.raw import TABLES
from assets.runtime import Runtime

QUALITY_JOB = "nightly_quality"
RECONCILIATION_JOB = "nightly_reconciliation"
INBOX_S = 15

full_sync = dg.define_asset_job(
    JOB,
    selection=dg.AssetSelection.all() - dg.AssetSelection.groups("quality", reconciliation.GROUP),
    description="The whole path: sources, standardised, resolved, golden, feed, HaloPSA, inspection copy.",
    tags={"halosync/kind": "full_sync"},
)
nightly_quality = dg.define_asset_job(
    QUALITY_JOB,
    selection=dg.AssetSelection.groups("quality"),
    description="The data-quality report on what is in the warehouse.",
    tags={"halosync/kind": "quality"},
)
nightly_reconciliation = dg.define_asset_job(
    RECONCILIATION_JOB,
    selection=dg.AssetSelection.groups(reconciliation.GROUP),
    description="All of HaloPSA compared with the ledger; differences named, repaired by rule or listed.",
    tags={"halosync/kind": "reconciliation"},
)


def _is_busy(context: dg.ScheduleEvaluationContext | dg.SensorEvaluationContext) -> bool:
    """Whether a full sync is queued or running: a second one would only wait for the first one's lock."""
    unfinished = [dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED]
    runs = context.instance.get_runs(filters=dg.RunsFilter(job_name=JOB, statuses=unfinished), limit=1)
    return bool(runs)


def schedules(runtime: Runtime) -> list[dg.ScheduleDefinition]:
    """Every 30 minutes the full path, at 02:00 the report, at 03:00 HaloPSA against the ledger; all in UTC."""
    is_running = os.environ.get("HALOSYNC_SCHEDULES") == "running"
    status = dg.DefaultScheduleStatus.RUNNING if is_running else dg.DefaultScheduleStatus.STOPPED

    @dg.schedule(
        name="every_30_minutes",
        cron_schedule="*/30 * * * *",
        job=full_sync,
        execution_timezone="UTC",
        default_status=status,
        description="Full sync; skipped while one is queued or running.",
    )
    def every_30_minutes(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        if _is_busy(context):
            return dg.SkipReason("A full sync is queued or running.")
        tags = {INBOX_TAG: str(_newest_hint(runtime))}
        return dg.RunRequest(run_key=context.scheduled_execution_time.isoformat(), tags=tags)

    nightly = dg.ScheduleDefinition(
        name="nightly_at_2",
        cron_schedule="0 2 * * *",
        job=nightly_quality,
        execution_timezone="UTC",
        default_status=status,
        description="The nightly data-quality report.",
    )
    reconciling = dg.ScheduleDefinition(
        name="nightly_at_3",
        cron_schedule="0 3 * * *",
        job=nightly_reconciliation,
        execution_timezone="UTC",
        default_status=status,
        description="The nightly reconciliation of HaloPSA and ledger.",
    )
    return [every_30_minutes, nightly, reconciling]


def sensors(runtime: Runtime) -> list[dg.SensorDefinition]:
    """Webhooks that wait start a full path soon, once for all that came in meanwhile."""
    is_running = os.environ.get("HALOSYNC_SCHEDULES") == "running"

    @dg.sensor(
        name="webhook_inbox",
        job=full_sync,
        minimum_interval_seconds=INBOX_S,
        default_status=dg.DefaultSensorStatus.RUNNING if is_running else dg.DefaultSensorStatus.STOPPED,
        description="Starts a sync of the sources whose webhooks wait; what comes in meanwhile waits for the next one.",
    )
    def webhook_inbox(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        newest = _newest_hint(runtime)
        if not newest:
            return dg.SkipReason("No webhook waits.")
        if _is_busy(context):
            return dg.SkipReason("A full sync is queued or running.")
        # No run key: a run that failed leaves its webhooks waiting, and the next tick begins again.
        return dg.RunRequest(tags={INBOX_TAG: str(newest)} | _sources_hinted(runtime, newest))

    return [webhook_inbox]


def _sources_hinted(runtime: Runtime, newest: int) -> dict[str, str]:
    """The tag that has a run read only whose webhooks wait; none where a sender is no source, so all are read."""
    ledger = runtime.open_ledger()
    try:
        senders = inbox.sources_waiting(ledger, newest)
    finally:
        ledger.close()
    return {SOURCES_TAG: ",".join(senders)} if set(senders) <= TABLES.keys() else {}


def _newest_hint(runtime: Runtime) -> int:
    """The last webhook that waits; on a connection of its own, for the runtime of Dagster's server holds a lease."""
    ledger = runtime.open_ledger()
    try:
        return inbox.newest_waiting(ledger)
    finally:
        ledger.close()
