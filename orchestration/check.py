"""Definitions load, settings are valid, contracts are consistent; writes nothing.

Belongs here: what can be known without a source, a warehouse or a network. Does not: the health of a running set-up
(`doctor`). Surprise: exit 0 says that a run could start, not that a key is accepted.
"""

from __future__ import annotations

import argparse
import json
import sys

from orchestration import settings as settings_module
from orchestration.exits import Exit, Stop
from orchestration.settings import VENDORS, Settings, SettingsError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")


def run(arguments: argparse.Namespace) -> Exit:
    try:
        settings = settings_module.load()
    except SettingsError as error:
        raise Stop(str(error), Exit.USAGE) from error
    counts = _definitions(settings)
    steps = _tables_with_sql()
    sources = {name: "configured" if not settings.missing(name) else "not configured" for name in (*VENDORS, "halopsa")}
    rules = str(settings.survivorship_file or "shipped")
    publishing = str(settings.publishing_file or "shipped")
    found = {"schema_version": 1, "definitions": counts, "tables": steps, "survivorship": rules}
    found |= {"publishing": publishing, "sources": sources}
    if arguments.json:
        print(json.dumps(found))
        return Exit.DONE
    print(f"definitions   {', '.join(f'{count} {kind}' for kind, count in counts.items())}")
    print(f"tables        {steps} steps, each with its SQL file or kernel")
    print(f"survivorship  {rules}")
    print(f"publishing    {publishing}")
    for name, state in sources.items():
        print(f"{name:<14}{state}", file=sys.stdout)
    return Exit.DONE


def _definitions(settings: Settings) -> dict[str, int]:
    """Load the definitions as the Dagster server does, and resolve every job."""
    from orchestration.definitions import build_definitions
    from orchestration.resources import build_runtime

    definitions = build_definitions(runtime=build_runtime(settings))
    graph = definitions.resolve_asset_graph()
    jobs = list(definitions.resolve_all_job_defs())
    return {
        "assets": len(graph.materializable_asset_keys),
        "checks": len(graph.asset_check_keys),
        "jobs": len([job for job in jobs if not job.name.startswith("__")]),
        "schedules": len(list(definitions.schedules or [])),
    }


def _tables_with_sql() -> int:
    """Number of steps of the pipeline; the pipeline refuses to be built where a step lacks its SQL."""
    from transforms.pipeline import STEPS

    return len(STEPS)
