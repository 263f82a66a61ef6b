"""A measured program: what it cost, children included, and that no runaway outlives its limits."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from orchestration.bench.processes import Limits, measure

GENEROUS = Limits(wall_s=60, memory_bytes=4 << 30)


@pytest.fixture
def run(tmp_path):
    def run(code, limits=GENEROUS):
        paths = {name: tmp_path / name for name in ("stdout", "stderr")}
        return measure([sys.executable, "-c", code], **paths, limits=limits, cwd=tmp_path)

    return run


def is_running(pid):
    """Whether it is still there after a while: the kernel takes a moment to end a process."""
    for _ in range(100):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return False
        if state == "Z":
            return False
        time.sleep(0.05)
    return True


def test_output_exit_code_and_cost_are_told(run, tmp_path):
    # It waits with its memory, for what a program takes in its last moment before it ends is seen by nobody.
    code = "import sys, time; x = bytearray(200 << 20); print('out'); print('err', file=sys.stderr); time.sleep(0.3)"
    measured = run(f"{code}; sys.exit(3)")

    assert (measured.exit_code, measured.stopped) == (3, None)
    assert ((tmp_path / "stdout").read_text(), (tmp_path / "stderr").read_text()) == ("out\n", "err\n")
    assert 200 < measured.peak_mb < 400


def test_cpu_and_memory_of_children_count(run):
    child = "import time; x = bytearray(150 << 20); s = time.process_time()\nwhile time.process_time() - s < 0.4: pass"
    both = f"import subprocess, sys; [p.wait() for p in [subprocess.Popen([sys.executable, '-c', {child!r}]) for _ in 'ab']]"

    measured = run(both)

    assert measured.cpu_s > 0.8
    assert measured.peak_mb > 300


def test_memory_of_the_bench_itself_does_not_count(run):
    """getrusage of a forked child begins with its parent's peak; a small program must stay small beside a big bench."""
    ballast = bytearray(300 << 20)

    measured = run("import time; time.sleep(0.2)")

    assert len(ballast) > measured.peak_mb * 2**20


def test_a_program_over_its_time_is_ended_with_its_children(run, tmp_path):
    code = (
        "import subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'], start_new_session=True)\n"
        "open('pid', 'w').write(str(child.pid)); child.wait()"
    )
    started = time.perf_counter()

    measured = run(code, Limits(wall_s=3, memory_bytes=4 << 30))

    assert measured.stopped == "time over 0.05 minutes"
    assert time.perf_counter() - started < 30
    assert not is_running((tmp_path / "pid").read_text())


def test_a_program_over_its_memory_is_ended(run):
    code = "import time\nx = []\nwhile True: x.append(bytearray(8 << 20)); time.sleep(0.01)"

    measured = run(code, Limits(wall_s=60, memory_bytes=256 << 20))

    assert measured.stopped == "memory over 0.25 GiB"
    assert measured.exit_code == -9


def test_children_left_behind_by_a_program_that_ended_are_ended(run, tmp_path):
    code = (
        "import subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "open('pid', 'w').write(str(child.pid))"
    )

    measured = run(code)

    assert (measured.exit_code, measured.stopped) == (0, None)
    assert not is_running((tmp_path / "pid").read_text())
