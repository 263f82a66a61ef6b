"""Can tonight's data be trusted: the quality report as a page, as JSON and as tables; and the ids behind a number.

Belongs here: flags, running the nightly job in this process, what is printed. Does not: numbers and page
(`assets/quality`), the schedule (automation.py).
Surprise: an error in the report is exit 4, as any check that holds; a warning is exit 0, for somebody has to look and
nothing has to stop. `--explain` and `--sample` read the inspection copy and wait for no run.
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path
from typing import Any

import duckdb
from assets.publishing.ledger import LedgerBusy, LedgerError
from assets.quality import labels
from assets.quality.catalogue import metrics
from assets.quality.dag import LABELS
from assets.runtime import Runtime
from rich.console import Console
from rich.markup import escape
from transforms.engines.duckdb import SQL_ROOT, DuckDBEngine

from orchestration import settings as settings_module
from orchestration.automation import QUALITY_JOB
from orchestration.definitions import build_definitions
from orchestration.demo import demo_settings
from orchestration.exits import Exit, Stop
from orchestration.full_path import BUSY, instance_at
from orchestration.lease import LEASE, close_dead_runs
from orchestration.progress import Display
from orchestration.resources import build_runtime
from orchestration.settings import Settings, SettingsError
from orchestration.simulated import Recipe

SCHEMA_VERSION = 1
SHOWN = 40  # ids on a screen; --json gives all


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--demo", action="store_true", help="report on the demo's data")
    parser.add_argument("--out", type=Path, metavar="DIR", help="also put quality.html and quality.json there")
    parser.add_argument("--explain", metavar="NUMBER", help="the ids behind a number, and its SQL; makes no report")
    parser.add_argument("--sample", type=Path, metavar="FILE", help="write pairs to label as CSV; makes no report")
    parser.add_argument("--labels", type=Path, metavar="FILE", help="take in a labelled sample, then report")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")


def run(arguments: argparse.Namespace) -> Exit:
    settings = _settings(arguments.demo)
    if arguments.explain:
        return _explain(settings, arguments.explain, as_json=arguments.json)
    if arguments.sample:
        return _sample(settings, arguments.sample, as_json=arguments.json)
    if arguments.labels:
        _take_in(settings, arguments.labels)
    if not settings.warehouse.is_file():
        raise Stop(
            f"{settings.warehouse}: there is nothing to report on yet. First: halosync run (or demo).", Exit.USAGE
        )
    with Display(quiet=arguments.json) as display:
        # The demo's clock stands where its last run left it.
        recipe = Recipe.read(settings.data_root) if arguments.demo else None
        clock = recipe.clock() if recipe else None
        _make(build_runtime(settings, clock=clock, publish=False, progress=display))
    folder = settings.data_root / "reports"
    told = json.loads((folder / "quality.json").read_text("utf-8"))
    if arguments.out:
        arguments.out.mkdir(parents=True, exist_ok=True)
        for name in ("quality.html", "quality.json"):
            shutil.copyfile(folder / name, arguments.out / name)
    page = (arguments.out or folder) / "quality.html"
    if arguments.json:
        print(json.dumps(told | {"page": str(page)}, ensure_ascii=False))
    else:
        _show(told, page, Console())
    return Exit.HELD if told["verdict"]["severity"] == "error" else Exit.DONE


def _settings(is_demo: bool) -> Settings:
    if is_demo:
        return demo_settings()
    try:
        settings = settings_module.load()
        settings.prepare()
    except SettingsError as error:
        raise Stop(str(error), Exit.USAGE) from error
    return settings


def _make(runtime: Runtime) -> None:
    """The nightly job, once, in this process.

    Raises:
        Stop: a run or another process holds the data (5), or a step failed (1).
    """
    try:
        with runtime.ledger.lease(LEASE), instance_at(runtime.data) as instance:
            close_dead_runs(instance)
            job = build_definitions(runtime=runtime).resolve_job_def(QUALITY_JOB)
            result = job.execute_in_process(
                instance=instance,
                raise_on_error=False,
                run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
            )
    except LedgerBusy as error:
        raise Stop(str(error), Exit.BUSY) from error
    except LedgerError as error:
        raise Stop(str(error), Exit.USAGE) from error
    for event in result.all_events:
        if event.is_step_failure and event.step_failure_data.error is not None:
            chain = [event.step_failure_data.error]
            while chain[-1].cause is not None:
                chain.append(chain[-1].cause)
            busy = next((error for error in chain if error.cls_name in BUSY), None)
            if busy is not None:
                raise Stop(busy.message.strip().split(": ", 1)[-1], Exit.BUSY)
            # The type alone: a message may hold a value of a record.
            raise Stop(f"Step {event.step_key} failed: {chain[-1].cls_name}. See it in the Dagster UI.", Exit.DEFECT)


def _show(told: dict[str, Any], page: Path, console: Console) -> None:
    verdict = told["verdict"]
    colour = {"ok": "green", "warning": "yellow", "error": "red"}[verdict["severity"]]
    console.print(f"[bold {colour}]{escape(verdict['words'])}[/]", highlight=False)
    for title, lines in (
        ("", verdict["reasons"]),
        (f"Since the last good night, {verdict['good_night']}:", verdict["changes"]),
        ("What did not run:", verdict["not_run"]),
    ):
        if title and lines:
            console.print(f"\n[bold]{title}[/]")
        for line in lines:
            console.print(f"- {escape(line)}", highlight=False)
    console.print(
        f"\n{len(told['numbers']):,} numbers, night of {told['night']}: {page}", highlight=False, soft_wrap=True
    )


def _explain(settings: Settings, number: str, *, as_json: bool) -> Exit:
    with _copy(settings) as connection:
        judged = _rows(connection, "select * from quality.judged where number_id = ?", [number])
        if not judged:
            raise Stop(_unknown(connection, number), Exit.USAGE)
        row = judged[0]
        ids = [
            found["subject"]
            for found in _rows(
                connection,
                "select subject from quality.subject "
                "where metric = ? and entity = ? and source = ? and field = ? order by 1",
                [row["metric"], row["entity"], row["source"], row["field"]],
            )
        ]
    metric = metrics()[row["metric"]]
    sql = (SQL_ROOT / "quality" / f"{metric.made_by}.sql").read_text("utf-8")
    if as_json:
        told = {name: row[name] for name in ("number_id", "section", "value", "total", "unit", "severity", "reason")}
        print(json.dumps({"schema_version": SCHEMA_VERSION, **told, "about": metric.about, "ids": ids,
                          "sql_file": metric.sql_file, "sql": sql}, ensure_ascii=False))  # fmt: skip
        return Exit.DONE
    console = Console()
    of = f" of {row['total']:,}" if row["total"] is not None else ""
    console.print(f"[bold]{escape(number)}[/] ({row['section']}): {row['value']:,}{of} {row['unit']}", highlight=False)
    console.print(f"{escape(metric.about)} {row['severity'].capitalize()}.", highlight=False)
    for subject in ids[:SHOWN]:
        console.print(f"  {escape(subject)}", highlight=False, soft_wrap=True)
    if len(ids) > SHOWN:
        console.print(f"  … {len(ids) - SHOWN:,} more: --json gives all")
    if not ids and row["value"]:
        console.print("  This number counts no records: it has no ids behind it.")
    console.print(f"\n[bold]{metric.sql_file}[/]\n{escape(sql)}", highlight=False, soft_wrap=True)
    return Exit.DONE


def _unknown(connection: duckdb.DuckDBPyConnection, number: str) -> str:
    metric = number.split("/")[0]
    near = _rows(connection, "select number_id from quality.judged where metric = ? order by 1 limit 8", [metric])
    if near:
        return f"No number {number!r} tonight. Of {metric} there are: {', '.join(row['number_id'] for row in near)} …"
    names = ", ".join(
        row["metric"] for row in _rows(connection, "select distinct metric from quality.judged order by 1", [])
    )
    return f"No number {number!r} tonight. The first part is one of: {names}."


def _sample(settings: Settings, path: Path, *, as_json: bool) -> Exit:
    if not path.absolute().parent.is_dir():
        raise Stop(f"{path}: its folder does not exist; make it first.", Exit.USAGE)
    with _copy(settings) as connection:
        connection.execute("set TimeZone = 'UTC'")
        count = labels.write_sample(DuckDBEngine(connection), path)
    if as_json:
        print(json.dumps({"schema_version": SCHEMA_VERSION, "pairs": count, "file": str(path)}))
    else:
        print(
            f"{count:,} pairs to label: {path}\nFill in the column same with yes or no (look at a pair with "
            f"`halosync why RECORD RECORD`), then: halosync report --labels {path}"
        )
    return Exit.DONE


def _take_in(settings: Settings, path: Path) -> None:
    """Keep the answers for this and every later night; a pair that is answered again is answered anew."""
    kept = settings.data_root / "reports" / LABELS
    try:
        fresh = labels.read_labels(path)
        known = labels.read_labels(kept) if kept.exists() else []
    except labels.LabelError as error:
        raise Stop(str(error), Exit.USAGE) from error
    if not fresh:
        raise Stop(f"{path}: no row is answered. Fill in the column same with yes or no.", Exit.USAGE)
    kept.parent.mkdir(parents=True, exist_ok=True)
    labels.write_labels(kept, [*known, *fresh])


def _copy(settings: Settings) -> duckdb.DuckDBPyConnection:
    """The inspection copy, opened for reading.

    Raises:
        Stop: there is none, or it holds no report yet (exit 2).
    """
    path = settings.inspection_copy
    if not path.is_file():
        raise Stop(f"{path}: there is nothing to report on yet. First: halosync run (or demo).", Exit.USAGE)
    connection = duckdb.connect(str(path), read_only=True)
    if not _rows(
        connection, "select 1 from duckdb_views() where schema_name = 'quality' and view_name = 'subject'", []
    ):
        connection.close()
        raise Stop("No report was made of these data yet. First: halosync report.", Exit.USAGE)
    return connection


def _rows(connection: duckdb.DuckDBPyConnection, query: str, parameters: list[Any]) -> list[dict[str, Any]]:
    found = connection.execute(query, parameters)
    names = [column[0] for column in found.description or []]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]
