"""A fair share a minute for each caller: a bucket that fills evenly, one number for each.

Belongs here: the counting (GCRA, the form of the leaky bucket that needs no timer). Does not: who is counted
(`access.py`). Surprise: `limits` did this before; its store in memory starts a thread every few milliseconds, which
cost a page of the feed more than its SQL.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

CALLERS_MAX = 10_000  # whoever is remembered beyond it and owes nothing is forgotten


class Shares:
    """`per_minute` calls at once, then one for each that a minute divided by them brings back."""

    def __init__(self, per_minute: int, now_s: Callable[[], float] = time.monotonic) -> None:
        self._each_s = 60.0 / per_minute
        self._now_s = now_s
        self._full_at_s: dict[str, float] = {}  # when the bucket of each will be full again
        self._lock = threading.Lock()

    def has(self, caller: str) -> bool:
        """Whether the caller has any of his share left; takes nothing."""
        return self._full_at_s.get(caller, 0.0) - self._now_s() <= 60.0 - self._each_s / 2

    def take(self, caller: str) -> bool:
        """Take one; False, and nothing taken, where none is left."""
        with self._lock:
            now_s = self._now_s()
            full_at_s = max(self._full_at_s.get(caller, now_s), now_s) + self._each_s
            if full_at_s - now_s > 60.0 + self._each_s / 2:  # half of one forgives rounding
                return False
            if len(self._full_at_s) >= CALLERS_MAX and caller not in self._full_at_s:
                self._full_at_s = {name: at_s for name, at_s in self._full_at_s.items() if at_s > now_s}
            self._full_at_s[caller] = full_at_s
        return True
