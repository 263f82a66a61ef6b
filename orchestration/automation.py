"""When things run by themselves: jobs, schedules, sensors.

Belongs here: what is started and when. Does not: what a job does (assets).
Surprise: schedules start stopped unless HALOSYNC_SCHEDULES=running, because opening the UI to look around must not
begin to write to somebody's HaloPSA. `halosync up` sets it.
"""

import json
import os

import dagster as dg
from assets import reconciliation
from assets.common import INBOX_TAG, JOB, SOURCES_TAG
from assets.halopsa import halopsa_publish
from assets.publishing import inbox, outbox, runs
from assets.raw import TABLES
from assets.runtime import Runtime
from sources.clock import WallClock

from orchestration import ending
from orchestration import settings as settings_module
from orchestration.alerting import watch

QUALITY_JOB = "nightly_quality"
RECONCILIATION_JOB = "nightly_reconciliation"
DRAIN_JOB = "publish_drain"
INBOX_S, ENDING_S, EXPORTS_S, ALERTS_S = 15, 15, 30, 60
_TOLD = {dg.DagsterEventType.ASSET_MATERIALIZATION, dg.DagsterEventType.ASSET_CHECK_EVALUATION}
_SETTLING = "settling "

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
publish_drain = dg.define_asset_job(
    DRAIN_JOB,
    selection=dg.AssetSelection.assets(halopsa_publish),
    description="What still waits in the outbox, written to HaloPSA; reads no source and no warehouse.",
    tags={"halosync/kind": "publish"},
)


def _is_busy(context: dg.ScheduleEvaluationContext | dg.SensorEvaluationContext) -> bool:
    """Whether a full sync is queued or running: a second one would only wait for the first one's lock."""
    unfinished = [dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED]
    runs = context.instance.get_runs(filters=dg.RunsFilter(job_name=JOB, statuses=unfinished), limit=1)
    return bool(runs)


def schedules(runtime: Runtime) -> list[dg.ScheduleDefinition]:
    """Every 30 minutes the full path, between them what waits for HaloPSA, at 02:00 the report, at 03:00 HaloPSA
    against the ledger; all in UTC."""
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

    @dg.schedule(
        name="drain_every_15_minutes",
        cron_schedule="7,22,37,52 * * * *",  # never at the minute of a full sync
        job=publish_drain,
        execution_timezone="UTC",
        default_status=status,
        description="Publishes what waits; skipped while nothing does, or while a full sync will.",
    )
    def drain_every_15_minutes(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        if _is_busy(context):
            return dg.SkipReason("A full sync is queued or running.")
        ledger = runtime.open_ledger()
        try:
            found = outbox.tally(ledger)
        finally:
            ledger.close()
        if runtime.halo is None or not any(found[state] for state in outbox.UNSENT):
            return dg.SkipReason("Nothing waits for HaloPSA.")
        return dg.RunRequest(run_key=context.scheduled_execution_time.isoformat())

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
    return [every_30_minutes, drain_every_15_minutes, nightly, reconciling]


def sensors(runtime: Runtime) -> list[dg.SensorDefinition]:
    """What starts a full path soon (webhooks that wait, files put into the exports folder), what notes how it ended,
    and what looks for trouble."""
    is_running = os.environ.get("HALOSYNC_SCHEDULES") == "running"
    sensor_status = dg.DefaultSensorStatus.RUNNING if is_running else dg.DefaultSensorStatus.STOPPED

    @dg.sensor(
        name="webhook_inbox",
        job=full_sync,
        minimum_interval_seconds=INBOX_S,
        default_status=sensor_status,
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

    def note_ending(context: dg.RunStatusSensorContext, *, success: bool) -> None:
        """The run book says how a run of the daemon ended; the same words as of a run by hand."""
        events = [entry.dagster_event for entry in context.instance.all_logs(context.dagster_run.run_id, of_type=_TOLD)]
        ended = ending.of([event for event in events if event is not None], success=success)
        ledger = runtime.open_ledger()
        try:
            runs.end(ledger, WallClock(), run_id=context.dagster_run.run_id, state=ended.state, summary=ended.summary)
        finally:
            ledger.close()

    @dg.run_status_sensor(
        run_status=dg.DagsterRunStatus.SUCCESS,
        monitored_jobs=[full_sync],
        name="sync_ended",
        default_status=sensor_status,
        minimum_interval_seconds=ENDING_S,
        description="Writes into the run book what a full sync did.",
    )
    def sync_ended(context: dg.RunStatusSensorContext) -> None:
        note_ending(context, success=True)

    @dg.run_status_sensor(
        run_status=dg.DagsterRunStatus.FAILURE,
        monitored_jobs=[full_sync],
        name="sync_failed",
        default_status=sensor_status,
        minimum_interval_seconds=ENDING_S,
        description="Writes into the run book that a full sync was held or failed.",
    )
    def sync_failed(context: dg.RunStatusSensorContext) -> None:
        note_ending(context, success=False)

    @dg.sensor(
        name="exports_folder",
        job=full_sync,
        minimum_interval_seconds=EXPORTS_S,
        default_status=sensor_status,
        description="Starts a sync of the exports when a file was put into the folder, changed or taken out.",
    )
    def exports_folder(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        seen, known = _files_of(runtime), context.cursor or "[]"
        if seen == known:
            return dg.SkipReason("No file changed.")
        if known != _SETTLING + seen:
            context.update_cursor(_SETTLING + seen)  # perhaps still being copied: a run once it stays as it is
            return dg.SkipReason("A file changed just now; looking again.")
        if _is_busy(context):
            return dg.SkipReason("A full sync is queued or running.")
        return dg.SensorResult([dg.RunRequest(tags={SOURCES_TAG: "exports"})], cursor=seen)

    @dg.sensor(
        name="alerts",
        minimum_interval_seconds=ALERTS_S,
        default_status=sensor_status,
        description="Looks for what is wrong and tells it once; see: halosync alerts.",
    )
    def alerts(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        ledger = runtime.open_ledger()
        try:
            seen = watch.look(settings_module.load(), ledger, WallClock())
        finally:
            ledger.close()
        for line in seen.changes:
            context.log.warning(f"{line.event}: {line.kind} of {line.subject}: {line.text}")
        return dg.SkipReason(f"{len(seen.open)} open, {len(seen.changes)} changed.")

    return [webhook_inbox, sync_ended, sync_failed, exports_folder, alerts]


def _files_of(runtime: Runtime) -> str:
    """Name, size and time of every export, as one text that changes when any does."""
    root = runtime.data / "exports"
    found = sorted(path for path in root.rglob("*") if path.is_file())
    return json.dumps([[str(path.relative_to(root)), path.stat().st_size, path.stat().st_mtime_ns] for path in found])


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
