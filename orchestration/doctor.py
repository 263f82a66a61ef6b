"""What ails this installation, and what to do about it; repairs nothing.

Belongs here: flags, the screen, the exit code. Does not: the checks (health.py), settings and definitions (`check`).
Surprise: exit 3 if anything is to be done, so that a timer can call it.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict

from rich.console import Console
from rich.table import Table
from sources.clock import WallClock

from orchestration.exits import Exit
from orchestration.health import examine
from orchestration.serve import settings_for


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--demo", action="store_true", help="of the demo's data")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")


def run(arguments: argparse.Namespace) -> Exit:
    findings = examine(settings_for(demo=arguments.demo), None if arguments.demo else WallClock())
    is_well = all(finding.is_well for finding in findings)
    if arguments.json:
        checks = [{**asdict(finding), "is_well": finding.is_well} for finding in findings]
        print(json.dumps({"schema_version": 1, "is_well": is_well, "checks": checks}))
    else:
        table = Table("", "check", "found", "what to do", box=None, padding=(0, 2, 0, 0))
        for finding in findings:
            table.add_row("ok" if finding.is_well else "!", finding.check, finding.found, finding.remedy)
        Console().print(table)
    return Exit.DONE if is_well else Exit.PARTIAL
