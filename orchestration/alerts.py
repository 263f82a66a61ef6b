"""`halosync alerts`: what is wrong since when, told once when it begins and once when it is over.

Belongs here: flags, the screen, the exit code. Does not: what is wrong, who was told (the room `alerting`), when it is
looked at (`automation.py`; a timer of the system may call this verb too, and should: a dead daemon cannot say so).
Surprise: exit 3 while anything is wrong, so that a timer or a monitor can call it.
"""

from __future__ import annotations

import argparse
import json
from contextlib import closing
from dataclasses import asdict

from assets.publishing.ledger import Ledger, LedgerBusy, LedgerError
from rich.console import Console
from rich.table import Table
from sources.clock import WallClock

from orchestration import settings as settings_module
from orchestration.alerting.watch import look
from orchestration.exits import Exit, Stop


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")


def run(arguments: argparse.Namespace) -> Exit:
    settings = settings_module.load()
    settings.prepare()
    try:
        with closing(Ledger.open(settings.ledger, settings.data_root)) as ledger:
            seen = look(settings, ledger, WallClock())
    except LedgerBusy as error:
        raise Stop(str(error), Exit.BUSY) from error
    except LedgerError as error:
        raise Stop(str(error), Exit.USAGE) from error
    if arguments.json:
        told = {name: [asdict(line) for line in lines] for name, lines in seen._asdict().items() if name != "unsent"}
        print(json.dumps({"schema_version": 1, **told, "unsent": seen.unsent}))
    else:
        table = Table("since", "what", "whose", "found", "what to do", box=None, padding=(0, 2, 0, 0))
        for line in seen.open:
            table.add_row(line.at[:16].replace("T", " "), line.kind, line.subject, line.text, line.remedy)
        console = Console()
        console.print(table if seen.open else "Nothing is wrong.")
        for channel in seen.unsent:
            console.print(f"[yellow]![/yellow] {channel} could not be told; it will be at the next look.")
    return Exit.PARTIAL if seen.open or seen.unsent else Exit.DONE
