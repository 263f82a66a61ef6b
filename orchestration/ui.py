"""The Dagster UI on loopback, ready to materialise.

Belongs here: starting Dagster's own server and daemon on this data folder, and the demo's simulators beside them.
Does not: what can be materialised (`definitions.py`). Surprise: Dagster has no login, so the UI is bound to 127.0.0.1;
and with `--demo` each Dagster run is a process of its own that asks this one for the simulated time.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

from orchestration import settings as settings_module
from orchestration.demo import demo_settings
from orchestration.exits import Exit, Stop
from orchestration.full_path import instance_at
from orchestration.settings import Settings, SettingsError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", type=int, default=3000, help="port on 127.0.0.1 (default 3000)")
    parser.add_argument("--demo", action="store_true", help="on the demo's data, with its simulators")


def run(arguments: argparse.Namespace) -> Exit:
    with ExitStack() as stack:
        settings = _demo(stack) if arguments.demo else _configured()
        with instance_at(settings.data_root):
            pass  # DAGSTER_HOME made and checked
        command = [sys.executable, "-m", "dagster", "dev", "-m", "orchestration.definitions"]
        command += ["--host", "127.0.0.1", "--port", str(arguments.port)]
        print(f"Dagster UI: http://127.0.0.1:{arguments.port}   (Ctrl-C stops it)", file=sys.stderr)
        server = subprocess.Popen(command, cwd=Path(__file__).parent.parent)
        return _wait(server)


def _wait(server: subprocess.Popen[bytes]) -> Exit:
    """Until it ends or we are told to stop; then it is stopped too."""

    def stop(*_: object) -> None:
        server.send_signal(signal.SIGINT)

    signal.signal(signal.SIGTERM, stop)
    try:
        code = server.wait()
    except KeyboardInterrupt:
        code = server.wait(timeout=30)
    return Exit.DONE if code in (0, -signal.SIGINT, 130) else Exit.DEFECT


def _configured() -> Settings:
    try:
        settings = settings_module.load()
        settings.prepare()
    except SettingsError as error:
        raise Stop(str(error), Exit.USAGE) from error
    return settings


def _demo(stack: ExitStack) -> Settings:
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
