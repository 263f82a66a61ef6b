"""A backup of ledger and archive in a folder of its own, with a receipt; runs and service may go on meanwhile.

Belongs here: flags and the report. Does not: copying and checking (`assets/publishing/backup.py`).
Surprise: the copy holds people's data and the key of the chain, so keep it as closed as the data folder itself.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from assets.publishing import backup
from assets.publishing.ledger import LedgerError
from sources.clock import WallClock

from orchestration.exits import Exit, Stop
from orchestration.serve import opened, settings_for


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="DIR", help="the backup's new folder")
    parser.add_argument("--demo", action="store_true", help="of the demo's data")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")


def run(arguments: argparse.Namespace) -> Exit:
    settings = settings_for(demo=arguments.demo)
    ledger = opened(settings)
    folder = arguments.folder.expanduser().absolute()
    try:
        receipt = backup.make(ledger, settings.data_root / "archive", folder, WallClock())
    except LedgerError as error:
        raise Stop(str(error), Exit.USAGE) from error
    finally:
        ledger.close()
    if arguments.json:
        print(json.dumps({"schema_version": 1, "backup": receipt.as_json()}))
    else:
        print(f"{len(receipt.files):,} files, {receipt.bytes / 1e6:,.1f} MB, schema {receipt.schema}: {folder}")
    for problem in receipt.problems:
        print(f"The chain of effects is not whole: {problem}.", file=sys.stderr)
    return Exit.PARTIAL if receipt.problems else Exit.DONE
