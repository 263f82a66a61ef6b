"""Client-side rate limits: rolling windows that tell how long to wait.

Belongs here: counting our own calls. Does not: what a vendor answers when we were too fast (`http.py`).
Surprise: windows are rolling even where a vendor's are fixed; a rolling window of the same size is always inside both.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from sources.clock import Clock

# A call is counted when it leaves; the vendor counts it when it arrives. The margin keeps a call that left at the very
# end of our window from arriving inside the vendor's previous one.
ARRIVAL_MARGIN_S = 0.05


@dataclass(frozen=True)
class RateLimit:
    """At most `calls` in any `window_s` seconds."""

    calls: int
    window_s: float


class RollingLimiter:
    """All limits at once, for all threads of one client."""

    def __init__(self, limits: Sequence[RateLimit], clock: Clock) -> None:
        self._limits = tuple(limits)
        self._clock = clock
        self._lock = threading.Lock()
        self._sent: tuple[deque[float], ...] = tuple(deque(maxlen=limit.calls) for limit in self._limits)

    def acquire(self) -> float:
        """Wait until one call fits every window and count it; returns the seconds waited."""
        waited_s = 0.0
        while True:
            with self._lock:
                wait_s = self._wait_s()
                if wait_s <= 0:
                    now_s = self._clock.time()
                    for sent in self._sent:
                        sent.append(now_s)
                    return waited_s
            self._clock.sleep(wait_s)
            waited_s += wait_s

    def make_room(self, calls: int) -> None:
        """Wait until `calls` fit every window at once; counts none of them. More than a whole limit waits for that."""
        while True:
            with self._lock:
                wait_s = self._wait_s(calls)
            if wait_s <= 0:
                return
            self._clock.sleep(wait_s)

    def _wait_s(self, calls: int = 1) -> float:
        now_s = self._clock.time()
        waits = [
            sent[min(len(sent) + calls - limit.calls, len(sent)) - 1] + limit.window_s + ARRIVAL_MARGIN_S - now_s
            for limit, sent in zip(self._limits, self._sent, strict=True)
            if sent and len(sent) + calls > limit.calls
        ]
        return max(waits, default=0.0)
