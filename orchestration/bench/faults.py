"""The publisher under faults in full volume: random histories, deaths at every boundary, kills, planted bugs.

Belongs here: how much is played, in which parts, receipts, figures. Does not: histories, boundaries and kills
(tests/faults), the bugs (planted.py), running a suite (suites.py).
Surprise: it plays the very tests of the default run, only more of them, so it needs a checkout. Every part has a
receipt of its own: a bench that was stopped goes on where it was.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from functools import partial
from pathlib import Path
from typing import Any

from orchestration import settings as settings_module
from orchestration.bench.planted import BUGS, Bug, caught_by
from orchestration.bench.receipts import Receipts, fingerprint
from orchestration.bench.suites import play
from orchestration.exits import Exit
from orchestration.settings import PROJECT_ROOT

SEEDS_A_PART = 250
FIRSTS_A_PART = 22
KILLS_A_PART = 50
_CODE = ("assets/publishing", "sources/halopsa", "sources/simulation.py", "tests/faults")
_TESTS = "tests/faults"
_STORE = (
    "-k",
    "sqlite",
)  # a history on PostgreSQL takes the same path through the publisher, at several times the cost


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seeds", type=int, default=5_000, help="random histories (default 5000)")
    parser.add_argument("--kills", type=int, default=300, help="kills of real processes (default 300)")
    parser.add_argument("--seed", type=int, metavar="N", help="only this history, with its story if it fails")
    parser.add_argument("--only", choices=tuple(PARTS), help="one part; without it all of them, in this order")
    parser.add_argument("--out", type=Path, metavar="DIR", help="receipts (default data/bench/faults)")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")


def run(arguments: argparse.Namespace) -> Exit:
    if arguments.seed is not None:
        played = play(
            f"{_TESTS}/test_histories.py", options=_STORE, HALOSYNC_FAULT_FROM=arguments.seed, HALOSYNC_FAULT_SEEDS=1
        )
        print(played["tail"])
        return Exit.DONE if not played["failed"] else Exit.DEFECT
    receipts = Receipts(arguments.out or settings_module.load().data_root / "bench" / "faults")
    code = {"code": fingerprint([PROJECT_ROOT / name for name in _CODE])}
    figures = {
        name: part(receipts, code, arguments)
        for name, part in PARTS.items()
        if arguments.only in (None, name)
    }  # fmt: skip
    print(json.dumps({"schema_version": 1, **figures}, indent=None if arguments.json else 1, ensure_ascii=False))
    is_clean = all(not figure.get("failed") and not figure.get("missed") for figure in figures.values())
    return Exit.DONE if is_clean else Exit.DEFECT


def _histories(receipts: Receipts, code: dict[str, str], arguments: argparse.Namespace) -> dict[str, Any]:
    found: dict[str, Any] = {"seeds": 0, "failed": 0, "seconds": 0.0, "failures": []}
    for first in range(0, arguments.seeds, SEEDS_A_PART):
        count = min(SEEDS_A_PART, arguments.seeds - first)
        part = receipts.once(
            f"histories-{first}",
            {**code, "first": str(first), "count": str(count)},
            partial(
                play,
                f"{_TESTS}/test_histories.py",
                options=_STORE,
                HALOSYNC_FAULT_FROM=first,
                HALOSYNC_FAULT_SEEDS=count,
            ),
        )
        found["seeds"] += part["passed"] + part["failed"]
        _add(found, part)
        print(f"{found['seeds']} histories, {found['failed']} failed", file=sys.stderr)
    return found


def _boundaries(receipts: Receipts, code: dict[str, str], arguments: argparse.Namespace) -> dict[str, Any]:
    """Every boundary once, and every ordered pair of their names, some first deaths a part."""
    test = f"{_TESTS}/test_boundaries.py"
    singles = receipts.once(
        "boundaries-singles",
        code,
        partial(play, test, options=_STORE, HALOSYNC_FAULT_BOUNDARIES="all", HALOSYNC_FAULT_FIRST="0:0"),
    )
    found: dict[str, Any] = {"singles": singles["counts"]["singles"], "pairs": 0, "pairs_played": 0}
    found |= {"failed": 0, "seconds": 0.0, "failures": []}
    _add(found, singles)
    names, met = singles["noted"]["first_names"], set[str]()
    for first in range(0, len(names), FIRSTS_A_PART):
        part = receipts.once(
            f"boundaries-pairs-{first:03}",
            {**code, "first": str(first), "count": str(FIRSTS_A_PART)},
            partial(play, f"{test}::{PAIRS}", options=_STORE, HALOSYNC_FAULT_FIRST=f"{first}:{first + FIRSTS_A_PART}"),
        )
        met |= set(part["noted"]["names"])
        counts = part["counts"]
        found["pairs_played"] += counts["pairs_played"]
        found["pairs"] += counts["pairs_played"] + counts["pairs_same"]
        _add(found, part)
        print(f"{found['singles']} single deaths, {found['pairs']} pairs, {found['failed']} failed", file=sys.stderr)
    # A second that is no more met after a first: it lies before it in the story, or only another death leads to it.
    found["not_reachable"] = len(names) * len(met) - found["pairs"]
    return {**found, "names": len(names), "names_with_those_after_a_death": len(met)}


def _kills(receipts: Receipts, code: dict[str, str], arguments: argparse.Namespace) -> dict[str, Any]:
    found: dict[str, Any] = {"kills": 0, "failed": 0, "seconds": 0.0, "failures": []}
    for first in range(0, arguments.kills, KILLS_A_PART):
        count = min(KILLS_A_PART, arguments.kills - first)
        part = receipts.once(
            f"kills-{first}",
            {**code, "first": str(first), "count": str(count)},
            partial(play, f"{_TESTS}/test_kills.py", workers=1, HALOSYNC_FAULT_FROM=first, HALOSYNC_FAULT_KILLS=count),
        )
        found["kills"] += part["counts"].get("kills", 0)
        _add(found, part)
        print(f"{found['kills']} kills, {found['failed']} failed", file=sys.stderr)
    return found


def _planted(receipts: Receipts, code: dict[str, str], arguments: argparse.Namespace) -> dict[str, Any]:
    caught: dict[str, str] = {}
    missed: list[str] = []
    for bug in BUGS:
        name = f"planted-{re.sub(r'[^a-z0-9]+', '-', bug.name.lower())}"
        body = receipts.once(name, {**code, "old": bug.old, "new": bug.new}, partial(_tried, bug))
        if body["by"] is None:
            missed.append(bug.name)
        else:
            caught[bug.name] = body["by"]
        print(f"{'MISSED' if body['by'] is None else 'caught'}: {bug.name}", file=sys.stderr)
    return {"planted": len(BUGS), "caught": len(caught), "missed": missed, "by": caught}


def _tried(bug: Bug) -> dict[str, Any]:
    return {"by": caught_by(bug)}


def _add(found: dict[str, Any], part: dict[str, Any]) -> None:
    found["failed"] += part["failed"]
    found["seconds"] = round(found["seconds"] + part["seconds"], 1)
    found["failures"] += part["failures"]


PAIRS = "test_f01_two_deaths_one_after_the_other_change_nothing"
PARTS = {"histories": _histories, "boundaries": _boundaries, "kills": _kills, "planted": _planted}
