"""Forty changes of each vendor's payloads, played one by one: named rightly, held, and no wrong row.

Belongs here: how many are played, receipts, figures. Does not: the mutations (drift_mutations.py), playing one
(drift_play.py). Surprise: a receipt a vendor; a bench that was stopped goes on with the next.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from orchestration import settings as settings_module
from orchestration.bench.drift_mutations import mutations
from orchestration.bench.drift_play import Base
from orchestration.bench.receipts import Receipts, fingerprint
from orchestration.exits import Exit
from orchestration.settings import PROJECT_ROOT, VENDORS

MEASURED = ("sources", "transforms/sql/standardised", "orchestration/bench/drift_play.py")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--people", type=int, default=240, help="of the simulated world (default 240)")
    parser.add_argument("--only", action="append", choices=VENDORS, help="a vendor (default all); may be repeated")
    parser.add_argument("--out", type=Path, metavar="DIR", help="receipts (default data/bench/drift)")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")


def run(arguments: argparse.Namespace) -> Exit:
    receipts = Receipts(arguments.out or settings_module.load().data_root / "bench" / "drift")
    code = fingerprint([*(PROJECT_ROOT / name for name in MEASURED), Path(__file__).with_name("drift_mutations.py")])
    figures: dict[str, Any] = {}
    for vendor in arguments.only or VENDORS:
        key = {"code": code, "people": arguments.people}
        figures[vendor] = receipts.once(f"drift-{vendor}", key, partial(played, vendor, arguments.people))["figures"]
    if arguments.json:
        print(json.dumps({"schema_version": 1, "figures": figures}))
    else:
        table = Table("vendor", "mutations", "named and held", "rows touched", "rows held", "faults")
        for vendor, told in figures.items():
            numbers = (told["mutations"], told["right"], told["touched"], told["held"], len(told["faults"]))
            table.add_row(vendor, *(f"{number:,}" for number in numbers))
        Console(file=sys.stdout).print(table)
    return Exit.DEFECT if any(told["faults"] for told in figures.values()) else Exit.DONE


def played(vendor: str, people: int) -> dict[str, Any]:
    """All mutations of one vendor on one world."""
    with tempfile.TemporaryDirectory(prefix="halosync-drift-") as scratch:
        base = Base(Path(scratch) / "base", vendor, people=people)
        verdicts = []
        for place, mutation in enumerate(mutations(vendor)):
            with tempfile.TemporaryDirectory(dir=scratch, prefix=f"{place}-") as folder:
                verdicts.append(base.play(mutation, Path(folder)))
    return {
        "figures": {
            "mutations": len(verdicts),
            "right": sum(not one.faults for one in verdicts),
            "touched": sum(one.touched for one in verdicts),
            "held": sum(one.held for one in verdicts),
            "faults": [f"{one.mutation}: {fault}" for one in verdicts for fault in one.faults],
        }
    }
