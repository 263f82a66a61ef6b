"""Client-side rate limits: rolling windows that tell how long to wait.

Belongs here: counting our own calls, and where they are counted when nobody shares them. Does not: what a vendor
answers when we were too fast (`http.py`), a count that several processes share (whoever has one hands in a book).
Surprise: windows are rolling even where a vendor's are fixed; a rolling window of the same size is always inside both.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Protocol

from sources.clock import Clock

# A call is counted when it leaves; the vendor counts it when it arrives. The margin keeps a call that left at the very
# end of our window from arriving inside the vendor's previous one.
ARRIVAL_MARGIN_S = 0.05


@dataclass(frozen=True)
class RateLimit:
    """At most `calls` in any `window_s` seconds."""

    calls: int
    window_s: float


class Calls(Protocol):
    """The calls that left so far, while nobody else may count one. Times are seconds since 1970."""

    def nth_newest(self, nth: int) -> float | None:
        """When the nth call from the end left, 1 for the newest; None where there are fewer or it is long ago."""

    def add(self, at_s: float, *, keep_s: float) -> None:
        """Count a call; what left more than `keep_s` before may be forgotten."""

    def none_after(self, now_s: float) -> None:
        """Calls that seem to have left later than now left now: the clock was set back."""


class CallBook(Protocol):
    """Where calls are counted. All limiters with one book share its windows."""

    def opened(self) -> AbstractContextManager[Calls]:
        """The calls, for one at a time."""


class CallsHere:
    """A book for the threads of this process alone, forgotten with it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sent: deque[float] = deque()

    @contextmanager
    def opened(self) -> Iterator[Calls]:
        with self._lock:
            yield self

    def nth_newest(self, nth: int) -> float | None:
        return self._sent[-nth] if nth <= len(self._sent) else None

    def add(self, at_s: float, *, keep_s: float) -> None:
        self._sent.append(at_s)
        while self._sent[0] < at_s - keep_s:
            self._sent.popleft()

    def none_after(self, now_s: float) -> None:
        if self._sent and self._sent[-1] > now_s:
            self._sent = deque(min(at_s, now_s) for at_s in self._sent)


class RollingLimiter:
    """All limits at once, for all who count in the same book."""

    def __init__(self, limits: Sequence[RateLimit], clock: Clock, book: CallBook | None = None) -> None:
        self._limits = tuple(limits)
        self._clock = clock
        self._book = book or CallsHere()
        self._keep_s = max((limit.window_s for limit in limits), default=0.0) + ARRIVAL_MARGIN_S

    def acquire(self) -> float:
        """Wait until one call fits every window and count it; returns the seconds waited."""
        waited_s = 0.0
        while self._limits:
            with self._book.opened() as calls:
                now_s = self._clock.time()  # read once nobody else can count, so that times in the book never cross
                wait_s = self._wait_s(calls, now_s, 1)
                if wait_s <= 0:
                    calls.add(now_s, keep_s=self._keep_s)
                    break
            self._clock.sleep(wait_s)
            waited_s += wait_s
        return waited_s

    def make_room(self, calls: int) -> None:
        """Wait until `calls` fit every window at once; counts none of them. More than a whole limit waits for that."""
        while self._limits:
            with self._book.opened() as sent:
                wait_s = self._wait_s(sent, self._clock.time(), calls)
            if wait_s <= 0:
                return
            self._clock.sleep(wait_s)

    def _wait_s(self, sent: Calls, now_s: float, calls: int) -> float:
        """Until the call that stands in the way leaves its window."""
        sent.none_after(now_s)
        in_the_way = ((sent.nth_newest(max(limit.calls - calls + 1, 1)), limit) for limit in self._limits)
        waits = [at_s + limit.window_s + ARRIVAL_MARGIN_S - now_s for at_s, limit in in_the_way if at_s is not None]
        return max(waits, default=0.0)
