"""Run one program and measure it: wall and CPU seconds, peak memory, all children included; stop it at a limit.

Belongs here: starting, watching and ending a process tree. Does not: what is run (contestants.py).
Surprise: memory is read from /proc while the program runs (`getrusage` would report the bench's own peak for a child
that was forked from it), with pages that processes share counted once; so this works on Linux only and says so. What
is taken in the last POLL_MS before the end can be missed.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from orchestration.exits import Exit, Stop

POLL_MS = 20
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
PROC = Path("/proc")


@dataclass(frozen=True)
class Limits:
    """When a program is stopped; the defaults are those of every published figure."""

    wall_s: float = 30 * 60
    memory_bytes: int = 16 << 30


@dataclass(frozen=True)
class Measured:
    """What a run cost. `stopped` says which limit ended it; CPU of children that were killed is then missing.

    `load` is how many programs wanted a core in the minute before the start: where it is above 1, others were at work
    and `wall_s` says little.
    """

    exit_code: int
    wall_s: float
    cpu_s: float
    peak_mb: float
    load: float
    stopped: str | None = None


def measure(
    command: Sequence[str],
    *,
    stdout: Path,
    stderr: Path,
    limits: Limits,
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> Measured:
    """Run `command` to its end or to a limit.

    Raises:
        Stop: this system has no /proc (exit 2).
    """
    if not (PROC / "self" / "statm").exists():
        raise Stop("Benchmarks read memory from /proc, which this system lacks; run them on Linux.", Exit.USAGE)
    with stdout.open("wb") as out, stderr.open("wb") as err:
        load, started = os.getloadavg()[0], time.perf_counter()
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            cwd=cwd,
            env=None if environment is None else dict(environment),
            start_new_session=True,
        )
        try:
            stopped, peak_bytes = _watch(process.pid, started, limits)
        finally:
            _kill(process.pid)
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
    return Measured(
        exit_code=process.returncode,
        wall_s=round(time.perf_counter() - started, 3),
        cpu_s=round(usage.ru_utime + usage.ru_stime, 3),
        peak_mb=round(peak_bytes / 2**20, 1),
        load=round(load, 1),
        stopped=stopped,
    )


def _watch(pid: int, started: float, limits: Limits) -> tuple[str | None, int]:
    """Until the program ends or reaches a limit; which limit, and the peak in bytes."""
    peak_bytes = 0
    handle = os.pidfd_open(pid)
    try:
        poller = select.poll()
        poller.register(handle, select.POLLIN)
        while not poller.poll(POLL_MS):
            peak_bytes = max(peak_bytes, _memory_bytes(_tree(pid)))
            if peak_bytes > limits.memory_bytes:
                return f"memory over {limits.memory_bytes / 2**30:g} GiB", peak_bytes
            if time.perf_counter() - started > limits.wall_s:
                return f"time over {limits.wall_s / 60:g} minutes", peak_bytes
        return None, peak_bytes
    finally:
        os.close(handle)


def _tree(root: int) -> list[int]:
    """The process, its descendants, and whoever is left of its session after a parent died."""
    parent, session = {}, {}
    for entry in PROC.iterdir():
        if entry.name.isdigit() and (stat := _read(entry / "stat")):
            # The name in parentheses may hold spaces; behind it follow state, parent, group, session.
            _, ppid, _, sid = stat.rpartition(")")[2].split()[:4]
            parent[int(entry.name)], session[int(entry.name)] = int(ppid), int(sid)
    found = {pid for pid in parent if pid == root or session[pid] == root}
    while grown := {pid for pid in parent if pid not in found and parent[pid] in found}:
        found |= grown
    return sorted(found)


def _memory_bytes(pids: Sequence[int]) -> int:
    """Own pages of all, shared pages of the one that has most; at least the high-water mark of the largest."""
    own, shared, high = 0, [0], [0]
    for pid in pids:
        if pages := _read(PROC / str(pid) / "statm").split():
            own += (int(pages[1]) - int(pages[2])) * PAGE_BYTES
            shared.append(int(pages[2]) * PAGE_BYTES)
        for line in _read(PROC / str(pid) / "status").splitlines():
            if line.startswith("VmHWM:"):
                high.append(int(line.split()[1]) * 1024)
    return max(own + max(shared), *high)


def _read(path: Path) -> str:
    """A file of /proc, empty where its process ended meanwhile."""
    try:
        return path.read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""


def _kill(root: int) -> None:
    """End what is left of the tree, root included; again until nothing is, as a process may fork while it is ended."""
    while left := [pid for pid in _tree(root) if _is_alive(pid)]:
        for pid in left:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(POLL_MS / 1000)


def _is_alive(pid: int) -> bool:
    """Not ended, and not a zombie that waits for its parent."""
    return _read(PROC / str(pid) / "stat").rpartition(")")[2].strip()[:1] not in ("", "Z", "X")
