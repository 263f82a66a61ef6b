"""One virtual clock over many processes: everybody sees the same moment, and a sleep moves it for all."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import requests

from sources.clock import VIRTUAL_START, VirtualClock
from sources.shared_clock import ClockServer, SharedClock
from sources.simulation import serve


@pytest.fixture
def kept() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def url(kept: VirtualClock) -> Iterator[str]:
    with serve(ClockServer(kept)) as address:
        yield address


def test_all_who_ask_are_told_the_one_moment(kept, url):
    first, second = SharedClock(url), SharedClock(url)

    kept.sleep(90.5)

    assert first.now() == second.now() == kept.now() == VIRTUAL_START + timedelta(seconds=90.5)
    assert first.time() == kept.time()


def test_a_sleep_in_another_process_moves_the_clock_here(kept, url):
    """What `ui --demo` is built on: a Dagster run waits out a rate limit that the simulators here enforce."""
    code = f"from sources.shared_clock import SharedClock; SharedClock({url!r}).sleep(300)"

    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)

    assert kept.elapsed_s == 300
    assert SharedClock(url).now() == VIRTUAL_START + timedelta(seconds=300)


def test_sleeps_at_the_same_time_are_all_counted(kept, url):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: SharedClock(url).sleep(0.25), range(40)))

    assert kept.elapsed_s == 10


@pytest.mark.parametrize("seconds", [0, -5])
def test_no_wait_is_no_request_and_time_never_goes_back(kept, seconds):
    SharedClock("http://127.0.0.1:9").sleep(seconds)

    assert kept.elapsed_s == 0


def test_a_clock_that_is_gone_is_an_error_and_not_the_wall_clock(kept):
    """A run that fell back to the real time would wait for hours, or date records into another year."""
    with serve(ClockServer(kept)) as address:
        SharedClock(address).now()
    clock = SharedClock(address)

    with pytest.raises(requests.ConnectionError):
        clock.sleep(1)
    with pytest.raises(requests.ConnectionError):
        clock.now()


def test_an_answer_that_is_no_time_is_an_error(url):
    with pytest.raises(requests.HTTPError):
        SharedClock(f"{url}/elsewhere").time()
