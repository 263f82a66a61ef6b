"""The quality report in full volume: planted defects, clean nights, over-merges, accuracy, a million records.

Belongs here: the parts, their receipts, what is judged as failed. Does not: the parts themselves (planted_defects.py,
clean_nights.py, planted_overmerges.py, quality_accuracy.py, quality_million.py).
Surprise: all parts stand on the warehouse of one demo, made by the real command once and kept beside the receipts.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
from assets.quality import night
from rich.console import Console
from rich.table import Table
from sources.world.world import World
from transforms.engines.duckdb import DuckDBEngine

from orchestration import settings as settings_module
from orchestration.bench import clean_nights, planted_overmerges, quality_accuracy, quality_million
from orchestration.bench.planted_defects import DEFECTS
from orchestration.bench.receipts import Receipts, fingerprint
from orchestration.exits import Exit, Stop
from orchestration.settings import PROJECT_ROOT
from orchestration.simulated import PROFILE, Recipe

AS_OF = datetime(2026, 11, 2, 12, tzinfo=UTC)
NIGHTS, WARNINGS_MAX = 100, 1
OVERMERGE_ROUNDS, OVERMERGE_SHARE, IN_TOP_MIN = 10, 0.02, 0.9
REPLICATIONS, COVERED_MIN, POINTS_MAX = 1_000, 0.93, 2.0
Part = Callable[["Base"], dict[str, Any]]


class Base:
    """The demo that all parts stand on, and copies of its warehouse."""

    def __init__(self, folder: Path, people: int, records: int) -> None:
        self.folder = folder / f"demo-{people}"
        self.people = people
        self.records = records

    @property
    def warehouse(self) -> Path:
        path = self.folder / "demo" / "inspect.duckdb"
        if not path.exists():
            command = [
                sys.executable,
                "-m",
                "orchestration.cli",
                "demo",
                "--fresh",
                "--people",
                str(self.people),
                "--json",
            ]
            environment = {**os.environ, "HALOSYNC_DATA": str(self.folder), "HALOSYNC_LEDGER_URL": ""}
            done = subprocess.run(
                command, cwd=PROJECT_ROOT, env=environment, capture_output=True, text=True, check=False
            )
            if done.returncode:
                raise Stop(
                    f"The demo of the bench ended with exit {done.returncode}: {done.stderr[-300:]}", Exit.DEFECT
                )
            (self.folder / "summary.json").write_text(done.stdout, "utf-8")
        return path

    def copy(self, name: str) -> Path:
        path = self.folder / f"{name}.duckdb"
        shutil.copyfile(self.warehouse, path)
        return path

    @property
    def full_path_s(self) -> float:
        return float(json.loads((self.folder / "summary.json").read_text("utf-8"))["seconds"])


def planted(base: Base) -> dict[str, Any]:
    """Each defect on a copy of its own; its number must move by its size, to the unit."""
    path = base.copy("planted")
    with duckdb.connect(str(path)) as connection:
        night.build(DuckDBEngine(connection), AS_OF)
        before = _numbers(connection)
    wrong, unseen = [], 0
    for defect in DEFECTS:
        scratch = path.with_name("planted-one.duckdb")
        shutil.copyfile(path, scratch)
        with duckdb.connect(str(scratch)) as connection:
            defect.plant(connection)
            night.build(DuckDBEngine(connection), AS_OF)
            after = _numbers(connection)
        section, value = after.get(defect.kind.number_id, (defect.kind.section, 0))
        told = value - before.get(defect.kind.number_id, ("", 0))[1]
        if told != defect.size or section != defect.kind.section:
            wrong.append(f"{defect.name}: {told} in {section}")
        unseen += after["self_check"][1] != 0 and not defect.kind.number_id.startswith("unexplained")
        print(f"{defect.name}: {told}", file=sys.stderr)
        scratch.unlink()
    path.unlink()
    return {"defects planted": len(DEFECTS), "defects failed": len(wrong) + unseen, "wrong": wrong}


def _numbers(connection: duckdb.DuckDBPyConnection) -> dict[str, tuple[str, int]]:
    rows = connection.execute("select number_id, section, value from quality.judged").fetchall()
    return {name: (section, value) for name, section, value in rows}


def nights(base: Base) -> dict[str, Any]:
    """Warnings on clean nights, and whether the funnel balances on each."""
    path = base.copy("nights")
    with duckdb.connect(str(path)) as connection:
        played = []
        for one in clean_nights.play(connection, NIGHTS, seed=7):
            played.append(one)
            print(f"{one.night}: {len(one.warnings)} warnings", file=sys.stderr)
    path.unlink()
    warned = [line for one in played for line in (f"{one.night} {text}" for text in one.warnings)]
    unbalanced = sum(one.unexplained > 0 for one in played)
    differing = sum(one.differing > 0 for one in played)
    return {
        "clean nights": len(played),
        "warnings on them": len(warned),
        "funnels that balance": len(played) - unbalanced,
        "nights on which the second implementation agrees": len(played) - differing,
        "nights failed": int(len(warned) > WARNINGS_MAX) + unbalanced + differing,
        "warned": warned[:20],
    }


def overmerge(base: Base) -> dict[str, Any]:
    """Planted over-merges in the top 5 % of clusters, over rounds of other couples."""
    planted_count = in_top = 0
    by_kind: dict[str, list[int]] = {}
    for seed in range(OVERMERGE_ROUNDS):
        path = base.copy("overmerge")
        with duckdb.connect(str(path)) as connection:
            night.build(DuckDBEngine(connection), AS_OF)
            for kind, found in planted_overmerges.play(connection, OVERMERGE_SHARE, seed=seed).items():
                planted_count, in_top = planted_count + found.planted, in_top + found.in_top
                tally = by_kind.setdefault(kind, [0, 0])
                tally[0], tally[1] = tally[0] + found.planted, tally[1] + found.in_top
        path.unlink()
    share = in_top / planted_count
    return {
        "over-merges planted": planted_count,
        "share in the top 5 % of clusters": round(share, 4),
        "by kind": {kind: f"{found} of {count}" for kind, (count, found) in by_kind.items()},
        "over-merge ranking failed": int(share < IN_TOP_MIN),
    }


def accuracy(base: Base) -> dict[str, Any]:
    """Estimates against the world's truth, and how often their intervals hold it."""
    path = base.copy("accuracy")
    with duckdb.connect(str(path)) as connection:
        night.build(DuckDBEngine(connection), AS_OF)
    recipe = Recipe.read(base.folder / "demo")
    assert recipe is not None, "the demo notes its world"
    found = quality_accuracy.against_world(path, World.replay(recipe.people, recipe.seed, PROFILE, recipe.rounds))
    path.unlink()
    sources = quality_accuracy.source_coverage(REPLICATIONS, seed=1)
    told = quality_accuracy.label_coverage(REPLICATIONS, seed=2)
    off = max(one["points_off"] for one in found)
    covered = {"sources": sources["covered"], **told}
    return {
        "source accuracies compared with the world": len(found),
        "largest error, points": off,
        "replications": REPLICATIONS,
        **{f"intervals that hold the truth, {name}": round(share, 4) for name, share in covered.items()},
        "mean error over replications, points": round(sources["mean_error_points"], 2),
        "accuracy failed": int(off > POINTS_MAX) + sum(share < COVERED_MIN for share in covered.values()),
        "against the world": found,
    }


def million(base: Base) -> dict[str, Any]:
    """A report on so many source records, beside the full path."""
    path = base.copy("million")
    copies = quality_million.multiplied(path, base.records)
    found = quality_million.timed(path)
    path.unlink()
    full_s = base.full_path_s * copies
    return {
        **found,
        "full path of the demo, seconds": base.full_path_s,
        "full path times copies, seconds": round(full_s),
        "share of the full path": round(found["seconds"] / full_s, 4),
        "million failed": int(found["numbers_that_differ"] > 0),
    }


PARTS: dict[str, Part] = {
    "planted": planted,
    "nights": nights,
    "overmerge": overmerge,
    "accuracy": accuracy,
    "million": million,
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--people", type=int, default=3_000, help="people of the demo below (default 3000)")
    parser.add_argument("--records", type=int, default=1_000_000, help="source records of `million` (default 1000000)")
    parser.add_argument("--only", action="append", choices=PARTS, help="a part (default all); may be repeated")
    parser.add_argument("--out", type=Path, metavar="DIR", help="receipts and the demo (default data/bench/quality)")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")


def run(arguments: argparse.Namespace) -> Exit:
    folder = arguments.out or settings_module.load().data_root / "bench" / "quality"
    receipts = Receipts(folder)
    bench = sorted((PROJECT_ROOT / "orchestration" / "bench").glob("*quality*.py"))
    code = fingerprint([PROJECT_ROOT / "assets" / "quality", PROJECT_ROOT / "transforms" / "sql" / "quality", *bench])
    base = Base(folder, arguments.people, arguments.records)
    figures: dict[str, Any] = {}
    for name in arguments.only or PARTS:
        key = {"people": arguments.people, "records": arguments.records, "code": code}
        figures |= receipts.once(f"quality-{name}", key, partial(_measured, PARTS[name], base))["figures"]
    if arguments.json:
        print(json.dumps({"schema_version": 1, "figures": figures}))
    else:
        table = Table("figure", "found", title="The quality report in full volume")
        for name, found in figures.items():
            table.add_row(name, f"{found:,}" if isinstance(found, int | float) else str(found))
        Console(file=sys.stdout).print(table)
    return Exit.DEFECT if any(found for name, found in figures.items() if name.endswith("failed")) else Exit.DONE


def _measured(part: Part, base: Base) -> dict[str, Any]:
    return {"figures": part(base)}
