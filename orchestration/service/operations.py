"""Operations: is it up, is it ready, and figures for Prometheus.

Belongs here: the routes for those who run the service. Does not: what is measured (`metrics.py`).
Surprise: `/healthz` asks nothing of the ledger, so that a locked ledger does not restart a healthy process.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from assets.publishing import feed, runs
from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel

from orchestration.service.access import guarded_router
from orchestration.service.errors import Refusal, documented
from orchestration.service.state import service_of

open_router = APIRouter(tags=["operations"])
router = guarded_router("metrics:read", tags=["operations"])


class Health(BaseModel):
    """The process answers."""

    status: Literal["up"] = "up"


class Readiness(BaseModel):
    """The ledger can be read, its schema is ours, and a run ended lately."""

    status: Literal["ready"] = "ready"
    snapshot: str


@open_router.get("/healthz", summary="The process answers")
def healthz() -> Health:
    return Health()


@open_router.get("/readyz", responses=documented(503), summary="Polls can be answered with fresh data")
def readyz(request: Request) -> Readiness:
    service = service_of(request)
    snapshot = feed.newest(service.ledger).seq
    age_max = timedelta(hours=service.settings.fresh_hours)
    ran_at = runs.last_good_at(service.ledger)
    if ran_at is None or service.clock.now() - ran_at > age_max:
        hours = service.settings.fresh_hours
        raise Refusal(503, "stale", f"No run ended well in the last {hours:g} hours.", retry_after_s=300)
    return Readiness(snapshot=str(snapshot))


@router.get("/metrics", responses=documented(401, 403, 429, 503), response_class=Response, summary="For Prometheus")
def metrics(request: Request) -> Response:
    service = service_of(request)
    return Response(service.metrics.as_text(service.ledger), media_type=CONTENT_TYPE_LATEST)
