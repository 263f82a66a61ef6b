"""A suite played in a process of its own: how many tests passed and failed, and what they noted.

Belongs here: running pytest and reading its report. Does not: which suite, how much of it, receipts (faults.py).
Surprise: figures come from `record_property` of the tests, summed over them, so that a bench counts what was really
played and not what it asked for.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from orchestration.settings import PROJECT_ROOT

WORKERS = 2
TAIL_CHARACTERS = 3_000


def play(
    *tests: str, folder: Path = PROJECT_ROOT, workers: int = WORKERS, options: tuple[str, ...] = (), **environment: Any
) -> dict[str, Any]:
    """One pytest run of `tests` in the checkout at `folder`, with `environment` added to ours.

    `passed`, `failed`, `seconds`, `failures` (test: first line of what it said), `counts` (whole numbers that tests
    noted, summed by name), `noted` (lines that tests noted, by name, each once), `tail` of the output.

    Raises:
        RuntimeError: no test ran, or one could not even begin.
    """
    began_s = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="halosync-suite-") as scratch:
        report = Path(scratch) / "report.xml"
        usual = ["-n", str(workers), "--timeout=0", "--tb=line", f"--basetemp={scratch}/tests", f"--junitxml={report}"]
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *usual, *options, *tests],
            cwd=folder,
            env=os.environ | {name: str(value) for name, value in environment.items()},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode not in (0, 1):
            raise RuntimeError(f"{' '.join(tests)} did not run: {done.stdout[-500:]}")
        cases = list(ElementTree.parse(report).iter("testcase"))
    if not cases or any(case.find("error") is not None for case in cases):
        raise RuntimeError(f"{' '.join(tests)} did not run: {done.stdout[-500:]}")
    failures = [
        f"{case.get('name')}: {(failure.get('message') or '').splitlines()[0]}"
        for case in cases
        if (failure := case.find("failure")) is not None
    ]
    counts, noted = _noted(cases)
    return {
        "passed": len(cases) - len(failures),
        "failed": len(failures),
        "seconds": round(time.monotonic() - began_s, 1),
        "failures": failures,
        "counts": counts,
        "noted": noted,
        "tail": done.stdout[-TAIL_CHARACTERS:],
    }


def _noted(cases: list[ElementTree.Element]) -> tuple[dict[str, int], dict[str, list[str]]]:
    counts: Counter[str] = Counter()
    lines: dict[str, set[str]] = {}
    for case in cases:
        for said in case.iter("property"):
            name, value = said.get("name", ""), said.get("value", "")
            if value.isdecimal():
                counts[name] += int(value)
            else:
                lines.setdefault(name, set()).update(value.splitlines())
    return dict(counts), {name: sorted(found) for name, found in lines.items()}
