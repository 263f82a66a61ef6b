"""The HTTP service: feed and operations, on loopback unless a setting says otherwise.

Belongs here: flags, the refusal of an unsafe address, starting uvicorn. Does not: routes (`service/`).
Surprise: an address other than loopback needs a key to exist first; the service itself speaks plain HTTP, so a reverse
proxy with TLS belongs before it (docs/service.md).
"""

from __future__ import annotations

import argparse
import ipaddress
import json
import sys
from pathlib import Path

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
    parser.add_argument(
        "--export-openapi", nargs=2, metavar=("FORM", "FILE"),
        help="write the description as 3.1, 3.0, 2.0 or postman, and end; - is stdout",
    )  # fmt: skip
    parser.add_argument("--url", default=f"http://127.0.0.1:{PORT}", help="where the service is reached, for exports")


def run(arguments: argparse.Namespace) -> Exit:
    if arguments.export_openapi:
        return _export(*arguments.export_openapi, url=arguments.url)
    import uvicorn

    from orchestration.service import logs
    from orchestration.service.app import build_app
    from orchestration.service.courier import Courier

    settings = settings_for(demo=arguments.demo)
    host = arguments.host or settings.service.host
    refuse_taken(arguments.port, host=host, verb="serve")
    ledger = opened(settings)
    refuse_open_door(host, ledger)
    logs.to_stderr()
    clock = clock_of_environment()
    app = build_app(ledger, clock, settings.service)
    courier = Courier(ledger, clock, settings.service.hooks)
    courier.start()
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
    courier.stop()
    ledger.close()
    return Exit.DONE


def _export(form: str, target: str, *, url: str) -> Exit:
    from orchestration.service.app import description
    from orchestration.service.exports import FORMS, exported

    if form not in FORMS:
        raise Stop(f"The description has no form {form}. Known are {', '.join(FORMS)}.", Exit.USAGE)
    text = json.dumps(exported(description(), form, url=url), indent=1, ensure_ascii=False) + "\n"
    if target == "-":
        sys.stdout.write(text)
        return Exit.DONE
    try:
        Path(target).write_text(text, "utf-8")
    except OSError as error:
        raise Stop(f"{target} cannot be written: {error.strerror}.", Exit.USAGE) from error
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
