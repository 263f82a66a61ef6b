"""Simulated Apollo's rate limits: three fixed windows per route, and the headers that tell them.

Belongs here: plans, windows, headers. Does not: the client's own politeness (`settings.py`, `sources/limiter.py`).
Surprise: an unlimited window sends its limit header empty and no usage; the day's headers once had other names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

WINDOWS_S = (60.0, 3_600.0, 86_400.0)
_NAMES = (("minute", "minute"), ("hourly", "hourly"), ("24-hour", "24-hour"))
_SPOKEN = ("minute", "hour", "24 hours")

Quota = tuple[int | None, int | None, int | None]  # calls a minute, an hour, 24 hours; None is unlimited

# Per plan and group of routes; https://docs.apollo.io/reference/rate-limits.
QUOTAS: Mapping[str, Mapping[str, Quota]] = {
    "free": {"default": (50, 200, 600), "search": (50, 200, 600), "enrich": (20, 100, 600)},
    "professional": {"default": (200, 400, 2_000), "search": (200, 6_000, 50_000), "enrich": (1_000, None, None)},
    "unlimited": {"default": (None,) * 3, "search": (None,) * 3, "enrich": (None,) * 3},  # only of a simulator
    "organization": {"default": (200, 600, 6_000), "search": (200, 6_000, 50_000), "enrich": (1_000, None, None)},
}


@dataclass
class _Window:
    opened_at: float
    used: int = 0


@dataclass(frozen=True)
class Verdict:
    """What counting one call gave: headers for the answer, and where it is too many, which window says so."""

    headers: dict[str, str]
    limit: int = 0
    window: str = ""

    @property
    def is_over(self) -> bool:
        return bool(self.window)


class FixedWindows:
    """Counts of all routes of one account."""

    def __init__(self) -> None:
        self._windows: dict[tuple[str, float], _Window] = {}

    def count(self, route: str, quota: Quota, now: float) -> Verdict:
        """Count one call. A refused call is counted by no window."""
        windows = [self._window(route, size_s, now) for size_s in WINDOWS_S]
        for window, size_s, limit, spoken in zip(windows, WINDOWS_S, quota, _SPOKEN, strict=True):
            if limit is not None and window.used >= limit:
                wait_s = max(int(window.opened_at + size_s - now) + 1, 1)
                return Verdict(_headers(windows, quota) | {"retry-after": str(wait_s)}, limit, spoken)
        for window in windows:
            window.used += 1
        return Verdict(_headers(windows, quota))

    def _window(self, route: str, size_s: float, now: float) -> _Window:
        window = self._windows.get((route, size_s))
        if window is None or now >= window.opened_at + size_s:
            window = self._windows[route, size_s] = _Window(now)
        return window


def _headers(windows: list[_Window], quota: Quota) -> dict[str, str]:
    headers: dict[str, str] = {}
    for (limit_name, usage_name), window, limit in zip(_NAMES, windows, quota, strict=True):
        headers[f"x-rate-limit-{limit_name}"] = "" if limit is None else str(limit)
        if limit is not None:
            headers[f"x-{usage_name}-usage"] = str(window.used)
            headers[f"x-{usage_name}-requests-left"] = str(max(limit - window.used, 0))
    return headers
