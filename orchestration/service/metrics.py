"""Figures for Prometheus: what the service counts itself, and what the ledger says when it is asked.

Belongs here: names and meanings of the figures. Does not: the route (`operations.py`).
Surprise: the registry belongs to one application, not to the process, so that two in one process never mix.
"""

from __future__ import annotations

from assets.publishing import feed, hooks, outbox
from assets.publishing.ledger import Ledger
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """The figures of one application."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._of: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}  # looking labels up takes longer than inc
        self.requests = Counter(
            "halosync_requests", "answered requests", ("method", "route", "status"), registry=self.registry
        )
        self.seconds = Histogram(
            "halosync_request_seconds", "time to answer", ("route",), registry=self.registry, buckets=_SECONDS
        )
        self._outbox = Gauge("halosync_outbox_records", "golden records by state", ("state",), registry=self.registry)
        self._hooks = Gauge("halosync_hooks", "subscriptions by state", ("state",), registry=self.registry)
        self._commit = Gauge("halosync_feed_snapshot", "newest commit of the feed", registry=self.registry)
        self._commit_at = Gauge(
            "halosync_feed_commit_timestamp_seconds", "when the newest commit was made", registry=self.registry
        )

    def note(self, method: str, route: str, status: int, seconds: float) -> None:
        """One answered request."""
        key = (method, route, status)
        if key not in self._of:
            self._of[key] = (self.requests.labels(method, route, str(status)), self.seconds.labels(route))
        count, took = self._of[key]
        count.inc()
        took.observe(seconds)

    def as_text(self, ledger: Ledger) -> bytes:
        """All figures in Prometheus' text format, those of the ledger as they are now."""
        for state, records in outbox.tally(ledger).items():
            self._outbox.labels(state).set(records)
        for state, subscriptions in hooks.tally(ledger).items():
            self._hooks.labels(state).set(subscriptions)
        newest = feed.newest(ledger)
        self._commit.set(newest.seq)
        self._commit_at.set(newest.at.timestamp())
        return generate_latest(self.registry)
