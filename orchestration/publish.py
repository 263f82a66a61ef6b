"""Plan and apply in one: publish what waits to HaloPSA, unless the guard objects.

Belongs here: flags and the report. Does not: publishing (assets/publishing/applying.py), fetching and matching (`run`).
Surprise: it reads the ledger alone. What HaloPSA holds was read by the last `run`; a mirror that is too old holds it.
"""

from __future__ import annotations

import argparse
import json
import sys

from assets.publishing.applying import Applied, publish_guarded
from assets.publishing.session import PublishResult
from rich.console import Console

from orchestration.account import halo_of, in_the_run_book, opened, rules_of
from orchestration.apply import as_json, show
from orchestration.exits import Exit
from orchestration.progress import Display


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--override-guard", action="store_true", help="publish although the guard objects, this once")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")


def run(arguments: argparse.Namespace) -> Exit:
    with Display(quiet=arguments.json) as display, opened(display, why="publishing writes to it.") as runtime:

        def work(run_id: str) -> PublishResult:
            return publish_guarded(
                runtime.ledger,
                runtime.clock,
                halo_of(runtime),
                rules_of(runtime),
                run_id=run_id,
                is_overriding=arguments.override_guard,
                progress=lambda _, done, total: display.advance(done, total),
            )

        with runtime.step("publish"):
            result = in_the_run_book(runtime, work, lambda done: done)
    if arguments.json:
        print(json.dumps(as_json(Applied(result)), ensure_ascii=False))
    else:
        show(Applied(result), Console(file=sys.stdout))
    return Exit.PARTIAL if result.problems else Exit.DONE
