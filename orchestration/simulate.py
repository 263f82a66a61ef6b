"""One vendor, or HaloPSA, simulated on loopback: a rehearsal without an account.

Belongs here: flags, what is printed, the end by a signal. Does not: the simulators (`sources/*/simulator.py`), the list
of faults (`sources/faults.py`). Surprise: its clock is the real one, so its rate limits hold in real minutes; and all
of it lives in memory, so stopping it forgets every record and every credit.
"""

from __future__ import annotations

import argparse
import difflib
import json
import signal
import sys
import threading
from typing import Any

from rich.console import Console
from rich.table import Table

from orchestration.exits import Exit, Stop

VENDORS = ("apollo", "zoominfo", "uplead", "halopsa")
HOST = "127.0.0.1"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("vendor", choices=VENDORS, help="whom to simulate")
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1 (default: a free one)")
    parser.add_argument("--people", type=int, default=1_000, help="people in the simulated world (default 1000)")
    parser.add_argument("--seed", type=int, default=7, help="which world (default 7)")
    parser.add_argument(
        "--fault", action="append", default=[], metavar="NAME",
        help="play a fault, such as '429 with a date' or '429 with a date @ next page'; may be repeated",
    )  # fmt: skip
    parser.add_argument("--list-faults", action="store_true", help="name the faults of this vendor, and end")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")


def run(arguments: argparse.Namespace) -> Exit:
    from sources.faults import scripted

    if arguments.list_faults:
        _list(arguments.vendor, as_json=arguments.json)
        return Exit.DONE
    if arguments.people < 50:
        raise Stop(f"--people {arguments.people}: a world has at least 50 people.", Exit.USAGE)
    faults = [_fault(name, scripted(arguments.vendor)) for name in arguments.fault]
    # Also SIGINT: a shell's background job inherits it as ignored.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    try:
        _serve(arguments, faults)
    except KeyboardInterrupt:
        print("Stopped; nothing of it is kept.", file=sys.stderr)
    return Exit.DONE


def _serve(arguments: argparse.Namespace, faults: list[Any]) -> None:
    """Serve until a signal comes."""
    from sources.clock import WallClock
    from sources.simulation import serve
    from sources.world.world import World

    from orchestration.simulated import PROFILE, environment_of, simulator_of
    from orchestration.ui import refuse_taken

    if arguments.port:
        refuse_taken(arguments.port, host=HOST, verb=f"simulate {arguments.vendor}")
    world = World.replay(arguments.people, arguments.seed, PROFILE, [])
    simulator = simulator_of(arguments.vendor, world, WallClock())
    simulator.faults = [fault.fault() for fault in faults]
    simulator.on_request = _log
    with serve(simulator, arguments.port) as url:
        environment = environment_of(arguments.vendor, url)
        if arguments.json:
            found = {"vendor": arguments.vendor, "url": url, "environment": environment}
            print(json.dumps({"schema_version": 1, **found, "faults": [fault.name for fault in faults]}), flush=True)
        else:
            _tell(arguments, url, environment, faults)
        threading.Event().wait()


def _tell(arguments: argparse.Namespace, url: str, environment: dict[str, str], faults: list[Any]) -> None:
    print(f"Simulated {arguments.vendor} on {url}, {arguments.people:,} people in its world (Ctrl-C stops it).")
    for fault in faults:
        print(f"It plays: {fault.name} ({fault.trouble.what}). Expected: {fault.outcome}.")
    print("\nPoint halosync at it, in another shell and with a data folder of its own:\n")
    for name, value in ({"HALOSYNC_DATA": "/tmp/rehearsal"} | environment).items():
        print(f"export {name}='{value}'")
    print("halosync run --no-publish\n", flush=True)


def _log(request: Any) -> None:
    """One line a request, without its query: that may name people."""
    print(f"{request.method:<5} {request.status or 'died':<5} {request.path}", file=sys.stderr, flush=True)


def _fault(asked: str, known: list[Any]) -> Any:
    """The first fault of the list with that name, at that place where one is named.

    Raises:
        Stop: there is none (exit 2).
    """
    for fault in known:
        if asked.casefold() in (fault.name.casefold(), fault.trouble.name.casefold()):
            return fault
    names = [name for fault in known for name in (fault.trouble.name, fault.name)]
    near = difflib.get_close_matches(asked, names, n=1, cutoff=0.4)
    hint = f" Did you mean '{near[0]}'?" if near else ""
    raise Stop(f"There is no fault '{asked}'.{hint} See --list-faults.", Exit.USAGE)


def _list(vendor: str, *, as_json: bool) -> None:
    from sources.faults import scripted

    faults = scripted(vendor)
    if as_json:
        told = [{"name": fault.name, "what": fault.trouble.what, "expected": fault.outcome} for fault in faults]
        print(json.dumps({"schema_version": 1, "vendor": vendor, "faults": told}))
        return
    places: dict[str, list[str]] = {}
    for fault in faults:
        places.setdefault(fault.trouble.name, []).append(fault.place.name)
    table = Table("fault", "what the vendor does", "what halosync does", "at")
    for trouble in dict.fromkeys(fault.trouble for fault in faults):
        table.add_row(trouble.name, trouble.what, trouble.outcome, ", ".join(places[trouble.name]))
    Console(file=sys.stdout).print(table)
