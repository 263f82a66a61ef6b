"""`halosync test`: the whole default test run, lint and types included.

Belongs here: calling pytest in this environment. Does not: any test. Slower suites have verbs of their own.
Surprise: temporary folders of the tests lie in memory where there is room. Every commit to SQLite and DuckDB waits for
the disk, and no test takes the power away: a process that is killed leaves its files as they were on either.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from orchestration.settings import PROJECT_ROOT

MEMORY = Path("/dev/shm")  # a folder in memory, where the system has one
ROOM_BYTES = 3_000_000_000  # temporary folders were seen to take 0.43 GB at most, in nine tenths of the suite
# Two workers on two cores, whole files to a worker: fixtures of a module (a world) are made once. In the order of
# tests/conftest.py, which knows the longest files; xdist by itself would begin with those of the most tests.
SPREAD = ["-n", "2", "--dist", "loadfile", "--no-loadscope-reorder"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = "All further arguments go to pytest, such as -k feed or tests/sources."
    parser.add_argument("--json", action="store_true", help="one object with the counts on stdout")


def run(arguments: argparse.Namespace) -> int:
    given: list[str] = arguments.pytest_args
    workers = [] if any(part.startswith(("-n", "-p", "--pdb")) for part in given) else SPREAD
    command = [sys.executable, "-m", "pytest", *workers, *given]
    # A wide terminal and no colours of the caller: tests read what is printed.
    environment = os.environ | {"COLUMNS": "160", "PYTHONHASHSEED": "0", "TMPDIR": _temporary_root()}
    if not arguments.json:
        return subprocess.run(command, cwd=PROJECT_ROOT, env=environment, check=False).returncode
    return _run_with_json(command, environment)


def _temporary_root() -> str:
    """Where temporary folders are made: what the caller says, else memory, else the disk."""
    has_room = os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free >= ROOM_BYTES
    return str(MEMORY) if "TMPDIR" not in os.environ and has_room else tempfile.gettempdir()


def _run_with_json(command: list[str], environment: dict[str, str]) -> int:
    import json
    import re

    done = subprocess.run(command, cwd=PROJECT_ROOT, env=environment, check=False, capture_output=True, text=True)
    print(done.stdout, done.stderr, sep="", file=sys.stderr)
    last = next((line for line in reversed(done.stdout.splitlines()) if " in " in line), "")
    counts = {word: int(number) for number, word in re.findall(r"(\d+) (passed|failed|errors?|skipped)", last)}
    print(json.dumps({"schema_version": 1, "exit_code": done.returncode, "counts": counts}))
    return done.returncode
