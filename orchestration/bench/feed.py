"""The feed over HTTP, in full volume: what a page costs, beside a bare server and while a run works.

Belongs here: the parts and their receipts. Does not: the parts themselves (feed_rates.py, feed_suites.py).
Surprise: each part keeps a receipt, so that a bench that was stopped goes on with the next one.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from orchestration import settings as settings_module
from orchestration.bench import feed_rates, feed_suites
from orchestration.bench.feed_ledger import filled
from orchestration.bench.receipts import Receipts, fingerprint
from orchestration.exits import Exit
from orchestration.settings import PROJECT_ROOT

Part = Callable[[Path, int], dict[str, Any]]  # (folder, entities) -> figures by name


def _walk(folder: Path, entities: int) -> dict[str, Any]:
    return feed_rates.walked(filled(folder, entities))


def _rates(folder: Path, entities: int) -> dict[str, Any]:
    return feed_rates.served(filled(folder, entities), folder)


PARTS: dict[str, Part] = {
    "walk": _walk,
    "rates": _rates,
    "pollers": lambda folder, _: feed_suites.pollers(folder),
    "webhooks": lambda *_: feed_suites.webhooks(),
    "signatures": lambda *_: feed_suites.signatures(),
    "keys": lambda folder, _: feed_suites.comparing_keys(folder),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--entities", type=int, default=1_000_000, help="golden records (default 1000000)")
    parser.add_argument("--only", action="append", choices=PARTS, help="a part (default all); may be repeated")
    parser.add_argument("--out", type=Path, metavar="DIR", help="receipts and the ledger (default data/bench/feed)")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")


def run(arguments: argparse.Namespace) -> Exit:
    folder = arguments.out or settings_module.load().data_root / "bench" / "feed"
    receipts = Receipts(folder)
    code = fingerprint(
        PROJECT_ROOT / name
        for name in ("assets/publishing", "orchestration/service", "orchestration/bench/feed_rates.py")
    )
    figures: dict[str, Any] = {}
    for name in arguments.only or PARTS:
        key = {"entities": arguments.entities, "code": code}
        receipt = receipts.once(f"feed-{name}", key, partial(_measured, PARTS[name], folder, arguments.entities))
        figures |= receipt["figures"]
    if arguments.json:
        print(json.dumps({"schema_version": 1, "figures": figures}))
    else:
        table = Table("figure", "found", title=f"The feed of {arguments.entities:,} golden records")
        for name, found in figures.items():
            table.add_row(name, f"{found:,}" if isinstance(found, int | float) else str(found))
        Console(file=sys.stdout).print(table)
    return Exit.DEFECT if any(found for name, found in figures.items() if name.endswith("failed")) else Exit.DONE


def _measured(part: Part, folder: Path, entities: int) -> dict[str, Any]:
    return {"figures": part(folder, entities)}
