"""Match any table of records: CSV or Parquet in, one row per record with its cluster and golden id out.

Belongs here: flags and printing. Does not: matching (`transforms/resolve.py`). The columns are pinned in
docs/interface.md; unknown columns are a warning, a missing or doubled record_id is an error.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from transforms.contracts import ENTITIES
from transforms.resolve import InputError, resolve_file

from orchestration.exits import Exit, Stop


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, help="CSV or Parquet, by suffix; record_id is the only column it must have")
    parser.add_argument("--entity", required=True, choices=ENTITIES, help="what a record is")
    parser.add_argument("--out", type=Path, required=True, help="CSV or Parquet: record_id cluster_id golden_id")
    parser.add_argument("--pairs", type=Path, help="also write the scored pairs: weight, probability, pattern")
    parser.add_argument("--state", type=Path, metavar="DIR", help="keep ids and model here; without it nothing is kept")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")


def run(arguments: argparse.Namespace) -> Exit:
    console = Console(file=sys.stderr)
    for target in (arguments.out, arguments.pairs):
        if target is not None:
            _require_writable(target)
    try:
        with console.status(f"matching {arguments.file.name} …"):
            found = resolve_file(
                arguments.file,
                entity=arguments.entity,
                out=arguments.out,
                pairs=arguments.pairs,
                state=arguments.state,
                warn=lambda text: print(text, file=sys.stderr),
            )
    except InputError as error:
        raise Stop(str(error), Exit.USAGE) from error
    except OSError as error:  # reading is judged by InputError; what is left is the folder of --state
        raise Stop(f"Cannot write {error.filename or arguments.state}: {error.strerror}.", Exit.USAGE) from error
    found = {"schema_version": 1} | found
    if arguments.json:
        print(json.dumps(found))
    else:
        print(f"{found['records']:,} records, {found['clusters']:,} entities, {found['pairs']:,} matching pairs")
        print(f"written to {arguments.out}")
    return Exit.DONE


def _require_writable(target: Path) -> None:
    """Before the matching, which may take long. A folder that does not exist is told by `resolve_file`.

    Raises:
        Stop: the file could not be written (exit 2).
    """
    if target.is_dir():
        raise Stop(f"Cannot write {target}: it is a folder. Give the name of a file.", Exit.USAGE)
    if not target.absolute().parent.is_dir():
        return
    try:
        tempfile.TemporaryFile(dir=target.absolute().parent).close()
    except OSError as error:
        raise Stop(f"Cannot write {target}: {error.strerror}. Give a folder that you may write.", Exit.USAGE) from error
