"""The application: routes, shield and description put together.

Belongs here: the assembly. Does not: any route. Tests call `build_app` with a ledger and a clock of their own.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from assets.publishing.ledger import Ledger
from fastapi import FastAPI
from fastapi.telemetry import TelemetryConfig
from fastapi_offline import FastAPIOffline
from sources.clock import Clock

from orchestration.service import enrich, errors, feed, hooks, operations, webhooks
from orchestration.service.access import Doorkeeper
from orchestration.service.fast_lane import FastLane
from orchestration.service.metrics import Metrics
from orchestration.service.settings import ServiceSettings
from orchestration.service.shield import Shield
from orchestration.service.state import Service

# FastAPI would look for exporters of OpenTelemetry in the environment at every request; nothing leaves this machine.
_NO_TELEMETRY: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False, "auto_configure": False}
_ABOUT = """One clean set of organisations and contacts, for every poller.

Ask for `/halo-integrator/sync`, apply the records in their order, keep `last_sync_timestamp`, and send it back as
`last_sync` next time. `delete` means *retire*: deactivate the record, never delete it."""


def build_app(ledger: Ledger, clock: Clock, settings: ServiceSettings) -> FastAPI:
    """The ASGI application over one ledger."""
    app = _routed()
    app.openapi_schema = description()
    metrics = Metrics()
    app.state.service = Service(ledger, clock, settings, metrics)
    app.state.doorkeeper = Doorkeeper(calls_per_minute=settings.calls_per_minute)
    errors.install(app)
    app.add_middleware(FastLane)
    app.add_middleware(Shield, metrics=metrics)
    return app


@cache
def description() -> dict[str, Any]:
    """The service's own OpenAPI 3.1, without a ledger; made once, since every application has the same."""
    told = _routed().openapi()
    # A wrong question is 400 in our envelope; FastAPI would describe its own 422, which nobody ever gets.
    for path in told["paths"].values():
        for operation in path.values():
            operation["responses"].pop("422", None)
    for name in ("HTTPValidationError", "ValidationError"):
        told["components"]["schemas"].pop(name, None)
    return told


def _routed() -> FastAPI:
    # The description's scripts come from this service, so that /docs works without a network.
    app = FastAPIOffline(title="halosync", version="1", description=_ABOUT, redoc_url=None, redirect_slashes=False,
                         telemetry=_NO_TELEMETRY)  # fmt: skip
    for router in (
        feed.router,
        enrich.router,
        webhooks.router,
        hooks.router,
        operations.router,
        operations.open_router,
    ):
        app.include_router(router)
    return app
