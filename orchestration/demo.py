"""The whole path on simulated vendors and a simulated HaloPSA, with its truth known.

Belongs here: the demo's flags, its world, precision and recall against the truth. Does not: the path (`full_path.py`).
Surprise: the clock is virtual, so the vendors' rate limits are enforced although the demo takes seconds; both times
are printed. All state is under data/demo; a second demo finds what the first one wrote.
"""

from __future__ import annotations

import argparse
import shutil
import sys

import duckdb
from rich.console import Console
from sources.world.world import World
from transforms.contracts import ENTITIES
from transforms.measure import partition

from orchestration import settings as settings_module
from orchestration import summary as summaries
from orchestration.exits import Exit, Stop
from orchestration.full_path import execute
from orchestration.progress import Display
from orchestration.resources import build_runtime
from orchestration.settings import Settings, SettingsError
from orchestration.simulated import recipe_for, simulated


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--people", type=_count, help="people in the simulated world (default 3000)")
    parser.add_argument("--seed", type=int, help="which world (default 7)")
    parser.add_argument("--change", type=_share, default=0.0, metavar="SHARE", help="first alter that share of people")
    parser.add_argument("--fresh", action="store_true", help="forget the world and everything made from it")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")


def run(arguments: argparse.Namespace) -> Exit:
    settings = demo_settings()
    if arguments.fresh:
        shutil.rmtree(settings.data_root, ignore_errors=True)
        settings.prepare()
    recipe = recipe_for(settings.data_root, people=arguments.people, seed=arguments.seed, change=arguments.change)
    console = Console(file=sys.stderr if arguments.json else sys.stdout)
    with simulated(settings, recipe) as around, Display(quiet=arguments.json) as display:
        runtime = build_runtime(around.settings, clock=around.clock, progress=display)
        began_s = around.clock.elapsed_s
        outcome = execute(runtime, display)
        summary = outcome.summary | {"virtual_seconds": round(around.clock.elapsed_s - began_s, 1)}
        summary |= accuracy(settings, around.world)
    if arguments.json:
        print(summaries.dump(summary))
    else:
        summaries.show(summary, console)
        _show_where(settings, console)
    return outcome.exit


def demo_settings() -> Settings:
    """Settings with the data folder moved into its own sub-folder; no `.env`, so no real account is ever touched, and
    a ledger of its own, wherever the real one is.

    Raises:
        Stop: the folder cannot be written (exit 2).
    """
    try:
        settings = settings_module.load(env_file=None)
        settings = settings.model_copy(update={"data": settings.data_root / "demo", "ledger_url": None})
        settings.prepare()
    except SettingsError as error:
        raise Stop(str(error), Exit.USAGE) from error
    return settings


def accuracy(settings: Settings, world: World) -> dict[str, dict[str, float]]:
    """Pairwise precision and recall of the golden crosswalk against the world's truth, per entity."""
    with duckdb.connect(str(settings.inspection_copy), read_only=True) as connection:
        crosswalk = connection.sql("select record_key, entity, golden_id from golden.crosswalk").df()
    joined = world.truth().merge(crosswalk, on=["record_key", "entity"])
    found = {entity: partition(part["golden_id"], part["entity_id"]) for entity, part in joined.groupby("entity")}
    return {
        "precision": {entity: round(found[entity].precision, 4) for entity in ENTITIES},
        "recall": {entity: round(found[entity].recall, 4) for entity in ENTITIES},
    }


def _show_where(settings: Settings, console: Console) -> None:
    root = settings.data_root
    console.print("\n[bold]Where to look[/bold]")
    console.print(f"  tables        {root / 'inspect.duckdb'}   (any DuckDB client)", soft_wrap=True)
    console.print(f"  feed          {root / 'feed' / 'latest.json'}", soft_wrap=True)
    console.print("  Dagster UI    python3 -m orchestration ui --demo")
    console.print("  next          python3 -m orchestration demo --change 0.01")


def _count(text: str) -> int:
    value = int(text)
    if not 50 <= value <= 1_000_000:
        raise argparse.ArgumentTypeError("give 50 to 1000000 people")
    return value


def _share(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError("give a share between 0 and 1, such as 0.01")
    return value
