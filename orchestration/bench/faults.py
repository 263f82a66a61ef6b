"""The publisher under faults in full volume: random histories, deaths at every boundary, planted bugs.

Belongs here: how much is played, receipts, figures. Does not: histories and boundaries (tests/faults), the bugs
(planted.py). Surprise: it plays the very tests of the default run, only more of them, so it needs a checkout.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

from orchestration import settings as settings_module
from orchestration.bench.planted import BUGS, Bug, is_caught
from orchestration.bench.receipts import Receipts, fingerprint
from orchestration.exits import Exit
from orchestration.settings import PROJECT_ROOT

SEEDS_A_PART = 250
_CODE = ("assets/publishing", "sources/halopsa", "sources/simulation.py", "tests/faults")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seeds", type=int, default=5_000, help="random histories (default 5000)")
    parser.add_argument("--seed", type=int, metavar="N", help="only this history, with its story if it fails")
    parser.add_argument(
        "--only", choices=("histories", "boundaries", "planted"), help="one part; without it all three, in this order"
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="receipts (default data/bench/faults)")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")


def run(arguments: argparse.Namespace) -> Exit:
    if arguments.seed is not None:
        played = _play("test_histories.py", HALOSYNC_FAULT_FROM=arguments.seed, HALOSYNC_FAULT_SEEDS=1)
        print(played["tail"])
        return Exit.DONE if not played["failed"] else Exit.DEFECT
    receipts = Receipts(arguments.out or settings_module.load().data_root / "bench" / "faults")
    code = {"code": fingerprint([PROJECT_ROOT / name for name in _CODE])}
    parts = [arguments.only] if arguments.only else ["histories", "boundaries", "planted"]
    figures: dict[str, Any] = {}
    if "histories" in parts:
        figures["histories"] = _histories(receipts, code, arguments.seeds)
    if "boundaries" in parts:
        figures["boundaries"] = receipts.once(
            "boundaries", code, partial(_play, "test_boundaries.py", HALOSYNC_FAULT_BOUNDARIES="all")
        )
    if "planted" in parts:
        figures["planted"] = _planted(receipts, code)
    print(json.dumps({"schema_version": 1, **figures}, indent=None if arguments.json else 1, ensure_ascii=False))
    failed = figures.get("histories", {}).get("failed", 0) + figures.get("boundaries", {}).get("failed", 0)
    return Exit.DONE if not failed and not figures.get("planted", {}).get("missed") else Exit.DEFECT


def _histories(receipts: Receipts, code: dict[str, str], seeds: int) -> dict[str, Any]:
    """Part by part, so that a bench that was stopped goes on where it was."""
    found: dict[str, Any] = {"seeds": 0, "failed": 0, "seconds": 0.0, "failures": []}
    for first in range(0, seeds, SEEDS_A_PART):
        count = min(SEEDS_A_PART, seeds - first)
        part = receipts.once(
            f"histories-{first}",
            {**code, "first": str(first), "count": str(count)},
            partial(_play, "test_histories.py", HALOSYNC_FAULT_FROM=first, HALOSYNC_FAULT_SEEDS=count),
        )
        found["seeds"] += part["passed"] + part["failed"]
        found["failed"] += part["failed"]
        found["seconds"] = round(found["seconds"] + part["seconds"], 1)
        found["failures"] += part["failures"]
        print(f"{found['seeds']} histories, {found['failed']} failed", file=sys.stderr)
    return found


def _planted(receipts: Receipts, code: dict[str, str]) -> dict[str, Any]:
    caught: list[str] = []
    missed: list[str] = []
    for number, bug in enumerate(BUGS):
        key = {**code, "old": bug.old, "new": bug.new}
        body = receipts.once(f"planted-{number:02}", key, partial(_tried, bug))
        (caught if body["is_caught"] else missed).append(bug.name)
        print(f"{'caught' if body['is_caught'] else 'MISSED'}: {bug.name}", file=sys.stderr)
    return {"planted": len(BUGS), "caught": len(caught), "missed": missed}


def _tried(bug: Bug) -> dict[str, Any]:
    return {"is_caught": is_caught(bug)}


def _play(test: str, **environment: Any) -> dict[str, Any]:
    """One pytest run: how many passed and failed, and the last lines of each failure."""
    began_s = time.monotonic()
    command = [sys.executable, "-m", "pytest", "-n", "2", "--timeout=0", "--tb=line", f"tests/faults/{test}"]
    done = subprocess.run(
        command,
        cwd=PROJECT_ROOT,
        env=os.environ | {name: str(value) for name, value in environment.items()},
        capture_output=True,
        text=True,
        check=False,
    )
    counts = {word: int(number) for number, word in re.findall(r"(\d+) (passed|failed|error)", done.stdout)}
    if "error" in counts or not counts:
        raise RuntimeError(f"tests/faults/{test} did not run: {done.stdout[-500:]}")
    failures = [line for line in done.stdout.splitlines() if "Violation: seed" in line]
    return {
        "passed": counts.get("passed", 0),
        "failed": counts.get("failed", 0),
        "failures": failures,
        "seconds": round(time.monotonic() - began_s, 1),
        "tail": done.stdout[-3_000:],
    }
