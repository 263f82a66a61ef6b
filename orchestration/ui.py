"""The Dagster UI on loopback, ready to materialise.

Belongs here: starting Dagster's own server and daemon on this data folder, the demo's simulators beside them, and
ending all of it together. Does not: what can be materialised (`definitions.py`). Surprise: Dagster has no login, so
the UI is bound to 127.0.0.1; and with `--demo` each Dagster run is a process of its own that asks this one for the
simulated time.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import requests
from assets.publishing.ledger import Ledger, LedgerBusy

from orchestration import settings as settings_module
from orchestration.demo import demo_settings
from orchestration.exits import Exit, Stop
from orchestration.full_path import instance_at
from orchestration.lease import LEASE, close_dead_runs
from orchestration.run import refuse_buying_everybody
from orchestration.settings import PROJECT_ROOT, Settings, SettingsError

HOST = "127.0.0.1"
WORKSPACE = Path(__file__).with_name("workspace.yaml")
POLL_S = 0.5
END_S = 75.0  # Dagster gives its own children 60 s; after that we end them


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", type=int, default=3000, help="port on 127.0.0.1 (default 3000)")
    parser.add_argument("--demo", action="store_true", help="on the demo's data, with its simulators")


def run(arguments: argparse.Namespace) -> Exit:
    # Also SIGINT: a shell's background job inherits it as ignored, and Dagster's processes would then never end.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    refuse_taken(arguments.port, host=HOST, verb="ui")
    with ExitStack() as stack:
        try:
            settings = demo_around(stack) if arguments.demo else configured()
            tidy(settings)
            server = stack.enter_context(dagster_server(arguments.port))
            tell_when_ready(server, arguments.port)
            code = server.wait()
        except KeyboardInterrupt:
            return Exit.DONE
    raise Stop(f"Dagster's server ended by itself with code {code}; its message is above.", Exit.DEFECT)


@contextmanager
def dagster_server(port: int) -> Iterator[subprocess.Popen[bytes]]:
    """Dagster's webserver, daemon and code server, in a session of their own so that we alone end them."""
    command = [sys.executable, "-W", "ignore:Function `dev_command` is superseded", "-m", "dagster", "dev"]
    command += ["--workspace", str(WORKSPACE), "--host", HOST, "--port", str(port), "--log-level", "warning"]
    server = subprocess.Popen(command, cwd=PROJECT_ROOT, start_new_session=True)
    try:
        yield server
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        print("Stopping …", file=sys.stderr)
        server.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            server.wait(timeout=END_S)
        with suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGKILL)  # what is still there: a run in the middle, which restarts safely
        server.wait()


def tell_when_ready(server: subprocess.Popen[bytes], port: int) -> None:
    address = f"http://{HOST}:{port}"
    print(f"Starting the Dagster UI on {address} …", file=sys.stderr)
    with requests.Session() as session:
        session.trust_env = False
        while server.poll() is None:
            with suppress(requests.ConnectionError, requests.Timeout):
                if session.get(f"{address}/server_info", timeout=5).ok:
                    print(f"Dagster UI: {address}   (Ctrl-C stops it)", file=sys.stderr)
                    return
            time.sleep(POLL_S)


def refuse_taken(port: int, *, host: str, verb: str) -> None:
    """Raises: Stop, where another program listens on the port (exit 2)."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or error
            advice = f"Choose another: halosync {verb} --port {port % 60_000 + 1}."
            raise Stop(f"Port {port} on {host} cannot be used: {reason}. {advice}", Exit.USAGE) from error


def tidy(settings: Settings) -> None:
    """Make Dagster's home, and close runs that were killed: they would count as running for ever."""
    ledger = Ledger.open(settings.ledger, settings.data_root)
    with instance_at(settings.data_root) as instance, suppress(LedgerBusy), ledger.lease(LEASE):
        close_dead_runs(instance)
    ledger.close()


def configured() -> Settings:
    try:
        settings = settings_module.load()
        refuse_buying_everybody(settings)
        settings.prepare()
    except SettingsError as error:
        raise Stop(str(error), Exit.USAGE) from error
    return settings


def demo_around(stack: ExitStack) -> Settings:
    """Start the simulators here and point the environment of every Dagster run at them."""
    from sources.shared_clock import ClockServer
    from sources.simulation import serve

    from orchestration.simulated import recipe_for, simulated

    settings = demo_settings()
    recipe = recipe_for(settings.data_root, people=None, seed=None, change=0.0)
    around = stack.enter_context(simulated(settings, recipe))
    os.environ["HALOSYNC_CLOCK"] = stack.enter_context(serve(ClockServer(around.clock)))
    os.environ["HALOSYNC_DATA"] = str(settings.data_root)
    os.environ |= around.settings.as_environment()
    return around.settings
