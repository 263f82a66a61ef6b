"""Our matching beside Splink and goldenmatch on the same labelled files, one process at a time.

Belongs here: flags, the order of runs, receipts, exit code. Does not: data (datasets.py), contestants (contestants.py),
figures (judging.py), tables (report.py). Surprise: a run that a limit stopped is a result like any other and gets its
receipt; one that failed or could not be installed gets none, so that the next call tries again (exit 3).
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from transforms.contracts import ENTITIES

from orchestration import settings as settings_module
from orchestration.bench import datasets, incremental, judging, report
from orchestration.bench.contestants import Failed, Halosync, Peer, contestants
from orchestration.bench.datasets import Dataset
from orchestration.bench.environments import NotInstalled
from orchestration.bench.processes import Limits
from orchestration.bench.receipts import Receipts
from orchestration.exits import Exit, Stop
from orchestration.progress import Display
from orchestration.settings import SettingsError

PSEUDOPEOPLE = "pseudopeople"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, metavar="DIR", help="labelled sets: NAME/{records,labels}.parquet in DIR")
    parser.add_argument(
        "--set",
        nargs="+",
        action="extend",
        default=[],
        metavar="NAME",
        help="only these sets; `world` means all worlds",
    )
    parser.add_argument(
        "--peer",
        nargs="+",
        action="extend",
        default=[],
        metavar="NAME",
        help="only these: " + ", ".join(contestants(Path())),
    )
    parser.add_argument(
        "--size",
        nargs="+",
        type=_size,
        metavar="N",
        help="contact records of the simulated world (default 10000 100000)",
    )
    parser.add_argument(
        "--only",
        choices=("incremental",),
        help="no peers: what --state costs when one record in a hundred changes, beside a full run",
    )
    parser.add_argument("--fresh", action="store_true", help="run again what a receipt already tells")
    parser.add_argument(
        "--write-docs", action="store_true", help="also render table and picture into docs/benchmarks.md"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")


def run(arguments: argparse.Namespace) -> Exit:
    root = _root()
    known = contestants(root / "peers")
    names = arguments.peer or list(known)
    if unknown := [name for name in names if name not in known]:
        raise Stop(f"No contestant {unknown[0]!r}; there are: {', '.join(known)}.", Exit.USAGE)
    bench = Comparison(root, is_fresh=arguments.fresh)
    with Display(quiet=arguments.json) as display:
        sets = bench.sets(arguments, display)
        for dataset in sets:
            if arguments.only:
                bench.changed(dataset, display)
                continue
            for name in known:
                if name in names:
                    bench.one(dataset, known[name], display)
    if arguments.write_docs and not arguments.only:
        bench.problems += report.write_docs(bench.results, peers=root / "peers")
    body = {"schema_version": 1, "results": bench.results, "problems": bench.problems}
    if arguments.json:
        print(json.dumps(body))
    elif arguments.only:
        print("\n".join(incremental.lines(bench.results)))
    else:
        report.show(bench.results, Console())
    for problem in bench.problems:
        print(f"NOT DONE: {problem}", file=sys.stderr)
    return Exit.PARTIAL if bench.problems else Exit.DONE


@dataclass
class Comparison:
    """What has been found so far; `results` are receipts, `problems` what could not be done."""

    root: Path
    is_fresh: bool
    limits: Limits = field(default_factory=Limits)
    results: list[dict[str, Any]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def sets(self, arguments: argparse.Namespace, display: Display) -> list[Dataset]:
        """The chosen sets, smallest first; only those are made."""
        here = {one.name: one for one in datasets.labelled(arguments.data)} if arguments.data else {}
        sizes = {
            datasets.world_name(size, entity): size
            for size in (arguments.size or datasets.SIZES)
            for entity in ENTITIES
        }
        chosen = datasets.chosen(arguments.set, [*here, *sizes, PSEUDOPEOPLE])
        data = self.root / "data"
        for size in sorted({sizes[name] for name in chosen if name in sizes}):
            with _step(display, f"world of {size:,} contact records"):
                here |= {one.name: one for one in datasets.world(size, data)}
        if PSEUDOPEOPLE in chosen:
            try:
                with _step(display, "pseudopeople's sample"):
                    here[PSEUDOPEOPLE] = datasets.pseudopeople(data, self.root / "peers")
            except NotInstalled as problem:
                self.problems.append(f"set {PSEUDOPEOPLE}: {problem}")
        return sorted((here[name] for name in chosen if name in here), key=lambda one: one.rows)

    def one(self, dataset: Dataset, contestant: Halosync | Peer, display: Display) -> None:
        """One contestant on one set: from its receipt, or by running it."""
        if not contestant.fits(dataset):
            return
        receipts = Receipts(self.root / "resolve")
        name = f"{dataset.name}--{contestant.name}"
        key = {"data": dataset.digest, "judge": judging.VERSION, "limits": asdict(self.limits)} | contestant.key()
        receipt = None if self.is_fresh else receipts.find(name, key)
        if receipt is None:
            try:
                with _step(display, f"{dataset.name}: {contestant.name}"):
                    receipt = receipts.keep(name, key, self._run(dataset, contestant))
            except (Failed, NotInstalled, judging.Incomplete) as problem:
                self.problems.append(f"{dataset.name}, {contestant.name}: {problem}")
                return
        self.results.append(receipt)

    def changed(self, dataset: Dataset, display: Display) -> None:
        """Our own incremental run beside our own full one."""
        receipts, name = Receipts(self.root / "resolve"), f"{dataset.name}--incremental"
        key = {"data": dataset.digest, "limits": asdict(self.limits)} | Halosync().key()
        receipt = None if self.is_fresh else receipts.find(name, key)
        if receipt is None:
            try:
                with _step(display, f"{dataset.name}: 1 % changed"):
                    receipt = receipts.keep(name, key, incremental.run(dataset, self.root / "work", self.limits))
            except Failed as problem:
                self.problems.append(f"{dataset.name}, incremental: {problem}")
                return
        self.results.append(receipt)

    def _run(self, dataset: Dataset, contestant: Halosync | Peer) -> dict[str, Any]:
        folder = self.root / "work"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        outcome = contestant.run(dataset, folder, self.limits)
        figures = None
        if outcome.clusters is not None:
            links = contestant.links_by_components
            figures = judging.judge(dataset, outcome.clusters, outcome.pairs, links_by_components=links)
        return {
            "set": dataset.name,
            "entity": dataset.entity,
            "rows": dataset.rows,
            "contestant": contestant.name,
            "seed": datasets.SEED,
            "cost": asdict(outcome.measured),
            "info": outcome.info,
            "figures": figures,
        }


@contextmanager
def _step(display: Display, name: str) -> Iterator[None]:
    """One step on the display."""
    is_done = False
    display.start(name)
    try:
        yield
        is_done = True
    finally:
        display.finish(name, is_done=is_done)


def _root() -> Path:
    """data/bench."""
    try:
        root = settings_module.load(env_file=None).data_root / "bench"
        root.mkdir(parents=True, exist_ok=True)
    except (SettingsError, OSError) as error:
        raise Stop(f"The bench cannot keep its receipts: {error}", Exit.USAGE) from error
    return root


def _size(text: str) -> int:
    value = int(text)
    if not 100 <= value <= 1_000_000:
        raise argparse.ArgumentTypeError("give 100 to 1000000 contact records")
    return value
