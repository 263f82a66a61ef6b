"""What publishing would do to HaloPSA, record by record and field by field; writes nothing there.

Belongs here: flags, and how a plan looks on a terminal. Does not: making it (assets/publishing/applying.py).
Surprise: without --out it is only a look; a plan is kept in the ledger, and can be applied, where a file is written.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from assets.publishing import planfile
from assets.publishing.applying import make_plan
from assets.publishing.guard import ENTITIES, OPERATIONS
from assets.publishing.planfile import Plan
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from orchestration.account import halo_of, opened, rules_of
from orchestration.exits import Exit, Stop
from orchestration.progress import Display

SHOWN_EFFECTS = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, metavar="FILE", help="keep the plan: write it for `halosync apply FILE`")
    parser.add_argument("--with-values", action="store_true", help="show and write values in clear (personal data)")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")


def run(arguments: argparse.Namespace) -> Exit:
    if arguments.out and not arguments.out.absolute().parent.is_dir():
        raise Stop(f"{arguments.out}: its folder does not exist; make it first.", Exit.USAGE)
    with (
        Display(quiet=arguments.json) as display,
        opened(display, why="a plan reads what it holds.") as runtime,
        runtime.step("plan"),
    ):
        plan = make_plan(
            runtime.ledger,
            runtime.clock,
            halo_of(runtime),
            rules_of(runtime),
            with_values=arguments.with_values,
            is_kept=arguments.out is not None,
        )
    if arguments.out:
        planfile.write(arguments.out, plan)
    if arguments.json:
        print(json.dumps(plan, ensure_ascii=False))
    else:
        show(plan, Console(file=sys.stdout), arguments.out)
    return Exit.PARTIAL if plan["problems"] else Exit.DONE


def show(plan: Plan, console: Console, out: Path | None) -> None:
    """Counts beside the audience, then the first effects, then what waits and what the guard says."""
    table = Table(title="Plan for HaloPSA", title_justify="left", show_edge=False, pad_edge=False)
    table.add_column("", style="bold")
    for entity in ENTITIES:
        table.add_column(f"{entity}s", justify="right")
    for name, count in _rows(plan):
        table.add_row(name, *(f"{count[entity]:,}" for entity in ENTITIES))
    console.print(table)
    console.print()
    for effect in plan["effects"][:SHOWN_EFFECTS]:
        console.print(_line(effect), highlight=False, soft_wrap=True)
    more = len(plan["effects"]) - SHOWN_EFFECTS
    if more > 0:
        console.print(f"[dim]… and {more:,} more{f' in {out}' if out else '; --out FILE writes them all'}[/dim]")
    for text in plan["waiting"] + plan["problems"]:
        console.print(f"[yellow]![/yellow] {escape(text)}", highlight=False)
    for objection in plan["held_by"]:
        console.print(f"[red]![/red] The guard objects: {escape(objection)}.", highlight=False)
    if out:
        override = " --override-guard" if plan["held_by"] else ""
        until = plan["expires_at"][:16].replace("T", " ")
        console.print(f"\nTo do just this, until {until} UTC: halosync apply {out}{override}", soft_wrap=True)


def _rows(plan: Plan) -> list[tuple[str, dict[str, int]]]:
    audience: dict[str, dict[str, int]] = plan["audience"]

    def of(*states: str) -> dict[str, int]:
        return {entity: sum(audience[entity].get(state, 0) for state in states) for entity in ENTITIES}

    golden = {entity: sum(audience[entity].values()) for entity in ENTITIES}
    done = {name: {entity: plan["counts"][entity][name] for entity in ENTITIES} for name in OPERATIONS}
    written = {entity: done["creates"][entity] + done["updates"][entity] for entity in ENTITIES}
    return [
        ("golden records", golden),
        ("not for HaloPSA", of("suppressed")),
        ("held, rejected", of("held", "rejected")),
        ("create", done["creates"]),
        ("update", done["updates"]),
        ("make inactive", done["retires"]),
        ("unchanged", {entity: max(0, of("published")[entity] - written[entity]) for entity in ENTITIES}),
    ]


def _line(effect: dict[str, Any]) -> str:
    where = f" {effect['halo_id']}" if effect["halo_id"] else ""
    changes = ", ".join(
        f"{name} {_value(change['before'])} -> {_value(change['after'])}"
        if effect["operation"] == "update"
        else f"{name} {_value(change['after'])}"
        for name, change in effect["fields"].items()
    )
    also = [
        text
        for text, is_so in (
            ("stamp the golden id", effect["stamps_golden_id"] and effect["operation"] == "update"),
            ("make active", effect["makes_active"]),
        )
        if is_so
    ]
    head = f"[bold]{effect['operation']}[/bold] {effect['resource']}{where} [dim]{effect['golden_id']}[/dim]"
    return f"{head}  {escape(', '.join(filter(None, [changes, *also])))}"


def _value(value: Any) -> str:
    return "nothing" if value is None else f"'{value}'"
