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

from assets.publishing import work
from assets.publishing.ledger import LedgerBusy, LedgerError
from assets.publishing.reconcile import Findings, reconcile
from rich.console import Console
from rich.table import Table
from sources.http import BadRequest, Forbidden, Unauthorised, VendorError

from orchestration import settings as settings_module
from orchestration.exits import Exit, Stop
from orchestration.resources import build_runtime
from orchestration.settings import SettingsError

SCHEMA_VERSION = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--halo-restored",
        action="store_true",
        help="HaloPSA was restored from a backup: plan again what is missing there",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")


def run(arguments: argparse.Namespace) -> Exit:
    try:
        settings = settings_module.load()
        settings.require("halopsa", why="reconcile needs it.")
        settings.prepare()
    except SettingsError as error:
        raise Stop(str(error), Exit.USAGE) from error
    runtime = build_runtime(settings)
    assert runtime.halo is not None, "HaloPSA is configured"
    try:
        findings = reconcile(
            runtime.ledger,
            runtime.clock,
            runtime.halo,
            run_id=f"reconcile-{uuid4().hex[:12]}",
            rules=runtime.publishing,
            halo_restored=arguments.halo_restored,
        )
    except LedgerBusy as error:
        raise Stop(str(error), Exit.BUSY) from error
    except LedgerError as error:
        raise Stop(str(error), Exit.USAGE) from error
    except (BadRequest, Forbidden, Unauthorised) as error:
        raise Stop(f"{error}. Nothing was changed.", Exit.USAGE) from error
    except VendorError as error:
        raise Stop(
            f"{error}. HaloPSA could not be read whole; nothing was repaired. Run it again.", Exit.PARTIAL
        ) from error
    if arguments.json:
        print(json.dumps(as_report(findings)))
    else:
        _show(findings, Console(file=sys.stdout))
    return Exit.PARTIAL if findings.for_a_person or findings.problems else Exit.DONE


def as_report(findings: Findings) -> dict[str, Any]:
    """The object of --json: counts only, no values of records."""
    return {
        "schema_version": SCHEMA_VERSION,
        "records": findings.records,
        "found": {kind: findings.found[kind] for kind in work.REMEDIES},
        "is_restored": findings.is_restored,
        "relinked": findings.relinked,
        "replanned": findings.replanned,
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
    console.print(f"Work list: {findings.opened:,} opened, {findings.closed:,} closed.", highlight=False)
    for problem in findings.problems:
        console.print(problem, highlight=False)
