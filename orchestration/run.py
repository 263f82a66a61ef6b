"""The full path on the configured vendors and exports.

Belongs here: which sources a run asks, and what must be configured for it. Does not: the path (`full_path.py`).
Surprise: a vendor without a key is left out silently unless it is named with --source; HaloPSA without a key, or one
that refuses ours, is an error unless --no-publish says that nothing shall be written. It is found before a credit is
spent; a HaloPSA that is merely down does not keep the vendors from being loaded.
"""

from __future__ import annotations

import argparse
import sys

from rich.console import Console

from orchestration import settings as settings_module
from orchestration import summary as summaries
from orchestration.account import sign_in
from orchestration.exits import Exit, Stop
from orchestration.full_path import execute
from orchestration.progress import Display
from orchestration.resources import build_runtime
from orchestration.settings import VENDORS, Settings, SettingsError

SOURCES = (*VENDORS, "exports")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--source", action="append", choices=SOURCES, help="only this source; may be given several times"
    )
    parser.add_argument(
        "--no-publish", action="store_true", help="write nothing to HaloPSA; changes wait in the outbox"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")


def run(arguments: argparse.Namespace) -> Exit:
    settings = checked_settings(arguments.source, publish=not arguments.no_publish)
    with Display(quiet=arguments.json) as display:
        runtime = build_runtime(settings, only=arguments.source, publish=not arguments.no_publish, progress=display)
        if runtime.publish:
            sign_in(runtime, advice="Nothing was fetched. Without HaloPSA: halosync run --no-publish.")
        outcome = execute(runtime, display)
    if arguments.json:
        print(summaries.dump(outcome.summary))
    else:
        summaries.show(outcome.summary, Console(file=sys.stdout))
    return outcome.exit


def checked_settings(only: list[str] | None, *, publish: bool) -> Settings:
    """Settings that suffice for the run asked for.

    Raises:
        Stop: something is missing or wrong, one line with the remedy (exit 2).
    """
    try:
        settings = settings_module.load()
        for source in only or []:
            if source in VENDORS:
                settings.require(source, why=f"--source {source} needs it.")
        refuse_buying_everybody(settings)
        settings.prepare()
        has_exports = any(path.is_file() for path in (settings.data_root / "exports").rglob("*"))
        if not settings.configured() and not has_exports:
            raise SettingsError(
                "No source is configured: set a vendor's key in .env (see .env.template), or put downloaded CSV files "
                f"into {settings.data_root / 'exports'}/apollo, zoominfo or uplead. To look around: halosync demo."
            )
        if publish:
            settings.require("halopsa", why="publishing needs it. Without it `halosync run --no-publish` works.")
    except SettingsError as error:
        raise Stop(str(error), Exit.USAGE) from error
    return settings


def refuse_buying_everybody(settings: Settings) -> None:
    """Apollo without a filter is not a run but a bill; what the team has saved there costs nothing.

    Raises:
        SettingsError: Apollo is configured, and neither its query nor the reading of what is saved.
    """
    apollo = settings.sources.apollo
    if not settings.missing("apollo") and not apollo.query and not apollo.saved:
        raise SettingsError(
            "Setting SOURCES__APOLLO__QUERY is missing; without a filter every person Apollo knows would be bought "
            "at a credit each. Set it in .env (see .env.template), or SOURCES__APOLLO__SAVED=true to read for nothing "
            "what your team has saved there."
        )
