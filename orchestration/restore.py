"""Put a backup back. The next publishing waits for `halosync reconcile`, because HaloPSA did not go back with it.

Belongs here: flags and the report. Does not: the swap (`assets/publishing/restore.py`).
Surprise: nothing is deleted. What was there, the warehouse included, moves into a folder before-restore-…; the next
run builds the warehouse anew.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from assets.publishing import publisher
from assets.publishing.ledger import LedgerBusy, LedgerError
from assets.publishing.restore import restore
from sources.clock import WallClock

from orchestration.exits import Exit, Stop
from orchestration.full_path import LEASE
from orchestration.serve import settings_for


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="DIR", help="a folder that halosync backup made")
    parser.add_argument("--demo", action="store_true", help="into the demo's data")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")


def run(arguments: argparse.Namespace) -> Exit:
    settings = settings_for(demo=arguments.demo)
    try:
        receipt = restore(
            arguments.folder.expanduser().absolute(),
            settings.ledger,
            settings.ledger_home,
            settings.data_root / "archive",
            WallClock(),
            leases=(LEASE, publisher.LEASE),
            derived=(settings.warehouse, settings.warehouse.with_name(f"{settings.warehouse.name}.wal")),
        )
    except LedgerBusy as error:
        raise Stop(str(error), Exit.BUSY) from error
    except LedgerError as error:
        raise Stop(str(error), Exit.USAGE) from error
    if arguments.json:
        print(json.dumps({"schema_version": 1, "restored": receipt.as_json()}))
    else:
        print(
            f"The ledger is as of {receipt.made_at:%Y-%m-%d %H:%M} UTC. Before the next publishing: halosync reconcile"
        )
    return Exit.DONE
