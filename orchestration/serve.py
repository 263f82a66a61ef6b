"""The HTTP service: feed and operations, on loopback unless a setting says otherwise.

Belongs here: flags, the refusal of an unsafe address, starting uvicorn. Does not: routes (`service/`).
Surprise: an address other than loopback needs a key to exist first; the service itself speaks plain HTTP, so a reverse
proxy with TLS belongs before it (docs/service.md).
"""

from __future__ import annotations

import argparse
import ipaddress
import sys

from assets.publishing import keys
from assets.publishing.ledger import Ledger, LedgerError

from orchestration import settings as settings_module
from orchestration.demo import demo_settings
from orchestration.exits import Exit, Stop
from orchestration.resources import clock_of_environment
from orchestration.settings import Settings, SettingsError
from orchestration.ui import refuse_taken

PORT = 8750
DEMO_FRESH_HOURS = 1e5  # the demo's clock is simulated, so its runs may look old


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", help="address to listen on (default 127.0.0.1)")
    parser.add_argument("--port", type=int, default=PORT, help=f"port (default {PORT})")
    parser.add_argument("--demo", action="store_true", help="on the demo's ledger")


def run(arguments: argparse.Namespace) -> Exit:
    import uvicorn

    from orchestration.service import logs
    from orchestration.service.app import build_app

    settings = settings_for(demo=arguments.demo)
    host = arguments.host or settings.service.host
    refuse_taken(arguments.port, host=host, verb="serve")
    ledger = opened(settings)
    refuse_open_door(host, ledger)
    logs.to_stderr()
    app = build_app(ledger, clock_of_environment(), settings.service)
    print(f"halosync service: http://{host}:{arguments.port}/docs   (Ctrl-C stops it)", file=sys.stderr)
    proxies = settings.service.trusted_proxies
    uvicorn.run(
        app,
        host=host,
        port=arguments.port,
        access_log=False,
        log_level="error",
        server_header=False,
        proxy_headers=bool(proxies),
        forwarded_allow_ips=proxies or [],
        timeout_keep_alive=30,
        limit_concurrency=settings.service.connections_max,
        timeout_graceful_shutdown=10,
    )
    ledger.close()
    return Exit.DONE


def settings_for(*, demo: bool) -> Settings:
    """The settings of a verb that only needs the ledger.

    Raises:
        Stop: a setting is wrong, or the folder cannot be written (exit 2).
    """
    if demo:
        settings = demo_settings()
        ageless = settings.service.model_copy(update={"fresh_hours": DEMO_FRESH_HOURS})
        return settings.model_copy(update={"service": ageless})
    try:
        settings = settings_module.load()
        settings.prepare()
    except SettingsError as error:
        raise Stop(str(error), Exit.USAGE) from error
    return settings


def opened(settings: Settings) -> Ledger:
    """Raises Stop where the ledger cannot be opened (exit 2)."""
    try:
        return Ledger.open(settings.ledger, settings.data_root)
    except LedgerError as error:
        raise Stop(str(error), Exit.USAGE) from error


def refuse_open_door(host: str, ledger: Ledger) -> None:
    """Raises Stop where `host` is not loopback and nobody has a live key (exit 2)."""
    try:
        is_loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_loopback = False
    if not is_loopback and not any(key.revoked_at is None for key in keys.every(ledger)):
        raise Stop(
            f"Not listening on {host}: nobody has a key yet. Make one: halosync keys add NAME --scope feed:read.",
            Exit.USAGE,
        )
