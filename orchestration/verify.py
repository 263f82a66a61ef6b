"""`halosync test`: the whole default test run, lint and types included.

Belongs here: calling pytest in this environment. Does not: any test. Slower suites have verbs of their own.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys

from orchestration.settings import PROJECT_ROOT


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = "All further arguments go to pytest, such as -k feed or tests/sources."
    parser.add_argument("--json", action="store_true", help="one object with the counts on stdout")


def run(arguments: argparse.Namespace) -> int:
    given: list[str] = arguments.pytest_args
    # Two workers on two cores, whole files to a worker: fixtures of a module (a world, a demo) are made once.
    workers = [] if any(part.startswith(("-n", "-p", "--pdb")) for part in given) else ["-n", "2", "--dist", "loadfile"]
    command = [sys.executable, "-m", "pytest", *workers, *given]
    # A wide terminal and no colours of the caller: tests read what is printed.
    environment = os.environ | {"COLUMNS": "160", "PYTHONHASHSEED": "0"}
    if not arguments.json:
        return subprocess.run(command, cwd=PROJECT_ROOT, env=environment, check=False).returncode
    return _run_with_json(command, environment)


def _run_with_json(command: list[str], environment: dict[str, str]) -> int:
    import json
    import re

    done = subprocess.run(command, cwd=PROJECT_ROOT, env=environment, check=False, capture_output=True, text=True)
    print(done.stdout, done.stderr, sep="", file=sys.stderr)
    last = next((line for line in reversed(done.stdout.splitlines()) if " in " in line), "")
    counts = {word: int(number) for number, word in re.findall(r"(\d+) (passed|failed|errors?|skipped)", last)}
    print(json.dumps({"schema_version": 1, "exit_code": done.returncode, "counts": counts}))
    return done.returncode
