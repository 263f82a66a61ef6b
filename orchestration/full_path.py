"""Running the full path in this process, and judging how it ended.

Belongs here: what `demo` and `run` have in common: instance, job, lease, exit code, summary.
Does not: the steps (assets), their schedule (`automation.py`), how a run ended (ending.py).
Surprise: Dagster's instance lives in the data folder, so what a command ran is seen in the UI afterwards.
"""

from __future__ import annotations

import os
import resource
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
from assets.common import JOB
from assets.publishing import runs
from assets.publishing.ledger import LedgerBusy, LedgerError
from assets.runtime import Runtime, WarehouseBusy

from orchestration import ending
from orchestration.definitions import build_definitions
from orchestration.exits import Exit, Stop
from orchestration.lease import LEASE, close_dead_runs
from orchestration.progress import Display

BUSY = (WarehouseBusy.__name__, LedgerBusy.__name__)


@dataclass(frozen=True)
class Outcome:
    """How a run ended; `exit` is DONE, PARTIAL or HELD."""

    summary: dict[str, Any]
    exit: Exit


def instance_at(data: Path) -> dg.DagsterInstance:
    """Dagster's own state for this data folder."""
    home = data / "dagster"
    home.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(Path(__file__).with_name("dagster.yaml"), home / "dagster.yaml")
    os.environ["DAGSTER_HOME"] = str(home)
    return dg.DagsterInstance.get()


def execute(runtime: Runtime, display: Display) -> Outcome:
    """Run the job once.

    Raises:
        Stop: busy (5), or a step failed unexpectedly (1).
    """
    began = time.perf_counter()
    try:
        with runtime.ledger.lease(LEASE):
            result = _run_job(runtime)
    except LedgerBusy as error:
        raise Stop(str(error), Exit.BUSY) from error
    except LedgerError as error:
        raise Stop(str(error), Exit.USAGE) from error
    ended = ending.of(result.all_events, success=result.success)
    if ended.state == "failed":
        _note_end(runtime, result.run_id, ended.state, {})
        raise _stop_for(result)
    summary = ended.summary
    summary["seconds"] = round(time.perf_counter() - began, 3)
    summary["virtual_seconds"] = 0.0
    summary["peak_mb"] = peak_mb()
    summary["steps"] = display.steps
    _note_end(runtime, result.run_id, ended.state, summary)
    return Outcome(summary, Exit[ended.state.upper()])


def _note_end(runtime: Runtime, run_id: str, state: str, summary: dict[str, Any]) -> None:
    """The run book of the ledger; `ops.run` shows it from the next run on."""
    runs.end(runtime.ledger, runtime.clock, run_id=run_id, state=state, summary=summary)


def peak_mb() -> int:
    """Peak resident memory of this process and of its largest child, megabytes."""
    usage = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return round(max(usage) / 1024)


def _run_job(runtime: Runtime) -> dg.ExecuteInProcessResult:
    definitions = build_definitions(runtime=runtime)
    with instance_at(runtime.data) as instance:
        close_dead_runs(instance)
        return definitions.resolve_job_def(JOB).execute_in_process(
            instance=instance,
            raise_on_error=False,
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        )


def _stop_for(result: dg.ExecuteInProcessResult) -> Stop:
    """The first failed step as one line; errors of ours keep their own text."""
    for event in result.all_events:
        if not event.is_step_failure:
            continue
        chain = []
        error = event.step_failure_data.error
        while error is not None:
            chain.append(error)
            error = error.cause
        busy = next((error for error in chain if error.cls_name in BUSY), None)
        if busy is not None:
            return Stop(busy.message.strip().split(": ", 1)[-1], Exit.BUSY)
        if os.environ.get("HALOSYNC_DEBUG") == "1":
            return Stop(f"Step {event.step_key} failed: {chain[-1].to_string()}", Exit.DEFECT)
        # The type alone: a message may hold a value of a record.
        name = chain[-1].cls_name
        return Stop(f"Step {event.step_key} failed: {name}. Set HALOSYNC_DEBUG=1 for the traceback.", Exit.DEFECT)
    return Stop("The run failed without a failed step; see the Dagster UI.", Exit.DEFECT)
