"""What starts by itself beside the schedules: exports put into the folder, the run book of the daemon, alerts."""

from __future__ import annotations

import dagster as dg
import pytest

from assets.common import COUNTS, JOB, SOURCES_TAG
from assets.publishing import runs
from orchestration import settings as settings_module
from orchestration.automation import sensors
from orchestration.resources import build_runtime


@pytest.fixture
def runtime(tmp_path):
    settings = settings_module.load(env_file=None).model_copy(update={"data": tmp_path})
    settings.prepare()
    made = build_runtime(settings)
    yield made
    made.ledger.close()


@pytest.fixture
def instance():
    with dg.instance_for_test() as made:
        yield made


def named(runtime, name):
    return next(sensor for sensor in sensors(runtime) if sensor.name == name)


def test_a_file_put_into_the_exports_folder_starts_one_run_of_exports_once_it_is_whole(runtime, instance):
    sensor, cursor = named(runtime, "exports_folder"), None
    path = runtime.data / "exports" / "apollo" / "people.csv"
    asked = []

    def tick():
        nonlocal cursor
        done = sensor.evaluate_tick(dg.build_sensor_context(instance=instance, cursor=cursor))
        cursor = done.cursor or cursor
        asked.append([request.tags[SOURCES_TAG] for request in done.run_requests or []])

    tick()
    path.write_text("First Name\n")
    tick()
    path.write_text("First Name\nAnn\n")
    tick()
    tick()
    tick()
    path.unlink()
    tick()
    tick()

    assert asked == [[], [], [], ["exports"], [], [], ["exports"]]


@pytest.mark.parametrize(
    ("problems", "breaks", "state"),
    [([], False, "done"), (["a source was down"], False, "partial"), ([], True, "failed")],
)
def test_the_run_book_says_how_a_run_of_the_daemon_ended(runtime, instance, problems, breaks, state):
    @dg.asset
    def read():
        counts = {"source": "apollo", "fetched": {"contact": 3}, "credits": 0, "quarantined": 0, "problems": problems}
        return dg.MaterializeResult(metadata={COUNTS: dg.MetadataValue.json(counts)})

    @dg.asset(deps=[read])
    def rest():
        if breaks:
            raise ValueError("broke")

    result = dg.materialize([read, rest], instance=instance, raise_on_error=False)
    runs.begin(runtime.ledger, runtime.clock, run_id=result.run_id, kind=JOB)
    name, event = (
        ("sync_failed", result.get_run_failure_event) if breaks else ("sync_ended", result.get_run_success_event)
    )
    context = dg.build_run_status_sensor_context(name, event(), instance, result.dagster_run)
    named(runtime, name)(context)

    noted = runs.last(runtime.ledger, JOB)
    assert noted["state"] == state
    assert noted["summary"] == {} if breaks else noted["summary"]["fetched"] == {"apollo": 3}


def test_a_run_that_a_blocking_check_stopped_is_held_and_no_failure(runtime, instance):
    @dg.asset(check_specs=[dg.AssetCheckSpec("contract", asset="read", blocking=True)])
    def read():
        bad = dg.AssetCheckResult(check_name="contract", passed=False, metadata={"found": "2 rows without a key"})
        return dg.MaterializeResult(check_results=[bad])

    @dg.asset(deps=[read])
    def rest():
        return 1

    result = dg.materialize([read, rest], instance=instance, raise_on_error=False)
    runs.begin(runtime.ledger, runtime.clock, run_id=result.run_id, kind=JOB)
    context = dg.build_run_status_sensor_context(
        "sync_failed", result.get_run_failure_event(), instance, result.dagster_run
    )
    named(runtime, "sync_failed")(context)

    noted = runs.last(runtime.ledger, JOB)
    assert noted["state"] == "held"
    assert "2 rows without a key" in noted["summary"]["problems"][0]


def test_alerts_look_and_start_nothing(runtime, instance, monkeypatch):
    monkeypatch.setenv("HALOSYNC_DATA", str(runtime.data))
    runs.begin(runtime.ledger, runtime.clock, run_id="one", kind=JOB)
    runs.end(runtime.ledger, runtime.clock, run_id="one", state="failed", summary={})

    done = named(runtime, "alerts").evaluate_tick(dg.build_sensor_context(instance=instance))

    assert not done.run_requests
    assert (runtime.data / "alerts.jsonl").read_text().count('"raised"') == 1
