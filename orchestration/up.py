"""Everything that keeps a HaloPSA current: the HTTP service, the Dagster UI and its daemon, started and ended together.

Belongs here: two servers as one. Does not: either of them (`serve.py`, `ui.py`).
Surprise: here the schedules run. `ui` alone is for looking around and starts nothing by itself; `up` is for work.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

from orchestration import serve, ui
from orchestration.exits import Exit, Stop
from orchestration.settings import PROJECT_ROOT

END_S = 15.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", type=int, default=serve.PORT, help=f"port of the service (default {serve.PORT})")
    parser.add_argument("--ui-port", type=int, default=3000, help="port of the Dagster UI on 127.0.0.1 (default 3000)")
    parser.add_argument("--demo", action="store_true", help="on the demo's data, with its simulators")


def run(arguments: argparse.Namespace) -> Exit:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    ui.refuse_taken(arguments.ui_port, host=ui.HOST, verb="up --ui")
    with ExitStack() as stack:
        try:
            settings = ui.demo_around(stack) if arguments.demo else ui.configured()
            ui.refuse_taken(arguments.port, host=settings.service.host, verb="up")
            os.environ["HALOSYNC_SCHEDULES"] = "running"
            ui.tidy(settings)
            servers = {
                "Dagster's server": stack.enter_context(ui.dagster_server(arguments.ui_port)),
                "The service": stack.enter_context(_service(arguments.port)),
            }
            ui.tell_when_ready(servers["Dagster's server"], arguments.ui_port)
            name, code = _first_to_end(servers)
        except KeyboardInterrupt:
            return Exit.DONE
    raise Stop(f"{name} ended by itself with code {code}; its message is above.", Exit.DEFECT)


@contextmanager
def _service(port: int) -> Iterator[subprocess.Popen[bytes]]:
    """The service as a process of its own, in a session of its own so that we alone end it."""
    command = [sys.executable, "-m", "orchestration.cli", "serve", "--port", str(port)]
    server = subprocess.Popen(command, cwd=PROJECT_ROOT, start_new_session=True)
    try:
        yield server
    finally:
        server.terminate()
        with suppress(subprocess.TimeoutExpired):
            server.wait(timeout=END_S)
        server.kill()
        server.wait()


def _first_to_end(servers: dict[str, subprocess.Popen[bytes]]) -> tuple[str, int]:
    while True:
        for name, server in servers.items():
            if (code := server.poll()) is not None:
                return name, code
        time.sleep(ui.POLL_S)
