"""What all tests share: hypothesis without a clock, no proxies, no telemetry, one demo made by the real command.

Belongs here also: which files start first. Does not: what only one room needs (its own `house.py`).
Surprise: `demo` is made once for all workers, so it must not be changed: who changes it works on a copy.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
    os.environ.pop(name, None)

# The machines are noisy: a deadline would make a slow minute a failed test. Derandomised, so that a red run is a defect.
settings.register_profile(
    "house", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow], max_examples=50
)
settings.load_profile("house")

# The longest files, longest first: with whole files to a worker, a long one that starts last is waited for alone.
FIRST = (
    *("orchestration/test_full_path.py", "orchestration/test_ui.py", "orchestration/test_exit_codes.py"),
    *("transforms/test_hostile.py", "orchestration/test_vendor_faults.py", "test_readme.py"),
    *("sources/test_zoominfo.py", "transforms/test_order.py", "orchestration/bench/test_bench_resolve.py"),
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    folder = Path(__file__).parent
    place = {folder / name: index for index, name in enumerate(FIRST)}
    items.sort(key=lambda item: place.get(item.path, len(FIRST)))


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder after `halosync demo`, to be read or copied; whoever needs it first makes it."""
    from tests.orchestration.house import DEMO_PEOPLE, halosync

    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent  # of all workers
    data, made = shared / "demo_data", shared / "demo.made"
    with (shared / "demo.lock").open("w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        if not made.exists():
            done = halosync("demo", "--fresh", "--people", str(DEMO_PEOPLE), data=data)
            assert done.returncode == 0, done.stderr
            made.touch()
    return data
