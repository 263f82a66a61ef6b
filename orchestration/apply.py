"""Do to HaloPSA exactly what a plan says, once; records that drifted since are left alone and listed.

Belongs here: flags and the report. Does not: applying (assets/publishing/applying.py).
Surprise: drift is exit 4: everything else was done, and these were left on purpose; the next plan has them.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from assets.publishing import planfile
from assets.publishing.applying import Applied, apply_plan
from assets.publishing.planfile import PlanError
from rich.console import Console
from rich.markup import escape

from orchestration.account import counts_of, halo_of, in_the_run_book, opened, rules_of
from orchestration.exits import Exit, Stop
from orchestration.progress import Display


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="a plan that `halosync plan --out FILE` wrote")
    parser.add_argument("--override-guard", action="store_true", help="apply it although the guard objects")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")


def run(arguments: argparse.Namespace) -> Exit:
    try:
        plan = planfile.read(arguments.file)
    except PlanError as error:
        raise Stop(str(error), Exit.USAGE) from error
    with Display(quiet=arguments.json) as display, opened(display, why="a plan is applied to it.") as runtime:

        def work(run_id: str) -> Applied:
            return apply_plan(
                runtime.ledger,
                runtime.clock,
                halo_of(runtime),
                rules_of(runtime),
                plan,
                run_id=run_id,
                is_overriding=arguments.override_guard,
                progress=lambda _, done, total: display.advance(done, total),
            )

        with runtime.step("apply"):
            applied = in_the_run_book(runtime, work, lambda done: done.result)
    if arguments.json:
        print(json.dumps(as_json(applied), ensure_ascii=False))
    else:
        show(applied, Console(file=sys.stdout))
    return Exit.HELD if applied.drift else Exit.PARTIAL if applied.result.problems else Exit.DONE


def as_json(applied: Applied) -> dict[str, object]:
    drift = [asdict(one) for one in applied.drift]
    result = applied.result
    return {
        "schema_version": 1,
        "halo": counts_of(result),
        "drift": drift,
        "waiting": result.waiting,
        "problems": result.problems,
    }


def show(applied: Applied, console: Console) -> None:
    result = applied.result
    console.print(
        f"[bold]HaloPSA[/bold]  {result.created:,} created, {result.updated:,} updated, "
        f"{result.retired:,} made inactive, {result.rejected:,} rejected"
    )
    for one in applied.drift:
        what = f"{one.operation} {one.resource} of {one.golden_id}"
        console.print(f"[yellow]![/yellow] not done: {escape(what)}: {escape(one.reason)}", highlight=False)
    if applied.drift:
        console.print("What drifted waits for the next plan: halosync plan --out FILE")
    for text in result.problems:
        console.print(f"[yellow]![/yellow] {escape(text)}", highlight=False)
