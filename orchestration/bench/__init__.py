"""`halosync bench NAME`: full-volume suites and benchmarks; resumable, each leaves receipts under data/bench/.

Belongs here: the registry of benches. Does not: any bench (one module each), measuring (processes.py), receipts
(receipts.py). Surprise: a bench is not a test: it judges nothing as passed or failed, it says what was found.
"""

from __future__ import annotations

import argparse
import importlib
import signal
from dataclasses import dataclass


@dataclass(frozen=True)
class Bench:
    """A bench: its module has `add_arguments(parser)` and `run(arguments) -> Exit`, as a verb has."""

    module: str
    help: str


BENCHES = {
    "resolve": Bench(
        "orchestration.bench.resolve", "our matching beside Splink and goldenmatch on the same labelled files"
    ),
    "publish": Bench("orchestration.bench.publish", "what writes cost, plans against effects, edits of people"),
    "faults": Bench("orchestration.bench.faults", "histories under faults, deaths at every boundary, planted bugs"),
    "sources": Bench("orchestration.bench.sources", "vendors under faults, killed buyers, a million saved contacts"),
    "drift": Bench("orchestration.bench.drift", "forty changes of each vendor's payloads: named, held, no wrong row"),
    "quality": Bench("orchestration.bench.quality", "planted defects, clean nights, over-merges, accuracy, a million"),
    "feed": Bench("orchestration.bench.feed", "the feed over HTTP beside a bare server, up to a million records"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    names = parser.add_subparsers(dest="bench", metavar="NAME", required=True)
    for name, bench in BENCHES.items():
        module = importlib.import_module(bench.module)
        inner = names.add_parser(name, help=bench.help, description=(module.__doc__ or "").splitlines()[0])
        module.add_arguments(inner)


def run(arguments: argparse.Namespace) -> int:
    # Asked to end, a bench unwinds, so that the program it measures ends with it.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    return importlib.import_module(BENCHES[arguments.bench].module).run(arguments)
