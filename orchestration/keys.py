"""API keys of the HTTP service: make, list, revoke.

Belongs here: the verb. Does not: what a key is (`assets/publishing/keys.py`), who checks it (`service/access.py`).
Surprise: the key is printed once and never again; a name may have two live keys, so that a poller can be moved over.
"""

from __future__ import annotations

import argparse
import json
from datetime import datetime

from assets.publishing import keys
from rich.console import Console
from rich.table import Table
from sources.clock import WallClock

from orchestration.exits import Exit, Stop
from orchestration.serve import opened, settings_for


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--demo", action="store_true", help="on the demo's ledger")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    acts = parser.add_subparsers(dest="act", required=True, metavar="add|list|revoke")
    add = acts.add_parser("add", help="make a key; it is shown once")
    add.add_argument("name", help="who will use it, such as the poller's name")
    add.add_argument("--scope", action="append", choices=keys.SCOPES, help="what it may do (default feed:read)")
    acts.add_parser("list", help="all keys, without their secrets")
    acts.add_parser("revoke", help="end a key at once").add_argument("key_id", help="as `keys list` shows it")


def run(arguments: argparse.Namespace) -> Exit:
    ledger = opened(settings_for(demo=arguments.demo))
    try:
        if arguments.act == "add":
            made = keys.add(ledger, WallClock(), name=arguments.name, scopes=arguments.scope or ["feed:read"])
            _tell(arguments, {"key": made}, f"{made}\nKeep it now: it is not shown again.")
        elif arguments.act == "revoke":
            keys.revoke(ledger, WallClock(), arguments.key_id)
            _tell(arguments, {"revoked": arguments.key_id}, f"{arguments.key_id} is revoked.")
        else:
            _list(arguments, list(keys.every(ledger)))
    except keys.KeyRefused as error:
        raise Stop(str(error), Exit.USAGE) from error
    finally:
        ledger.close()
    return Exit.DONE


def _tell(arguments: argparse.Namespace, told: dict[str, object], text: str) -> None:
    print(json.dumps({"schema_version": 1, **told}) if arguments.json else text)


def _list(arguments: argparse.Namespace, found: list[keys.Key]) -> None:
    if arguments.json:
        print(json.dumps({"schema_version": 1, "keys": [_as_json(key) for key in found]}))
        return
    table = Table("id", "name", "scopes", "made", "revoked")
    for key in found:
        table.add_row(key.key_id, key.name, " ".join(sorted(key.scopes)), _text(key.created_at), _text(key.revoked_at))
    Console().print(table)


def _as_json(key: keys.Key) -> dict[str, object]:
    return {
        "key_id": key.key_id,
        "name": key.name,
        "scopes": sorted(key.scopes),
        "created_at": _text(key.created_at),
        "revoked_at": _text(key.revoked_at) or None,
    }


def _text(moment: datetime | None) -> str:
    return moment.isoformat(timespec="seconds") if moment else ""
