"""One simulated account of any of the three vendors: simulator, client, archive, and its raw tables.

Belongs here: running a source again and again on the same state, without a warehouse. Does not: what is right (tests).
Surprise: the resources are read as dlt reads them and merged as dlt merges them (the newest archive file of an id wins),
but no warehouse is written; that saves nine tenths of the time, and loading is tested elsewhere.
"""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pandas as pd
from dlt.common.configuration.container import Container
from dlt.common.pipeline import StateInjectableContext

from sources.apollo import apollo
from sources.apollo import settings as apollo_settings
from sources.apollo.client import ApolloClient
from sources.apollo.simulator import ApolloSimulator
from sources.archive import Archive
from sources.clock import VirtualClock
from sources.intake import Meter
from sources.simulation import InMemoryAdapter, serve
from sources.uplead import settings as uplead_settings
from sources.uplead import uplead
from sources.uplead.client import UpLeadClient
from sources.uplead.simulator import API_KEY, UpLeadSimulator
from sources.zoominfo import settings as zoominfo_settings
from sources.zoominfo import zoominfo
from sources.zoominfo.client import ZoomInfoClient
from sources.zoominfo.simulator import CLIENT_ID, CLIENT_SECRET, ZoomInfoSimulator

VENDORS = ("apollo", "zoominfo", "uplead")
SIMULATORS = {"apollo": ApolloSimulator, "zoominfo": ZoomInfoSimulator, "uplead": UpLeadSimulator}
TIMEOUT_S = 0.5  # of a socket, so that silence does not cost half a minute


class Refreshed:
    """A world in which the vendor has looked at some records again: their date has moved, nothing else."""

    def __init__(self, world, ids) -> None:
        self._world, self._ids = world, set(ids)
        self.rounds = [*world.rounds, (0.0, "refreshed")]

    def contacts(self, source: str) -> pd.DataFrame:
        people = self._world.contacts(source).copy()
        people.loc[people["id"].isin(self._ids), "updated_at"] += timedelta(days=40)
        return people

    def organisations(self, source: str) -> pd.DataFrame:
        return self._world.organisations(source)


class VendorAccount:
    """What one vendor's account, our archive and our raw tables are after some runs."""

    def __init__(self, vendor: str, world, folder: Path, **switches) -> None:
        self.vendor = vendor
        self.folder = folder
        self.clock = VirtualClock()
        self.archive = Archive(folder / "archive")
        self.simulator = SIMULATORS[vendor](world, self.clock, **switches)
        self.raw: dict[tuple[str, str], str] = {}  # (resource, id) -> content hash
        self.quarantined: set[tuple[str, str]] = set()
        self.state: dict = {}

    @property
    def credits(self) -> float:
        """What the vendor says we spent."""
        return self.simulator.credits_consumed if self.vendor == "apollo" else self.simulator.credits_used

    @property
    def tables(self) -> set[tuple[str, str]]:
        """(entity, id) of all rows, whichever resource brought them."""
        entity = {"saved_contact": "contact", "saved_account": "organisation"}
        return {(entity.get(resource, resource), row_id) for resource, row_id in self.raw}

    @contextmanager
    def reached(self, by: str):
        if by == "socket":
            with serve(self.simulator) as url:
                yield url
        else:
            yield "http://vendor.test"

    def run(self, by: str = "memory", **options) -> Meter:
        """One run of the source."""
        meter = Meter(self.vendor)
        with self.reached(by) as url:
            source = self._source(url, meter, by, options)
            with Container().injectable_context(StateInjectableContext(state=self.state)):
                for name, resource in source.resources.items():
                    self._merge(name, list(resource))
        return meter

    def _source(self, url: str, meter: Meter, by: str, options: dict):
        if self.vendor == "apollo":
            client = ApolloClient(url, "apollo-good", self.clock)
            sessions = client.sessions
            options = {"has_saved": True} | options
            source = apollo(client, self.archive, meter, **options)
        elif self.vendor == "zoominfo":
            client = ZoomInfoClient(url, CLIENT_ID, CLIENT_SECRET, self.clock)
            sessions = (client.session,)
            source = zoominfo(client, self.archive, meter, **options)
        else:
            client = UpLeadClient(url, API_KEY, self.clock)
            sessions = (client.session,)
            source = uplead(client, self.archive, meter, **options)
        for session in sessions:
            if by == "socket":
                session.timeout_s = TIMEOUT_S
            else:
                session.mount(url, InMemoryAdapter(self.simulator))
        return source

    def _merge(self, name: str, items: list) -> None:
        for item in items:
            for row in item.to_pylist() if hasattr(item, "to_pylist") else [item] if isinstance(item, dict) else item:
                if name == "quarantine":
                    entity, _, row_id = row["id"].partition(":")
                    self.quarantined.add((entity, row_id))
                else:
                    self.raw[name, row["id"]] = row["content_hash"]


def small_pages(monkeypatch, rows: int) -> None:
    """Pages so small that a world of a hundred people has several."""
    for settings in (apollo_settings, zoominfo_settings, uplead_settings):
        monkeypatch.setattr(settings, "PAGE_ROWS", rows)


def said(meter: Meter) -> str:
    """All that a run tells a person."""
    return "\n".join([*meter.problems, *meter.held, *meter.refusals(), *meter.retries()])
