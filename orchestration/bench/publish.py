"""Publishing in full volume: what writes cost beside the rate limit, plans against effects, edits of people.

Belongs here: how much is played, the receipt, figures. Does not: the worlds (publish_speed.py, planned.py,
edit_histories.py). Surprise: time is simulated; a backfill of hours takes seconds, with every wait of the limit.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from orchestration import settings as settings_module
from orchestration.bench import edit_histories, planned, publish_speed
from orchestration.bench.receipts import Receipts, fingerprint
from orchestration.exits import Exit
from orchestration.settings import PROJECT_ROOT

PLANS_A_PART = 100


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--people", type=int, default=10_000, help="users created, then updated (default 10000)")
    parser.add_argument("--plans", type=int, default=1_000, help="seeded plans (default 1000)")
    parser.add_argument("--edits", type=int, default=100_000, help="random edit histories (default 100000)")
    parser.add_argument("--out", type=Path, metavar="DIR", help="receipts (default data/bench/publish)")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")


def run(arguments: argparse.Namespace) -> Exit:
    receipts = Receipts(arguments.out or settings_module.load().data_root / "bench" / "publish")
    code = {"code": fingerprint([PROJECT_ROOT / name for name in ("assets/publishing", "sources/halopsa")])}
    figures = {
        "paces": receipts.once("paces", {**code, "people": arguments.people}, partial(_paces, arguments.people)),
        "plans": _plans(receipts, code, arguments.plans),
        "edits": receipts.once("edits", {**code, "count": arguments.edits}, partial(_edits, arguments.edits)),
    }
    print(json.dumps({"schema_version": 1, **figures}, indent=None if arguments.json else 1, ensure_ascii=False))
    edits = figures["edits"]
    is_bad = figures["plans"]["faults"] or edits["lost"] or edits["nulled"] or edits["windows_wrong"]
    return Exit.DEFECT if is_bad else Exit.DONE


def _paces(people: int) -> dict[str, Any]:
    return {"runs": publish_speed.as_figures(publish_speed.paces(people))}


def _plans(receipts: Receipts, code: dict[str, Any], count: int) -> dict[str, Any]:
    """Part by part, so that a bench that was stopped goes on where it was."""
    found: dict[str, Any] = {"plans": 0, "effects": 0, "drift": 0, "faults": []}
    for first in range(0, count, PLANS_A_PART):
        last = min(first + PLANS_A_PART, count)
        part = receipts.once(f"plans-{first}", {**code, "last": last}, partial(_judged, range(first, last)))
        for name in found:
            found[name] += part[name]
        print(f"{found['plans']} plans, {len(found['faults'])} faults", file=sys.stderr)
    return found


def _judged(seeds: range) -> dict[str, Any]:
    verdicts = [planned.judge(seed) for seed in seeds]
    return {
        "plans": len(verdicts),
        "effects": sum(one.effects for one in verdicts),
        "drift": sum(one.drift for one in verdicts),
        "faults": [f"seed {one.seed}: {fault}" for one in verdicts for fault in one.faults],
    }


def _edits(count: int) -> dict[str, Any]:
    return asdict(edit_histories.merge_histories(count))
