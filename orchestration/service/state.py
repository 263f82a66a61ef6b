"""What every route needs: ledger, clock, settings of the service. One object, found on the application.

Belongs here: that object. Does not: making it (`app.py`), anything that changes while the service runs but counters.
"""

from __future__ import annotations

from dataclasses import dataclass

from assets.publishing.ledger import Ledger
from fastapi import Request
from sources.clock import Clock

from orchestration.service.metrics import Metrics
from orchestration.service.settings import ServiceSettings


@dataclass(frozen=True)
class Service:
    """The parts that the routes share."""

    ledger: Ledger
    clock: Clock
    settings: ServiceSettings
    metrics: Metrics


def service_of(request: Request) -> Service:
    service = request.app.state.service
    assert isinstance(service, Service)
    return service
