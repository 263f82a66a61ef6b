"""The definitions as Dagster's server loads them: what is there, in which order, and what starts by itself."""

from __future__ import annotations

import os
from collections import defaultdict
from datetime import UTC, datetime
from graphlib import TopologicalSorter
from pathlib import Path

import dagster as dg
import pytest

from assets.common import INBOX_TAG, SOURCES_TAG
from assets.publishing import inbox
from assets.publishing.ledger import Ledger, LedgerBusy
from orchestration import settings as settings_module
from orchestration.definitions import build_definitions
from orchestration.lease import LEASE, close_dead_runs, leased
from orchestration.resources import build_runtime

SNAPSHOT = Path(__file__).with_name("definitions.txt")
MIDNIGHT = datetime(2026, 11, 2, tzinfo=UTC)
RENEW = "HALOSYNC_RENEW=1 python3 -m orchestration test tests/orchestration/test_definitions.py"


@pytest.fixture
def runtime(tmp_path):
    settings = settings_module.load(env_file=None).model_copy(update={"data": tmp_path})
    settings.prepare()
    return build_runtime(settings)


@pytest.fixture
def definitions(runtime) -> dg.Definitions:
    return build_definitions(runtime=runtime)


def name_of(key: dg.AssetKey) -> str:
    return ".".join(key.path)


def described(definitions: dg.Definitions) -> str:
    """Everything that a person sees in the UI, one line each, sorted."""
    graph = definitions.resolve_asset_graph()
    lines = ["# assets: group, table <- what it reads"]
    nodes = sorted((graph.get(key) for key in graph.materializable_asset_keys), key=lambda node: name_of(node.key))
    for node in sorted(nodes, key=lambda node: node.group_name or ""):
        reads = ", ".join(sorted(name_of(key) for key in node.parent_keys)) or "outside"
        lines.append(f"{node.group_name:<13}{name_of(node.key)} <- {reads}")
    lines += ["", "# checks"]
    for key in sorted(graph.asset_check_keys, key=str):
        is_blocking = graph.get(key).blocking
        lines.append(f"{name_of(key.asset_key)}: {key.name}, {'blocking' if is_blocking else 'reporting'}")
    lines += ["", "# jobs"]
    for job in sorted(definitions.resolve_all_job_defs(), key=lambda job: job.name):
        if not job.name.startswith("__"):
            lines.append(f"{job.name}: {len(job.asset_layer.selected_asset_keys)} assets")
    lines += ["", "# schedules"]
    for schedule in sorted(definitions.schedules or [], key=lambda schedule: schedule.name):
        status = schedule.default_status.value.lower()
        lines.append(
            f"{schedule.name}: {schedule.cron_schedule} {schedule.execution_timezone}, {schedule.job_name}, {status}"
        )
    lines += ["", "# sensors"]
    for sensor in sorted(definitions.sensors or [], key=lambda sensor: sensor.name):
        status = sensor.default_status.value.lower()
        starts = ", ".join(target.job_name for target in sensor.targets) or "starts nothing"
        lines.append(f"{sensor.name}: every {sensor.minimum_interval_seconds} s, {starts}, {status}")
    return "\n".join(lines) + "\n"


def test_the_definitions_are_those_of_the_snapshot(definitions):
    found = described(definitions)
    if os.environ.get("HALOSYNC_RENEW") == "1":
        SNAPSHOT.write_text(found, encoding="utf-8")

    expected = SNAPSHOT.read_text(encoding="utf-8")

    assert found == expected, f"the definitions changed; if that is meant, renew {SNAPSHOT.name} with: {RENEW}"


def test_every_asset_says_what_it_is_and_whose(definitions):
    graph = definitions.resolve_asset_graph()

    mute = [
        name_of(key)
        for key in graph.materializable_asset_keys
        if not (graph.get(key).description and graph.get(key).owners and graph.get(key).kinds)
    ]

    assert mute == []


def test_groups_follow_each_other_without_a_circle(definitions):
    """Else the UI cannot draw the group graph from left to right; `ops` once came before and after everything."""
    graph = definitions.resolve_asset_graph()
    before: dict[str, set[str]] = defaultdict(set)
    for key in graph.materializable_asset_keys:
        group = graph.get(key).group_name
        before[group] |= {graph.get(parent).group_name for parent in graph.get(key).parent_keys} - {group}

    order = list(TopologicalSorter(before).static_order())

    path = ["raw", "ledger", "standardised", "resolved", "golden", "changes", "delivery", "ops"]
    assert [group for group in order if group not in ("quality", "reconcile")] == path


@pytest.mark.parametrize(("wish", "status"), [(None, "STOPPED"), ("running", "RUNNING"), ("yes", "STOPPED")])
def test_schedules_start_stopped_unless_asked_for(monkeypatch, runtime, wish, status):
    """Looking around in the UI must not begin to write to somebody's HaloPSA."""
    monkeypatch.delenv("HALOSYNC_SCHEDULES", raising=False)
    if wish is not None:
        monkeypatch.setenv("HALOSYNC_SCHEDULES", wish)

    found = {schedule.name: schedule.default_status.value for schedule in build_definitions(runtime=runtime).schedules}

    assert found == dict.fromkeys(
        ["every_30_minutes", "drain_every_15_minutes", "nightly_at_2", "nightly_at_3"], status
    )


def test_webhooks_that_wait_start_one_run_for_all_of_them(runtime, definitions):
    sensor = next(item for item in definitions.sensors if item.name == "webhook_inbox")
    ledger = runtime.ledger

    def tick(instance):
        return sensor.evaluate_tick(dg.build_sensor_context(instance=instance))

    with dg.instance_for_test() as instance:
        quiet = tick(instance)
        for delivery_id in ("one", "two"):
            inbox.accept(ledger, runtime.clock, source="apollo", delivery_id=delivery_id, hints=())
        asked = tick(instance)
        begun_run(instance, definitions)
        busy = tick(instance)

    assert quiet.skip_message == "No webhook waits."
    assert [(request.tags[INBOX_TAG], request.tags[SOURCES_TAG]) for request in asked.run_requests] == [("2", "apollo")]
    assert busy.skip_message == "A full sync is queued or running."
    ledger.close()


def test_a_run_of_webhooks_reads_the_sources_they_name_and_all_where_a_sender_is_none(runtime, definitions):
    sensor = next(item for item in definitions.sensors if item.name == "webhook_inbox")
    ledger = runtime.ledger

    def tags():
        with dg.instance_for_test() as instance:
            return sensor.evaluate_tick(dg.build_sensor_context(instance=instance)).run_requests[0].tags

    for source in ("halopsa", "apollo"):
        inbox.accept(ledger, runtime.clock, source=source, delivery_id="one", hints=())
    known = tags()
    inbox.accept(ledger, runtime.clock, source="signer", delivery_id="one", hints=())
    unknown = tags()

    assert (known[SOURCES_TAG], SOURCES_TAG in unknown) == ("apollo,halopsa", False)
    ledger.close()


def begun_run(instance: dg.DagsterInstance, definitions: dg.Definitions) -> dg.DagsterRun:
    run = instance.create_run_for_job(definitions.resolve_job_def(LEASE))
    instance.report_dagster_event(
        dg.DagsterEvent(dg.DagsterEventType.RUN_START.value, job_name=LEASE, message="began"), run_id=run.run_id
    )
    return run


def test_a_killed_run_is_closed_and_no_longer_stops_the_schedule(definitions):
    """It would count as running for ever: the schedule skips, the queue of one waits."""
    schedule = next(item for item in definitions.schedules if item.name == "every_30_minutes")
    with dg.instance_for_test() as instance:
        dead = begun_run(instance, definitions)

        def tick():
            context = dg.build_schedule_context(instance=instance, scheduled_execution_time=MIDNIGHT)
            return schedule.evaluate_tick(context)

        before = tick()
        closed = close_dead_runs(instance)
        after = tick()

        assert before.skip_message == "A full sync is queued or running."
        assert closed == [dead.run_id]
        assert instance.get_run_by_id(dead.run_id).status == dg.DagsterRunStatus.FAILURE
        assert len(after.run_requests) == 1


def test_a_run_of_the_server_holds_the_lease_of_the_command_line(runtime, definitions):
    """Steps of two runs in one warehouse would mix; whoever comes second must be told, not wait half way."""
    other = Ledger.open(runtime.data / "ledger.sqlite")
    with dg.instance_for_test() as instance:
        dead = begun_run(instance, definitions)
        with dg.build_resources({"runtime": leased(runtime)}, instance=instance) as resources:
            assert resources.runtime is runtime
            assert instance.get_run_by_id(dead.run_id).status == dg.DagsterRunStatus.FAILURE
            with pytest.raises(LedgerBusy, match="full_sync"), other.lease(LEASE):
                pass

    with other.lease(LEASE):
        pass
    other.close()
