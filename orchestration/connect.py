"""Whether an account works: key, scopes, plan and credits by free calls, and five rows, masked.

Belongs here: flags, the screen, the exit code. Does not: what is asked (`sources/probe.py`).
Surprise: exit 2 means that a person must mend the account or .env; exit 3 that the settings are right and nothing can
be had now (the vendor is down, the balance is empty).
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from sources import probe
from sources.probe import Report

from orchestration import settings as settings_module
from orchestration.exits import Exit, Stop
from orchestration.resources import (
    apollo_client,
    clock_of_environment,
    halo_client,
    uplead_client,
    zoominfo_client,
)
from orchestration.settings import VENDORS, Settings, SettingsError

SCHEMA_VERSION = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("vendor", choices=(*VENDORS, "halopsa"), help="whose account")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")


def run(arguments: argparse.Namespace) -> Exit:
    try:
        settings = settings_module.load()
        settings.require(arguments.vendor, why=f"`halosync connect {arguments.vendor}` needs it.")
    except SettingsError as error:
        raise Stop(str(error), Exit.USAGE) from error
    report = probed(settings, arguments.vendor)
    if arguments.json:
        print(json.dumps(told(report), ensure_ascii=False))
    elif any(check.state == probe.WELL for check in report.checks):
        show(report, Console(file=sys.stdout))
    trouble = report.worst
    if trouble is None:
        return Exit.DONE
    code = Exit.PARTIAL if trouble.state == probe.LATER else Exit.USAGE
    raise Stop(f"{arguments.vendor} ({trouble.check}): {trouble.found.rstrip('.')}. {trouble.remedy}", code)


def probed(settings: Settings, vendor: str) -> Report:
    """Ask the vendor; no call of it costs anything."""
    clock, sources = clock_of_environment(), settings.sources
    match vendor:
        case "apollo":
            return probe.probe_apollo(apollo_client(sources.apollo, clock), sources.apollo.query)
        case "zoominfo":
            return probe.probe_zoominfo(zoominfo_client(sources.zoominfo, clock))
        case "uplead":
            return probe.probe_uplead(uplead_client(sources.uplead, clock), sources.uplead.domains)
    return probe.probe_halopsa(halo_client(settings, clock))


def told(report: Report) -> dict[str, object]:
    """The object for `--json`."""
    return {
        "schema_version": SCHEMA_VERSION,
        "vendor": report.vendor,
        "is_well": report.worst is None,
        "checks": [asdict(check) for check in report.checks],
        "rows": report.rows,
    }


def show(report: Report, console: Console) -> None:
    """The checks, then the rows."""
    checks = Table(show_header=False, show_edge=False, box=None)
    for check in report.checks:
        mark = "[green]✓[/green]" if check.state == probe.WELL else "[red]✗[/red]"
        checks.add_row(mark, check.check, escape(check.found))
    console.print(checks)
    if report.rows:
        rows = Table(*report.rows[0], title=f"{len(report.rows)} rows, masked", title_justify="left", show_edge=False)
        for row in report.rows:
            rows.add_row(*(escape(value) for value in row.values()))
        console.print(rows)
