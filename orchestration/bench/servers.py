"""A server as a process of its own, for benches that ask over HTTP.

Belongs here: starting one on a free port, waiting until it answers, ending it. Does not: what is asked.
"""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import requests

from orchestration.exits import Exit, Stop
from orchestration.settings import PROJECT_ROOT

START_S = 60.0


@dataclass(frozen=True)
class Server:
    url: str
    pid: int


@contextmanager
def server(command: Sequence[str], environment: Mapping[str, str]) -> Iterator[Server]:
    """`command --port N` on loopback; it must answer GET /healthz with 200.

    Raises:
        Stop: it does not within START_S (exit 1).
    """
    port = free_port()
    process = subprocess.Popen(
        [*command, "--port", str(port)], env=os.environ | environment, cwd=PROJECT_ROOT, stderr=subprocess.DEVNULL
    )
    found = Server(f"http://127.0.0.1:{port}", process.pid)
    try:
        deadline_s = time.monotonic() + START_S
        while not _answers(found.url):
            if process.poll() is not None or time.monotonic() > deadline_s:
                raise Stop(f"{command[-1]} did not come up.", Exit.DEFECT)
            time.sleep(0.2)
        yield found
    finally:
        process.terminate()
        process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def resident_mb(pid: int) -> float:
    with open(f"/proc/{pid}/statm", encoding="ascii") as statm:
        pages = statm.read().split()
    # Pages of mapped files are the system's cache, not what the process grew by.
    return (int(pages[1]) - int(pages[2])) * os.sysconf("SC_PAGE_SIZE") / 1e6


def cpu_s(pid: int) -> float:
    """CPU seconds that a process has used, its threads included."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/healthz", timeout=2).ok
    except requests.RequestException:
        return False
