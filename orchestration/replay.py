"""Quarantine read again after a fix: what came in, and what is still held and why.

Belongs here: flags, the lease, the screen. Does not: judging rows (`sources/replay.py`, `sources/exports`).
Surprise: no vendor is asked and nothing is paid. What came in stands in the raw tables; the next run carries it on.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from assets.publishing.ledger import Ledger, LedgerBusy, LedgerError
from assets.runtime import WarehouseBusy, open_waiting
from rich.console import Console
from rich.markup import escape
from sources.archive import Archive
from sources.intake import Meter

from orchestration import settings as settings_module
from orchestration.exits import Exit, Stop
from orchestration.lease import LEASE
from orchestration.resources import clock_of_environment
from orchestration.settings import VENDORS, Settings, SettingsError

SCHEMA_VERSION = 1
SOURCES = (*VENDORS, "exports")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--source", action="append", choices=SOURCES, help="only this source; may be repeated")
    parser.add_argument(
        "--accept", action="store_true", help="what drifted, and the volume of the next load, is right as it is"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")


def run(arguments: argparse.Namespace) -> Exit:
    if arguments.accept and not arguments.source:
        raise Stop("--accept wants --source NAME: say whose change is right.", Exit.USAGE)
    try:
        settings = settings_module.load()
        found = replayed(settings, arguments.source or list(SOURCES), is_accepted=arguments.accept)
    except SettingsError as error:
        raise Stop(str(error), Exit.USAGE) from error
    except (LedgerBusy, WarehouseBusy) as error:
        raise Stop(str(error), Exit.BUSY) from error
    except LedgerError as error:
        raise Stop(str(error), Exit.USAGE) from error
    if arguments.json:
        print(json.dumps({"schema_version": SCHEMA_VERSION, "sources": found}, ensure_ascii=False))
    else:
        show(found, Console(file=sys.stdout))
    return Exit.PARTIAL if any(told["still_held"] for told in found.values()) else Exit.DONE


def replayed(settings: Settings, sources: list[str], *, is_accepted: bool) -> dict[str, Any]:
    """By source: `came_in` and `mended` (rows by entity), `still_held` with field, reason and number of rows."""
    if not settings.warehouse.exists():
        return {source: {"came_in": {}, "mended": {}, "still_held": []} for source in sources}
    ledger = Ledger.open(settings.ledger, settings.data_root)
    try:
        with ledger.lease(LEASE):
            open_waiting(settings.warehouse, wait_s=settings.lock_wait_s).close()  # dlt fails at once on a locked file
            return {source: _one(settings, source, is_accepted=is_accepted) for source in sources}
    finally:
        ledger.close()


def _one(settings: Settings, source: str, *, is_accepted: bool) -> dict[str, Any]:
    from sources.exports import read_again
    from sources.replay import replay

    paths = {"warehouse": settings.warehouse, "state": settings.data_root / "dlt"}
    clock = clock_of_environment()
    if source == "exports":
        done = read_again(settings.data_root / "exports", Meter(source), clock, **paths)
    else:
        done = replay(source, Archive(settings.data_root / "archive"), clock, is_accepted=is_accepted, **paths)
    return {
        "came_in": dict(done.came_in),
        "mended": dict(done.mended),
        "still_held": [
            {"entity": entity, "field": field, "reason": reason, "rows": rows}
            for (entity, field, reason), rows in sorted(done.held.items())
        ],
    }


def show(found: dict[str, Any], console: Console) -> None:
    """A line for what came in, and one for each reason."""
    for source, told in found.items():
        came = ", ".join(f"{rows:,} {entity}" for entity, rows in told["came_in"].items()) or "nothing"
        mended = sum(told["mended"].values())
        by_itself = f" ({mended:,} had been mended by a newer version)" if mended else ""
        console.print(f"[bold]{source:<10}[/bold]{came} came in{by_itself}")
        for held in told["still_held"]:
            line = f"{held['rows']:,} {held['entity']} held: {held['field']} {held['reason']}"
            console.print(f"  [yellow]![/yellow] {escape(line)}", highlight=False)
    if any(told["came_in"] for told in found.values()):
        console.print("They stand in the raw tables; the next run carries them on.")
