"""From settings to a runtime: clients, sources, ledger, clock.

Belongs here: the one place where settings become objects. Does not: names and defaults of settings (`settings.py`).
Surprise: nothing is opened or asked for here; a definition that is only loaded touches neither disk nor network.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from assets.publishing import enrichment
from assets.publishing.calls import LedgerCalls
from assets.publishing.ledger import Ledger
from assets.runtime import Progress, Runtime, Silence
from pydantic import SecretStr
from sources.archive import Archive
from sources.clock import Clock, WallClock
from sources.intake import Meter

from orchestration.settings import ApolloSettings, Settings, UpLeadSettings, ZoomInfoSettings

if TYPE_CHECKING:
    from dlt.extract import DltSource
    from sources.halopsa.client import HaloClient

PUBLISH_S_MAX = 600.0  # a slice of ten minutes, so that a backfill of hours never blocks the next sync

SourceMaker = Callable[[Meter], "DltSource"]


def build_runtime(
    settings: Settings,
    *,
    clock: Clock | None = None,
    only: list[str] | None = None,
    publish: bool = True,
    progress: Progress | None = None,
) -> Runtime:
    """A runtime for the configured sources, or for those of them named in `only`."""
    clock = clock or clock_of_environment()
    makers = _vendors(settings, clock, lambda: Ledger.open(settings.ledger, settings.data_root))
    halo = None if settings.missing("halopsa") else _halo_client(settings, clock)
    if halo is not None:
        makers["halopsa"] = lambda meter: _mirror(halo, meter)
    wanted = {name: maker for name, maker in makers.items() if only is None or name in (*only, "halopsa")}
    return Runtime(
        data=settings.data_root,
        clock=clock,
        open_ledger=lambda: Ledger.open(settings.ledger, settings.data_root),
        sources=wanted,
        halo=halo,
        publish=publish and halo is not None,
        publish_s_max=PUBLISH_S_MAX if isinstance(clock, WallClock) else None,
        rules=settings.survivorship_rules(),
        publishing=settings.publishing_rules(),
        prospects=settings.feed.prospects,
        lock_wait_s=settings.lock_wait_s,
        progress=progress or Silence(),
    )


def clock_of_environment() -> Clock:
    """The wall clock, or the simulated one of the process that HALOSYNC_CLOCK names (set by `ui` for the demo)."""
    url = os.environ.get("HALOSYNC_CLOCK")
    if not url:
        return WallClock()
    from sources.shared_clock import SharedClock

    return SharedClock(url)


def _vendors(settings: Settings, clock: Clock, open_ledger: Callable[[], Ledger]) -> dict[str, SourceMaker]:
    archive = Archive(settings.data_root / "archive")
    vendors = settings.sources
    makers: dict[str, SourceMaker] = {}
    if not settings.missing("apollo"):
        note = settings.data_root / "archive" / "apollo-purchase.json"
        makers["apollo"] = lambda meter: _apollo(vendors.apollo, archive, note, clock, meter, open_ledger)
    if not settings.missing("zoominfo"):
        makers["zoominfo"] = lambda meter: _zoominfo(vendors.zoominfo, archive, clock, meter)
    if not settings.missing("uplead"):
        makers["uplead"] = lambda meter: _uplead(vendors.uplead, archive, clock, meter, open_ledger)
    makers["exports"] = lambda meter: _exports(settings.data_root / "exports", clock, meter)
    return makers


def _apollo(
    settings: ApolloSettings,
    archive: Archive,
    note: Path,
    clock: Clock,
    meter: Meter,
    open_ledger: Callable[[], Ledger],
) -> DltSource:
    """The people of the query, and those of the companies that somebody asks about."""
    from sources.apollo import apollo
    from sources.apollo.client import ApolloClient

    client = ApolloClient(settings.base_url, _secret(settings.api_key), clock)
    return apollo(client, archive, meter, query=settings.query, domains=_asked(open_ledger),
                  credits_max=settings.credits_max, note=note, has_saved=settings.saved,
                  is_buying=bool(settings.query) or not settings.saved)  # fmt: skip


def _zoominfo(settings: ZoomInfoSettings, archive: Archive, clock: Clock, meter: Meter) -> DltSource:
    from sources.zoominfo import zoominfo
    from sources.zoominfo.client import ZoomInfoClient

    if settings.surface == "legacy":
        from sources.zoominfo.legacy import LegacyClient

        legacy = LegacyClient(settings.base_url, settings.username or "", _secret(settings.password), clock)
        return zoominfo(legacy, archive, meter)
    client = ZoomInfoClient(settings.base_url, settings.client_id or "", _secret(settings.client_secret), clock)
    return zoominfo(client, archive, meter)


def _uplead(
    settings: UpLeadSettings, archive: Archive, clock: Clock, meter: Meter, open_ledger: Callable[[], Ledger]
) -> DltSource:
    """The watched domains and those that somebody asks about; without watched ones the whole account is read anyway."""
    from sources.uplead import uplead
    from sources.uplead.client import UpLeadClient

    client = UpLeadClient(settings.base_url, _secret(settings.api_key), clock)
    if not settings.domains:
        return uplead(client, archive, meter)
    return uplead(client, archive, meter, [*settings.domains, *_asked(open_ledger)])


def _asked(open_ledger: Callable[[], Ledger]) -> list[str]:
    """Domains that a helpdesk asks about, the oldest question first."""
    ledger = open_ledger()
    try:
        return enrichment.domains_asked(ledger)
    finally:
        ledger.close()


def _exports(folder: Path, clock: Clock, meter: Meter) -> DltSource:
    from sources.exports import exports

    return exports(folder, meter, clock)


def _mirror(client: HaloClient, meter: Meter) -> DltSource:
    from sources.halopsa import halopsa

    return halopsa(client, meter)


def _halo_client(settings: Settings, clock: Clock) -> HaloClient:
    from sources.halopsa.client import HaloClient

    halo, rules = settings.sources.halopsa, settings.publishing_rules()
    return HaloClient(
        halo.base_url or "",
        halo.tenant or "",
        halo.client_id or "",
        _secret(halo.client_secret),
        clock,
        calls_per_window=halo.calls_per_window,
        book=LedgerCalls(lambda: Ledger.open(settings.ledger, settings.data_root), "halopsa"),
        defaults={
            "Client": {"toplevel_id": halo.toplevel_id, **rules.defaults_of("Client")},
            "Site": rules.defaults_of("Site"),
            "Users": rules.defaults_of("Users"),
        },
    )


def _secret(value: SecretStr | None) -> str:
    assert value is not None, "a source is only made where its settings are there"
    return value.get_secret_value()
