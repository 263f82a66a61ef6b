"""One injectable clock for simulators, clients, limiters and the publisher.

Belongs here: telling the time and waiting. Does not: rate limits (`limiter.py`), timestamps of vendors.
Surprise: in the demo, tests and benches the clock is virtual: every rate limit and back-off is enforced, but a wait
of five minutes costs nothing, because sleeping moves the clock instead of the process.
"""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

VIRTUAL_START = datetime(2026, 11, 2, 6, 0, tzinfo=UTC)  # a Monday after the simulated world's last day


class Clock(Protocol):
    """What everybody may ask of time."""

    def now(self) -> datetime:
        """The moment, aware, in UTC."""

    def time(self) -> float:
        """The moment in seconds since 1970."""

    def sleep(self, seconds: float) -> None:
        """Wait; zero and negative values return at once."""


class WallClock:
    """The real time, for `run`, `serve` and `up`."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def time(self) -> float:
        return time.time()

    def sleep(self, seconds: float) -> None:
        if seconds > 0:
            time.sleep(seconds)


class VirtualClock:
    """Time that moves only when somebody sleeps. Thread-safe; shared by everything in one process."""

    def __init__(self, start: datetime | None = None) -> None:
        self._start = start or VIRTUAL_START
        self._elapsed_s = 0.0
        self._lock = threading.Lock()

    @property
    def elapsed_s(self) -> float:
        """Virtual seconds since the clock was made."""
        with self._lock:
            return self._elapsed_s

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self.elapsed_s)

    def time(self) -> float:
        return self._start.timestamp() + self.elapsed_s

    def sleep(self, seconds: float) -> None:
        if seconds > 0:
            with self._lock:
                self._elapsed_s += seconds
