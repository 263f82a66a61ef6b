"""All of HaloPSA compared with the ledger: differences named, repaired by rule, listed for a person where none fits.

Belongs here: flags, exit codes, showing the findings. Does not: the comparison (assets/publishing/reconcile.py), the
nightly run (assets/reconciliation.py, automation.py).
Surprise: it writes nothing to HaloPSA. What it finds undone is planned again and goes out with the next publishing.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any
from uuid import uuid4

from assets.publishing import restoring, work
from assets.publishing.ledger import LedgerBusy
from assets.publishing.reconcile import Findings, reconcile
from rich.console import Console
from rich.table import Table

from orchestration.account import halo_of, opened, rules_of
from orchestration.exits import Exit, Stop
from orchestration.progress import Display
from orchestration.serve import opened as opened_ledger
from orchestration.serve import settings_for

SCHEMA_VERSION = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--halo-restored",
        action="store_true",
        help="HaloPSA was restored from a backup: plan again what is missing there",
    )
    parser.add_argument(
        "--restore",
        nargs=2,
        metavar=("GOLDEN_ID", "FIELD"),
        help="no comparison: have the next publishing give back a person's value that a write of ours went over",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")


def run(arguments: argparse.Namespace) -> Exit:
    if arguments.restore:
        return _ask_back(arguments)
    with Display(quiet=arguments.json) as display, opened(display, why="reconcile needs it.") as runtime:
        findings = reconcile(
            runtime.ledger,
            runtime.clock,
            halo_of(runtime),
            run_id=f"reconcile-{uuid4().hex[:12]}",
            rules=rules_of(runtime),
            halo_restored=arguments.halo_restored,
        )
    if arguments.json:
        print(json.dumps(as_report(findings)))
    else:
        _show(findings, Console(file=sys.stdout))
    return Exit.PARTIAL if findings.for_a_person or findings.problems else Exit.DONE


def _ask_back(arguments: argparse.Namespace) -> Exit:
    golden_id, field = arguments.restore
    ledger = opened_ledger(settings_for(demo=False))
    try:
        item = restoring.ask(ledger, golden_id, field)
    except restoring.NothingToRestore as error:
        raise Stop(str(error), Exit.USAGE) from error
    except LedgerBusy as error:
        raise Stop(str(error), Exit.BUSY) from error
    finally:
        ledger.close()
    asked = {"golden_id": golden_id, "field": field, "resource": item.resource, "halo_id": item.halo_id}
    if arguments.json:
        print(json.dumps({"schema_version": SCHEMA_VERSION, "restoring": asked}))
    else:
        print(
            f"{field} of {golden_id} ({item.resource} {item.halo_id}) gets the person's value back with the next "
            "publishing: halosync publish, or halosync plan to look first. From then on it is theirs."
        )
    return Exit.DONE


def as_report(findings: Findings) -> dict[str, Any]:
    """The object of --json: counts only, no values of records."""
    return {
        "schema_version": SCHEMA_VERSION,
        "records": findings.records,
        "found": {kind: findings.found[kind] for kind in work.REMEDIES},
        "is_restored": findings.is_restored,
        "relinked": findings.relinked,
        "replanned": findings.replanned,
        "change_log": {
            "is_readable": findings.is_log_readable,
            "writes": findings.writes_checked,
            "requests": findings.log_requests,
        },
        "items": {"opened": findings.opened, "closed": findings.closed},
        "problems": findings.problems,
    }


def _show(findings: Findings, console: Console) -> None:
    read = ", ".join(f"{count:,} {resource}" for resource, count in findings.records.items())
    console.print(f"Read from HaloPSA: {read}.", highlight=False)
    table = Table("found", "records", "what it means", box=None, padding=(0, 2, 0, 0))
    table.columns[1].justify = "right"
    for kind, remedy in work.REMEDIES.items():
        if findings.found[kind]:
            table.add_row(kind.replace("_", " "), f"{findings.found[kind]:,}", remedy)
    if table.row_count:
        console.print(table)
    else:
        console.print("HaloPSA holds what was published.")
    if findings.is_restored:
        console.print("HaloPSA was restored from a backup.")
    if findings.relinked or findings.replanned:
        console.print(
            f"{findings.relinked:,} linked again, {findings.replanned:,} planned again for the next publishing.",
            highlight=False,
        )
    if not findings.is_log_readable:
        console.print(
            "HaloPSA's change log cannot be read (/api/Audit): an edit saved at the very moment of a write of ours is "
            "seen only where it left another trace."
        )
    elif findings.writes_checked:
        console.print(
            f"{findings.writes_checked:,} writes held against HaloPSA's change log, {findings.log_requests:,} calls.",
            highlight=False,
        )
    console.print(f"Work list: {findings.opened:,} opened, {findings.closed:,} closed.", highlight=False)
    for problem in findings.problems:
        console.print(problem, highlight=False)
