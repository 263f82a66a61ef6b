"""From settings to a runtime: clients, sources, ledger, clock.

Belongs here: the one place where settings become objects. Does not: names and defaults of settings (`settings.py`).
Surprise: nothing is opened or asked for here; a definition that is only loaded touches neither disk nor network.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from assets.publishing import credits, enrichment
from assets.publishing.calls import LedgerCalls
from assets.publishing.credits import LedgerPurse
from assets.publishing.ledger import Ledger
from assets.runtime import Progress, Runtime, Silence
from pydantic import SecretStr
from sources.archive import Archive
from sources.clock import Clock, WallClock
from sources.intake import Meter

from orchestration.settings import ApolloSettings, Settings, UpLeadSettings, VendorSettings, ZoomInfoSettings

if TYPE_CHECKING:
    from dlt.extract import DltSource
    from requests.adapters import BaseAdapter
    from sources.apollo.client import ApolloClient
    from sources.halopsa.client import HaloClient
    from sources.tariffs import Tariff
    from sources.uplead.client import UpLeadClient
    from sources.zoominfo.client import ZoomInfoClient

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
    halo = None if settings.missing("halopsa") else halo_client(settings, clock)
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
        asking_order=tuple(order_of(settings)),
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
    vendors = settings.sources
    life = {"apollo": timedelta(days=vendors.apollo.paid_life_days)}
    archive = Archive(settings.data_root / "archive", paid_life=life, clock=clock)
    makers: dict[str, SourceMaker] = {}
    if not settings.missing("apollo"):
        makers["apollo"] = lambda meter: _apollo(settings, archive, clock, meter, open_ledger)
    if not settings.missing("zoominfo"):
        makers["zoominfo"] = lambda meter: _zoominfo(vendors.zoominfo, archive, clock, meter, open_ledger)
    if not settings.missing("uplead"):
        makers["uplead"] = lambda meter: _uplead(settings, archive, clock, meter, open_ledger)
    makers["exports"] = lambda meter: _exports(settings.data_root / "exports", clock, meter)
    return makers


def _apollo(
    settings: Settings, archive: Archive, clock: Clock, meter: Meter, open_ledger: Callable[[], Ledger]
) -> DltSource:
    """The people of the query, and those of the companies that somebody asks about."""
    from sources.apollo import apollo

    vendor = settings.sources.apollo
    client = apollo_client(vendor, clock, _gate(vendor, clock, meter, open_ledger))
    return apollo(client, archive, meter, query=vendor.query, domains=_asked(settings, clock, meter, open_ledger),
                  credits_max=vendor.credits_max, has_saved=vendor.saved,
                  is_buying=bool(vendor.query) or not vendor.saved)  # fmt: skip


def _zoominfo(
    vendor: ZoomInfoSettings, archive: Archive, clock: Clock, meter: Meter, open_ledger: Callable[[], Ledger]
) -> DltSource:
    from sources.zoominfo import zoominfo

    if vendor.surface == "legacy":
        from sources.zoominfo.legacy import LegacyClient, LegacyTariff

        gate = _gate(vendor, clock, meter, open_ledger, LegacyTariff())
        legacy = LegacyClient(vendor.base_url, vendor.username or "", _secret(vendor.password), clock)
        legacy.session.mount(vendor.base_url, gate)
        return zoominfo(legacy, archive, meter)
    return zoominfo(zoominfo_client(vendor, clock, _gate(vendor, clock, meter, open_ledger)), archive, meter)


def _uplead(
    settings: Settings, archive: Archive, clock: Clock, meter: Meter, open_ledger: Callable[[], Ledger]
) -> DltSource:
    """The watched domains and those that somebody asks about; without watched ones the whole account is read anyway."""
    from sources.uplead import uplead

    vendor = settings.sources.uplead
    client = uplead_client(vendor, clock, _gate(vendor, clock, meter, open_ledger))
    asked = _asked(settings, clock, meter, open_ledger)
    return uplead(client, archive, meter, [*vendor.domains, *asked] if vendor.domains else None)


def _gate(
    vendor: VendorSettings,
    clock: Clock,
    meter: Meter,
    open_ledger: Callable[[], Ledger],
    tariff: Tariff | None = None,
) -> BaseAdapter:
    """The transport of a vendor in a run: what may cost credits is written into the ledger before it leaves."""
    from sources.tariffs import TARIFFS
    from sources.tollgate import Tollgate

    source = meter.source
    meter.purse = LedgerPurse(open_ledger, clock, source, run_id=meter.run_id, budget=vendor.credits_a_day)
    return Tollgate(source, tariff or TARIFFS[source](), meter.purse)


def _asked(settings: Settings, clock: Clock, meter: Meter, open_ledger: Callable[[], Ledger]) -> list[str]:
    """Domains that a helpdesk asks about and whose turn it is at this vendor, the oldest question first; none once the
    ceiling of a day is reached."""
    ledger = open_ledger()
    try:
        ceiling = settings.enrichment.credits_a_day
        if ceiling is not None and sum(credits.spent_today(ledger, clock).values()) >= ceiling:
            return []
        meter.asked = enrichment.domains_asked(ledger, meter.source, order_of(settings))
        return meter.asked
    finally:
        ledger.close()


def order_of(settings: Settings) -> list[str]:
    """Whom questions are put to, in order: the vendors of ENRICHMENT__ORDER that are configured."""
    return [vendor for vendor in settings.enrichment.order if not settings.missing(vendor)]


def _exports(folder: Path, clock: Clock, meter: Meter) -> DltSource:
    from sources.exports import exports

    return exports(folder, meter, clock)


def _mirror(client: HaloClient, meter: Meter) -> DltSource:
    from sources.halopsa import halopsa

    return halopsa(client, meter)


def apollo_client(settings: ApolloSettings, clock: Clock, gate: BaseAdapter | None = None) -> ApolloClient:
    from sources.apollo.client import ApolloClient

    return ApolloClient(settings.base_url, _secret(settings.api_key), clock, adapter=gate)


def zoominfo_client(settings: ZoomInfoSettings, clock: Clock, gate: BaseAdapter | None = None) -> ZoomInfoClient:
    from sources.zoominfo.client import ZoomInfoClient

    client = ZoomInfoClient(settings.base_url, settings.client_id or "", _secret(settings.client_secret), clock)
    if gate is not None:
        client.session.mount(settings.base_url, gate)
    return client


def uplead_client(settings: UpLeadSettings, clock: Clock, gate: BaseAdapter | None = None) -> UpLeadClient:
    from sources.uplead.client import UpLeadClient

    client = UpLeadClient(settings.base_url, _secret(settings.api_key), clock)
    if gate is not None:
        client.session.mount(settings.base_url, gate)
    return client


def halo_client(settings: Settings, clock: Clock) -> HaloClient:
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
