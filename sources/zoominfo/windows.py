"""Simulated ZoomInfo's rate limits: three sliding windows, all checked at once, and the headers that tell them.

Belongs here: packages, counting, headers. Does not: the client's own politeness (`settings.py`, `sources/limiter.py`).
Surprise: a refused call is counted by no window, and `-1` left means "unknown", not "none".
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

WINDOWS = (("Second", 1.0), ("Hour", 3_600.0), ("Day", 86_400.0))
PACKAGES = {
    "builder": (5, 10_800, 129_600),
    "standard": (25, 54_000, 648_000),
    "scaling": (35, 75_600, 907_200),
}


@dataclass
class SlidingWindows:
    """The calls of one account. `is_unknown` sends the -1 of a quota service that is down."""

    limits: tuple[int, int, int]
    has_old_headers: bool = True  # X-RateLimit-Limit and -Remaining, gone from 2027 on
    is_unknown: bool = False
    _sent: tuple[deque[float], ...] = field(default_factory=lambda: tuple(deque() for _ in WINDOWS))

    def count(self, now_s: float) -> tuple[bool, dict[str, str]]:
        """Count a call: whether it is let through, and the headers of its answer."""
        for (_, size_s), sent in zip(WINDOWS, self._sent, strict=True):
            while sent and sent[0] <= now_s - size_s:
                sent.popleft()
        for (name, size_s), sent, limit in zip(WINDOWS, self._sent, self.limits, strict=True):
            if len(sent) >= limit:
                free_s = sent[0] + size_s
                wait_s = max(int(free_s - now_s + 0.999), 1)
                refusal = {
                    "Retry-After": str(wait_s),
                    "X-RateLimit-Rejected-Bucket": name.lower(),
                    "X-RateLimit-Reset": str(int(free_s) + 1),
                }
                return False, self._headers() | refusal
        for sent in self._sent:
            sent.append(now_s)
        return True, self._headers()

    def _headers(self) -> dict[str, str]:
        headers: dict[str, str] = {}
        for (name, _), sent, limit in zip(WINDOWS, self._sent, self.limits, strict=True):
            headers[f"X-RateLimit-Limit-{name}"] = str(limit)
            headers[f"X-RateLimit-Remaining-{name}"] = "-1" if self.is_unknown else str(max(limit - len(sent), 0))
        if self.has_old_headers:
            headers["X-RateLimit-Limit"] = headers["X-RateLimit-Limit-Second"]
            headers["X-RateLimit-Remaining"] = headers["X-RateLimit-Remaining-Second"]
        return headers
